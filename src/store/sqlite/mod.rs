//! The SQLite engine.
//!
//! Belongs here: the statements, next to the functions that run them, and how they are executed: one thread writes, a few
//! connections read beside it. Does not belong here: anything that another engine would do the same way.

mod adding;
mod announcing;
mod candidates;
mod claims;
mod close;
mod codes;
mod delivering;
mod dictionary_rows;
mod documents;
mod export;
mod fault;
mod files;
mod listing;
mod news;
mod open;
mod outbox;
mod packing;
mod placing;
mod readers;
mod reading;
mod runs;
mod scopes;
mod standing;
mod states;
mod unpack;
mod write;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::dictionaries::{Dictionaries, Training};
use super::tables::Piece;
use super::{
    Accepted, ApiState, Change, Claim, Closing, FindingFilter, HoldLimits, ListedRecord, NewRun,
    Prepared, Proof, RecordState, Run, RunEnd, RunFilter, RunId, ScopeId, ScopeKey, ScopeState,
    Store, StoreError, StoredDocument, WriteCounts,
};
use super::{pack, prepare};
use crate::finding::Finding;
use fault::Fault;
use listing::Listing;
use open::Reading;
use packing::Packing;
use readers::{Readers, blocking};
use writer::Writer;

/// A store in a SQLite file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    path: PathBuf,
    /// None: opened for listings only.
    writer: Option<Writer>,
    packing: Option<Packing>,
    readers: Arc<Readers>,
    dictionaries: Arc<Dictionaries>,
}

/// Findings that wait for whoever listens.
const WAITING: usize = 64;

impl SqliteStore {
    /// Opens for reading and writing; creates and migrates.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        let dictionaries = Arc::new(Dictionaries::default());
        let place = path.to_owned();
        let known = Arc::clone(&dictionaries);
        let writer = blocking(move || Writer::start(place, &known))
            .await
            .map_err(|fault| fault.at(path))?;
        let reading = Reading::beside_writer(path);
        Ok(Self {
            path: path.to_owned(),
            writer: Some(writer),
            packing: Some(Packing::start().map_err(|fault| fault.at(path))?),
            readers: Readers::new(reading, Arc::clone(&dictionaries)),
            dictionaries,
        })
    }

    /// Opens an existing one for listings.
    pub(super) async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let dictionaries = Arc::new(Dictionaries::default());
        let place = path.to_owned();
        let reading = blocking(move || Reading::alone(&place))
            .await
            .map_err(|fault| fault.at(path))?;
        Ok(Self {
            path: path.to_owned(),
            writer: None,
            packing: None,
            readers: Readers::new(reading, Arc::clone(&dictionaries)),
            dictionaries,
        })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| self.only_listed())
    }

    fn only_listed(&self) -> StoreError {
        Fault::lasting("it was opened for listings only").at(&self.path)
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut readers::Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers
            .run(job)
            .await
            .map_err(|fault| fault.at(&self.path))
    }

    /// What a scope's batch is to be packed with. The first batches of a connector may make its dictionary.
    async fn encoder(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Option<Arc<zstd::dict::EncoderDictionary<'static>>>, StoreError> {
        if let Some(encoder) = self.dictionaries.of_scope(scope) {
            return Ok(Some(encoder));
        }
        let dictionaries = Arc::clone(&self.dictionaries);
        let (encoder, training) = self
            .read(move |reader| {
                let connector = scopes::connector(&reader.connection, scope)?;
                let encoder =
                    dictionary_rows::encoder(&dictionaries, &reader.connection, &connector)?;
                if let Some(encoder) = &encoder {
                    dictionaries.remember(scope, encoder);
                }
                let training = match encoder {
                    Some(_) => None,
                    None => {
                        let rows = changes.iter().map(|change| pack::plain(&change.sighting));
                        dictionaries.gather(&connector, rows)?
                    }
                };
                Ok((encoder, training))
            })
            .await?;
        match training {
            Some(training) => self.save(training).await,
            None => Ok(encoder),
        }
    }

    /// Saves a new dictionary; none if another process was first with one for this connector.
    async fn save(
        &self,
        training: Training,
    ) -> Result<Option<Arc<zstd::dict::EncoderDictionary<'static>>>, StoreError> {
        self.writer()?
            .run(move |writing| {
                let is_saved = writing
                    .transaction(|transaction, _| dictionary_rows::save(transaction, &training))?;
                Ok(is_saved.then(|| training.announce()))
            })
            .await
    }
}

