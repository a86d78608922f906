//! What the server knows, in words that fit all its versions.

use super::Findings;
use crate::random::uuid_of;

/// A project: one version of something.
#[derive(Debug, Clone)]
pub struct Project {
    /// UUID.
    pub uuid: String,
    /// Name.
    pub name: String,
    /// Version; hand-made projects often have none.
    pub version: Option<String>,
    /// Inactive ones are left out of `excludeInactive=true` lists.
    pub active: bool,
    /// The newest version of its name, as `/project/latest` sees it.
    pub latest: bool,
    /// UUID of the parent project.
    pub parent: Option<String>,
    /// A collection has no findings of its own.
    pub collection: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Findings.
    pub findings: Findings,
}

impl Project {
    /// An active project without findings; its UUID follows from name and version.
    #[must_use]
    pub fn new(name: &str, version: Option<&str>) -> Self {
        Self {
            uuid: uuid_of(&format!("project {name} {}", version.unwrap_or_default())),
            name: name.to_owned(),
            version: version.map(str::to_owned),
            active: true,
            latest: true,
            parent: None,
            collection: false,
            tags: Vec::new(),
            findings: Findings::default(),
        }
    }

    /// With these findings.
    #[must_use]
    pub fn with(mut self, findings: impl Into<Findings>) -> Self {
        self.findings = findings.into();
        self
    }
}

/// A vulnerability in a component, with what people and analyzers said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The component.
    pub component: Component,
    /// The vulnerability.
    pub vulnerability: Vulnerability,
    /// What an auditor said.
    pub analysis: Analysis,
    /// Who found it.
    pub attribution: Attribution,
}

impl Finding {
    /// A finding that nobody looked at yet.
    #[must_use]
    pub fn new(component: Component, vulnerability: Vulnerability, attributed_on: i64) -> Self {
        Self {
            component,
            vulnerability,
            analysis: Analysis::default(),
            attribution: Attribution {
                analyzer: "INTERNAL_ANALYZER".to_owned(),
                attributed_on,
                alternate_identifier: None,
                reference_url: None,
            },
        }
    }
}

/// A component of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// UUID.
    pub uuid: String,
    /// Group: Maven's group, npm's scope.
    pub group: Option<String>,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Package URL.
    pub purl: Option<String>,
    /// CPE 2.3.
    pub cpe: Option<String>,
    /// Newest version in its repository; not a fix.
    pub latest_version: Option<String>,
}

/// A vulnerability.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vulnerability {
    /// UUID.
    pub uuid: String,
    /// `NVD`, `GITHUB`, `OSV`, `INTERNAL`, …
    pub source: String,
    /// Its id there.
    pub id: String,
    /// Title.
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// Markdown.
    pub recommendation: Option<String>,
    /// URLs.
    pub references: Vec<String>,
    /// `CRITICAL`, …, `UNASSIGNED`.
    pub severity: String,
    /// CVSS 3 vector.
    pub cvss3_vector: Option<String>,
    /// CVSS 3 base score.
    pub cvss3_score: Option<f64>,
    /// CVSS 4 vector.
    pub cvss4_vector: Option<String>,
    /// CVSS 4 score.
    pub cvss4_score: Option<f64>,
    /// EPSS score and percentile.
    pub epss: Option<(f64, f64)>,
    /// Numbers and names.
    pub cwes: Vec<(u32, String)>,
    /// Other names of it.
    pub aliases: Vec<Aliases>,
    /// Milliseconds since 1970.
    pub published: Option<i64>,
    /// Known to be exploited.
    pub known_exploited: bool,
}

/// Names of one vulnerability that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Aliases {
    /// `CVE-…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve_id: Option<String>,
    /// `GHSA-…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ghsa_id: Option<String>,
    /// OSV's own, `GO-…`, `PYSEC-…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub osv_id: Option<String>,
    /// `SNYK-…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snyk_id: Option<String>,
}

/// What an auditor said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Analysis {
    /// `EXPLOITABLE`, `IN_TRIAGE`, …; none: never analysed.
    pub state: Option<String>,
    /// Suppressed.
    pub suppressed: bool,
    /// Why.
    pub detail: Option<String>,
}

/// Who found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// `INTERNAL_ANALYZER`, `OSSINDEX_ANALYZER`, …
    pub analyzer: String,
    /// Milliseconds since 1970.
    pub attributed_on: i64,
    /// The analyzer's id of it.
    pub alternate_identifier: Option<String>,
    /// The analyzer's page about it.
    pub reference_url: Option<String>,
}
