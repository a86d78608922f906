//! Vendors' texts that imports keep for one another, as both engines store them.

use chrono::{DateTime, TimeDelta, Utc};

/// A mark of use that is younger than this is left as it is.
const MARKED_EVERY: TimeDelta = TimeDelta::days(3);

const LEVEL: i32 = 3;

/// A text of a vendor that imports keep for one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// The vendor's name of it.
    pub name: String,
    /// The vendor's version of it.
    pub version: String,
    /// The text.
    pub text: String,
}

/// A document as it is stored.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) body: Vec<u8>,
}

/// Marks of use before this, in milliseconds, are to be renewed.
pub(super) fn marked_since(at: DateTime<Utc>) -> i64 {
    (at - MARKED_EVERY).timestamp_millis()
}

/// Compresses, which the writer need not do.
pub(super) fn pack(documents: Vec<StoredDocument>) -> std::io::Result<Vec<Packed>> {
    let pack = |document: StoredDocument| {
        Ok(Packed {
            body: zstd::encode_all(document.text.as_bytes(), LEVEL)?,
            name: document.name,
            version: document.version,
        })
    };
    documents.into_iter().map(pack).collect()
}

/// The text; none if it cannot be read.
pub(super) fn unpack(body: &[u8]) -> Option<String> {
    String::from_utf8(zstd::decode_all(body).ok()?).ok()
}
