#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::place::Reference;
use super::super::row::parse;
use super::*;

fn with_place<T>(look: impl FnOnce(&Place<'_>) -> T) -> T {
    let path = "src/main/java/App.java";
    let paths = HashMap::from([(format!("com.acme:shop:{path}"), path.to_owned())]);
    look(&Place {
        root: "https://sonar.example/",
        project: "com.acme:shop",
        reference: &Reference::Main,
        paths: &paths,
    })
}

fn rule() -> Rule {
    let rule = json!({
        "name": "Queries should not be open to injection", "securityStandards": ["cwe:89"],
        "descriptionSections": [
            {"key": "root_cause", "content": "<p>Input is trusted.</p>"},
            {"key": "how_to_fix", "content": "<p>Bind it.</p>"},
            {"key": "resources", "content": "<a href=\"https://e.com/89\">more</a>"}
        ]
    });
    Rule::parse(&rule.to_string()).unwrap()
}

/// The contract's own example.
fn example() -> Value {
    json!({
        "key": "AZtoKPI-0iEb0lk-2NtA", "rule": "java:S3649", "severity": "BLOCKER",
        "component": "com.acme:shop:src/main/java/App.java", "project": "com.acme:shop", "line": 12,
        "textRange": {"startLine": 12, "endLine": 15, "startOffset": 4, "endOffset": 22}, "flows": [],
        "status": "OPEN", "issueStatus": "OPEN",
        "message": "Change this code to not construct SQL from user <input>.", "effort": "30min", "debt": "30min",
        "tags": ["cwe"], "internalTags": ["internal"], "codeVariants": ["linux"],
        "creationDate": "2026-10-01T09:55:00+0200", "updateDate": "2026-10-01T09:56:00+0200",
        "type": "VULNERABILITY", "scope": "MAIN",
        "impacts": [{"softwareQuality": "RELIABILITY", "severity": "LOW"}, {"softwareQuality": "SECURITY", "severity": "HIGH"}]
    })
}

fn mapped_in(mode: Mode, json: &Value, rule: Option<&Rule>) -> Sighting {
    let json = json.to_string();
    let (row, raw) = parse::<Issue<'_>>(json.as_bytes(), "an issue").unwrap();
    with_place(|place| issue(&row, raw, place, mode, rule, Some("the page's name"))).unwrap()
}

fn mapped(json: &Value) -> Sighting {
    mapped_in(Mode::Quality, json, None)
}

fn changed(key: &str, value: Value) -> Value {
    let mut row = example();
    row[key] = value;
    row
}

fn hotspot_example() -> Value {
    json!({
        "key": "AZvu8ZyfNsnCVHe5poFs", "component": "com.acme:shop:src/Login.java", "project": "com.acme:shop",
        "securityCategory": "auth", "vulnerabilityProbability": "HIGH", "status": "REVIEWED", "resolution": "SAFE",
        "line": 4, "message": "Make sure this password is no password.", "creationDate": "2026-09-29T08:00:00+0200",
        "updateDate": "2026-09-30T20:40:00+0200", "ruleKey": "java:S2068", "flows": []
    })
}

fn mapped_hotspot(json: &Value, rule: Option<&Rule>) -> Sighting {
    let json = json.to_string();
    let (row, raw) = parse::<Hotspot<'_>>(json.as_bytes(), "a hotspot").unwrap();
    with_place(|place| hotspot(&row, raw, place, rule)).unwrap()
}

fn mapped_risk(json: &Value) -> Sighting {
    let json = json.to_string();
    let (row, raw) = parse::<Risk<'_>>(json.as_bytes(), "a dependency risk").unwrap();
    risk(&row, raw).unwrap()
}

#[test]
fn every_field_of_an_issue_has_its_place() {
    let row = example();
    let sighting = mapped_in(Mode::Quality, &row, Some(&rule()));
    assert_eq!(sighting.source_id, "AZtoKPI-0iEb0lk-2NtA");
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.source_severity.as_deref(), Some("HIGH"));
    assert_eq!(sighting.status, Status::Open);
    assert_eq!(sighting.source_status.as_deref(), Some("OPEN"));
    let utc = |time: Option<chrono::DateTime<chrono::Utc>>| time.unwrap().to_rfc3339();
    assert_eq!(utc(sighting.found_at), "2026-10-01T07:55:00+00:00");
    assert_eq!(utc(sighting.source_updated_at), "2026-10-01T07:56:00+00:00");
    assert_eq!(sighting.weakness.as_deref(), Some("sonarqube:java:S3649"));
    assert_eq!(sighting.raw, row.to_string());
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Code);
    assert_eq!(
        content.title,
        "Change this code to not construct SQL from user <input>."
    );
    assert_eq!(content.description.as_deref(), Some("Input is trusted."));
    assert_eq!(content.recommendation.as_deref(), Some("Bind it."));
    assert_eq!(content.vulnerability_id, None);
    assert_eq!(content.cwes, [89]);
    assert_eq!(content.references, ["https://e.com/89"]);
    assert_eq!(
        content.tags,
        ["VULNERABILITY", "java:S3649", "cwe", "internal", "linux"]
    );
    let location = content.source_location.unwrap();
    assert_eq!(location.file.as_deref(), Some("src/main/java/App.java"));
    assert_eq!(
        (location.line_start, location.line_end),
        (Some(12), Some(15))
    );
    assert_eq!(
        location.url.as_deref(),
        Some(
            "https://sonar.example/project/issues?id=com.acme%3Ashop&issues=AZtoKPI-0iEb0lk-2NtA&open=AZtoKPI-0iEb0lk-2NtA"
        )
    );
}

