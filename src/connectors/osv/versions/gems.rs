//! RubyGems (`Gem::Version`): runs of digits and of letters; letters make a pre-release.

use std::cmp::Ordering;

use super::numbers;

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(a)?, segments(b)?);
    let longest = a.len().max(b.len());
    for at in 0..longest {
        let (a, b) = (
            a.get(at).copied().unwrap_or("0"),
            b.get(at).copied().unwrap_or("0"),
        );
        let order = match (is_number(a), is_number(b)) {
            (true, true) => numbers(a, b),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a.cmp(b),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

fn is_number(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_digit())
}

/// `1.0.0.rc1` is 1, 0, 0, rc, 1; zeroes before letters do not count.
fn segments(text: &str) -> Option<Vec<&str>> {
    let mut segments: Vec<&str> = Vec::new();
    for part in text.trim().split(['.', '-']) {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let mut rest = part;
        while let Some(first) = rest.bytes().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .bytes()
                .position(|b| b.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            if !digits {
                while segments.last().is_some_and(|last| is_zero(last)) {
                    segments.pop();
                }
            }
            segments.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    Some(segments)
}

fn is_zero(segment: &str) -> bool {
    segment.bytes().all(|b| b == b'0')
}
