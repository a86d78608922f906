//! Vendors' texts that imports keep for one another: what is the same in both engines.

use std::io;

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

/// Marks of use before this are renewed.
pub(super) fn marked_since(at: DateTime<Utc>) -> DateTime<Utc> {
    at - MARKED_EVERY
}

pub(super) fn pack(text: &str) -> io::Result<Vec<u8>> {
    zstd::encode_all(text.as_bytes(), LEVEL)
}

/// None if it cannot be read.
pub(super) fn unpack(body: &[u8]) -> Option<String> {
    String::from_utf8(zstd::decode_all(body).ok()?).ok()
}
