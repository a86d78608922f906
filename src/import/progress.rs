//! How far a run is, for people who watch it.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How far a run is. Counts only grow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProgressSnapshot {
    /// Records read to their end, complete or not.
    pub records: u64,
    /// Records to read, once the connector has said so.
    pub records_expected: Option<u64>,
    /// Name of the record being read.
    pub record: Option<String>,
    /// Pages read.
    pub pages: u64,
    /// Findings read.
    pub findings: u64,
    /// Findings to read, as far as the tool says.
    pub findings_expected: Option<u64>,
    /// Sightings added.
    pub new: u64,
    /// Sightings changed.
    pub updated: u64,
    /// Sightings as before.
    pub unchanged: u64,
    /// Sightings resolved.
    pub resolved: u64,
    /// Sightings that are back.
    pub reopened: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Warnings so far.
    pub warnings: Vec<String>,
}

/// Where a run reports; watchers see the latest snapshot.
pub type Progress = watch::Sender<ProgressSnapshot>;
