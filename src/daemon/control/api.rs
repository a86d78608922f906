//! What passes over the control socket; the OpenAPI document is made from these types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::import::ProgressSnapshot;
use crate::store::{RecordState, Run, RunId};

/// `GET /v1/status`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StatusAnswer {
    /// The daemon; null where the status was read without one.
    pub daemon: Option<DaemonStatus>,
    /// All API configurations, by name.
    pub api_configurations: Vec<ApiStatus>,
    /// What waits to be delivered, by destination; empty where everything has arrived.
    #[serde(default)]
    pub waiting: Vec<WaitingStatus>,
    /// What is wrong with the daemon as a whole: a refused configuration, a store that fails.
    pub problems: Vec<String>,
}

/// The daemon itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DaemonStatus {
    /// Version of secpull.
    pub version: String,
    /// Host and process.
    pub name: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When the configuration in force was loaded.
    pub configuration_loaded_at: DateTime<Utc>,
    /// The general switch of the schedule.
    pub automatic_import: bool,
    /// Runs under way.
    pub running: u64,
    /// Runs that wait.
    pub queued: u64,
}

/// Messages that wait for one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingStatus {
    /// The destination: `forwards.NAME` or `notifications.NAME`.
    pub destination: String,
    /// False: it is not configured any more. What waits is kept.
    pub configured: bool,
    /// So many messages.
    pub messages: u64,
    /// Since when the oldest waits.
    pub since: DateTime<Utc>,
    /// How often the one that fares worst was tried.
    pub attempts: u32,
    /// Why that one waits still; null where it is about to be tried.
    pub problem: Option<String>,
    /// When that one is tried again at the latest, a minute more or less; null: as soon as possible.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// One API configuration.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiStatus {
    /// Its name.
    pub api_configuration: String,
    /// Its tool.
    pub tool: String,
    /// The tool's connector.
    pub connector: String,
    /// Its product; null where every record is a product of its own.
    pub product: Option<String>,
    /// Whether the schedule imports it (both switches).
    pub enabled: bool,
    /// When, in words: `daily 02:00`, `every 6h`, `cron 0 */6 * * *`.
    pub schedule: String,
    /// Its next slot, if the schedule imports it.
    pub next_run: Option<DateTime<Utc>>,
    /// Its newest run.
    pub last_run: Option<Run>,
    /// How far that run is, while it is under way.
    pub progress: Option<ProgressSnapshot>,
    /// When it was last complete.
    pub last_complete_at: Option<DateTime<Utc>>,
    /// Its unresolved sightings.
    pub unresolved: u64,
    /// Findings that wait for `accept`.
    pub held: u64,
    /// Its records.
    pub records: Vec<RecordState>,
    /// What an operator should look at, a line each.
    pub problems: Vec<String>,
}

/// `GET /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RunsAnswer {
    /// Newest first.
    pub runs: Vec<Run>,
}

/// `POST /v1/runs`: starts runs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StartRuns {
    /// Names of API configurations.
    #[serde(default)]
    pub api_configurations: Vec<String>,
    /// All of them, also where automatic import is off.
    #[serde(default)]
    pub all: bool,
}

/// The answer to `POST /v1/runs`, with status 202.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StartedRuns {
    /// One for each name, in the order asked for.
    pub runs: Vec<StartedRun>,
}

/// One run that was started, or joined if the API configuration was being imported already.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StartedRun {
    /// The run to watch.
    pub id: RunId,
    /// Its API configuration.
    pub api_configuration: String,
    /// True if this run was queued or under way before.
    pub already_running: bool,
}

/// `POST /v1/accept`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Accept {
    /// Name of an API configuration.
    pub api_configuration: String,
}

/// The answer to `POST /v1/accept`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptAnswer {
    /// The held run.
    pub run: RunId,
    /// How many findings were resolved.
    pub resolved: u64,
}

/// The answer to `POST /v1/reload`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReloadAnswer {
    /// Names added.
    pub added: Vec<String>,
    /// Names removed.
    pub removed: Vec<String>,
    /// Names changed.
    pub changed: Vec<String>,
}

/// Any error: status 400 (request), 403 (not allowed), 404 (no such thing), 409 (state), 422 (configuration), 500.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorAnswer {
    /// One line for an operator.
    pub error: String,
    /// All lines, where there are several (configuration).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// Data of the server-sent events of `GET /v1/runs/{id}/events`: `progress` (several), then one `end`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// Event `progress`.
    Progress {
        /// How far it is.
        progress: ProgressSnapshot,
        /// The run as stored.
        run: Run,
    },
    /// Event `end`: the last one.
    End {
        /// The run as it ended.
        run: Run,
    },
}
