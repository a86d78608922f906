//! Who waits, in what order, and who is under way.

use std::collections::{HashMap, VecDeque};

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::import::{Progress, ProgressSnapshot};
use crate::store::RunId;

/// A run that waits for its turn.
pub(super) struct Waiting {
    pub(super) run: RunId,
    pub(super) api_configuration: String,
    /// The one sender: dropped when the run is over, which tells its watchers.
    pub(super) progress: Progress,
    pub(super) cancel: CancellationToken,
}

impl Waiting {
    pub(super) fn new(run: RunId, api_configuration: &str, cancel: CancellationToken) -> Self {
        Self {
            run,
            api_configuration: api_configuration.to_owned(),
            progress: watch::Sender::new(ProgressSnapshot::default()),
            cancel,
        }
    }
}

/// First come, first served. At most one run of an API configuration is in it.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    running: usize,
    known: HashMap<RunId, Known>,
    runs: HashMap<String, RunId>,
}

struct Known {
    progress: watch::Receiver<ProgressSnapshot>,
    under_way: bool,
    import: Option<AbortHandle>,
}

impl Queue {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.runs
            .insert(waiting.api_configuration.clone(), waiting.run);
        let known = Known {
            progress: waiting.progress.subscribe(),
            under_way: false,
            import: None,
        };
        self.known.insert(waiting.run, known);
        self.waiting.push_back(waiting);
    }

    /// The next one, if fewer than `limit` are under way; it then is.
    pub(super) fn start_next(&mut self, limit: usize) -> Option<Waiting> {
        if self.running >= limit {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.running += 1;
        if let Some(known) = self.known.get_mut(&next.run) {
            known.under_way = true;
        }
        Some(next)
    }

    /// All that wait; they are known until they leave.
    pub(super) fn take_waiting(&mut self) -> Vec<Waiting> {
        self.waiting.drain(..).collect()
    }

    /// Says which task the import of a run is.
    pub(super) fn imports_in(&mut self, run: RunId, task: AbortHandle) {
        if let Some(known) = self.known.get_mut(&run) {
            known.import = Some(task);
        }
    }

    /// The run is over.
    pub(super) fn leave(&mut self, run: RunId, api_configuration: &str) {
        if let Some(known) = self.known.remove(&run)
            && known.under_way
        {
            self.running -= 1;
        }
        if self.runs.get(api_configuration) == Some(&run) {
            self.runs.remove(api_configuration);
        }
    }

    /// Every run that has not left, with the task that imports it.
    pub(super) fn remaining(&self) -> Vec<(RunId, Option<AbortHandle>)> {
        let pair = |(run, known): (&RunId, &Known)| (*run, known.import.clone());
        self.known.iter().map(pair).collect()
    }

    /// The numbers of all that have not left.
    pub(super) fn runs(&self) -> Vec<RunId> {
        self.known.keys().copied().collect()
    }

    pub(super) fn run_of(&self, api_configuration: &str) -> Option<RunId> {
        self.runs.get(api_configuration).copied()
    }

    pub(super) fn progress(&self, run: RunId) -> Option<watch::Receiver<ProgressSnapshot>> {
        Some(self.known.get(&run)?.progress.clone())
    }

    pub(super) fn progress_of(&self, api_configuration: &str) -> Option<ProgressSnapshot> {
        let known = self.known.get(self.runs.get(api_configuration)?)?;
        known.under_way.then(|| known.progress.borrow().clone())
    }

    pub(super) fn load(&self) -> (usize, usize) {
        (self.running, self.waiting.len())
    }
}
