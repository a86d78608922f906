use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::finding::{
    Cloud, Component, Endpoint, Host, Image, Kind, Kubernetes, Severity, SourceLocation, Status,
};

/// What of a printed finding's JSON goes into documents. The fields are those of [`Finding`](crate::finding::Finding).
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "documented where they are printed")]
pub struct Exported {
    pub id: i64,
    pub product: String,
    pub branch: Option<String>,
    pub service: Option<String>,
    pub fingerprint: String,
    pub kind: Kind,
    pub title: String,
    pub description: Option<String>,
    pub recommendation: Option<String>,
    pub severity: Severity,
    pub status: Status,
    pub vulnerability_id: Option<String>,
    pub aliases: Vec<String>,
    pub cwes: Vec<u32>,
    pub cvss3_vector: Option<String>,
    pub cvss3_score: Option<f64>,
    pub cvss4_vector: Option<String>,
    pub cvss4_score: Option<f64>,
    pub epss_score: Option<f64>,
    pub component: Option<Component>,
    pub image: Option<Image>,
    pub endpoint: Option<Endpoint>,
    pub source_location: Option<SourceLocation>,
    pub cloud: Option<Cloud>,
    pub kubernetes: Option<Kubernetes>,
    pub host: Option<Host>,
    pub references: Vec<String>,
    pub tags: Vec<String>,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    pub sightings: Vec<ExportedSighting>,
}

/// What of a sighting goes into documents.
#[derive(Debug, Clone, Deserialize)]
pub struct ExportedSighting {
    pub api_configuration: String,
    pub connector: String,
    pub source_id: String,
    pub found_at: Option<DateTime<Utc>>,
}

impl Exported {
    /// What tells it from every other finding, in every store that reads the same tools: fingerprint, product, service, branch.
    #[must_use]
    pub fn identity(&self) -> String {
        let mut identity = format!("{} {}", self.fingerprint, self.product);
        for (mark, part) in [('/', &self.service), ('@', &self.branch)] {
            if let Some(part) = part {
                identity.push(mark);
                identity.push_str(part);
            }
        }
        identity
    }

    /// All its ids, the vulnerability's own first.
    pub(super) fn vulnerability_ids(&self) -> impl Iterator<Item = &str> {
        self.vulnerability_id
            .iter()
            .chain(&self.aliases)
            .map(String::as_str)
    }
}
