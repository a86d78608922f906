use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::finding::{
    Cloud, Component, Endpoint, Finding, Host, Image, Kind, Kubernetes, Severity, SourceLocation,
    Status,
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
    /// The finding as one API configuration sees it, none if that sees it no more: how its sightings stand that are not
    /// resolved, and the words of its oldest one, which change least.
    ///
    /// # Errors
    /// None that a finding from a store causes.
    pub fn seen_by(
        finding: &Finding,
        api_configuration: &str,
    ) -> Result<Option<Self>, serde_json::Error> {
        let own = finding
            .sightings
            .iter()
            .filter(|seen| seen.api_configuration == api_configuration);
        let open = own.clone().filter(|seen| seen.status != Status::Resolved);
        let severity = open.clone().map(|seen| seen.severity).min();
        let most_urgent = open.min_by_key(|seen| seen.status.urgency());
        let oldest = own.min_by_key(|seen| (seen.first_seen, &seen.source_id));
        let (Some(severity), Some(most_urgent), Some(oldest)) = (severity, most_urgent, oldest)
        else {
            return Ok(None);
        };
        let mut words = serde_json::to_value(finding)?;
        if let Value::Object(words) = &mut words {
            words.extend(oldest.differing.clone());
        }
        let mut seen: Self = serde_json::from_value(words)?;
        seen.severity = severity;
        seen.status = most_urgent.status;
        seen.sightings = vec![ExportedSighting {
            api_configuration: oldest.api_configuration.clone(),
            connector: oldest.connector.clone(),
            source_id: oldest.source_id.clone(),
            found_at: oldest.found_at,
        }];
        Ok(Some(seen))
    }

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

#[cfg(test)]
mod tests;
