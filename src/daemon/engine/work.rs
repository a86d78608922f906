//! One run, from its turn to its end.

use std::sync::Arc;
use std::time::Duration;

use super::queue::Waiting;
use super::sharing::tell_others;
use super::{Engine, ended};
use crate::import::Job;
use crate::store::{Claim, Run, RunEnd, RunId, RunState, StoreError};

/// Between two tries of telling a failing store something: from this …
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// … doubled up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long the store may take to mark what was cut off.
const LAST_WORDS: Duration = Duration::from_millis(800);

impl Engine {
    /// Starts whoever waits and fits.
    pub(super) fn start_waiting(&self) {
        while !self.0.stop.is_cancelled() {
            let limit = self.setup().config.max_concurrent;
            let Some(next) = self.queue().start_next(limit) else {
                break;
            };
            let engine = self.clone();
            self.0
                .tasks
                .spawn(async move { engine.execute(next).await });
        }
        let (running, queued) = self.load();
        self.0.metrics.load(running, queued);
    }

    async fn execute(&self, turn: Waiting) {
        // None: another daemon sees to the run.
        if let Some(end) = self.import(&turn).await {
            self.see_ended(turn.run, &turn.api_configuration, end).await;
        }
        self.queue().leave(turn.run, &turn.api_configuration);
        // Its sender goes last: who watches then finds the run ended in the store.
        drop(turn);
        self.start_waiting();
        // Nobody waits for this.
        if let Err(error) = self.0.store.settle().await {
            tracing::debug!("tidying up the store: {error}");
        }
    }

    /// Imports, with the configuration that is in force now. A panic in it is a failed run and nothing more.
    async fn import(&self, turn: &Waiting) -> Option<RunEnd> {
        let setup = self.setup();
        let name = &turn.api_configuration;
        let Some(api) = setup.config.api_configurations.get(name) else {
            let reason = format!("{name} was taken out of the configuration before its turn came");
            return Some(ended(RunState::Skipped, reason));
        };
        match self.claim(turn).await {
            Ok(Claim::Running) => {}
            Ok(Claim::Busy { run, daemon }) => {
                let reason = format!("{name} is already being imported by run {run} of {daemon}");
                return Some(ended(RunState::Skipped, reason));
            }
            Ok(Claim::Taken { daemon }) => {
                tracing::debug!(run = turn.run, "has been taken over by {daemon}");
                return None;
            }
            Err(end) => return Some(end),
        }
        let job = Job {
            run: turn.run,
            api: Arc::clone(api),
            connector: setup.connectors.get(&api.tool),
            limits: setup.config.import.clone(),
            warnings: setup.config.warnings_of(api),
        };
        let import = (self.0.importer)(
            Arc::clone(&self.0.store),
            job,
            turn.progress.clone(),
            turn.cancel.clone(),
        );
        let task = tokio::spawn(import);
        self.queue().imports_in(turn.run, task.abort_handle());
        let telling = self.0.store.is_shared().then(|| {
            let store = Arc::clone(&self.0.store);
            tokio::spawn(tell_others(store, turn.run, turn.progress.subscribe()))
        });
        let end = task.await;
        if let Some(telling) = telling {
            telling.abort();
        }
        Some(match end {
            Ok(end) => end,
            Err(error) if error.is_panic() => ended(
                RunState::Failed,
                "the import crashed: a fault in secpull, its log tells where; please report it"
                    .to_owned(),
            ),
            Err(_) => ended(RunState::Interrupted, STOPPED.to_owned()),
        })
    }

    /// Tries to get the run going until the store has said yes or no.
    async fn claim(&self, turn: &Waiting) -> Result<Claim, RunEnd> {
        let mut pause = FIRST_PAUSE;
        loop {
            if turn.cancel.is_cancelled() {
                return Err(ended(RunState::Interrupted, STOPPED.to_owned()));
            }
            let claim = self.0.store.start(turn.run).await;
            self.0.health.note_write(self.now(), &claim);
            match claim {
                Ok(claim) => return Ok(claim),
                Err(StoreError::Engine { passing: true, .. }) => self.rest(&mut pause).await,
                Err(error) => return Err(ended(RunState::Failed, error.to_string())),
            }
        }
    }

