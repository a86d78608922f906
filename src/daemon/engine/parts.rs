//! What an engine is made of, and what it answers.

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::connectors::Connectors;
use crate::daemon::metrics::Metrics;
use crate::import::{self, Job, Progress};
use crate::schedule::Clock;
use crate::store::{RunEnd, RunId, Store, StoreError};

/// How a run is executed: [`import::run`], or something else in tests.
pub type Importer = Arc<
    dyn Fn(
            Arc<dyn Store>,
            Job,
            Progress,
            CancellationToken,
        ) -> Pin<Box<dyn Future<Output = RunEnd> + Send>>
        + Send
        + Sync,
>;

/// The configuration in force, and what was opened for it.
pub struct Setup {
    /// The configuration.
    pub config: Arc<Config>,
    /// Its tools' connectors.
    pub connectors: Arc<Connectors>,
    /// When it was put in force.
    pub loaded_at: DateTime<Utc>,
}

/// What an engine works with.
pub struct Parts {
    /// Where runs and findings are kept.
    pub store: Arc<dyn Store>,
    /// The first configuration.
    pub config: Config,
    /// Its connectors.
    pub connectors: Connectors,
    /// Where runs are counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What executes a run.
    pub importer: Importer,
}

impl Parts {
    /// The parts of a real engine: the machine's clock, real imports, all tools' connectors opened.
    #[must_use]
    pub fn real(store: Arc<dyn Store>, config: Config, metrics: Arc<Metrics>) -> Self {
        Self {
            clock: Arc::new(StoreClock(Arc::clone(&store))),
            store,
            connectors: Connectors::open(&config),
            config,
            metrics,
            importer: Arc::new(|store, job, progress, cancel| {
                Box::pin(async move { import::run(&store, job, &progress, cancel).await })
            }),
        }
    }
}

/// The time as the store has it, to the millisecond, as it keeps times.
struct StoreClock(Arc<dyn Store>);

impl Clock for StoreClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now().trunc_subsecs(3)
    }
}

/// One run that was started or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The run to watch.
    pub run: RunId,
    /// Its API configuration.
    pub api_configuration: String,
    /// It was queued or under way before.
    pub joined: bool,
}

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such API configurations.
    #[error("{}", unknown_line(.0))]
    Unknown(Vec<String>),
    /// The store did not take the run, without a reason.
    #[error("the store did not take a run of {0}: try again")]
    NotTaken(String),
    /// The engine is stopping.
    #[error("the daemon is stopping: no import is started any more")]
    Stopping,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn unknown_line(names: &[String]) -> String {
    match names {
        [name] => format!("there is no API configuration {name:?}"),
        names => format!("there are no API configurations {names:?}"),
    }
}
