//! The mapping of one finding.

use std::borrow::Cow;

use chrono::DateTime;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::super::lenient::{Flag, List, Number, Object, Text, Whole};
use super::super::{markdown, rating};
use crate::finding::{Component, Content, Kind, Severity, Sighting, Status};

/// `vulnerability.severity` (server source 4.0–5.0.4). Anything else is unknown.
const SEVERITIES: &[(&str, Severity)] = &[
    ("CRITICAL", Severity::Critical),
    ("HIGH", Severity::High),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
    ("INFO", Severity::Info),
    ("UNASSIGNED", Severity::Unknown),
];

/// `analysis.state` (server source 4.0–5.0.4): status of a finding that is not suppressed, and of one that is. A suppression
/// without a reason is a risk that somebody accepted. A word that is not here counts like NOT_SET.
const STATES: &[(&str, Status, Status)] = &[
    ("NOT_SET", Status::Open, Status::RiskAccepted),
    ("EXPLOITABLE", Status::Open, Status::RiskAccepted),
    ("IN_TRIAGE", Status::InReview, Status::InReview),
    ("RESOLVED", Status::Resolved, Status::Resolved),
    (
        "FALSE_POSITIVE",
        Status::FalsePositive,
        Status::FalsePositive,
    ),
    ("NOT_AFFECTED", Status::NotAffected, Status::NotAffected),
];

/// The source whose ids mean nothing outside the server.
const INTERNAL: &str = "INTERNAL";

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    matrix: Text<'a>,
    component: Object<ComponentPart<'a>>,
    vulnerability: Object<Vulnerability<'a>>,
    analysis: Object<Analysis<'a>>,
    attribution: Object<Attribution<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct ComponentPart<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    version: Text<'a>,
    purl: Text<'a>,
    cpe: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Vulnerability<'a> {
    #[serde(borrow)]
    source: Text<'a>,
    vuln_id: Text<'a>,
    aliases: List<Aliases<'a>>,
    title: Text<'a>,
    subtitle: Text<'a>,
    description: Text<'a>,
    recommendation: Text<'a>,
    references: Text<'a>,
    severity: Text<'a>,
    #[serde(rename = "cvssV3BaseScore")]
    cvss_v3_base_score: Number,
    #[serde(rename = "cvssV3Vector")]
    cvss_v3_vector: Text<'a>,
    #[serde(rename = "cvssV4Score")]
    cvss_v4_score: Number,
    #[serde(rename = "cvssV4Vector")]
    cvss_v4_vector: Text<'a>,
    epss_score: Number,
    cwes: List<Object<Cwe>>,
    cwe_id: Whole,
    is_kev: Flag,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Cwe {
    #[serde(rename = "cweId")]
    id: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Analysis<'a> {
    #[serde(borrow)]
    state: Text<'a>,
    is_suppressed: Flag,
    detail: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Attribution<'a> {
    #[serde(borrow)]
    analyzer_identity: Text<'a>,
    attributed_on: Whole,
    reference_url: Text<'a>,
}

/// The part of a row that says which one it is.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Identity<'a> {
    #[serde(borrow)]
    matrix: Text<'a>,
}

/// One group of aliases: the values of `cveId`, `ghsaId`, `osvId` and whatever else ends in `Id`.
#[derive(Debug, Default)]
struct Aliases<'a>(Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Aliases<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::<AliasIds<'a>>::deserialize(deserializer).map(|ids| Self(ids.0.0))
    }
}

#[derive(Debug, Default)]
struct AliasIds<'a>(Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for AliasIds<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ids;
        impl<'de> Visitor<'de> for Ids {
            type Value = Vec<Cow<'de, str>>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a group of aliases")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut ids = Vec::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if key.as_str().is_some_and(|key| key.ends_with("Id")) {
                        ids.extend(map.next_value::<Text<'de>>()?.0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(ids)
            }
        }
        deserializer.deserialize_map(Ids).map(Self)
    }
}