/// Sends all that is in a store.
pub(super) async fn export(path: PathBuf, pieces: mpsc::Sender<Piece>) -> Result<(), StoreError> {
    let place = path.clone();
    blocking(move || export::export(&path, &pieces))
        .await
        .map_err(|fault| fault.at(&place))
}

/// Whether an export failed only because nobody took it in any more.
pub(super) fn was_given_up(error: &StoreError) -> bool {
    matches!(error, StoreError::Engine { reason, .. } if reason == export::GIVEN_UP)
}

#[async_trait]
impl Store for SqliteStore {
    async fn enqueue(&self, run: NewRun) -> Result<Option<RunId>, StoreError> {
        self.writer()?
            .run(move |writing| {
                let mut claimed = None;
                let done = writing.transaction(|transaction, side| {
                    claimed = runs::enqueue(transaction, &mut side.claims, &run)?;
                    Ok(claimed)
                });
                if let (Err(_), Some(run)) = (&done, claimed) {
                    writing.side().claims.release(run);
                }
                done
            })
            .await
    }

    async fn start(&self, run: RunId) -> Result<Claim, StoreError> {
        self.writer()?
            .transaction(move |transaction, side| runs::start(transaction, &side.claims, run))
            .await
    }

    async fn finish(&self, run: RunId, end: RunEnd) -> Result<(), StoreError> {
        self.writer()?
            .run(move |writing| {
                let done =
                    writing.transaction(|transaction, _| runs::finish(transaction, run, &end));
                // Also where it could not be written down: who comes next then finds the run without an owner.
                writing.side().claims.release(run);
                done
            })
            .await
    }

    async fn interrupt_leftovers(&self) -> Result<u64, StoreError> {
        self.writer()?
            .transaction(|transaction, side| runs::interrupt_leftovers(transaction, &side.claims))
            .await
    }

    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, StoreError> {
        self.read(move |reader| runs::list(&reader.connection, &filter))
            .await
    }

