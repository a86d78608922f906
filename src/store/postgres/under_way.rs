//! What this process knows of its runs under way besides what is stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{RunId, WriteCounts};

/// Runs under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<HashMap<RunId, SoFar>>);

/// What is known of one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SoFar {
    /// How many changes the server has confirmed. What is confirmed can still be lost: by a failover to a standby that was
    /// behind, or by a crash without `synchronous_commit`.
    pub(super) confirmed: u64,
    /// A sighting that nobody knew when the run began has come twice: others may as well.
    pub(super) repeats: bool,
}

impl UnderWay {
    pub(super) fn of(&self, run: RunId) -> SoFar {
        self.lock().get(&run).copied().unwrap_or_default()
    }

    /// It had written so many before, and these now.
    pub(super) fn confirm(&self, run: RunId, before: u64, counts: WriteCounts) {
        let now = counts.new + counts.updated + counts.resolved + counts.reopened;
        self.lock().entry(run).or_default().confirmed = before + now;
    }

    /// It has written something twice.
    pub(super) fn note_repeat(&self, run: RunId) {
        self.lock().entry(run).or_default().repeats = true;
    }

    pub(super) fn forget(&self, run: RunId) {
        self.lock().remove(&run);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, SoFar>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
