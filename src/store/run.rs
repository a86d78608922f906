//! Runs: one execution for one API configuration.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The store's number of a run; higher is newer.
pub type RunId = i64;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Under way.
    Running,
    /// All scopes were read to their proper end, and what was gone is resolved.
    Complete,
    /// Some scope was not read to its proper end.
    Partial,
    /// Nothing could be read to its end.
    Failed,
    /// It would have resolved suspiciously much; waits for `accept`.
    Held,
    /// Ended from outside: shutdown, kill.
    Interrupted,
    /// Not begun: the API configuration was being imported already, or is gone.
    Skipped,
}

impl RunState {
    const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Complete,
        Self::Partial,
        Self::Failed,
        Self::Held,
        Self::Interrupted,
        Self::Skipped,
    ];

    /// The word used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more will happen to the run (but `accept` for a held one).
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RunState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("unknown run state {word:?}"))
    }
}

/// Who asked for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Its slot came.
    Schedule,
    /// Its slot came while no daemon was up.
    CatchUp,
    /// An operator, over the socket.
    Operator,
    /// An operator, `--standalone`.
    Standalone,
}

impl Trigger {
    /// The word used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::CatchUp => "catch_up",
            Self::Operator => "operator",
            Self::Standalone => "standalone",
        }
    }
}

impl FromStr for Trigger {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [
            Self::Schedule,
            Self::CatchUp,
            Self::Operator,
            Self::Standalone,
        ]
        .into_iter()
        .find(|trigger| trigger.as_str() == word)
        .ok_or_else(|| format!("unknown trigger {word:?}"))
    }
}

/// A run to be added.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Name of the API configuration.
    pub api_configuration: String,
    /// Name of its connector.
    pub connector: String,
    /// Who asked for it.
    pub trigger: Trigger,
    /// The slot that it claims, if the schedule asked.
    pub slot: Option<DateTime<Utc>>,
    /// Host and process that will run it, for people.
    pub daemon: String,
}

/// Whether a run may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It runs now.
    Running,
    /// The API configuration is being imported by this run of this daemon.
    Busy {
        /// The other run.
        run: RunId,
        /// Its host and process.
        daemon: String,
    },
    /// Another process has taken this run off the common queue, and sees to it.
    Taken {
        /// Its host and process.
        daemon: String,
    },
}

/// Which runs a daemon would take over.
#[derive(Debug, Clone, Copy)]
pub struct TakeOver<'a> {
    /// Of these API configurations: the daemon knows no others.
    pub names: &'a [&'a str],
    /// Not these: it has them.
    pub present: &'a [RunId],
    /// At most so many.
    pub most: usize,
    /// Its host and process.
    pub daemon: &'a str,
}

/// A queued run that has been taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub run: RunId,
    /// Its API configuration.
    pub api_configuration: String,
}

/// How a run ended. The counts that the store keeps by itself (new, updated, resolved, reopened) are not in it.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// A state that is over.
    pub state: RunState,
    /// What went wrong, in one line.
    pub error: Option<String>,
    /// Sightings seen that were as before.
    pub unchanged: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Sightings listed as fixed that were never seen open here.
    pub already_fixed: u64,
    /// Pages read.
    pub pages: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// The tool did not accept the credentials, or not for what the run needs.
    pub credentials_refused: bool,
}

impl RunEnd {
    /// The end of a run that read nothing.
    #[must_use]
    pub fn unread(state: RunState, error: Option<String>) -> Self {
        Self {
            state,
            error,
            unchanged: 0,
            unreadable: 0,
            already_fixed: 0,
            pages: 0,
            requests: 0,
            retries: 0,
            credentials_refused: false,
        }
    }
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only of this API configuration.
    pub api_configuration: Option<String>,
    /// Only this one.
    pub id: Option<RunId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A run as listed: `secpull runs`, `GET /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Run {
    /// Number; higher is newer.
    pub id: RunId,
    /// Name of the API configuration.
    pub api_configuration: String,
    /// Who asked for it.
    pub trigger: Trigger,
    /// Where it stands.
    pub status: RunState,
    /// When it began to run; null while it waits.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Sightings that were not known before.
    pub new: u64,
    /// Sightings that changed.
    pub updated: u64,
    /// Sightings that were as before.
    pub unchanged: u64,
    /// Sightings that became resolved, by the tool's word or by proof.
    pub resolved: u64,
    /// Sightings that were resolved and are back.
    pub reopened: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Pages read.
    pub pages: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Host and process.
    pub daemon: String,
    /// What went wrong, in one line.
    pub error: Option<String>,
}
