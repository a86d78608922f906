//! How many changes the server has confirmed of each run of this process. What is confirmed can still be lost: by a failover
//! to a standby that was behind, or by a crash without `synchronous_commit`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{RunId, WriteCounts};

/// Of runs under way.
#[derive(Debug, Default)]
pub(super) struct Confirmed(Mutex<HashMap<RunId, u64>>);

impl Confirmed {
    pub(super) fn of(&self, run: RunId) -> u64 {
        self.lock().get(&run).copied().unwrap_or(0)
    }

    /// It had written so many before, and these now.
    pub(super) fn add(&self, run: RunId, before: u64, counts: WriteCounts) {
        let now = counts.new + counts.updated + counts.resolved + counts.reopened;
        self.lock().insert(run, before + now);
    }

    pub(super) fn forget(&self, run: RunId) {
        self.lock().remove(&run);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
