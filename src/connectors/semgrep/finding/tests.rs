#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::row::parse;
use super::*;
use crate::finding::{Severity, Status};

fn source(issue_type: IssueType) -> Source<'static> {
    Source {
        issue_type,
        project: "acme/shop",
        identity: Identity::Id,
        of_one_ref: false,
    }
}

fn mapped_as(json: &Value, source: &Source<'_>) -> Result<Sighting, String> {
    let json = json.to_string();
    let (raw, row) = parse::<Row<'_>>(json.as_bytes()).unwrap();
    map(&row, raw, source)
}

fn mapped(json: &Value, issue_type: IssueType) -> Sighting {
    mapped_as(json, &source(issue_type)).unwrap()
}

fn sast() -> Value {
    json!({
        "id": 73_000_101, "ref": "feature/pay", "first_seen_scan_id": 30, "match_based_id": "0f8c79a6_1", "syntactic_id": "440e",
        "repository": {"name": "acme/shop", "url": "https://github.com/acme/shop"},
        "line_of_code_url": "https://git.example.com/acme/shop/blob/39f9/src/db.py#L120",
        "status": "ignored", "state": "unresolved", "triage_state": "ignored", "triage_reason": "false_positive",
        "triage_comment": "test code", "severity": "high", "confidence": "medium", "categories": ["security"],
        "created_at": "2026-09-01 23:28:12.391807+00:00", "relevant_since": "2026-09-02T10:00:00Z",
        "state_updated_at": "2026-09-05 08:00:00+00:00", "triaged_at": "2026-09-04T08:00:00.5Z",
        "rule": {
            "name": "python.lang.security.audit.sqli.psycopg-sqli", "message": "A query is put together from input.",
            "confidence": "high", "category": "security", "subcategories": ["vuln"],
            "vulnerability_classes": ["SQL Injection"],
            "cwe_names": ["CWE-89: Improper Neutralization", "CWE-943: Query Logic"],
            "owasp_names": ["A03:2021 - Injection"]
        },
        "rule_name": "old.name", "rule_message": "Old message.",
        "location": {"file_path": "src/db.py", "line": 120, "column": 8, "end_line": 124, "end_column": 16},
        "sourcing_policy": {"id": 120, "name": "Default", "slug": "default"},
        "assistant": {
            "autotriage": {"verdict": "true_positive", "reason": ""},
            "guidance": {"summary": "Bind the values.", "instructions": "1. Use parameters."},
            "autofix": {"fix_code": "cursor.execute(q, (v,))"}
        },
        "external_ticket": {"external_slug": "OPS-158", "url": "https://tickets.example.com/OPS-158", "id": 1},
        "review_comments": [{"external_note_id": "5"}, {"external_note_id": 6}]
    })
}

fn sca() -> Value {
    json!({
        "id": 73_000_201, "ref": "main", "match_based_id": "cf89_0", "repository": {"name": "acme/shop"},
        "status": "open", "severity": "critical", "triage_reason": null, "location": null, "usage": null,
        "created_at": "2026-09-30T07:00:00.391807Z", "relevant_since": "2026-09-30T07:00:00.391807Z",
        "rule": {"name": "ssc-2c0b", "message": "Commands can be injected.", "vulnerability_classes": ["Code Injection"],
            "cwe_names": ["CWE-94: Code Injection"]},
        "vulnerability_identifier": "CVE-2021-23337", "reachability": "conditionally reachable",
        "reachable_condition": "you call template()", "is_malicious": false,
        "found_dependency": {"package": "lodash", "version": "4.17.20", "ecosystem": "npm", "transitivity": "direct",
            "lockfile_line_url": "https://git.example.com/acme/shop/blob/main/package-lock.json#L25"},
        "fix_recommendations": [{"package": "lodash", "version": "4.17.21"}],
        "epss_score": {"score": 0.97, "percentile": 0.994}
    })
}

