//! Everything that reads what strangers write, as functions of bytes: `fuzz/` drives them for hours, the tests for seconds.
//!
//! Belongs here: targets, each with the promises that it holds its code to, beside not panicking. Does not belong here: code
//! that the program needs; nothing of this is in the shipped binary.

mod configuration;
mod fingerprint;
mod splitter;
#[cfg(test)]
mod tests;

use crate::connectors;

/// One way to feed bytes in. It panics when a promise is broken.
pub type Target = fn(&[u8]);

/// All targets by name; a connector's has the connector's name, and is fed pages of the tool.
pub fn targets() -> impl Iterator<Item = (&'static str, Target)> {
    let own: [(&str, Target); 3] = [
        ("configuration", configuration::run),
        ("fingerprint", fingerprint::run),
        ("splitter", splitter::run),
    ];
    own.into_iter().chain(connectors::page_targets())
}

/// Feeds one target.
///
/// # Panics
/// When a promise is broken, or if there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let Some((_, target)) = targets().find(|(known, _)| *known == name) else {
        panic!("there is no target {name}");
    };
    target(input);
}