    async fn claimed_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        self.read(|reader| runs::claimed_slots(&reader.connection))
            .await
    }

    async fn open_scope(&self, run: RunId, scope: ScopeKey) -> Result<ScopeState, StoreError> {
        let id = self
            .writer()?
            .transaction(move |transaction, _| scopes::open(transaction, run, &scope))
            .await?;
        // Nobody but this run writes to the scope: what is read now is what it was at the commit.
        let known = self
            .read(move |reader| scopes::known(&reader.connection, id))
            .await?;
        Ok(ScopeState { id, known })
    }

    async fn prepare(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Prepared, StoreError> {
        let encoder = self.encoder(scope, Arc::clone(&changes)).await?;
        let packing = self.packing.as_ref().ok_or_else(|| self.only_listed())?;
        packing
            .run(move || Ok(prepare::prepare(&changes, encoder)?))
            .await
            .map_err(|fault| fault.at(&self.path))
    }

    /// Keys are spread over all pages of their tables, so that every transaction writes most of these pages: the larger the
    /// tables, the fewer transactions there should be.
    fn most_together(&self) -> usize {
        16_000
    }

    async fn write_prepared(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: Arc<[Prepared]>,
    ) -> Result<WriteCounts, StoreError> {
        self.writer()?
            .run(move |writing| {
                let (counts, names) = writing.transaction(|transaction, side| {
                    write::write(transaction, side, run, scope, &batches)
                })?;
                writing.side().names.remember(names);
                Ok(counts)
            })
            .await
    }

    async fn close(
        &self,
        run: RunId,
        proofs: Vec<Proof>,
        limits: HoldLimits,
    ) -> Result<Closing, StoreError> {
        self.writer()?
            .transaction(move |transaction, side| {
                close::close(transaction, &mut side.unpacker, run, &proofs, limits)
            })
            .await
    }

    async fn accept(
        &self,
        api_configuration: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<Accepted>, StoreError> {
        let name = api_configuration.to_owned();
        self.writer()?
            .transaction(move |transaction, side| {
                close::accept(transaction, &mut side.unpacker, &name, at)
            })
            .await
    }

    async fn list_records(
        &self,
        run: RunId,
        records: Vec<ListedRecord>,
    ) -> Result<Vec<(RecordState, Vec<ScopeId>)>, StoreError> {
        self.writer()?
            .transaction(move |transaction, _| scopes::list_records(transaction, run, &records))
            .await
    }

    async fn api_states(&self) -> Result<Vec<ApiState>, StoreError> {
        self.read(|reader| states::api_states(&reader.connection))
            .await
    }

    async fn findings(
        &self,
        filter: FindingFilter,
    ) -> Result<mpsc::Receiver<Result<Finding, StoreError>>, StoreError> {
        let at = |fault: Fault| fault.at(&self.path);
        let reader = self.readers.own().await.map_err(at)?;
        let listing = blocking(move || Listing::begin(reader, &filter))
            .await
            .map_err(at)?;
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(list(listing, sender, self.path.clone()));
        Ok(receiver)
    }

    async fn finding(&self, id: i64, raw: bool) -> Result<Option<Finding>, StoreError> {
        self.read(move |reader| listing::finding(reader, id, raw))
            .await
    }

    async fn documents(
        &self,
        space: &str,
        names: Vec<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<StoredDocument>, StoreError> {
        let own = space.to_owned();
        let documents::Found { documents, to_mark } = self
            .read(move |reader| documents::find(&reader.connection, &own, names, at))
            .await?;
        if !to_mark.is_empty() {
            let space = space.to_owned();
            self.writer()?
                .transaction(move |transaction, _| {
                    documents::mark(transaction, &space, &to_mark, at)
                })
                .await?;
        }
        Ok(documents)
    }

    async fn keep_documents(
        &self,
        space: &str,
        documents: Vec<StoredDocument>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let space = space.to_owned();
        let packed = blocking(move || documents::pack(documents))
            .await
            .map_err(|fault| fault.at(&self.path))?;
        self.writer()?
            .transaction(move |transaction, _| documents::keep(transaction, &space, &packed, at))
            .await
    }

    async fn forget_documents(&self, unused_since: DateTime<Utc>) -> Result<u64, StoreError> {
        let any = self
            .read(move |reader| documents::any_unused(&reader.connection, unused_since))
            .await?;
        if !any {
            return Ok(0);
        }
        self.writer()?
            .transaction(move |transaction, _| documents::forget(transaction, unused_since))
            .await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.writer()?.run(writer::Writing::settle).await
    }
}

/// Sends a listing until its end, or until nobody listens any more.
async fn list(
    mut listing: Listing,
    sender: mpsc::Sender<Result<Finding, StoreError>>,
    path: PathBuf,
) {
    loop {
        let read = blocking(move || {
            let chunk = listing.next_chunk()?;
            Ok((listing, chunk))
        });
        let chunk = match read.await {
            Ok((back, chunk)) => {
                listing = back;
                chunk
            }
            Err(fault) => {
                // Nobody listens any more: nobody is to be told.
                drop(sender.send(Err(fault.at(&path))).await);
                return;
            }
        };
        for finding in chunk.findings {
            if sender.send(Ok(finding)).await.is_err() {
                return;
            }
        }
        if chunk.is_last || sender.is_closed() {
            return;
        }
    }
}
