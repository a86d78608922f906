//! Several daemons on one store: work goes to whoever has a place for it, and each knows what the others do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Engine;
use super::queue::Waiting;
use crate::import::ProgressSnapshot;
use crate::store::{RunFilter, RunId, Store, StoreError, TakeOver};

/// A run that has just been queued elsewhere is given this long to start there.
const SOON: Duration = Duration::from_millis(1200);

/// Daemons that are gone ring no bell: they are looked for this often.
const RARELY: Duration = Duration::from_secs(5);

/// Watchers on other hosts see progress this often.
const TELL_EVERY: Duration = Duration::from_secs(2);

impl Engine {
    /// Takes runs over that wait elsewhere while a place is free here, until `stop`. Ends at once where nobody else can
    /// have any.
    pub async fn keep_sharing(self, stop: CancellationToken) {
        if !self.0.store.is_shared() {
            return;
        }
        let mut pause = Duration::ZERO;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = self.0.store.run_added(), if pause > SOON => tokio::time::sleep(SOON).await,
            }
            pause = match self.take_over().await {
                Ok(true) => SOON,
                Ok(false) => RARELY,
                Err(error) => {
                    tracing::debug!("looking what waits elsewhere: {error}");
                    RARELY
                }
            };
        }
    }

    /// Whether it is worth looking again soon.
    async fn take_over(&self) -> Result<bool, StoreError> {
        let _entrance = self.0.entrance.lock().await;
        let config = Arc::clone(&self.setup().config);
        let (free, present, names) = {
            let queue = self.queue();
            let (running, waiting) = queue.load();
            let names: Vec<&str> = config
                .api_configurations
                .keys()
                .map(String::as_str)
                .filter(|name| queue.run_of(name).is_none())
                .collect();
            let free = config.max_concurrent.saturating_sub(running + waiting);
            (free, queue.runs(), names)
        };
        if free == 0 || self.0.stop.is_cancelled() {
            return Ok(true);
        }
        let wish = TakeOver {
            names: &names,
            present: &present,
            most: free,
            daemon: &self.0.name,
        };
        let taken = self.0.store.take_over(wish).await;
        self.0.health.note_write(self.now(), &taken);
        let taken = taken?;
        for taken in &taken {
            let name = &taken.api_configuration;
            tracing::info!(run = taken.run, api_configuration = %name, "taken over");
            self.queue()
                .push(Waiting::new(taken.run, name, self.0.stop.child_token()));
        }
        self.start_waiting();
        Ok(!taken.is_empty())
    }

    /// The run of an API configuration that is queued or under way at another daemon.
    pub(super) async fn elsewhere(&self, name: &str) -> Result<Option<RunId>, StoreError> {
        /// More do not wait for one API configuration.
        const NEWEST: u32 = 20;
        if !self.0.store.is_shared() {
            return Ok(None);
        }
        let filter = RunFilter {
            api_configuration: Some(name.to_owned()),
            limit: Some(NEWEST),
            ..RunFilter::default()
        };
        let runs = self.0.store.runs(filter).await;
        self.0.health.note_read(self.now(), &runs);
        Ok(runs?
            .into_iter()
            .find(|run| !run.status.is_over())
            .map(|run| run.id))
    }

    /// How far a run at another daemon is, as far as it has told.
    pub async fn progress_elsewhere(&self, run: RunId) -> Option<ProgressSnapshot> {
        let told = self.0.store.progress_of(run).await.ok()??;
        serde_json::from_str(&told).ok()
    }
}

/// Tells watchers on other hosts how far a run is, until it is dropped.
pub(super) async fn tell_others(
    store: Arc<dyn Store>,
    run: RunId,
    mut progress: watch::Receiver<ProgressSnapshot>,
) {
    while progress.changed().await.is_ok() {
        let snapshot = progress.borrow_and_update().clone();
        let told = match serde_json::to_string(&snapshot) {
            Ok(json) => store.note_progress(run, &json).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = told {
            tracing::debug!(run, "telling how far the import is: {error}");
        }
        tokio::time::sleep(TELL_EVERY).await;
    }
}
