//! Findings.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value};

/// A finding of a test.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are DefectDojo's own, each a column of its table"
)]
pub struct Finding {
    /// Id of its test.
    pub test: u64,
    /// At most 511 characters.
    pub title: String,
    /// `Critical`, `High`, `Medium`, `Low`, `Info`; the column takes any text.
    pub severity: String,
    /// Markdown.
    pub description: String,
    /// What to do.
    pub mitigation: Option<String>,
    /// What may come of it.
    pub impact: Option<String>,
    /// One text, one URL a line at best.
    pub references: Option<String>,
    /// How to see it.
    pub steps_to_reproduce: Option<String>,
    /// Why it is as severe.
    pub severity_justification: Option<String>,
    /// The day on which it was found.
    pub date: NaiveDate,
    /// Open.
    pub active: bool,
    /// Somebody has confirmed it.
    pub verified: bool,
    /// Of another finding.
    pub duplicate: bool,
    /// It is none.
    pub false_p: bool,
    /// Nobody's business.
    pub out_of_scope: bool,
    /// Somebody lives with it.
    pub risk_accepted: bool,
    /// Somebody looks at it.
    pub under_review: bool,
    /// Closed.
    pub is_mitigated: bool,
    /// When it was closed.
    pub mitigated: Option<DateTime<Utc>>,
    /// 0 means none.
    pub cwe: Option<i64>,
    /// `CWE-79`; since 3.0.
    pub cwes: Vec<String>,
    /// Ids of any kind.
    pub vulnerability_ids: Vec<String>,
    /// The vector, unchecked.
    pub cvssv3: Option<String>,
    /// 0 to 10.
    pub cvssv3_score: Option<f64>,
    /// The vector, unchecked.
    pub cvssv4: Option<String>,
    /// 0 to 10.
    pub cvssv4_score: Option<f64>,
    /// 0 to 1, unchecked.
    pub epss_score: Option<f64>,
    /// 0 to 1, unchecked.
    pub epss_percentile: Option<f64>,
    /// Listed by CISA.
    pub known_exploited: bool,
    /// Used by ransomware.
    pub ransomware_used: bool,
    /// Since when it is listed.
    pub kev_date: Option<NaiveDate>,
    /// The package.
    pub component_name: Option<String>,
    /// Its version.
    pub component_version: Option<String>,
    /// Whether there is a version without it.
    pub fix_available: Option<bool>,
    /// Which.
    pub fix_version: Option<String>,
    /// The file.
    pub file_path: Option<String>,
    /// The line in it.
    pub line: Option<i64>,
    /// Where the data come from.
    pub sast_source_file_path: Option<String>,
    /// The line in it.
    pub sast_source_line: Option<i64>,
    /// What they come from.
    pub sast_source_object: Option<String>,
    /// Where they go.
    pub sast_sink_object: Option<String>,
    /// How often it occurs.
    pub nb_occurences: Option<i64>,
    /// When the vulnerability was published.
    pub publish_date: Option<NaiveDate>,
    /// The scanner's id of this finding.
    pub unique_id_from_tool: Option<String>,
    /// The scanner's id of its rule.
    pub vuln_id_from_tool: Option<String>,
    /// What makes it the same finding in the next report.
    pub hash_code: Option<String>,
    /// Part of the product.
    pub service: Option<String>,
    /// In lower case.
    pub tags: Vec<String>,
    /// Ids of endpoints, since 3.0 of references to locations.
    pub endpoints: Vec<u64>,
    /// Found in code.
    pub static_finding: bool,
    /// Found in what runs.
    pub dynamic_finding: bool,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// When it was saved last, for whatever reason.
    pub updated: DateTime<Utc>,
    /// When its status changed last.
    pub last_status_update: DateTime<Utc>,
    /// Members that the answer has in place of its own: of other releases, or of none.
    pub other: Map<String, Value>,
}

impl Finding {
    /// An active finding that says no more than it must.
    #[must_use]
    pub fn new(test: u64, title: &str, severity: &str) -> Self {
        // 2026-09-01
        let created =
            DateTime::UNIX_EPOCH + TimeDelta::days(20_697) + TimeDelta::microseconds(503_243);
        Self {
            test,
            title: title.to_owned(),
            severity: severity.to_owned(),
            description: format!("{title}, as the scanner describes it."),
            mitigation: None,
            impact: None,
            references: None,
            steps_to_reproduce: None,
            severity_justification: None,
            date: created.date_naive(),
            active: true,
            verified: false,
            duplicate: false,
            false_p: false,
            out_of_scope: false,
            risk_accepted: false,
            under_review: false,
            is_mitigated: false,
            mitigated: None,
            cwe: Some(0),
            cwes: Vec::new(),
            vulnerability_ids: Vec::new(),
            cvssv3: None,
            cvssv3_score: None,
            cvssv4: None,
            cvssv4_score: None,
            epss_score: None,
            epss_percentile: None,
            known_exploited: false,
            ransomware_used: false,
            kev_date: None,
            component_name: None,
            component_version: None,
            fix_available: None,
            fix_version: None,
            file_path: None,
            line: None,
            sast_source_file_path: None,
            sast_source_line: None,
            sast_source_object: None,
            sast_sink_object: None,
            nb_occurences: None,
            publish_date: None,
            unique_id_from_tool: None,
            vuln_id_from_tool: None,
            hash_code: None,
            service: None,
            tags: Vec::new(),
            endpoints: Vec::new(),
            static_finding: false,
            dynamic_finding: true,
            created,
            updated: created,
            last_status_update: created,
            other: Map::new(),
        }
    }

    /// `S0` for critical to `S4` for the rest.
    #[must_use]
    pub fn numerical_severity(&self) -> &'static str {
        match self.severity.as_str() {
            "Critical" => "S0",
            "High" => "S1",
            "Medium" => "S2",
            "Low" => "S3",
            _ => "S4",
        }
    }

    /// The status in words, as the list of findings shows it to people.
    #[must_use]
    pub fn display_status(&self) -> String {
        let activity = match self.active {
            true => "Active",
            false => "Inactive",
        };
        let words = [
            (self.under_review, "Under Review"),
            (true, activity),
            (self.verified, "Verified"),
            (self.is_mitigated || self.mitigated.is_some(), "Mitigated"),
            (self.false_p, "False Positive"),
            (self.out_of_scope, "Out Of Scope"),
            (self.duplicate, "Duplicate"),
            (self.risk_accepted, "Risk Accepted"),
        ];
        let words = words.iter().filter(|(is_so, _)| *is_so);
        words.map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
    }
}
