//! SARIF 2.1.0 (OASIS standard): one run, a result for each finding.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use url::Url;

use super::Exported;
use crate::finding::{Severity, Status};

/// What comes before the first result.
pub const HEAD: &str = "{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{\"results\":[";

/// Longest id that is made of a title, in bytes.
const LONGEST_SLUG: usize = 80;

/// The rules that results refer to: grows with the number of different weaknesses, not of results.
#[derive(Debug, Default)]
pub struct Rules {
    positions: HashMap<String, usize>,
    /// As JSON, in order.
    written: Vec<String>,
}

impl Rules {
    /// One element of `results`.
    pub fn result(&mut self, finding: &Exported) -> Value {
        let (id, index) = self.rule_of(finding);
        let (kind, level) = match finding.status {
            Status::Resolved => ("pass", "none"),
            _ => ("fail", level(finding.severity)),
        };
        let mut result = json!({
            "ruleId": id,
            "ruleIndex": index,
            "kind": kind,
            "level": level,
            "message": {"text": message(finding)},
            "fingerprints": {"secpull/v1": finding.identity()},
            "provenance": {
                "firstDetectionTimeUtc": time(finding.first_seen),
                "lastDetectionTimeUtc": time(finding.last_seen),
            },
            "properties": properties(finding),
        });
        let locations = locations(finding);
        if !locations.is_empty() {
            result["locations"] = locations.into();
        }
        // Present and empty says that it was looked at; absent, that suppressions are not known.
        result["suppressions"] = suppressions(finding.status);
        if let Some(score) = finding.cvss4_score.or(finding.cvss3_score) {
            result["rank"] = json!((score * 10.0).clamp(0.0, 100.0));
        }
        result
    }

    /// What comes after the last result.
    #[must_use]
    pub fn tail(&self, version: &str) -> String {
        let version = Value::from(version);
        format!(
            "],\"tool\":{{\"driver\":{{\"name\":\"secpull\",\"version\":{version},\"rules\":[{}]}}}}}}]}}",
            self.written.join(",")
        )
    }

    fn rule_of(&mut self, finding: &Exported) -> (String, usize) {
        let id = match &finding.vulnerability_id {
            Some(id) => id.clone(),
            None => slug(&finding.title),
        };
        if let Some(index) = self.positions.get(&id) {
            return (id, *index);
        }
        let index = self.written.len();
        self.positions.insert(id.clone(), index);
        self.written.push(rule(&id, finding).to_string());
        (id, index)
    }
}

