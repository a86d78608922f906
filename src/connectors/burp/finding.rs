//! The mapping of one issue.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::evidence::Evidence;
use super::identity::{self, Traits};
use super::query::operations::scan_issues::{
    Confidence, Novelty, ScanIssuesScanIssues as Row, ScanIssuesScanIssuesIssueType as IssueType,
    Severity as Word,
};
use crate::connectors::{cwe, html};
use crate::finding::{Content, Endpoint, Kind, Severity, Sighting, Status};

/// All issues that extensions make have this type, whatever they are about.
const OF_EXTENSIONS: &str = "134217728";

/// What is the same for all issues of a scan.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) site: String,
    pub(super) scan: String,
    pub(super) scanned_at: Option<DateTime<Utc>>,
}

/// An issue on its way to become a finding; it gets its id when it is known how many have its key.
#[derive(Debug)]
pub(super) struct Issue {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) serial: String,
    sighting: Sighting,
    raw: Map<String, Value>,
}

/// Reads an issue, or tells why it cannot be read.
pub(super) fn map(json: &RawValue, source: &Source) -> Result<Issue, String> {
    let row: Row = serde_json::from_str(json.get())
        .map_err(|error| format!("an issue cannot be read: {error}"))?;
    let mut raw: Map<String, Value> = serde_json::from_str(json.get())
        .map_err(|error| format!("an issue cannot be read: {error}"))?;
    raw.insert("scan_id".to_owned(), source.scan.clone().into());
    raw.insert("site_id".to_owned(), source.site.clone().into());
    let issue_type = row.issue_type.as_ref();
    let key = identity::key(Traits {
        fingerprint: row.fingerprint.as_deref(),
        type_index: issue_type.map(|kind| kind.type_index.as_str()),
        type_name: issue_type.and_then(|kind| kind.name.as_deref()),
        origin: &row.origin,
        path: &row.path,
    });
    let (severity, severity_word) = severity(&row.severity);
    let (status, source_status) = status(&row);
    let sighting = Sighting {
        severity,
        status,
        source_severity: Some(severity_word),
        source_status: source_status.map(str::to_owned),
        source_updated_at: source.scanned_at,
        weakness: weakness(&row),
        content: content(&row),
        ..Sighting::default()
    };
    Ok(Issue {
        key,
        path: row.path,
        serial: row.serial_number,
        sighting,
        raw,
    })
}

impl Issue {
    pub(super) fn severity(&self) -> Severity {
        self.sighting.severity
    }

    /// Keeps requests and responses with the vendor's JSON.
    pub(super) fn keep(&mut self, evidence: Evidence) {
        if let Some(endpoint) = &mut self.sighting.content.endpoint {
            endpoint.method = evidence.method;
        }
        self.raw.insert("evidence".to_owned(), evidence.kept);
    }

    /// Takes in another issue that is the same finding: the worse severity and the more urgent status win, and both serial
    /// numbers are kept.
    pub(super) fn merge(&mut self, other: Self) {
        let serials = self
            .raw
            .entry("serial_numbers")
            .or_insert_with(|| vec![Value::from(self.serial.as_str())].into());
        if let Value::Array(serials) = serials {
            serials.push(other.serial.into());
        }
        self.sighting.merge(other.sighting);
    }

    /// The finding.
    pub(super) fn into_sighting(self, source_id: String) -> Sighting {
        Sighting {
            source_id,
            raw: Value::Object(self.raw).to_string(),
            ..self.sighting
        }
    }
}

/// The effective severity, after a user's change.
fn severity(word: &Word) -> (Severity, String) {
    let (severity, word) = match word {
        Word::High => (Severity::High, "high"),
        Word::Medium => (Severity::Medium, "medium"),
        Word::Low => (Severity::Low, "low"),
        Word::Info => (Severity::Info, "info"),
        Word::Other(word) => (Severity::Unknown, word.as_str()),
    };
    (severity, word.to_owned())
}

/// A user's mark is in `display_confidence` on old servers and in `confidence` on new ones.
fn status(row: &Row) -> (Status, Option<&'static str>) {
    let marked = Some(&row.confidence) == Some(&Confidence::FalsePositive)
        || row.display_confidence == Some(Confidence::FalsePositive);
    if marked {
        (Status::FalsePositive, Some("false_positive"))
    } else if row.accepted_risk == Some(true) {
        (Status::RiskAccepted, Some("accepted_risk"))
    } else {
        (Status::Open, None)
    }
}

/// The type, where it means one thing.
fn weakness(row: &Row) -> Option<String> {
    let index = row.issue_type.as_ref()?.type_index.trim();
    let made = row.generated_by_extension.is_some() || row.generated_by_bcheck.is_some();
    (!made && !index.is_empty() && index != OF_EXTENSIONS).then(|| format!("burp:{index}"))
}

fn content(row: &Row) -> Content {
    let issue_type = row.issue_type.as_ref();
    let of_type =
        |html: fn(&IssueType) -> &Option<String>| issue_type.and_then(|t| html(t).as_deref());
    Content {
        kind: Kind::Endpoint,
        title: title(issue_type),
        description: texts(&[
            row.description_html.as_deref(),
            of_type(|kind| &kind.description_html),
        ]),
        recommendation: texts(&[
            row.remediation_html.as_deref(),
            of_type(|kind| &kind.remediation_html),
        ]),
        cwes: of_type(|kind| &kind.vulnerability_classifications_html)
            .map(cwe::numbers)
            .unwrap_or_default(),
        endpoint: Some(Endpoint {
            url: Some(format!("{}{}", row.origin, row.path)).filter(|url| !url.is_empty()),
            ..Endpoint::default()
        }),
        references: of_type(|kind| &kind.references_html)
            .map(html::links)
            .unwrap_or_default(),
        tags: tags(row),
        ..Content::default()
    }
}

fn title(issue_type: Option<&IssueType>) -> String {
    let name = issue_type.and_then(|kind| kind.name.as_deref());
    match (name.filter(|name| !name.trim().is_empty()), issue_type) {
        (Some(name), _) => name.to_owned(),
        (None, Some(kind)) => format!("Burp issue {}", kind.type_index),
        (None, None) => "Burp issue".to_owned(),
    }
}

/// What is said of this issue, then what is said of its type.
fn texts(parts: &[Option<&str>]) -> Option<String> {
    let parts: Vec<_> = parts
        .iter()
        .flatten()
        .filter_map(|part| html::to_markdown(part))
        .collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn tags(row: &Row) -> Vec<String> {
    let confidence = match &row.confidence {
        Confidence::Tentative => "tentative",
        Confidence::Firm => "firm",
        Confidence::Certain => "certain",
        Confidence::FalsePositive => "false_positive",
        Confidence::Other(word) => word,
    };
    let novelty = row.novelty.as_ref().map(|novelty| match novelty {
        Novelty::First => "first",
        Novelty::New => "new",
        Novelty::Repeated => "repeated",
        Novelty::Regression => "regression",
        Novelty::Other(word) => word,
    });
    let extension = row.generated_by_extension.as_ref();
    let bcheck = row.generated_by_bcheck.as_ref();
    [
        Some(("confidence", confidence)),
        novelty.map(|novelty| ("novelty", novelty)),
        extension.map(|extension| ("extension", extension.name.as_str())),
        bcheck.map(|bcheck| ("bcheck", bcheck.name.as_str())),
    ]
    .into_iter()
    .flatten()
    .map(|(kind, word)| format!("{kind}:{word}"))
    .collect()
}

#[cfg(test)]
mod tests;
