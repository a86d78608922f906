//! Columns of a row, and texts for one.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::fault::Fault;
use crate::finding::{Kind, Severity, Status};
use crate::store::codes::coded;

/// The server's clock, in the store's milliseconds.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}
pub(super) use now;

pub(super) fn severity(code: i64) -> Result<Severity, Fault> {
    coded(code, &Severity::ALL).ok_or_else(|| no_such("severity", code))
}

pub(super) fn status(code: i64) -> Result<Status, Fault> {
    coded(code, &Status::ALL).ok_or_else(|| no_such("status", code))
}

pub(super) fn kind(code: i64) -> Result<Kind, Fault> {
    coded(code, &Kind::ALL).ok_or_else(|| no_such("kind", code))
}

pub(super) fn time(millis: i64) -> Result<DateTime<Utc>, Fault> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| no_such("time", millis))
}

pub(super) fn optional_time(millis: Option<i64>) -> Result<Option<DateTime<Utc>>, Fault> {
    millis.map(time).transpose()
}

/// A count; counts are never negative.
pub(super) fn count(count: i64) -> Result<u64, Fault> {
    u64::try_from(count).map_err(|_| no_such("count", count))
}

/// A word that parses to `T`.
pub(super) fn word<T: FromStr<Err = String>>(word: &str) -> Result<T, Fault> {
    word.parse().map_err(Fault::Damaged)
}

/// Bytes of a fixed length.
pub(super) fn bytes<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes
        .try_into()
        .map_err(|_| Fault::Damaged(format!("a key has {} bytes in place of {N}", bytes.len())))
}

fn no_such(what: &str, code: i64) -> Fault {
    Fault::Damaged(format!("there is no {what} {code}"))
}

/// A text as PostgreSQL takes it: without NUL, which a vendor's text may hold.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A vulnerability's name as it fits into an index: nobody's real one is that long, but a vendor's field may hold anything.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 500;
    if name.len() <= LONGEST {
        return text(name);
    }
    let end = (0..=LONGEST)
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or_default();
    Cow::Owned(text(&name[..end]).into_owned())
}

/// A text that tells rows apart as it fits into an index: a long one by its beginning and the hash of all of it.
pub(super) fn key(key: &str) -> Cow<'_, str> {
    const LONGEST: usize = 1000;
    if key.len() <= LONGEST {
        return text(key);
    }
    let hash = blake3::hash(key.as_bytes()).to_hex();
    let end = key.floor_char_boundary(LONGEST - hash.len());
    Cow::Owned(format!("{}{hash}", text(&key[..end])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_text_that_no_column_takes_is_made_one() {
        assert_eq!(text("a\0b"), "a\u{fffd}b");
        assert_eq!(name("CVE-1"), "CVE-1");
        let long = "ä".repeat(400);
        assert_eq!(name(&long).len(), 500);
        assert_eq!(name(&format!("x{long}")).len(), 499);
    }

    #[test]
    fn long_keys_fit_and_are_still_told_apart() {
        let long = "ä".repeat(2000);
        let (one, other) = (format!("{long}1"), format!("{long}2"));
        assert!(key(&one).len() <= 1000 && key(&one) != key(&other));
        assert_eq!(key(&one), key(&one.clone()));
        assert_eq!(key("forwards.a\0"), "forwards.a\u{fffd}");
    }

    #[test]
    fn what_has_no_meaning_is_damage() {
        assert!(severity(5).is_ok() && severity(6).is_err() && status(-1).is_err());
        assert!(kind(7).is_ok() && kind(8).is_err() && count(-1).is_err());
        assert!(bytes::<8>(&[0; 8]).is_ok() && bytes::<8>(&[0; 7]).is_err());
    }
}
