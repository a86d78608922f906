//! The handlers, by subject.

pub(super) mod events;
pub(super) mod findings;
pub(super) mod manage;
pub(super) mod observe;
mod read;
pub(super) mod runs;
pub(super) mod status;