/// The `source_id` of an element: what [`map`] would give it. None if it has none.
pub(super) fn id(element: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(id) = id_at_the_end(element) {
        return Some(Cow::Borrowed(id));
    }
    let text = std::str::from_utf8(element).ok()?;
    let Object(Identity { matrix }) = serde_json::from_str(text).ok()?;
    matrix.0
}

/// The servers write the id last, and it holds nothing that would have to be escaped: then nothing else need be read.
fn id_at_the_end(element: &[u8]) -> Option<&str> {
    let value = element.strip_suffix(b"\"}")?;
    let begin = memchr::memrchr(b'"', value)?;
    let (before, id) = value.split_at(begin + 1);
    let members = before.strip_suffix(b"\"matrix\":\"")?;
    // Otherwise it is the end of a longer name.
    let is_name = matches!(members.last(), Some(b',' | b'{'));
    let id = std::str::from_utf8(id).ok()?;
    (is_name && !id.contains('\\') && !id.trim().is_empty()).then_some(id)
}

/// Maps one element of the answer, or tells why it cannot be read.
pub(super) fn map(element: &[u8]) -> Result<Sighting, String> {
    let text = std::str::from_utf8(element).map_err(|_| "a finding is not UTF-8".to_owned())?;
    let Object(row) = serde_json::from_str::<Object<Row<'_>>>(text)
        .map_err(|error| format!("a finding cannot be read: {error}"))?;
    let matrix = row.matrix.to_owned();
    let source_id = matrix.ok_or_else(|| "a finding has no matrix, which is its id".to_owned())?;
    Ok(sighting(source_id, row, text))
}

fn sighting(source_id: String, row: Row<'_>, raw: &str) -> Sighting {
    let vulnerability = &row.vulnerability.0;
    let analysis = &row.analysis.0;
    let id = vulnerability.vuln_id.as_str();
    let internal = vulnerability
        .source
        .as_str()
        .is_some_and(|source| source.eq_ignore_ascii_case(INTERNAL));
    Sighting {
        source_id,
        id_space: None,
        severity: severity(vulnerability.severity.as_str()),
        status: status(
            analysis.state.as_str(),
            analysis.is_suppressed.0.unwrap_or(false),
        ),
        source_severity: vulnerability.severity.to_owned(),
        source_status: analysis.state.to_owned(),
        found_at: (row.attribution.0.attributed_on.0).and_then(DateTime::from_timestamp_millis),
        source_updated_at: None,
        weakness: id.filter(|_| internal).map(str::to_owned),
        content: content(&row, id.filter(|_| !internal)),
        raw: raw.to_owned(),
    }
}

fn content(row: &Row<'_>, public_id: Option<&str>) -> Content {
    let vulnerability = &row.vulnerability.0;
    let mut content = Content {
        kind: Kind::Component,
        title: title(row),
        description: description(row),
        recommendation: vulnerability.recommendation.to_owned(),
        vulnerability_id: public_id.map(str::to_owned),
        aliases: aliases(vulnerability),
        cwes: cwes(vulnerability),
        epss_score: (vulnerability.epss_score.0).filter(|epss| (0.0..=1.0).contains(epss)),
        component: component(&row.component.0),
        references: references(row),
        tags: tags(row),
        ..Content::default()
    };
    content.set_cvss3(rating::cvss3(
        vulnerability.cvss_v3_vector.as_str(),
        vulnerability.cvss_v3_base_score.0,
    ));
    content.set_cvss4(rating::cvss4(
        vulnerability.cvss_v4_vector.as_str(),
        vulnerability.cvss_v4_score.0,
    ));
    content
}

fn severity(word: Option<&str>) -> Severity {
    let known = |word: &str| SEVERITIES.iter().find(|(known, _)| *known == word);
    word.and_then(known)
        .map_or(Severity::Unknown, |(_, severity)| *severity)
}

