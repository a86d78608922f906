//! What differs between versions, and how rows look in each.

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use super::Edition;
use super::model::{Hotspot, Issue, Project};

/// What a version knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    pub(super) edition: Edition,
    pub(super) knows_bearer: bool,
    /// Filters of issues by project; the first that is given counts.
    pub(super) components: &'static [&'static str],
    /// The same for hotspots.
    pub(super) project: &'static [&'static str],
    pub(super) files: &'static str,
    pub(super) has_impacts: bool,
    pub(super) has_issue_status: bool,
    pub(super) has_rule_key: bool,
    pub(super) has_modes: bool,
    pub(super) has_risks: bool,
}

impl Ways {
    pub(super) fn of(edition: Edition) -> Self {
        let version = match edition {
            Edition::Cloud => (0, 0),
            Edition::Server(version) => {
                let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
                (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
            }
        };
        let cloud = edition == Edition::Cloud;
        let since = |major: u32, minor: u32| cloud || version >= (major, minor);
        let renamed = !cloud && since(10, 2);
        Self {
            edition,
            knows_bearer: since(10, 4),
            components: match renamed {
                true => &["components", "componentKeys"],
                false => &["componentKeys"],
            },
            project: match renamed {
                true => &["project", "projectKey"],
                false => &["projectKey"],
            },
            files: if cloud { "fileUuids" } else { "files" },
            has_impacts: since(10, 2),
            has_issue_status: since(10, 4),
            has_rule_key: since(9, 7),
            has_modes: !cloud && since(10, 8),
            has_risks: cloud || version >= (2025, 4),
        }
    }
}

/// Seconds since 1970, as written by a server two hours east of Greenwich.
fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let east = FixedOffset::east_opt(2 * 3600);
    match east {
        Some(east) => {
            let time = time.with_timezone(&east);
            time.format("%Y-%m-%dT%H:%M:%S%z").to_string()
        }
        None => time.to_rfc3339(),
    }
}

fn component(project: &Project, path: Option<&str>) -> String {
    match path {
        Some(path) => format!("{}:{path}", project.key),
        None => project.key.clone(),
    }
}

/// The pair that `issueStatus` stands for.
fn old_pair(status: &str) -> (&str, Option<&str>) {
    match status {
        "FALSE_POSITIVE" => ("RESOLVED", Some("FALSE-POSITIVE")),
        "ACCEPTED" => ("RESOLVED", Some("WONTFIX")),
        "FIXED" => ("CLOSED", Some("FIXED")),
        "IN_SANDBOX" => ("OPEN", None),
        other => (other, None),
    }
}

pub(super) fn issue(issue: &Issue, project: &Project, branch: &super::Branch, ways: Ways) -> Value {
    let (status, resolution) = old_pair(&issue.status);
    let mut row = json!({
        "key": issue.key, "rule": issue.rule, "severity": issue.severity,
        "component": component(project, issue.path.as_deref()), "project": project.key,
        "hash": "a227e508d6646b55a086ee11d63b21e9", "flows": [], "status": status, "message": issue.message,
        "effort": "30min", "debt": "30min", "author": "developer@example.com", "tags": issue.tags,
        "creationDate": time(issue.created), "updateDate": time(issue.updated), "type": issue.kind, "scope": "MAIN",
    });
    if let Some(resolution) = resolution {
        row["resolution"] = resolution.into();
    }
    if let Some((start, end)) = issue.lines {
        row["line"] = start.into();
        row["textRange"] =
            json!({"startLine": start, "endLine": end, "startOffset": 4, "endOffset": 22});
    }
    if ways.has_impacts {
        let impacts = issue.impacts.iter();
        row["impacts"] = impacts
            .map(|(quality, severity)| json!({"softwareQuality": quality, "severity": severity}))
            .collect();
    }
    if ways.has_issue_status {
        row["issueStatus"] = issue.status.as_str().into();
    }
    if ways.edition == Edition::Cloud {
        row["organization"] = super::ORGANIZATION.into();
    }
    let is_main = std::ptr::eq(branch, &project.branches[0]);
    if branch.is_pull_request {
        row["pullRequest"] = branch.name.as_str().into();
    } else if !is_main {
        row["branch"] = branch.name.as_str().into();
    }
    for (name, value) in &issue.extra {
        row[name] = value.clone();
    }
    row
}

pub(super) fn hotspot(hotspot: &Hotspot, project: &Project, ways: Ways) -> Value {
    let mut row = json!({
        "key": hotspot.key, "component": component(project, Some(&hotspot.path)), "project": project.key,
        "securityCategory": hotspot.category, "vulnerabilityProbability": hotspot.probability, "status": hotspot.status,
        "line": hotspot.line, "message": hotspot.message, "assignee": "assignee-uuid", "author": "developer@example.com",
        "creationDate": time(hotspot.created), "updateDate": time(hotspot.created + 60),
    });
    if let Some(resolution) = &hotspot.resolution {
        row["resolution"] = resolution.as_str().into();
    }
    if ways.has_rule_key {
        row["ruleKey"] = hotspot.rule.as_str().into();
        row["flows"] = json!([]);
        row["textRange"] = json!({"startLine": hotspot.line, "endLine": hotspot.line, "startOffset": 0, "endOffset": 9});
    }
    row
}

/// A hotspot by itself, where component, project and rule are objects.
pub(super) fn hotspot_alone(one: &Hotspot, project: &Project, ways: Ways) -> Value {
    let mut row = hotspot(one, project, ways);
    row["component"] = file(project, &one.path);
    row["project"] = json!({"key": project.key, "qualifier": "TRK", "name": project.name});
    row["rule"] = json!({
        "key": one.rule, "name": "Credentials should not be hard-coded", "securityCategory": one.category,
        "vulnerabilityProbability": one.probability,
    });
    if !ways.has_rule_key {
        row["rule"]["riskDescription"] = "<p>Credentials in code are found by others.</p>".into();
        row["rule"]["vulnerabilityDescription"] =
            "<h2>Ask Yourself Whether</h2><p>it is one. See CWE-798.</p>".into();
        row["rule"]["fixRecommendations"] = "<p>Store it elsewhere.</p>".into();
    }
    row
}

/// A file as it is listed beside rows.
pub(super) fn file(project: &Project, path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    json!({
        "key": component(project, Some(path)), "enabled": true, "qualifier": "FIL", "name": name, "longName": path,
        "path": path,
    })
}

/// A project as it is listed beside rows.
pub(super) fn project(project: &Project) -> Value {
    json!({
        "key": project.key, "enabled": true, "qualifier": project.qualifier, "name": project.name,
        "longName": project.name,
    })
}