#[test]
fn a_finding_in_code_is_mapped_field_by_field() {
    let json = sast();
    let sighting = mapped(&json, IssueType::Sast);
    assert_eq!(sighting.source_id, "73000101");
    assert_eq!(sighting.raw, json.to_string());
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.status, Status::FalsePositive);
    assert_eq!(sighting.source_severity.as_deref(), Some("high"));
    assert_eq!(sighting.source_status.as_deref(), Some("ignored"));
    assert_eq!(
        sighting.found_at.unwrap().to_rfc3339(),
        "2026-09-01T23:28:12.391807+00:00"
    );
    assert_eq!(
        sighting.source_updated_at.unwrap().to_rfc3339(),
        "2026-09-05T08:00:00+00:00",
        "the latest of three"
    );
    assert_eq!(
        sighting.weakness.as_deref(),
        Some("semgrep:python.lang.security.audit.sqli.psycopg-sqli")
    );
    let content = sighting.content;
    assert_eq!(
        (content.kind, content.title.as_str()),
        (Kind::Code, "psycopg-sqli")
    );
    assert_eq!(
        content.description.as_deref(),
        Some("A query is put together from input.")
    );
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Bind the values.\n\n1. Use parameters.")
    );
    assert_eq!(content.cwes, [89, 943]);
    assert_eq!((content.component, content.vulnerability_id), (None, None));
    assert_eq!(
        content.source_location.unwrap(),
        SourceLocation {
            file: Some("src/db.py".to_owned()),
            line_start: Some(120),
            line_end: Some(124),
            url: Some("https://git.example.com/acme/shop/blob/39f9/src/db.py#L120".to_owned()),
        }
    );
    assert_eq!(content.references, ["https://tickets.example.com/OPS-158"]);
    assert_eq!(
        content.tags,
        [
            "sast",
            "confidence:medium",
            "triage:false_positive",
            "ref:feature/pay",
            "security",
            "security",
            "vuln",
            "SQL Injection",
            "A03:2021 - Injection"
        ],
        "the import drops what is there twice"
    );
}

#[test]
fn a_finding_in_a_package_is_mapped_field_by_field() {
    let sighting = mapped(&sca(), IssueType::Sca);
    assert_eq!(sighting.source_id, "73000201");
    assert_eq!(
        (sighting.severity, sighting.status),
        (Severity::Critical, Status::Open)
    );
    assert_eq!(sighting.weakness.as_deref(), Some("semgrep:ssc-2c0b"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "lodash: Code Injection");
    assert_eq!(
        content.description.as_deref(),
        Some("Commands can be injected.\n\nReachable if you call template()")
    );
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Update lodash to 4.17.21.")
    );
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2021-23337"));
    assert_eq!(
        (content.cwes.as_slice(), content.epss_score),
        (&[94][..], Some(0.97))
    );
    let component = content.component.unwrap();
    assert_eq!(component.name.as_deref(), Some("lodash"));
    assert_eq!(component.version.as_deref(), Some("4.17.20"));
    assert_eq!(component.purl.as_deref(), Some("pkg:npm/lodash@4.17.20"));
    assert_eq!(component.fixed_version.as_deref(), Some("4.17.21"));
    assert_eq!(content.source_location, None);
    assert_eq!(
        content.references,
        ["https://git.example.com/acme/shop/blob/main/package-lock.json#L25"]
    );
    assert_eq!(
        content.tags,
        [
            "sca",
            "reachability:conditionally reachable",
            "transitivity:direct",
            "ref:main",
            "Code Injection"
        ]
    );
}

#[test]
fn every_word_of_reachability_is_a_tag_and_what_is_malicious_says_so() {
    for word in [
        "no reachability analysis",
        "reachable",
        "always reachable",
        "conditionally reachable",
        "unreachable",
    ] {
        let mut json = sca();
        json["reachability"] = json!(word);
        json["is_malicious"] = json!(true);
        let tags = mapped(&json, IssueType::Sca).content.tags;
        assert!(tags.contains(&format!("reachability:{word}")), "{tags:?}");
        assert_eq!(tags[1], "malicious");
    }
}

#[test]
fn a_vulnerability_of_semgreps_own_is_told_apart_by_its_rule() {
    let mut json = sca();
    json["vulnerability_identifier"] = json!("UNKNOWN-a1b2");
    json["rule"]["vulnerability_classes"] = json!([null, " "]);
    let sighting = mapped(&json, IssueType::Sca);
    assert_eq!(sighting.content.vulnerability_id, None);
    assert_eq!(sighting.content.title, "lodash: UNKNOWN-a1b2");
    assert_eq!(sighting.weakness.as_deref(), Some("semgrep:ssc-2c0b"));
    json["vulnerability_identifier"] = Value::Null;
    assert_eq!(
        mapped(&json, IssueType::Sca).content.title,
        "lodash: ssc-2c0b"
    );
    json["rule"] = Value::Null;
    assert_eq!(mapped(&json, IssueType::Sca).content.title, "lodash");
    json["found_dependency"] = Value::Null;
    let bare = mapped(&json, IssueType::Sca).content;
    assert_eq!(
        (bare.title.as_str(), bare.component),
        ("sca 73000201", None)
    );
}

