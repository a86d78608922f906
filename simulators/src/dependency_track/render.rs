//! A finding and a project as each version writes them.

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Component, Vulnerability};
use super::{Aliases, Finding, Project, Version};

/// Appends the JSON of a finding.
pub(super) fn finding(
    into: &mut Vec<u8>,
    finding: &Finding,
    project: &Project,
    version: Version,
) -> serde_json::Result<()> {
    serde_json::to_writer(into, &View::new(finding, project, version))
}

/// A project.
pub(super) fn project(project: &Project, version: Version) -> Value {
    let mut value = json!({
        "name": project.name,
        "classifier": "APPLICATION",
        "uuid": project.uuid,
        "active": project.active,
        "tags": project.tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "lastInheritedRiskScore": 0.0,
    });
    if let Some(text) = &project.version {
        value["version"] = json!(text);
    }
    if let Some(parent) = &project.parent {
        value["parent"] = json!({"uuid": parent});
    }
    if version >= Version(4, 12) {
        value["isLatest"] = json!(project.latest);
    }
    if version >= Version(4, 13) && project.collection {
        value["collectionLogic"] = json!("AGGREGATE_DIRECT_CHILDREN");
    }
    value
}

#[derive(Serialize)]
struct View<'a> {
    component: ComponentView<'a>,
    vulnerability: VulnerabilityView<'a>,
    analysis: AnalysisView<'a>,
    attribution: AttributionView<'a>,
    matrix: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComponentView<'a> {
    uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<&'a str>,
    project: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_occurrences: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VulnerabilityView<'a> {
    uuid: &'a str,
    source: &'a str,
    vuln_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommendation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'a str>,
    severity_rank: u8,
    #[serde(rename = "cvssV3BaseScore", skip_serializing_if = "Option::is_none")]
    cvss3_score: Option<f64>,
    #[serde(rename = "cvssV3Vector", skip_serializing_if = "Option::is_none")]
    cvss3_vector: Option<&'a str>,
    #[serde(rename = "cvssV4Score", skip_serializing_if = "Option::is_none")]
    cvss4_score: Option<f64>,
    #[serde(rename = "cvssV4Vector", skip_serializing_if = "Option::is_none")]
    cvss4_vector: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss_percentile: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwe_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwe_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cwes: Vec<CweView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aliases: Option<&'a [Aliases]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_kev: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CweView<'a> {
    cwe_id: u32,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnalysisView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    is_suppressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttributionView<'a> {
    analyzer_identity: &'a str,
    attributed_on: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    alternate_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_url: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(finding: &'a Finding, project: &'a Project, version: Version) -> Self {
        let (component, vulnerability) = (&finding.component, &finding.vulnerability);
        let analysis = &finding.analysis;
        let attribution = &finding.attribution;
        let tells_details = version >= Version::V5_1 || version == Version::V4_14;
        Self {
            matrix: format!("{}:{}:{}", project.uuid, component.uuid, vulnerability.uuid),
            component: ComponentView::new(component, project, version),
            vulnerability: VulnerabilityView::new(vulnerability, version),
            analysis: AnalysisView {
                state: analysis.state.as_deref(),
                is_suppressed: analysis.suppressed,
                detail: analysis.detail.as_deref().filter(|_| tells_details),
            },
            attribution: AttributionView {
                analyzer_identity: &attribution.analyzer,
                attributed_on: attribution.attributed_on,
                alternate_identifier: attribution.alternate_identifier.as_deref(),
                reference_url: attribution.reference_url.as_deref(),
            },
        }
    }
}

impl<'a> ComponentView<'a> {
    fn new(component: &'a Component, project: &'a Project, version: Version) -> Self {
        let names_project = version >= Version::V5_0;
        Self {
            uuid: &component.uuid,
            group: component.group.as_deref(),
            name: &component.name,
            version: component.version.as_deref(),
            purl: component.purl.as_deref(),
            cpe: component
                .cpe
                .as_deref()
                .filter(|_| version >= Version(4, 5)),
            project: &project.uuid,
            project_name: names_project.then_some(&project.name),
            project_version: project.version.as_deref().filter(|_| names_project),
            latest_version: component.latest_version.as_deref(),
            has_occurrences: names_project.then_some(false),
        }
    }
}

impl<'a> VulnerabilityView<'a> {
    fn new(vulnerability: &'a Vulnerability, version: Version) -> Self {
        let v5 = version >= Version::V5_0;
        let v4_14 = version >= Version::V4_14;
        let first_cwe = vulnerability.cwes.first().filter(|_| !v5);
        let severity = vulnerability.severity.as_str();
        Self {
            uuid: &vulnerability.uuid,
            source: &vulnerability.source,
            vuln_id: &vulnerability.id,
            title: vulnerability.title.as_deref(),
            description: vulnerability.description.as_deref(),
            recommendation: vulnerability.recommendation.as_deref(),
            references: v4_14
                .then(|| markdown_list(&vulnerability.references))
                .flatten(),
            severity: Some(severity).filter(|severity| !(v5 && *severity == "UNASSIGNED")),
            severity_rank: rank(severity),
            cvss3_score: vulnerability.cvss3_score,
            cvss3_vector: vulnerability.cvss3_vector.as_deref().filter(|_| v4_14),
            cvss4_score: vulnerability.cvss4_score.filter(|_| v4_14),
            cvss4_vector: vulnerability.cvss4_vector.as_deref().filter(|_| v4_14),
            epss_score: vulnerability.epss.map(|(score, _)| score),
            epss_percentile: vulnerability.epss.map(|(_, percentile)| percentile),
            cwe_id: first_cwe.map(|(id, _)| *id),
            cwe_name: first_cwe.map(|(_, name)| name.as_str()),
            cwes: vulnerability
                .cwes
                .iter()
                .map(|(cwe_id, name)| CweView {
                    cwe_id: *cwe_id,
                    name,
                })
                .collect(),
            aliases: (version >= Version(4, 8)).then_some(vulnerability.aliases.as_slice()),
            published: vulnerability
                .published
                .filter(|_| version >= Version::V4_11),
            is_kev: (version >= Version::V5_1).then_some(vulnerability.known_exploited),
        }
    }
}

fn rank(severity: &str) -> u8 {
    match severity {
        "CRITICAL" => 0,
        "HIGH" => 1,
        "MEDIUM" => 2,
        "LOW" => 3,
        "INFO" => 4,
        _ => 5,
    }
}

fn markdown_list(urls: &[String]) -> Option<String> {
    let list = urls
        .iter()
        .map(|url| format!("* [{url}]({url})\n"))
        .collect::<String>();
    (!list.is_empty()).then_some(list)
}
