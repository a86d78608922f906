//! secpull pulls findings from security tools' APIs on a UTC schedule, normalises them and upserts them, deduplicated, into
//! one local store.
//!
//! The modules are floors: each knows only those before it in this list. `docs/architecture.md` has the picture.

pub mod finding;

pub mod export;

pub mod notice;

pub mod config;

pub mod tls;

pub mod http;

pub mod connectors;

pub mod store;

pub mod import;

pub mod delivery;

pub mod schedule;

pub mod daemon;

pub mod cli;

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