    /// Makes sure that the store knows the run as over: the import has told it, unless it crashed or the store failed.
    /// While the store fails the API configuration stays taken, so that no second run meets the first one's claim.
    async fn see_ended(&self, run: RunId, name: &str, end: RunEnd) {
        let mut pause = FIRST_PAUSE;
        let mut told_here = false;
        loop {
            match self.run(run).await {
                Ok(Some(known)) if known.status.is_over() => {
                    self.0.metrics.run_ended(&known);
                    self.0.ended.notify_one();
                    if told_here {
                        report(&known);
                    }
                    return;
                }
                Ok(Some(_)) => {
                    let told = self.0.store.finish(run, end.clone()).await;
                    self.0.health.note_write(self.now(), &told);
                    match told {
                        Ok(()) => {
                            told_here = true;
                            continue;
                        }
                        Err(StoreError::ClaimLost(_)) => {}
                        Err(error) => tracing::debug!(run, "cannot mark the run as over: {error}"),
                    }
                }
                Ok(None) => {
                    tracing::warn!(run, api_configuration = name, "the store has lost this run");
                    return;
                }
                Err(error) => tracing::debug!(run, "cannot read the run: {error}"),
            }
            self.rest(&mut pause).await;
        }
    }

    /// A pause that grows from time to time, and is short while the engine stops.
    async fn rest(&self, pause: &mut Duration) {
        if self.0.stop.is_cancelled() {
            return tokio::time::sleep(FIRST_PAUSE).await;
        }
        tokio::select! {
            () = tokio::time::sleep(*pause) => {}
            () = self.0.stop.cancelled() => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }

    /// Ends a run that was never in line.
    pub(super) fn end_later(&self, run: RunId, end: RunEnd) {
        let engine = self.clone();
        self.0.tasks.spawn(async move {
            engine.see_ended(run, "", end).await;
        });
    }

    /// Ends runs whose turn does not come any more.
    pub(super) fn end_waiting(&self, waiting: Vec<Waiting>) {
        let engine = self.clone();
        self.0.tasks.spawn(async move {
            for turn in waiting {
                let end = ended(RunState::Interrupted, STOPPED.to_owned());
                engine
                    .see_ended(turn.run, &turn.api_configuration, end)
                    .await;
                engine.queue().leave(turn.run, &turn.api_configuration);
            }
        });
    }

    /// Ends what did not end by itself: the import's task is dropped, the store told once.
    pub(super) async fn cut_off(&self) {
        let remaining = self.queue().remaining();
        let left = remaining.len();
        tracing::warn!("{left} imports did not end in time and are cut off");
        for (_, task) in &remaining {
            if let Some(task) = task {
                task.abort();
            }
        }
        let tell = async {
            for (run, _) in remaining {
                let reason = "cut off: the daemon stopped and the import did not end in time";
                let end = ended(RunState::Interrupted, reason.to_owned());
                if let Err(error) = self.0.store.finish(run, end).await {
                    tracing::warn!(run, "cannot mark the run as interrupted: {error}");
                }
            }
        };
        if tokio::time::timeout(LAST_WORDS, tell).await.is_err() {
            tracing::warn!("the store did not answer: the next start marks what is left");
        }
    }
}

const STOPPED: &str = "the daemon stopped";

/// Says how a run ended that no import has logged.
fn report(run: &Run) {
    let reason = run.error.as_deref().unwrap_or_default();
    if run.status == RunState::Failed {
        tracing::warn!(
            run = run.id,
            api_configuration = %run.api_configuration,
            "import failed: {reason}"
        );
    } else {
        tracing::info!(
            run = run.id,
            api_configuration = %run.api_configuration,
            "import {}: {reason}", run.status
        );
    }
}
