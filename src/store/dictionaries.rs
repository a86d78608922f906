//! zstd dictionaries: one a connector, trained on what it first brings, kept for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe;

use super::import::ScopeId;
use super::pack::{BodyFault, LEVEL};

/// Enough to know what a connector's rows look like.
const SAMPLES: usize = 200;
/// No more than so many of a batch are looked at.
const MOST_SAMPLES: usize = 1000;
/// Of a longer sample only the beginning is looked at.
const SAMPLE_BYTES: usize = 8 << 10;
const DICTIONARY_BYTES: usize = 32 << 10;

/// All dictionaries that have been needed so far.
#[derive(Default)]
pub(super) struct Dictionaries {
    decoders: Mutex<HashMap<u32, Arc<DecoderDictionary<'static>>>>,
    encoders: Mutex<HashMap<String, Encoder>>,
    /// What the rows of a scope have been packed with before.
    scopes: Mutex<HashMap<ScopeId, Arc<EncoderDictionary<'static>>>>,
}

impl std::fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionaries").finish_non_exhaustive()
    }
}

/// What is known for packing a connector's rows.
enum Encoder {
    /// Too little has come so far.
    Gathering(Vec<Vec<u8>>),
    /// Somebody trains, or has tried and these rows have nothing in common.
    Without,
    Ready(Arc<EncoderDictionary<'static>>),
}

impl Dictionaries {
    /// The dictionary that a frame names, if it has been needed before.
    pub(super) fn decoder(&self, id: u32) -> Option<Arc<DecoderDictionary<'static>>> {
        guard(&self.decoders).get(&id).map(Arc::clone)
    }

    /// Takes in a dictionary that was read from the store.
    pub(super) fn learn_decoder(&self, id: u32, bytes: &[u8]) -> Arc<DecoderDictionary<'static>> {
        let decoder = Arc::new(DecoderDictionary::copy(bytes));
        guard(&self.decoders).insert(id, Arc::clone(&decoder));
        decoder
    }

    /// The dictionary that is remembered to pack a scope's rows with.
    pub(super) fn of_scope(&self, scope: ScopeId) -> Option<Arc<EncoderDictionary<'static>>> {
        guard(&self.scopes).get(&scope).map(Arc::clone)
    }

    /// Dictionaries never change: nobody need ask again for a scope that has one.
    pub(super) fn remember(&self, scope: ScopeId, encoder: &Arc<EncoderDictionary<'static>>) {
        guard(&self.scopes).insert(scope, Arc::clone(encoder));
    }

    /// The dictionary to pack a connector's rows with; `None` inside if there is none yet. `None`: the store has not been
    /// asked.
    pub(super) fn encoder(
        &self,
        connector: &str,
    ) -> Option<Option<Arc<EncoderDictionary<'static>>>> {
        match guard(&self.encoders).get(connector)? {
            Encoder::Ready(encoder) => Some(Some(Arc::clone(encoder))),
            Encoder::Gathering(_) | Encoder::Without => Some(None),
        }
    }

    /// Takes in what the store has for a connector.
    pub(super) fn learn_encoder(
        &self,
        connector: &str,
        bytes: Option<&[u8]>,
    ) -> Option<Arc<EncoderDictionary<'static>>> {
        let encoder = bytes.map(|bytes| Arc::new(EncoderDictionary::copy(bytes, LEVEL)));
        let state = match &encoder {
            Some(encoder) => Encoder::Ready(Arc::clone(encoder)),
            None => Encoder::Gathering(Vec::new()),
        };
        guard(&self.encoders).insert(connector.to_owned(), state);
        encoder
    }

    /// Looks at rows that have no dictionary. Once there are enough, one is trained; it must be saved before a row that is
    /// packed with it is.
    pub(super) fn gather(
        self: &Arc<Self>,
        connector: &str,
        rows: impl Iterator<Item = Result<Vec<u8>, BodyFault>>,
    ) -> Result<Option<Training>, BodyFault> {
        let samples = {
            let mut encoders = guard(&self.encoders);
            let Some(Encoder::Gathering(samples)) = encoders.get_mut(connector) else {
                return Ok(None);
            };
            for row in rows.take(MOST_SAMPLES) {
                let mut row = row?;
                row.truncate(SAMPLE_BYTES);
                row.shrink_to_fit();
                samples.push(row);
            }
            if samples.len() < SAMPLES {
                return Ok(None);
            }
            let samples = std::mem::take(samples);
            encoders.insert(connector.to_owned(), Encoder::Without);
            samples
        };
        let bytes = match zstd::dict::from_samples(&samples, DICTIONARY_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::debug!(connector, %error, "these rows make no dictionary");
                return Ok(None);
            }
        };
        let id = zstd_safe::get_dict_id_from_dict(&bytes);
        Ok(id.map(|id| Training {
            encoder: Arc::new(EncoderDictionary::copy(&bytes, LEVEL)),
            dictionaries: Arc::clone(self),
            connector: connector.to_owned(),
            id: id.get(),
            bytes,
            saved: false,
        }))
    }
}

/// A new dictionary, until it is saved. Dropped before: forgotten, and another may be trained.
pub(super) struct Training {
    encoder: Arc<EncoderDictionary<'static>>,
    dictionaries: Arc<Dictionaries>,
    pub(super) connector: String,
    pub(super) id: u32,
    pub(super) bytes: Vec<u8>,
    saved: bool,
}

impl Training {
    /// To be called once it is stored. Another process may have stored one for this connector in the meantime: then this
    /// one must not be used, but dropped.
    pub(super) fn announce(mut self) -> Arc<EncoderDictionary<'static>> {
        self.saved = true;
        let encoder = Encoder::Ready(Arc::clone(&self.encoder));
        guard(&self.dictionaries.encoders).insert(self.connector.clone(), encoder);
        Arc::clone(&self.encoder)
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        if !self.saved {
            guard(&self.dictionaries.encoders).remove(&self.connector);
        }
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one insertion or removal: the map is whole whatever happened to its last user.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
