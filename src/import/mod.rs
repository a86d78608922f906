//! One run: pull, normalise, upsert, reconcile, report. The heart; no vendor and no SQL in it.
//!
//! Belongs here: what is done with what a connector reads, and what may be concluded from it. Does not belong here: how it
//! is read, how it is kept, when a run is due.

mod batch;
mod documents;
mod ending;
mod job;
mod known;
mod normalise;
mod persist;
mod progress;
mod reading;

pub use job::{Job, run};
pub use progress::{Progress, ProgressSnapshot};

#[cfg(test)]
mod tests;
