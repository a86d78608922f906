//! One run: pull, normalise, upsert, reconcile, report. The heart; no vendor and no SQL in it.

mod job;
mod progress;

pub use job::{Job, run};
pub use progress::{Progress, ProgressSnapshot};
