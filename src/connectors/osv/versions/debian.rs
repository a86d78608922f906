//! Debian policy, 5.6.12: epoch, upstream version, revision.

use std::cmp::Ordering;

use super::numbers;

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    numbers(a.epoch, b.epoch)
        .then_with(|| texts(a.upstream, b.upstream))
        .then_with(|| texts(a.revision, b.revision))
}

struct Parts<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.trim();
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        Self {
            epoch,
            upstream,
            revision,
        }
    }
}

/// Runs of other characters and runs of digits in turn.
fn texts(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (a_word, a_rest) = cut(a, |byte| !byte.is_ascii_digit());
        let (b_word, b_rest) = cut(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_rest) = cut(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = cut(b_rest, |byte| byte.is_ascii_digit());
        let order = words(a_word, b_word).then_with(|| numbers(a_number, b_number));
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

fn cut(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    // A border between ASCII digits and anything else is one between characters.
    text.split_at(
        text.bytes()
            .position(|byte| !belongs(byte))
            .unwrap_or(text.len()),
    )
}

/// `~` before the end, the end before letters, letters before everything else.
fn words(a: &str, b: &str) -> Ordering {
    let rank = |byte: Option<u8>| match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(letter) if letter.is_ascii_alphabetic() => (2, letter),
        Some(other) => (3, other),
    };
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (one, other) = (a.next(), b.next());
        let order = rank(one).cmp(&rank(other));
        if order.is_ne() || one.is_none() {
            return order;
        }
    }
}
