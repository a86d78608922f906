//! Semantic versions (semver.org, 11), with as many numbers as there are: NuGet has four, npm packages have two.

use std::cmp::Ordering;

use super::numbers;

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, a_pre) = parts(a);
    let (b, b_pre) = parts(b);
    let core = dotted(a, b)?;
    Some(core.then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => pre_releases(a, b),
    }))
}

/// Numbers between dots; what is missing is 0. None if anything else stands there.
pub(super) fn dotted(a: &str, b: &str) -> Option<Ordering> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !a.split('.').chain(b.split('.')).all(is_number) {
        return None;
    }
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Some(Ordering::Equal),
            (a, b) => numbers(a.unwrap_or("0"), b.unwrap_or("0")),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

/// The numbers, and what stands behind a dash; build metadata does not count.
fn parts(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let text = text.split('+').next().unwrap_or_default();
    match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    }
}

fn pre_releases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => identifiers(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn identifiers(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => numbers(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}
