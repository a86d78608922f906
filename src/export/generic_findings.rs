//! DefectDojo's Generic Findings Import, JSON: keys and limits after its parser (`dojo/tools/generic`) and its model of findings.
//!
//! DefectDojo refuses a whole file for one odd key, and stores half of it if one text is too long; so nothing is written that it
//! does not take. It tells findings apart by title, CWE, line, file and description, hence the last line of the description.

use serde_json::{Map, Value, json};
use url::Url;

use super::Exported;
use super::limits::{cut, whole};
use crate::finding::{Kind, Severity, Status};

/// What comes before the first finding.
pub const HEAD: &str = "{\"findings\":[";

/// The same of a file with a test type of its own.
#[must_use]
pub fn head_of_type(test_type: &str) -> String {
    format!("{{\"type\":{},\"findings\":[", Value::from(test_type))
}

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
/// Of the service that a finding belongs to.
pub const SERVICE: usize = 200;
/// No column's limit: one odd finding must not make the file too large.
const DESCRIPTION: usize = 100_000;
const CVSS3_VECTOR: usize = 117;
const CVSS4_VECTOR: usize = 255;
/// Of a URL's path and fragment.
const PATH: usize = 500;
const QUERY: usize = 1000;
const HOST: usize = 253;

/// What stands before a finding's name in the last line of its description.
pub const NAME_MARK: &str = "secpull-id: ";

/// One element of `findings`. None for a resolved finding: DefectDojo closes what a file no longer holds.
#[must_use]
pub fn finding(finding: &Exported) -> Option<Value> {
    let is_gone = finding.status == Status::Resolved;
    (!is_gone).then(|| named_finding(finding, &finding.identity()).into())
}

/// One element of `findings`, of a finding that goes by this name: it must be another for each, and always the same.
#[must_use]
pub fn named_finding(finding: &Exported, name: &str) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            members.insert(key.to_owned(), value);
        }
    };
    put("title", title(finding).into());
    put("severity", severity(finding.severity).into());
    put("description", description(finding, name).into());
    put("impact", elsewhere(finding));
    put("date", date(finding).into());
    put("mitigation", text(finding.recommendation.as_deref()));
    put("references", joined(&finding.references));
    put("vulnerability_ids", vulnerability_ids(finding));
    let cwes: Vec<_> = finding.cwes.iter().filter_map(number).collect();
    if let Some(first) = cwes.first() {
        put("cwe", json!(first));
        put("cwes", json!(cwes));
    }
    put(
        "cvssv3",
        vector(&finding.cvss3_vector, "CVSS:3", CVSS3_VECTOR),
    );
    put("cvssv3_score", json!(finding.cvss3_score));
    put(
        "cvssv4",
        vector(&finding.cvss4_vector, "CVSS:4", CVSS4_VECTOR),
    );
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
        put("line", json!(place.line_start.as_ref().and_then(number)));
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
    members
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
fn description(finding: &Exported, name: &str) -> String {
    let text = finding.description.as_deref().unwrap_or_default();
    let mut text = cut(text.trim_end(), DESCRIPTION);
    let mut places = Places::default();
    if let Some(image) = &finding.image {
        places.add("Image", &[&image.name]);
    }
    places.add_all(finding, |kind| kind == finding.kind);
    // On one line, whatever is in it: it is read back from there.
    let name: Vec<_> = name.split_whitespace().collect();
    places
        .0
        .push(format!("{NAME_MARK}{}", whole(&name.join(" "))));
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&places.0.join("\n"));
    text
}

/// Where it was seen, apart from the place that makes it this finding and no other: a component's workloads come and go.
/// DefectDojo does not tell findings apart by this field.
fn elsewhere(finding: &Exported) -> Value {
    let mut places = Places::default();
    places.add_all(finding, |kind| kind != finding.kind);
    match places.0.is_empty() {
        true => Value::Null,
        false => format!("Seen at\n{}", places.0.join("\n")).into(),
    }
}

/// Lines that say where.
#[derive(Default)]
struct Places(Vec<String>);

impl Places {
    fn add(&mut self, name: &str, parts: &[&Option<String>]) {
        let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref()).collect();
        if !parts.is_empty() {
            self.0.push(format!("{name}: {}", whole(&parts.join(" "))));
        }
    }

    /// The places that findings of these kinds are at.
    fn add_all(&mut self, finding: &Exported, of: impl Fn(Kind) -> bool) {
        if let Some(cloud) = finding.cloud.as_ref().filter(|_| of(Kind::Cloud)) {
            let account = [&cloud.provider, &cloud.account, &cloud.region];
            self.add("Cloud account", &account);
            self.add(
                "Cloud resource",
                &[&cloud.resource_type, &cloud.resource_id],
            );
        }
        if let Some(kubernetes) = finding.kubernetes.as_ref().filter(|_| of(Kind::Kubernetes)) {
            self.add("Kubernetes cluster", &[&kubernetes.cluster]);
            self.add("Kubernetes namespace", &[&kubernetes.namespace]);
            self.add("Kubernetes resource", &[&kubernetes.kind, &kubernetes.name]);
        }
        if let Some(endpoint) = finding.endpoint.as_ref().filter(|_| of(Kind::Endpoint)) {
            self.add("Request", &[&endpoint.method, &endpoint.url]);
            self.add("Parameter", &[&endpoint.parameter]);
        }
    }
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
        return match is_short(url) {
            true => json!([whole(url)]),
            false => Value::Null,
        };
    }
    let Some(host) = &finding.host else {
        return Value::Null;
    };
    let name = host.name.as_deref().or(host.ip.as_deref());
    match name.filter(|name| name.chars().count() <= HOST) {
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

/// Whether each part of a URL fits into its column. The whole of it stands in the description.
fn is_short(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return url.chars().count() <= HOST;
    };
    let fits = |part: Option<&str>, longest| part.is_none_or(|part| part.len() <= longest);
    fits(url.host_str(), HOST)
        && fits(Some(url.path()), PATH)
        && fits(url.query(), QUERY)
        && fits(url.fragment(), PATH)
        && url.username().len() <= PATH
}

/// A number that fits into a column.
fn number(number: &u32) -> Option<i32> {
    i32::try_from(*number).ok()
}

/// Garbage would be stored as it is, and fail if it is too long.
fn vector(vector: &Option<String>, begins: &str, longest: usize) -> Value {
    let vector = vector.as_deref();
    let sound = |vector: &&str| vector.starts_with(begins) && vector.len() <= longest;
    text(vector.filter(sound))
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