#[test]
fn the_severity_is_that_of_the_impact_on_security_in_one_mode_and_the_old_one_in_the_other() {
    let of = |mode, row: &Value| {
        let sighting = mapped_in(mode, row, None);
        (
            sighting.severity,
            sighting.source_severity.unwrap_or_default(),
        )
    };
    let old = (Severity::Critical, "BLOCKER".to_owned());
    assert_eq!(of(Mode::Standard, &example()), old);
    assert_eq!(
        of(Mode::Quality, &example()),
        (Severity::High, "HIGH".to_owned())
    );
    let other = json!([{"softwareQuality": "MAINTAINABILITY", "severity": "LOW"}]);
    for without in [other, json!([]), json!(null), json!("x")] {
        assert_eq!(of(Mode::Quality, &changed("impacts", without)), old);
    }
    let unknown = json!([{"softwareQuality": "SECURITY", "severity": "NEW_IN_THIS_RELEASE"}]);
    assert_eq!(
        of(Mode::Quality, &changed("impacts", unknown)),
        (Severity::Unknown, "NEW_IN_THIS_RELEASE".to_owned())
    );
}

#[test]
fn the_status_is_the_new_one_where_it_is_sent_and_else_the_old_pair() {
    let of = |row: &Value| {
        let sighting = mapped(row);
        (sighting.status, sighting.source_status.unwrap_or_default())
    };
    let mut row = changed("issueStatus", json!("ACCEPTED"));
    row["status"] = json!("RESOLVED");
    row["resolution"] = json!("FALSE-POSITIVE");
    assert_eq!(of(&row), (Status::RiskAccepted, "ACCEPTED".to_owned()));
    row["issueStatus"] = json!(null);
    assert_eq!(
        of(&row),
        (Status::FalsePositive, "RESOLVED/FALSE-POSITIVE".to_owned())
    );
    row["resolution"] = json!(null);
    row["status"] = json!("REOPENED");
    assert_eq!(of(&row), (Status::Open, "REOPENED".to_owned()));
    let row = changed("issueStatus", json!("NEW_IN_THIS_RELEASE"));
    assert_eq!(of(&row), (Status::Open, "NEW_IN_THIS_RELEASE".to_owned()));
}

#[test]
fn an_issue_without_a_message_is_called_like_its_rule() {
    let nameless = changed("message", json!(""));
    let title = |rule: Option<&Rule>| mapped_in(Mode::Quality, &nameless, rule).content.title;
    let rule = rule();
    assert_eq!(
        title(Some(&rule)),
        "Queries should not be open to injection"
    );
    assert_eq!(title(None), "the page's name");
    let mut bare = nameless.clone();
    bare["rule"] = json!(7);
    let json = bare.to_string();
    let (row, raw) = parse::<Issue<'_>>(json.as_bytes(), "an issue").unwrap();
    let sighting = with_place(|place| issue(&row, raw, place, Mode::Standard, None, None)).unwrap();
    assert_eq!(sighting.content.title, "AZtoKPI-0iEb0lk-2NtA");
    assert_eq!(sighting.weakness, None);
}

#[test]
fn an_issue_of_the_whole_project_has_no_file_and_is_told_apart_by_its_text() {
    let mut row = changed("component", json!("com.acme:shop"));
    row["textRange"] = json!(null);
    row["line"] = json!(null);
    let sighting = mapped(&row);
    let location = sighting.content.source_location.unwrap();
    assert_eq!((location.file, location.line_start), (None, None));
    assert!(location.url.is_some());
    assert_eq!(sighting.content.kind, Kind::Other);
    assert!(sighting.weakness.unwrap().contains("not construct SQL"));
}

#[test]
fn a_found_credential_is_a_secret() {
    let row = changed("rule", json!("secrets:S6290"));
    assert_eq!(mapped(&row).content.kind, Kind::Secret);
}

#[test]
fn a_row_without_a_key_is_refused_and_wrong_types_elsewhere_are_not() {
    let keyless = changed("key", json!(42)).to_string();
    let (row, raw) = parse::<Issue<'_>>(keyless.as_bytes(), "an issue").unwrap();
    let refused = with_place(|place| issue(&row, raw, place, Mode::Quality, None, None));
    assert_eq!(refused.unwrap_err(), "an issue has no key");
    let mut wrong = example();
    for (name, field) in wrong.as_object_mut().unwrap() {
        if name != "key" {
            *field = json!({"of": ["another", "type"]});
        }
    }
    let sighting = mapped(&wrong);
    assert_eq!(sighting.source_id, "AZtoKPI-0iEb0lk-2NtA");
    assert_eq!(sighting.severity, Severity::Unknown);
    assert_eq!(sighting.status, Status::Open);
}