#[test]
fn old_findings_have_the_old_names_of_the_rule_and_no_place() {
    let mut json = sast();
    json["rule"] = Value::Null;
    json["location"] = Value::Null;
    json["line_of_code_url"] = Value::Null;
    let sighting = mapped(&json, IssueType::Sast);
    assert_eq!(sighting.weakness.as_deref(), Some("semgrep:old.name"));
    assert_eq!(sighting.content.title, "name");
    assert_eq!(
        sighting.content.description.as_deref(),
        Some("Old message.")
    );
    assert_eq!(sighting.content.source_location, None);
    json["line_of_code_url"] = json!("https://git.example.com/x");
    let place = mapped(&json, IssueType::Sast)
        .content
        .source_location
        .unwrap();
    assert_eq!(
        (place.file, place.url.as_deref()),
        (None, Some("https://git.example.com/x"))
    );
}

#[test]
fn a_detection_by_ai_is_code_and_needs_no_categories() {
    let mut json = sast();
    for absent in ["categories", "confidence", "assistant"] {
        json.as_object_mut().unwrap().remove(absent);
    }
    json["ai_impact"] = json!("Data of others can be read.");
    json["rule"]["name"] = json!("ai.detection.idor");
    json["rule"]["cwe_names"] = Value::Null;
    let content = mapped(&json, IssueType::AiSast).content;
    assert_eq!((content.kind, content.title.as_str()), (Kind::Code, "idor"));
    assert_eq!(content.tags[..2], ["ai_sast", "confidence:high"]);
    assert!(content.cwes.is_empty());
    assert_eq!(content.recommendation, None);
}

#[test]
fn the_match_is_an_identity_inside_its_project_and_the_id_stands_in_where_it_is_missing() {
    let source = Source {
        identity: Identity::Match,
        ..source(IssueType::Sast)
    };
    let id = |json: &Value| mapped_as(json, &source).unwrap().source_id;
    let mut json = sast();
    assert_eq!(id(&json), "acme/shop:0f8c79a6_1");
    json["repository"] = Value::Null;
    assert_eq!(id(&json), "acme/shop:0f8c79a6_1");
    json["match_based_id"] = Value::Null;
    assert_eq!(id(&json), "73000101");
}

#[test]
fn the_ref_is_no_tag_where_it_is_the_branch() {
    let source = Source {
        of_one_ref: true,
        ..source(IssueType::Sast)
    };
    let tags = mapped_as(&sast(), &source).unwrap().content.tags;
    assert!(!tags.iter().any(|tag| tag.starts_with("ref:")), "{tags:?}");
}

#[test]
fn wrong_types_are_absent_and_only_a_missing_id_makes_a_row_unreadable() {
    let json = json!({
        "id": 1, "severity": 4, "status": [], "rule": "x", "location": {"file_path": "a", "line": -1, "end_line": "9"},
        "created_at": 1_636_942_398, "epss_score": {"score": 97}, "line_of_code_url": "javascript:alert(1)"
    });
    let sighting = mapped(&json, IssueType::Sast);
    assert_eq!(
        (sighting.severity, sighting.status),
        (Severity::Unknown, Status::Open)
    );
    assert_eq!((sighting.source_severity, sighting.found_at), (None, None));
    let content = sighting.content;
    assert_eq!(
        (content.title.as_str(), content.epss_score),
        ("sast 1", None)
    );
    let place = content.source_location.unwrap();
    assert_eq!(
        (place.line_start, place.line_end, place.url),
        (None, Some(9), None)
    );
    for unreadable in [
        json!({"severity": "high"}),
        json!({"id": null}),
        Value::Null,
    ] {
        let refused = mapped_as(&unreadable, &source(IssueType::Sast)).unwrap_err();
        assert_eq!(refused, "a finding has no id");
    }
}
