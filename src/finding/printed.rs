//! A finding as it is printed: the JSON of `findings --format jsonl` and of the control socket.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Cloud, Component, Endpoint, Host, Image, Kind, Kubernetes, Severity, SourceLocation, Status,
};

/// One weakness at one place in one product. Absent values are null or empty lists; times are UTC.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// The store's number of the finding; stable for its life.
    pub id: i64,
    /// Product.
    pub product: String,
    /// Branch.
    pub branch: Option<String>,
    /// Service.
    pub service: Option<String>,
    /// Versioned hash of weakness and place.
    pub fingerprint: String,
    /// Sort of place.
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// Markdown or plain text.
    pub description: Option<String>,
    /// What to do.
    pub recommendation: Option<String>,
    /// The highest among the unresolved sightings.
    pub severity: Severity,
    /// The most urgent among the sightings.
    pub status: Status,
    /// CVE, GHSA, …
    pub vulnerability_id: Option<String>,
    /// Other ids of the vulnerability.
    pub aliases: Vec<String>,
    /// CWE numbers.
    pub cwes: Vec<u32>,
    /// `CVSS:3.x/…`.
    pub cvss3_vector: Option<String>,
    /// 0.0 to 10.0.
    pub cvss3_score: Option<f64>,
    /// `CVSS:4.0/…`.
    pub cvss4_vector: Option<String>,
    /// 0.0 to 10.0.
    pub cvss4_score: Option<f64>,
    /// 0.0 to 1.0.
    pub epss_score: Option<f64>,
    /// Package.
    pub component: Option<Component>,
    /// Container image.
    pub image: Option<Image>,
    /// URL.
    pub endpoint: Option<Endpoint>,
    /// Lines of code.
    pub source_location: Option<SourceLocation>,
    /// Cloud resource.
    pub cloud: Option<Cloud>,
    /// Kubernetes resource.
    pub kubernetes: Option<Kubernetes>,
    /// Machine and port.
    pub host: Option<Host>,
    /// URLs.
    pub references: Vec<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// When an import first brought it.
    pub first_seen: DateTime<Utc>,
    /// When an import last proved it.
    pub last_seen: DateTime<Utc>,
    /// Since when it is resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// All sightings, the leading one first.
    pub sightings: Vec<PrintedSighting>,
    /// What happened to it, oldest first; only in `findings show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<HistoryEvent>>,
}

/// One vendor finding behind a finding. Fields of content stand here only where they differ from the finding's.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PrintedSighting {
    /// Name of the API configuration.
    pub api_configuration: String,
    /// Name of the connector.
    pub connector: String,
    /// The vendor's record: its name, else its id.
    pub record: Option<String>,
    /// The vendor's stable id.
    pub source_id: String,
    /// The vendor's word.
    pub source_severity: Option<String>,
    /// The vendor's word.
    pub source_status: Option<String>,
    /// After the connector's table.
    pub severity: Severity,
    /// After the connector's table, or resolved by absence.
    pub status: Status,
    /// When the tool found it.
    pub found_at: Option<DateTime<Utc>>,
    /// When the tool last changed it.
    pub source_updated_at: Option<DateTime<Utc>>,
    /// When an import first brought it.
    pub first_seen: DateTime<Utc>,
    /// When an import last proved it.
    pub last_seen: DateTime<Utc>,
    /// Since when it is resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The vendor's JSON, secrets taken out; only where asked for.
    #[schema(value_type = Option<Object>)]
    pub raw: Option<Box<RawValue>>,
    /// Fields of content whose value differs from the finding's.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub differing: serde_json::Map<String, serde_json::Value>,
}

/// Something that happened to a finding or to one of its sightings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HistoryEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// `first_seen`, `resolved`, `reopened`, `severity`, `status`, `sighting_added`, `sighting_moved`.
    pub event: String,
    /// The run that brought it; none for `accept`.
    pub run: Option<i64>,
    /// The API configuration whose sighting it was.
    pub api_configuration: Option<String>,
    /// The sighting's `source_id`.
    pub source_id: Option<String>,
    /// Value before.
    pub old: Option<String>,
    /// Value after.
    pub new: Option<String>,
}