fn status(state: Option<&str>, suppressed: bool) -> Status {
    let known = |word: &str| STATES.iter().find(|(known, _, _)| *known == word);
    let (_, plain, if_suppressed) = state.and_then(known).unwrap_or(&STATES[0]);
    if suppressed { *if_suppressed } else { *plain }
}

fn title(row: &Row<'_>) -> String {
    let vulnerability = &row.vulnerability.0;
    if let Some(title) = vulnerability.title.to_owned() {
        return title;
    }
    if let Some(subtitle) = vulnerability.subtitle.to_owned() {
        return subtitle;
    }
    let component = &row.component.0;
    let id = vulnerability.vuln_id.as_str().unwrap_or("Vulnerability");
    match (component.name.as_str(), component.version.as_str()) {
        (Some(name), Some(version)) => format!("{id} in {name} {version}"),
        (Some(name), None) => format!("{id} in {name}"),
        (None, _) => id.to_owned(),
    }
}

fn description(row: &Row<'_>) -> Option<String> {
    let description = row.vulnerability.0.description.as_str();
    match (description, row.analysis.0.detail.as_str()) {
        (Some(description), Some(detail)) => {
            Some(format!("{description}\n\n**Analysis:** {detail}"))
        }
        (Some(description), None) => Some(description.to_owned()),
        (None, Some(detail)) => Some(format!("**Analysis:** {detail}")),
        (None, None) => None,
    }
}

fn aliases(vulnerability: &Vulnerability<'_>) -> Vec<String> {
    let own = vulnerability.vuln_id.as_str().unwrap_or_default().trim();
    let mut aliases: Vec<String> = Vec::new();
    for alias in vulnerability.aliases.0.iter().flat_map(|group| &group.0) {
        let alias = alias.trim();
        let known = alias.eq_ignore_ascii_case(own)
            || aliases
                .iter()
                .any(|known| known.eq_ignore_ascii_case(alias));
        if !known {
            aliases.push(alias.to_owned());
        }
    }
    aliases
}

/// The list, and where it is missing (before 4.5) the single number.
fn cwes(vulnerability: &Vulnerability<'_>) -> Vec<u32> {
    let listed = vulnerability.cwes.0.iter().map(|cwe| cwe.0.id);
    let mut cwes: Vec<u32> = Vec::new();
    for cwe in listed.filter_map(|id| id.0.and_then(|id| u32::try_from(id).ok())) {
        if !cwes.contains(&cwe) {
            cwes.push(cwe);
        }
    }
    if cwes.is_empty() {
        cwes.extend(vulnerability.cwe_id.0.and_then(|id| u32::try_from(id).ok()));
    }
    cwes
}

fn component(component: &ComponentPart<'_>) -> Option<Component> {
    let component = Component {
        name: component.name.to_owned(),
        version: component.version.to_owned(),
        purl: component.purl.to_owned(),
        cpe: component.cpe.to_owned(),
        fixed_version: None,
    };
    (component != Component::default()).then_some(component)
}

fn references(row: &Row<'_>) -> Vec<String> {
    let listed = row.vulnerability.0.references.as_str();
    let mut references = listed.map(markdown::urls).unwrap_or_default();
    if let Some(url) = row.attribution.0.reference_url.as_str() {
        for url in markdown::urls(url) {
            if !references.contains(&url) {
                references.push(url);
            }
        }
    }
    references
}

fn tags(row: &Row<'_>) -> Vec<String> {
    let analyzer = row.attribution.0.analyzer_identity.as_str();
    let analyzer = analyzer.filter(|identity| *identity != "NONE");
    let kev = row.vulnerability.0.is_kev.0 == Some(true);
    let suppressed = row.analysis.0.is_suppressed.0 == Some(true);
    [
        analyzer,
        kev.then_some("kev"),
        suppressed.then_some("suppressed"),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .collect()
}

#[cfg(test)]
mod tests;
