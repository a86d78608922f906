//! The shop in SonarQube: every word of its tables, a branch, a pull request, and projects that are not to be read.

use serde_json::{Value, json};

use crate::sonarqube::{Branch, Hotspot, Issue, Project};

/// `com.acme:shop` with issues of every type and status, hotspots and dependency risks, a branch `release/2.0` and the pull
/// request 12; `com.acme:legacy` of the same name; one that may not be browsed, and an application.
#[must_use]
pub fn sonarqube_shop() -> Vec<Project> {
    let mut shop = Project::new("com.acme:shop", "Shop")
        .issues(issues())
        .hotspots(hotspots())
        .with(Branch::new("release/2.0").issues([sql_injection(44)]))
        .with(Branch::pull_request("12").issues([sql_injection(13)]));
    shop.branches[0].risks = risks();
    let legacy = Project::new("com.acme:legacy", "Shop").issues([sql_injection(7)]);
    let mut hidden = Project::new("com.acme:hidden", "Hidden").issues([sql_injection(1)]);
    hidden.browsable = false;
    let mut application = Project::new("com.acme:app", "All of it").issues([sql_injection(2)]);
    application.qualifier = "APP".to_owned();
    vec![shop, legacy, hidden, application]
}

fn keyed(key: &str, rule: &str, path: &str, line: u32) -> Issue {
    Issue {
        key: key.to_owned(),
        ..Issue::new(rule, path, line)
    }
}

fn sql_injection(line: u32) -> Issue {
    keyed(
        &format!("AZ-injection-{line}"),
        "java:S3649",
        "src/main/java/App.java",
        line,
    )
}

fn impacts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

fn issues() -> Vec<Issue> {
    let of = |key: &str, severity: &str, impact: &str, status: &str| {
        let mut issue = keyed(key, "java:S3649", "src/main/java/Dao.java", 20);
        severity.clone_into(&mut issue.severity);
        issue.impacts = impacts(&[("SECURITY", impact)]);
        status.clone_into(&mut issue.status);
        let line = 20 + u32::try_from(key.len()).unwrap_or(0);
        issue.lines = Some((line, line));
        issue
    };
    let mut injection = sql_injection(12);
    injection.severity = "BLOCKER".to_owned();
    injection.lines = Some((12, 15));
    injection.impacts = impacts(&[("RELIABILITY", "LOW"), ("SECURITY", "HIGH")]);
    injection.message = "Change this code to not construct SQL from user <input>.".to_owned();
    injection.extra = members(json!({
        "ruleDescriptionContextKey": "spring_jdbc", "internalTags": ["team-a"], "codeVariants": ["linux"],
    }));
    // Of a linter, about the project as a whole, and without a word.
    let mut nameless = keyed("AZ-nameless", "external_lint:E1", "", 0);
    nameless.path = None;
    nameless.lines = None;
    nameless.message = String::new();
    nameless.impacts = Vec::new();
    nameless.severity = "CRITICAL".to_owned();
    // Its rule is gone.
    let mut orphan = keyed("AZ-orphan", "gone:S1", "src/a:b.c", 3);
    orphan.impacts = impacts(&[("MAINTAINABILITY", "HIGH")]);
    orphan.severity = "MINOR".to_owned();
    let mut bug = keyed("AZ-bug", "custom:old", "src/main/java/App.java", 30);
    bug.kind = "BUG".to_owned();
    bug.impacts = impacts(&[("RELIABILITY", "MEDIUM")]);
    let mut smell = keyed("AZ-smell", "custom:old", "src/main/java/App.java", 31);
    smell.kind = "CODE_SMELL".to_owned();
    smell.severity = "INFO".to_owned();
    smell.impacts = impacts(&[("MAINTAINABILITY", "INFO")]);
    vec![
        injection,
        of("AZ-confirmed", "CRITICAL", "BLOCKER", "CONFIRMED"),
        of("AZ-false", "MAJOR", "MEDIUM", "FALSE_POSITIVE"),
        of("AZ-accepted", "MINOR", "LOW", "ACCEPTED"),
        of("AZ-fixed-before", "MINOR", "LOW", "FIXED"),
        of("AZ-in-a-sandbox", "INFO", "INFO", "IN_SANDBOX"),
        nameless,
        orphan,
        bug,
        smell,
    ]
}

fn hotspots() -> Vec<Hotspot> {
    let of = |key: &str, probability: &str, line| Hotspot {
        key: key.to_owned(),
        probability: probability.to_owned(),
        ..Hotspot::new("java:S2068", "src/main/java/Login.java", line)
    };
    vec![
        of("AZ-to-review", "HIGH", 4),
        of("AZ-safe", "MEDIUM", 5).reviewed("SAFE"),
        of("AZ-acknowledged", "LOW", 6).reviewed("ACKNOWLEDGED"),
        of("AZ-mended-before", "LOW", 7).reviewed("FIXED"),
    ]
}

fn risks() -> Vec<Value> {
    let of = |key: &str, kind: &str, severity: &str, status: &str, id: Value, package: &str| {
        json!({
            "key": key, "severity": severity, "type": kind, "quality": "SECURITY", "status": status,
            "createdAt": "2026-09-01T10:00:00+00:00", "vulnerabilityId": id,
            "cvssScore": if id.is_null() { Value::Null } else { "10.0".into() }, "cweIds": ["CWE-94"],
            "release": {"key": format!("release-of-{key}"), "packageName": package, "version": "2.14.1", "packageManager": "maven",
                        "packageUrl": format!("pkg:maven/org.acme/{package}@2.14.1"), "newlyIntroduced": false},
            "transitions": [], "actions": [], "commentCount": 0,
        })
    };
    let cve = || json!("CVE-2021-44228");
    vec![
        of(
            "5ca00000-0000-4000-8000-000000000001",
            "VULNERABILITY",
            "BLOCKER",
            "OPEN",
            cve(),
            "log4j-core",
        ),
        of(
            "5ca00000-0000-4000-8000-000000000002",
            "MALWARE",
            "HIGH",
            "CONFIRM",
            json!("MAL-2025-1"),
            "evil",
        ),
        of(
            "5ca00000-0000-4000-8000-000000000003",
            "VULNERABILITY",
            "MEDIUM",
            "ACCEPT",
            cve(),
            "log4j-api",
        ),
        of(
            "5ca00000-0000-4000-8000-000000000004",
            "VULNERABILITY",
            "LOW",
            "SAFE",
            cve(),
            "log4j-web",
        ),
        of(
            "5ca00000-0000-4000-8000-000000000005",
            "PROHIBITED_LICENSE",
            "INFO",
            "OPEN",
            Value::Null,
            "gpl-thing",
        ),
    ]
}

fn members(object: Value) -> serde_json::Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    }
}
