//! What people ask the store.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::finding::{Kind, Severity, Status};

/// Which statuses to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StatusFilter {
    /// All but resolved.
    #[default]
    Unresolved,
    /// Every one.
    All,
    /// These.
    Only(Vec<Status>),
}

/// Which findings to list. An empty list or none passes everything; several values of one field are alternatives.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// Severities.
    pub severities: Vec<Severity>,
    /// Statuses.
    pub status: StatusFilter,
    /// Products by exact name.
    pub products: Vec<String>,
    /// Branches by exact name.
    pub branches: Vec<String>,
    /// Services by exact name.
    pub services: Vec<String>,
    /// Kinds.
    pub kinds: Vec<Kind>,
    /// Findings with a sighting of these API configurations.
    pub api_configurations: Vec<String>,
    /// Vulnerability ids; matched against the canonical id, the leading sighting's id and its aliases.
    pub vulnerabilities: Vec<String>,
    /// First seen at or after this.
    pub first_seen_since: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: Option<u64>,
    /// With the vendor's JSON in each sighting.
    pub raw: bool,
}

/// A record as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordState {
    /// The vendor's id.
    pub id: String,
    /// The vendor's name.
    pub name: String,
    /// `present`; `missing`: no longer listed by a complete discovery; `excluded`: listed, but no longer wanted.
    pub state: String,
    /// Since when it is missing.
    pub missing_since: Option<DateTime<Utc>>,
    /// When its findings were last read to the end.
    pub last_complete_at: Option<DateTime<Utc>>,
}

/// What the store knows of an API configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiState {
    /// Its name.
    pub api_configuration: String,
    /// Its unresolved sightings.
    pub unresolved: u64,
    /// Its records.
    pub records: Vec<RecordState>,
    /// Its newest run that is over or running.
    pub last_run: Option<super::Run>,
    /// When an import was last complete.
    pub last_complete_at: Option<DateTime<Utc>>,
    /// How many findings wait for `accept`.
    pub held: u64,
}