#[test]
fn an_issue_with_several_impacts_concerns_each_of_their_qualities() {
    let json = example().to_string();
    let (row, _) = parse::<Issue<'_>>(json.as_bytes(), "an issue").unwrap();
    assert!(concerns(&row, "SECURITY") && concerns(&row, "RELIABILITY"));
    assert!(!concerns(&row, "MAINTAINABILITY"));
}

#[test]
fn every_field_of_a_hotspot_has_its_place() {
    let row = hotspot_example();
    let sighting = mapped_hotspot(&row, Some(&rule()));
    assert_eq!(sighting.source_id, "AZvu8ZyfNsnCVHe5poFs");
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.source_severity.as_deref(), Some("HIGH"));
    assert_eq!(sighting.status, Status::NotAffected);
    assert_eq!(sighting.source_status.as_deref(), Some("REVIEWED/SAFE"));
    assert_eq!(sighting.weakness.as_deref(), Some("sonarqube:java:S2068"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Code);
    assert_eq!(content.title, "Make sure this password is no password.");
    assert_eq!(content.tags, ["SECURITY_HOTSPOT", "auth", "java:S2068"]);
    assert_eq!(content.cwes, [89]);
    assert_eq!(content.description.as_deref(), Some("Input is trusted."));
    let location = content.source_location.unwrap();
    assert_eq!(location.file.as_deref(), Some("src/Login.java"));
    assert_eq!((location.line_start, location.line_end), (Some(4), None));
    assert_eq!(
        location.url.as_deref(),
        Some(
            "https://sonar.example/security_hotspots?id=com.acme%3Ashop&hotspots=AZvu8ZyfNsnCVHe5poFs"
        )
    );
}

#[test]
fn an_old_hotspot_has_the_rule_of_its_details() {
    let mut row = hotspot_example();
    row["ruleKey"] = json!(null);
    let details = Rule::parse(r#"{"key":"java:S2068","name":"Credentials"}"#).unwrap();
    let sighting = mapped_hotspot(&row, Some(&details));
    assert_eq!(sighting.weakness.as_deref(), Some("sonarqube:java:S2068"));
    assert_eq!(
        sighting.content.tags,
        ["SECURITY_HOTSPOT", "auth", "java:S2068"]
    );
    let sighting = mapped_hotspot(&row, None);
    assert_eq!(sighting.weakness, None);
    assert_eq!(sighting.content.tags, ["SECURITY_HOTSPOT", "auth"]);
}

#[test]
fn every_field_of_a_dependency_risk_has_its_place() {
    let row = json!({
        "key": "9b1f6a52-0000-4000-8000-000000000001", "severity": "BLOCKER", "type": "VULNERABILITY",
        "quality": "SECURITY", "status": "ACCEPT", "createdAt": "2026-01-30T12:34:56+00:00",
        "vulnerabilityId": "CVE-2021-44228", "cvssScore": "10.0", "cweIds": ["CWE-94", "20", "x", 7],
        "release": {"packageName": "log4j-core", "version": "2.14.1", "packageManager": "maven",
                    "packageUrl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}
    });
    let sighting = mapped_risk(&row);
    assert_eq!(sighting.source_id, "9b1f6a52-0000-4000-8000-000000000001");
    assert_eq!(sighting.severity, Severity::Critical);
    assert_eq!(sighting.status, Status::RiskAccepted);
    assert!(sighting.found_at.is_some());
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "CVE-2021-44228 in log4j-core");
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2021-44228"));
    assert_eq!(content.cvss3_score, Some(10.0));
    assert_eq!(content.cwes, [94, 20]);
    assert_eq!(content.tags, ["VULNERABILITY", "maven"]);
    let component = content.component.unwrap();
    assert_eq!(component.version.as_deref(), Some("2.14.1"));
    assert_eq!(
        component.purl.as_deref(),
        Some("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1")
    );
}

#[test]
fn a_risk_by_licence_has_no_vulnerability() {
    let row = json!({
        "key": "k", "severity": "HIGH", "type": "PROHIBITED_LICENSE", "status": "OPEN", "vulnerabilityId": null,
        "cvssScore": null, "release": {"packageName": "left-pad"}
    });
    let sighting = mapped_risk(&row);
    assert_eq!(sighting.content.title, "PROHIBITED_LICENSE in left-pad");
    assert_eq!(sighting.content.vulnerability_id, None);
    assert_eq!(
        sighting.weakness.as_deref(),
        Some("sonarqube:PROHIBITED_LICENSE")
    );
    let json = row.to_string();
    let (row, _) = parse::<Risk<'_>>(json.as_bytes(), "a dependency risk").unwrap();
    assert!(is_licence(&row));
}
