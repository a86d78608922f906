//! What of the store is news: the findings that a run has brought, and how its API configuration fared before.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Run, RunId, StoreError};
use crate::finding::Severity;

/// The part of a store that knows what is news. Costs what there is of it, not what there is in the store.
#[async_trait]
pub trait News: Send + Sync {
    /// The open findings at or above a severity that a run was the first to bring; at most `most` of them by number.
    async fn findings_of_run(
        &self,
        run: &Run,
        severity: Severity,
        most: u32,
    ) -> Result<BroughtFindings, StoreError>;

    /// The newest run before this one of the same API configuration that came to an end of its own and fits; none if there
    /// is none.
    async fn run_before(
        &self,
        run: RunId,
        wanted: WantedRun,
    ) -> Result<Option<PastRun>, StoreError>;

    /// When each API configuration that the store knows was last imported.
    async fn last_imports(&self) -> Result<Vec<LastImport>, StoreError>;
}

/// Findings that a run has brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BroughtFindings {
    /// How many of each severity that there are any of, the most severe first.
    pub by_severity: Vec<(Severity, u64)>,
    /// The numbers of the first, the most severe first.
    pub first: Vec<i64>,
}

/// Which run is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedRun {
    /// One that was complete, partial, held or failed.
    Any,
    /// A complete one.
    Complete,
}

/// An earlier run.
#[derive(Debug, Clone)]
pub struct PastRun {
    /// The run.
    pub run: Run,
    /// Whether the tool did not accept its credentials.
    pub credentials_refused: bool,
}

/// When an API configuration was last imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastImport {
    /// Its name.
    pub api_configuration: String,
    /// When an import was last complete.
    pub last_complete_at: Option<DateTime<Utc>>,
    /// When its first run ended, whatever came of it.
    pub first_run_at: Option<DateTime<Utc>>,
}

/// [`Status::Open`](crate::finding::Status) and `InReview` are the two most urgent; statements spell the number out.
const _: () = assert!(crate::finding::Status::InReview as i64 == 1);
