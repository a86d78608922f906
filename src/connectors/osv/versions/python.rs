//! PEP 440.

use std::cmp::Ordering;

use pep440_rs::Version;

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b): (Version, Version) = (a.parse().ok()?, b.parse().ok()?);
    Some(a.cmp(&b))
}
