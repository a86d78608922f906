//! DefectDojo's Generic Findings Import, JSON: keys and limits after its parser (`dojo/tools/generic`) and its model of findings.
//!
//! DefectDojo refuses a whole file for one odd key, and stores half of it if one text is too long; so nothing is written that it
//! does not take. It tells findings apart by title, CWE, line, file and description, hence the last line of the description.

use serde_json::{Map, Value, json};

use super::Exported;
use super::limits::{cut, whole};
use crate::finding::{Kind, Severity, Status};

/// What comes before the first finding.
pub const HEAD: &str = "{\"findings\":[";

/// What comes after the last one.
pub const TAIL: &str = "]}";

/// DefectDojo cuts titles here.
const TITLE: usize = 511;
/// The column of the first vulnerability id.
const VULNERABILITY_ID: usize = 50;
const COMPONENT_NAME: usize = 500;
const COMPONENT_VERSION: usize = 100;
const FIX_VERSION: usize = 100;
const FILE_PATH: usize = 4000;
const UNIQUE_ID: usize = 500;
const SERVICE: usize = 200;

/// One element of `findings`. None for a resolved finding: DefectDojo closes what a file no longer holds.
#[must_use]
pub fn finding(finding: &Exported) -> Option<Value> {
    if finding.status == Status::Resolved {
        return None;
    }
    let mut members = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            members.insert(key.to_owned(), value);
        }
    };
    put("title", title(finding).into());
    put("severity", severity(finding.severity).into());
    put("description", description(finding).into());
    put("date", date(finding).into());
    put("mitigation", text(finding.recommendation.as_deref()));
    put("references", joined(&finding.references));
    put("vulnerability_ids", vulnerability_ids(finding));
    if let Some(first) = finding.cwes.first() {
        put("cwe", json!(first));
        put("cwes", json!(finding.cwes));
    }
    put("cvssv3", text(finding.cvss3_vector.as_deref()));
    put("cvssv3_score", json!(finding.cvss3_score));
    put("cvssv4", text(finding.cvss4_vector.as_deref()));
    put("cvssv4_score", json!(finding.cvss4_score));
    put("epss_score", json!(finding.epss_score));
    if let Some(component) = &finding.component {
        put(
            "component_name",
            short(component.name.as_deref(), COMPONENT_NAME),
        );
        let version = short(component.version.as_deref(), COMPONENT_VERSION);
        put("component_version", version);
        let fixed = short(component.fixed_version.as_deref(), FIX_VERSION);
        put("fix_available", json!(fixed.is_string().then_some(true)));
        put("fix_version", fixed);
    }
    if let Some(place) = &finding.source_location {
        put("file_path", short(place.file.as_deref(), FILE_PATH));
        put("line", json!(place.line_start));
    }
    put("endpoints", endpoints(finding));
    put("service", short(finding.service.as_deref(), SERVICE));
    if !finding.tags.is_empty() {
        let tags: Vec<_> = finding.tags.iter().map(|tag| whole(tag)).collect();
        put("tags", tags.into());
    }
    put("unique_id_from_tool", unique_id(finding).into());
    let seen_running = matches!(finding.kind, Kind::Endpoint | Kind::Host);
    put("static_finding", (!seen_running).into());
    put("dynamic_finding", seen_running.into());
    let decided = match finding.status {
        Status::Open | Status::Resolved => None,
        Status::InReview => Some("under_review"),
        Status::FalsePositive => Some("false_p"),
        Status::RiskAccepted => Some("risk_accepted"),
        Status::NotAffected | Status::NotSecurity => Some("out_of_scope"),
    };
    let active = matches!(finding.status, Status::Open | Status::InReview);
    put("active", active.into());
    if let Some(decided) = decided {
        put(decided, true.into());
    }
    Some(Value::Object(members))
}

fn title(finding: &Exported) -> String {
    let title = cut(finding.title.trim(), TITLE);
    match title.is_empty() {
        true => whole(finding.vulnerability_id.as_deref().unwrap_or("finding")),
        false => title,
    }
}

/// DefectDojo has no word for an unknown severity, and its own parsers take Info then.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info | Severity::Unknown => "Info",
    }
}

/// The vendor's text, the place where DefectDojo has no field for it, and what makes it unique. Nothing that changes by itself.
fn description(finding: &Exported) -> String {
    let mut text = whole(
        finding
            .description
            .as_deref()
            .unwrap_or_default()
            .trim_end(),
    );
    let mut places = Vec::new();
    let mut place = |name: &str, parts: &[&Option<String>]| {
        let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref()).collect();
        if !parts.is_empty() {
            places.push(format!("{name}: {}", whole(&parts.join(" "))));
        }
    };
    if let Some(image) = &finding.image {
        place("Image", &[&image.name]);
    }
    if let Some(cloud) = &finding.cloud {
        let account = [&cloud.provider, &cloud.account, &cloud.region];
        place("Cloud account", &account);
        place(
            "Cloud resource",
            &[&cloud.resource_type, &cloud.resource_id],
        );
    }
    if let Some(kubernetes) = &finding.kubernetes {
        place("Kubernetes cluster", &[&kubernetes.cluster]);
        place("Kubernetes namespace", &[&kubernetes.namespace]);
        place("Kubernetes resource", &[&kubernetes.kind, &kubernetes.name]);
    }
    if let Some(endpoint) = &finding.endpoint {
        place("Request", &[&endpoint.method, &endpoint.url]);
        place("Parameter", &[&endpoint.parameter]);
    }
    places.push(format!("secpull-id: {}", whole(&finding.identity())));
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&places.join("\n"));
    text
}

/// The day; only the first import of a finding looks at it.
fn date(finding: &Exported) -> String {
    let found = finding.sightings.first().and_then(|seen| seen.found_at);
    let found = found.unwrap_or(finding.first_seen);
    found.format("%Y-%m-%d").to_string()
}

fn vulnerability_ids(finding: &Exported) -> Value {
    let ids: Vec<_> = finding
        .vulnerability_ids()
        .map(whole)
        .filter(|id| !id.is_empty() && id.chars().count() <= VULNERABILITY_ID)
        .collect();
    match ids.is_empty() {
        true => Value::Null,
        false => ids.into(),
    }
}

fn endpoints(finding: &Exported) -> Value {
    let url = finding
        .endpoint
        .as_ref()
        .and_then(|place| place.url.as_deref());
    if let Some(url) = url {
        return json!([whole(url)]);
    }
    let Some(host) = &finding.host else {
        return Value::Null;
    };
    match host.name.as_deref().or(host.ip.as_deref()) {
        Some(name) => match host.port {
            Some(port) => json!([{"host": whole(name), "port": port}]),
            None => json!([{"host": whole(name)}]),
        },
        None => Value::Null,
    }
}

/// The vendor's id, where DefectDojo is set to go by it; else, if it is too long, ours.
fn unique_id(finding: &Exported) -> String {
    let of_vendor = finding.sightings.first().map(|seen| whole(&seen.source_id));
    of_vendor
        .filter(|id| !id.is_empty() && id.chars().count() <= UNIQUE_ID)
        .unwrap_or_else(|| finding.fingerprint.clone())
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| whole(text).into())
}

fn short(text: Option<&str>, longest: usize) -> Value {
    text.filter(|text| !text.is_empty())
        .map_or(Value::Null, |text| cut(text, longest).into())
}

fn joined(lines: &[String]) -> Value {
    match lines.is_empty() {
        true => Value::Null,
        false => whole(&lines.join("\n")).into(),
    }
}

#[cfg(test)]
mod tests;
