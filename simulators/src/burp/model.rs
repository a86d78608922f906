//! What a server has: folders, sites, scans, issues.

use serde_json::{Value, json};

/// A folder of sites; the root has the id "0".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Number.
    pub id: String,
    /// Name.
    pub name: String,
    /// The folder above; none for the root.
    pub parent: Option<String>,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Number.
    pub id: String,
    /// Name, unique within its folder only.
    pub name: String,
    /// The folder it is in.
    pub parent: String,
    /// Whether a pipeline drives its scans.
    pub from_pipeline: bool,
}

/// A scan of a site.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Number.
    pub id: String,
    /// Its site's.
    pub site: String,
    /// `succeeded`, `failed`, …
    pub status: String,
    /// RFC 3339; scans are sorted by it as text.
    pub start: String,
    /// RFC 3339.
    pub end: Option<String>,
    /// The schedule that it is of.
    pub schedule: Option<String>,
    /// What it found.
    pub issues: Vec<Issue>,
    /// So many generated issues come behind those.
    pub generated: u64,
    /// What `issue_counts.total` says; none: the number of issues that are not marked as false positives.
    pub counted: Option<u64>,
}

impl Scan {
    /// A succeeded scan of a site.
    #[must_use]
    pub fn new(id: &str, site: &str, start: &str, issues: Vec<Issue>) -> Self {
        Self {
            id: id.to_owned(),
            site: site.to_owned(),
            status: "succeeded".to_owned(),
            start: start.to_owned(),
            end: Some(start.replace("T06:00:00.000Z", "T09:15:42.007Z")),
            schedule: None,
            issues,
            generated: 0,
            counted: None,
        }
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }

    pub(super) fn len(&self) -> u64 {
        self.issues.len() as u64 + self.generated
    }

    pub(super) fn total(&self) -> u64 {
        let marked = self.issues.iter().filter(|issue| issue.false_positive);
        self.counted
            .unwrap_or_else(|| self.len() - marked.count() as u64)
    }

    /// The issue at a place, as a tree of the schema's fields.
    pub(super) fn issue(&self, place: u64) -> Option<Value> {
        let known = self.issues.len() as u64;
        if let Some(issue) = usize::try_from(place).ok().and_then(|n| self.issues.get(n)) {
            return Some(issue.fields());
        }
        (place < self.len()).then(|| super::generated::issue(place - known).fields())
    }
}

/// An issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Unique within the scan.
    pub serial: String,
    /// The same in every scan.
    pub fingerprint: Option<String>,
    /// `high`, …: after a user's change.
    pub severity: String,
    /// The scanner's.
    pub original_severity: String,
    /// The scanner's: `certain`, …
    pub confidence: String,
    /// Whether a user marked it so.
    pub false_positive: bool,
    /// Whether a user accepted it.
    pub accepted_risk: bool,
    /// `first`, …
    pub novelty: Option<String>,
    /// `https://host:port`.
    pub origin: String,
    /// Without the query.
    pub path: String,
    /// What it is.
    pub kind: Option<IssueType>,
    /// HTML.
    pub description: Option<String>,
    /// HTML.
    pub remediation: Option<String>,
    /// Name of the extension that found it.
    pub extension: Option<String>,
    /// Name of the `BCheck` that found it.
    pub bcheck: Option<String>,
    /// Objects of the schema's union, with `__typename`.
    pub evidence: Vec<Value>,
}

/// A sort of issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueType {
    /// The definition's number.
    pub index: String,
    /// Name.
    pub name: Option<String>,
    /// HTML.
    pub description: Option<String>,
    /// HTML.
    pub remediation: Option<String>,
    /// HTML list of links.
    pub classifications: Option<String>,
    /// HTML list of links.
    pub references: Option<String>,
}

impl Issue {
    /// A firm issue of high severity that is known by its number in this and other scans.
    #[must_use]
    pub fn new(number: u64, kind: IssueType) -> Self {
        Self {
            serial: (6_150_599_811_840_000_000 + number).to_string(),
            fingerprint: Some(format!("{number:032x}")),
            severity: "high".to_owned(),
            original_severity: "high".to_owned(),
            confidence: "firm".to_owned(),
            false_positive: false,
            accepted_risk: false,
            novelty: Some("first".to_owned()),
            origin: "https://shop.example.com".to_owned(),
            path: format!("/page/{number}"),
            kind: Some(kind),
            description: None,
            remediation: None,
            extension: None,
            bcheck: None,
            evidence: Vec::new(),
        }
    }

    fn fields(&self) -> Value {
        let marked = self.false_positive.then_some("false_positive");
        let named = |name: &Option<String>| name.as_ref().map(|name| json!({"name": name}));
        let kind = self.kind.as_ref().map(|kind| {
            json!({
                "type_index": kind.index,
                "name": kind.name,
                "description_html": kind.description,
                "remediation_html": kind.remediation,
                "vulnerability_classifications_html": kind.classifications,
                "references_html": kind.references,
            })
        });
        json!({
            "issue_type": kind,
            "confidence": marked.unwrap_or(&self.confidence),
            "display_confidence": marked,
            "original_confidence": self.confidence,
            "serial_number": self.serial,
            "severity": self.severity,
            "original_severity": self.original_severity,
            "accepted_risk": self.accepted_risk,
            "description_html": self.description,
            "remediation_html": self.remediation,
            "path": self.path,
            "origin": self.origin,
            "novelty": self.novelty,
            "evidence": self.evidence,
            "generated_by_extension": named(&self.extension),
            "generated_by_bcheck": named(&self.bcheck),
            "fingerprint": self.fingerprint,
        })
    }
}
