//! The engine: takes runs in, starts them one after the other, and knows what is under way.
//!
//! Belongs here: the queue, the limit of imports at the same time, joining, cancelling, the configuration in force. Does
//! not belong here: when a slot is due, what an import does, who may ask.

mod parts;
mod queue;
mod sharing;
mod work;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::parts::{Importer, Parts, Setup, StartError, Started};
use self::queue::{Queue, Waiting};
use super::health::StoreHealth;
use super::metrics::Metrics;
use crate::config::{ApiConfiguration, Config};
use crate::connectors::Connectors;
use crate::import::ProgressSnapshot;
use crate::schedule::{Clock, Due};
use crate::store::{NewRun, Run, RunEnd, RunFilter, RunId, RunState, Store, StoreError, Trigger};

/// How long stopping waits for a run that is just being put in.
const AT_THE_ENTRANCE: Duration = Duration::from_secs(1);

/// Runs imports. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    importer: Importer,
    metrics: Arc<Metrics>,
    health: StoreHealth,
    /// Host and process, as runs name it.
    name: String,
    setup: RwLock<Arc<Setup>>,
    queue: Mutex<Queue>,
    /// Held while a run is put in, so that no API configuration gets two.
    entrance: tokio::sync::Mutex<()>,
    /// Rings when a run is over.
    ended: Notify,
    /// Cancelled when the engine stops; each run has a child of it.
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// An engine that does nothing yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let loaded_at = parts.clock.now();
        Self(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            importer: parts.importer,
            metrics: parts.metrics,
            health: StoreHealth::default(),
            name: host_and_process(),
            setup: RwLock::new(Arc::new(Setup {
                config: Arc::new(parts.config),
                connectors: Arc::new(parts.connectors),
                loaded_at,
            })),
            queue: Mutex::default(),
            entrance: tokio::sync::Mutex::default(),
            ended: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// What is known of the store's well-being.
    #[must_use]
    pub fn health(&self) -> &StoreHealth {
        &self.0.health
    }

    /// Where runs are counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// The engine's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Host and process, as runs name it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The configuration in force. Whoever keeps it keeps seeing the same one.
    #[must_use]
    pub fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.0.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in force. Runs under way keep the one they began with; those that wait begin with this.
    pub fn put_in_force(&self, config: Config, connectors: Connectors) {
        let setup = Arc::new(Setup {
            config: Arc::new(config),
            connectors: Arc::new(connectors),
            loaded_at: self.now(),
        });
        *self.0.setup.write().unwrap_or_else(PoisonError::into_inner) = setup;
        self.start_waiting();
    }

    /// Starts an import of each of these API configurations, or joins the one that is queued or under way. All names are
    /// known, or nothing is started.
    ///
    /// # Errors
    /// A name is not known, the engine is stopping, or the store fails; what was started before that goes on.
    pub async fn start_runs(
        &self,
        names: &[String],
        trigger: Trigger,
    ) -> Result<Vec<Started>, StartError> {
        let config = Arc::clone(&self.setup().config);
        let unknown: Vec<_> = names
            .iter()
            .filter(|name| !config.api_configurations.contains_key(*name))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Err(StartError::Unknown(unknown));
        }
        let mut started = Vec::with_capacity(names.len());
        for name in names {
            started.push(self.start_or_join(&config, name, trigger).await?);
        }
        Ok(started)
    }

    async fn start_or_join(
        &self,
        config: &Config,
        name: &str,
        trigger: Trigger,
    ) -> Result<Started, StartError> {
        let _entrance = self.0.entrance.lock().await;
        if self.0.stop.is_cancelled() {
            return Err(StartError::Stopping);
        }
        let here = self.under_way(name).await?;
        let present = match here {
            Some(run) => Some(run),
            None => self.elsewhere(name).await?,
        };
        let run = match present {
            Some(run) => run,
            None => {
                let added = self.add(config, name, trigger, None).await?;
                let run = added.ok_or_else(|| StartError::NotTaken(name.to_owned()))?;
                self.wait_in_line(run, name);
                run
            }
        };
        Ok(Started {
            run,
            api_configuration: name.to_owned(),
            joined: present.is_some(),
        })
    }

    /// The run of an API configuration that is queued or under way. One that the store knows as over is about to leave, and
    /// whoever has seen it end wants another.
    async fn under_way(&self, name: &str) -> Result<Option<RunId>, StoreError> {
        let Some(run) = self.queue().run_of(name) else {
            return Ok(None);
        };
        let known = self.run(run).await?;
        if known.is_some_and(|known| known.status.is_over()) {
            self.wait(run).await?;
            return Ok(self.queue().run_of(name));
        }
        Ok(Some(run))
    }

    /// Claims a slot and runs it; false if it had been claimed before, by whomever. Where the API configuration is queued
    /// or under way already, the slot is claimed all the same and its run skipped: the data is being fetched.
    ///
    /// # Errors
    /// The store failed: nothing is claimed, try again later.
    pub async fn run_slot(&self, due: &Due) -> Result<bool, StoreError> {
        let name = due.api_configuration.as_str();
        let _entrance = self.0.entrance.lock().await;
        if self.0.stop.is_cancelled() {
            return Ok(false);
        }
        let config = Arc::clone(&self.setup().config);
        let added = self.add(&config, name, due.trigger, Some(due.slot));
        let Some(run) = added.await? else {
            return Ok(false);
        };
        let present = self.queue().run_of(name);
        match present {
            None => self.wait_in_line(run, name),
            Some(other) => {
                let reason = format!("{name} was already being imported by run {other}");
                self.end_later(run, ended(RunState::Skipped, reason));
            }
        }
        Ok(true)
    }

    /// Runs an API configuration whose slot was claimed before and came to no end.
    ///
    /// # Errors
    /// The store failed: try again later.
    pub async fn begin_anew(&self, name: &str) -> Result<(), StoreError> {
        let config = Arc::clone(&self.setup().config);
        match self.start_or_join(&config, name, Trigger::CatchUp).await {
            Err(StartError::Store(error)) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Adds a run to the store; `None` if its slot is taken, or its API configuration is gone.
    async fn add(
        &self,
        config: &Config,
        name: &str,
        trigger: Trigger,
        slot: Option<DateTime<Utc>>,
    ) -> Result<Option<RunId>, StoreError> {
        let tool_of = |api: &Arc<ApiConfiguration>| config.tools.get(&api.tool);
        let Some(tool) = config.api_configurations.get(name).and_then(tool_of) else {
            return Ok(None);
        };
        let new = NewRun {
            api_configuration: name.to_owned(),
            connector: tool.connector.clone(),
            trigger,
            slot,
            daemon: self.0.name.clone(),
        };
        let added = self.0.store.enqueue(new).await;
        self.0.health.note_write(self.now(), &added);
        added
    }

    fn wait_in_line(&self, run: RunId, name: &str) {
        self.queue()
            .push(Waiting::new(run, name, self.0.stop.child_token()));
        self.start_waiting();
    }

    /// The progress of a run that is queued or under way here; the sender is gone when the run is over and the store knows.
    #[must_use]
    pub fn watch(&self, run: RunId) -> Option<watch::Receiver<ProgressSnapshot>> {
        self.queue().progress(run)
    }

    /// Waits until a run of this engine is over, and reads how it ended. `None` if the store does not know the run.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn wait(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        if let Some(mut progress) = self.watch(run) {
            while progress.changed().await.is_ok() {}
        }
        self.run(run).await
    }

    /// A run as the store has it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn run(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        let filter = RunFilter {
            id: Some(run),
            ..RunFilter::default()
        };
        let found = self.0.store.runs(filter).await;
        self.0.health.note_read(self.now(), &found);
        Ok(found?.into_iter().next())
    }

    /// Until a run of this engine is over, and the store knows. One that was over before is not missed.
    pub async fn run_ended(&self) {
        self.0.ended.notified().await;
    }

    /// The latest snapshot of an API configuration's run, while it is under way here.
    #[must_use]
    pub fn progress_of(&self, api_configuration: &str) -> Option<ProgressSnapshot> {
        self.queue().progress_of(api_configuration)
    }

    /// How many runs are under way, and how many wait.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.queue().load()
    }

    /// Ends the engine: no run is taken any more, those that wait and those under way end as `interrupted`. What has not
    /// ended after `patience` is cut off and marked by force. Takes at most two seconds longer than that.
    pub async fn stop(&self, patience: Duration) {
        self.0.stop.cancel();
        // Whoever is at the entrance gets in first, and is then found waiting.
        let entrance =
            tokio::time::timeout(patience.min(AT_THE_ENTRANCE), self.0.entrance.lock()).await;
        drop(entrance);
        let waiting = self.queue().take_waiting();
        if self.0.store.is_shared() {
            // They stay queued: another daemon takes them, or this one when it is back.
            for turn in waiting {
                self.queue().leave(turn.run, &turn.api_configuration);
            }
        } else {
            self.end_waiting(waiting);
        }
        self.0.tasks.close();
        if tokio::time::timeout(patience, self.0.tasks.wait())
            .await
            .is_err()
        {
            self.cut_off().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a run that read nothing.
fn ended(state: RunState, reason: String) -> RunEnd {
    RunEnd::unread(state, Some(reason))
}

fn host_and_process() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "localhost".to_owned());
    format!("{host}:{}", std::process::id())
}