/// GitHub and others read `security-severity` and the CWE tags.
fn rule(id: &str, finding: &Exported) -> Value {
    let cwes = finding
        .cwes
        .iter()
        .map(|cwe| format!("external/cwe/cwe-{cwe}"));
    let tags: Vec<_> = std::iter::once("security".to_owned()).chain(cwes).collect();
    let score = finding.cvss4_score.or(finding.cvss3_score);
    let score = score.unwrap_or(match finding.severity {
        Severity::Critical => 9.5,
        Severity::High => 8.0,
        Severity::Medium => 5.5,
        Severity::Low => 2.0,
        Severity::Info | Severity::Unknown => 0.0,
    });
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": named(&finding.title)},
        "properties": {"tags": tags, "security-severity": format!("{score:.1}")},
    });
    if let Some(url) = finding.references.iter().find_map(|text| uri(text)) {
        rule["helpUri"] = url.into();
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn message(finding: &Exported) -> String {
    let parts = [
        Some(named(&finding.title)),
        finding.description.as_deref(),
        finding.recommendation.as_deref(),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n\n")
}

fn named(title: &str) -> &str {
    match title.trim() {
        "" => "finding",
        title => title,
    }
}

fn suppressions(status: Status) -> Value {
    let status = match status {
        Status::Open | Status::Resolved => return json!([]),
        Status::InReview => return json!([{"kind": "external", "status": "underReview"}]),
        decided => decided,
    };
    json!([{"kind": "external", "status": "accepted", "justification": status.as_str()}])
}

/// Where it is: a file or URL as physical location, everything else by its name.
fn locations(finding: &Exported) -> Vec<Value> {
    let mut location = Map::new();
    if let Some(physical) = physical(finding) {
        location.insert("physicalLocation".to_owned(), physical);
    }
    let logical = logical(finding);
    if !logical.is_empty() {
        location.insert("logicalLocations".to_owned(), logical.into());
    }
    match location.is_empty() {
        true => Vec::new(),
        false => vec![location.into()],
    }
}

fn physical(finding: &Exported) -> Option<Value> {
    let source = finding.source_location.as_ref();
    if let Some((place, file)) = source.and_then(|place| Some((place, place.file.as_deref()?))) {
        let mut physical = json!({"artifactLocation": {"uri": path(file)}});
        if let Some(start) = place.line_start.filter(|line| *line > 0) {
            let end = place.line_end.unwrap_or(start).max(start);
            physical["region"] = json!({"startLine": start, "endLine": end});
        }
        return Some(physical);
    }
    let url = finding.endpoint.as_ref()?.url.as_deref()?;
    Some(json!({"artifactLocation": {"uri": uri(url).unwrap_or_else(|| path(url))}}))
}

fn logical(finding: &Exported) -> Vec<Value> {
    let mut named = Vec::new();
    let mut name = |kind: &str, parts: &[Option<&str>]| {
        let parts: Vec<_> = parts.iter().flatten().copied().collect();
        if !parts.is_empty() {
            named.push(json!({"fullyQualifiedName": parts.join("/"), "kind": kind}));
        }
    };
    if let Some(component) = &finding.component {
        match &component.purl {
            Some(purl) => name("package", &[Some(purl)]),
            None => name(
                "package",
                &[component.name.as_deref(), component.version.as_deref()],
            ),
        }
    }
    if let Some(image) = &finding.image {
        name("container image", &[image.name.as_deref()]);
    }
    if let Some(cloud) = &finding.cloud {
        let parts = [
            cloud.provider.as_deref(),
            cloud.account.as_deref(),
            cloud.region.as_deref(),
            cloud.resource_type.as_deref(),
            cloud.resource_id.as_deref(),
        ];
        name("cloud resource", &parts);
    }
    if let Some(kubernetes) = &finding.kubernetes {
        let parts = [
            kubernetes.cluster.as_deref(),
            kubernetes.namespace.as_deref(),
            kubernetes.kind.as_deref(),
            kubernetes.name.as_deref(),
        ];
        name("kubernetes resource", &parts);
    }
    if let Some(host) = &finding.host {
        let port = host.port.map(|port| port.to_string());
        let parts = [host.name.as_deref().or(host.ip.as_deref()), port.as_deref()];
        name("host", &parts);
    }
    named
}

/// What SARIF has no place for, under secpull's own names.
fn properties(finding: &Exported) -> Value {
    let sources: Vec<_> = finding
        .sightings
        .iter()
        .map(|seen| {
            json!({
                "api_configuration": seen.api_configuration,
                "connector": seen.connector,
                "source_id": seen.source_id,
            })
        })
        .collect();
    let mut properties = json!({
        "id": finding.id,
        "product": finding.product,
        "branch": finding.branch,
        "service": finding.service,
        "kind": finding.kind,
        "severity": finding.severity,
        "status": finding.status,
        "aliases": finding.aliases,
        "cvss3_vector": finding.cvss3_vector,
        "cvss4_vector": finding.cvss4_vector,
        "epss_score": finding.epss_score,
        "component": finding.component,
        "image": finding.image,
        "endpoint": finding.endpoint,
        "references": finding.references,
        "sightings": sources,
    });
    if let Value::Object(members) = &mut properties {
        members.retain(|_, value| !value.is_null());
        if !finding.tags.is_empty() {
            // `tags` must be unique.
            let mut tags = finding.tags.clone();
            tags.sort();
            tags.dedup();
            members.insert("tags".to_owned(), tags.into());
        }
    }
    properties
}

fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// An absolute URI as it may stand in SARIF.
fn uri(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    url.has_host().then(|| url.into())
}

/// A path as a relative reference; backslashes are slashes of Windows.
fn path(file: &str) -> String {
    let mut written = String::with_capacity(file.len());
    for byte in file.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    // Two slashes at the start would name a host.
    match written.strip_prefix("//") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => written,
    }
}

/// A rule's id where the tool gives none: the title's words.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            break;
        }
    }
    match slug.trim_end_matches('-') {
        "" => "finding".to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests;
