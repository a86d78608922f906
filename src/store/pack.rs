//! What a sighting says, as bytes: content and the vendor's JSON in one zstd frame.
//!
//! Both in one frame, because the content repeats most of what the vendor said and so costs next to nothing. The frame
//! names its dictionary. Packing is done before a transaction begins, so that it holds nobody up.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{self, CCtx, DCtx};

use crate::finding::{Content, Severity, Sighting, Status};

/// Why a body cannot be made or read.
#[derive(Debug)]
pub(super) enum BodyFault {
    /// What is stored cannot be understood.
    Damaged(String),
    /// It cannot be packed.
    Unpackable(String),
    /// Memory is short.
    MemoryIsShort,
}

/// Higher levels cost more than they save on texts of this size.
pub(super) const LEVEL: i32 = 1;

/// A frame that claims to be larger is not one of ours: connectors cap a row's JSON far below.
const LARGEST: u64 = 256 << 20;

/// What is packed beside the vendor's JSON. Severity and status have columns of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said<'a> {
    pub(super) source_id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source_severity: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source_status: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source_updated_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weakness: Option<Cow<'a, str>>,
    pub(super) content: Cow<'a, Content>,
}

/// The bytes that are compressed: the length of the first part, the first part, the vendor's JSON.
pub(super) fn plain(sighting: &Sighting) -> Result<Vec<u8>, BodyFault> {
    let mut bytes = Vec::with_capacity(1024 + 2 * sighting.raw.len());
    put_plain(&mut bytes, sighting)?;
    Ok(bytes)
}

/// The same into a buffer, in place of what is in it.
pub(super) fn put_plain(bytes: &mut Vec<u8>, sighting: &Sighting) -> Result<(), BodyFault> {
    fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
        text.as_deref().map(Cow::Borrowed)
    }
    let said = Said {
        source_id: Cow::Borrowed(&sighting.source_id),
        source_severity: borrowed(&sighting.source_severity),
        source_status: borrowed(&sighting.source_status),
        found_at: sighting.found_at,
        source_updated_at: sighting.source_updated_at,
        weakness: borrowed(&sighting.weakness),
        content: Cow::Borrowed(&sighting.content),
    };
    bytes.clear();
    bytes.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *bytes, &said)
        .map_err(|error| BodyFault::Unpackable(format!("a finding cannot be written: {error}")))?;
    let length = u32::try_from(bytes.len() - 4)
        .map_err(|_| BodyFault::Unpackable("a finding's texts are larger than 4 GiB".to_owned()))?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(sighting.raw.as_bytes());
    Ok(())
}

/// Compresses.
pub(super) struct Packer {
    context: CCtx<'static>,
    dictionary: Option<Arc<EncoderDictionary<'static>>>,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// Without a dictionary.
    pub(super) fn plain() -> Result<Self, BodyFault> {
        Self::with(None)
    }

    pub(super) fn with(
        dictionary: Option<Arc<EncoderDictionary<'static>>>,
    ) -> Result<Self, BodyFault> {
        Ok(Self {
            context: CCtx::try_create().ok_or(BodyFault::MemoryIsShort)?,
            dictionary,
            scratch: Vec::new(),
        })
    }

    /// The packed bytes, until the next are packed.
    pub(super) fn pack(&mut self, plain: &[u8]) -> Result<&[u8], BodyFault> {
        self.scratch.clear();
        self.scratch.reserve(zstd_safe::compress_bound(plain.len()));
        match &self.dictionary {
            Some(dictionary) => {
                self.context
                    .compress_using_cdict(&mut self.scratch, plain, dictionary.as_cdict())
            }
            None => self.context.compress(&mut self.scratch, plain, LEVEL),
        }
        .map_err(|code| BodyFault::Unpackable(format!("compressing failed: {}", words(code))))?;
        Ok(&self.scratch)
    }
}

/// Uncompresses, with whatever dictionary the frame names.
pub(super) struct Unpacker {
    context: DCtx<'static>,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

/// An uncompressed body.
#[derive(Debug)]
pub(super) struct Unpacked<'a> {
    said: &'a [u8],
    raw: &'a [u8],
}

impl Unpacker {
    /// A scratch buffer larger than this is not kept for the next body.
    const KEPT: usize = 1 << 20;

    pub(super) fn new() -> Result<Self, BodyFault> {
        Ok(Self {
            context: DCtx::try_create().ok_or(BodyFault::MemoryIsShort)?,
            scratch: Vec::new(),
        })
    }

    /// Uncompresses one body, with the dictionary that `dictionary` finds by the number that the frame names.
    pub(super) fn unpack<E: From<BodyFault>>(
        &mut self,
        body: &[u8],
        dictionary: impl FnOnce(u32) -> Result<Arc<DecoderDictionary<'static>>, E>,
    ) -> Result<Unpacked<'_>, E> {
        let size = zstd_safe::get_frame_content_size(body)
            .ok()
            .flatten()
            .filter(|size| *size <= LARGEST)
            .and_then(|size| usize::try_from(size).ok())
            .ok_or_else(|| damaged("it is not compressed as it should be"))?;
        if self.scratch.capacity() > Self::KEPT {
            self.scratch = Vec::new();
        }
        self.scratch.clear();
        self.scratch.reserve(size);
        match dictionary_of(body) {
            Some(id) => {
                let dictionary = dictionary(id)?;
                self.context
                    .decompress_using_ddict(&mut self.scratch, body, dictionary.as_ddict())
            }
            None => self.context.decompress(&mut self.scratch, body),
        }
        .map_err(|code| damaged(words(code)))?;
        let (length, rest) = self
            .scratch
            .split_first_chunk()
            .ok_or_else(|| damaged("it is too short"))?;
        let length =
            usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged("it is too long"))?;
        let (said, raw) = rest
            .split_at_checked(length)
            .ok_or_else(|| damaged("it is too short"))?;
        Ok(Unpacked { said, raw })
    }
}

/// The number of the dictionary that a body was packed with.
pub(super) fn dictionary_of(body: &[u8]) -> Option<u32> {
    zstd_safe::get_dict_id_from_frame(body).map(std::num::NonZero::get)
}

impl Unpacked<'_> {
    pub(super) fn said(&self) -> Result<Said<'static>, BodyFault> {
        serde_json::from_slice(self.said).map_err(|error| damaged(&error.to_string()))
    }

    /// The vendor's JSON.
    pub(super) fn raw(&self) -> Result<String, BodyFault> {
        String::from_utf8(self.raw.to_vec()).map_err(|error| damaged(&error.to_string()))
    }

    /// The sighting, put together again.
    pub(super) fn sighting(
        &self,
        severity: Severity,
        status: Status,
    ) -> Result<Sighting, BodyFault> {
        let said = self.said()?;
        Ok(Sighting {
            source_id: said.source_id.into_owned(),
            // Is in the key, which is stored beside.
            id_space: None,
            severity,
            status,
            source_severity: said.source_severity.map(Cow::into_owned),
            source_status: said.source_status.map(Cow::into_owned),
            found_at: said.found_at,
            source_updated_at: said.source_updated_at,
            content: said.content.into_owned(),
            weakness: said.weakness.map(Cow::into_owned),
            raw: self.raw()?,
        })
    }
}

fn damaged(why: &str) -> BodyFault {
    BodyFault::Damaged(format!("a stored finding cannot be read: {why}"))
}

fn words(code: usize) -> &'static str {
    zstd_safe::get_error_name(code)
}
