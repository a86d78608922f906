#![allow(clippy::unwrap_used)]

use super::super::samples::{every_kind, with};
use super::*;

/// The keys that DefectDojo's parser lets pass, with the type that it wants; after its source, release 3.2.
fn is_taken(key: &str, value: &Value) -> bool {
    let short = |longest: usize| {
        value
            .as_str()
            .is_some_and(|text| text.chars().count() <= longest)
    };
    match key {
        "title" => short(511) && value != "",
        "severity" => {
            ["Critical", "High", "Medium", "Low", "Info"].contains(&value.as_str().unwrap())
        }
        "description" | "impact" | "mitigation" | "references" | "cvssv3" | "cvssv4" => {
            value.is_string()
        }
        "date" => value.as_str().unwrap().parse::<chrono::NaiveDate>().is_ok(),
        "cwe" | "line" => value.is_u64(),
        "cwes" | "endpoints" | "tags" => value.is_array(),
        "vulnerability_ids" => {
            let ids = value.as_array().unwrap();
            ids.iter().all(|id| id.as_str().unwrap().len() <= 50)
        }
        "cvssv3_score" | "cvssv4_score" | "epss_score" => value.is_f64(),
        "component_name" | "unique_id_from_tool" => short(500),
        "component_version" | "fix_version" => short(100),
        "file_path" => short(4000),
        "service" => short(200),
        "fix_available" | "static_finding" | "dynamic_finding" | "active" | "under_review"
        | "false_p" | "risk_accepted" | "out_of_scope" => value.is_boolean(),
        _ => false,
    }
}

fn judge(finding: &Exported) -> Value {
    let written = super::finding(finding).unwrap();
    for (key, value) in written.as_object().unwrap() {
        assert!(is_taken(key, value), "{key}: {value}");
    }
    assert!(!written.to_string().contains("\\u0000"), "{written}");
    written
}

#[test]
fn nothing_is_written_that_defectdojo_refuses() {
    for finding in every_kind() {
        if finding.status != Status::Resolved {
            judge(&finding);
        }
    }
    let long = "ä".repeat(5000);
    judge(&with(json!({
        "title": long, "vulnerability_id": long, "aliases": ["", "CVE-2026-1"], "service": long,
        "component": {"name": long, "version": long, "purl": null, "cpe": null, "fixed_version": long},
        "source_location": {"file": long, "line_start": 1, "line_end": null, "url": null},
        "sightings": [{"api_configuration": "a", "connector": "c", "source_id": long, "found_at": null}],
    })));
    assert_eq!(judge(&with(json!({"title": " "})))["title"], "finding");
}

#[test]
fn every_field_has_its_place() {
    let written = judge(&every_kind()[0]);
    for (key, expected) in [
        ("title", json!("Log4Shell")),
        ("severity", json!("Critical")),
        (
            "description",
            json!("JNDIlookups\n\nImage: registry/shop\nsecpull-id: 1:ab Shop/checkout@main"),
        ),
        ("mitigation", json!("Update")),
        (
            "vulnerability_ids",
            json!(["CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q"]),
        ),
        ("cwe", json!(502)),
        ("cwes", json!([502, 917])),
        ("cvssv3_score", json!(10.0)),
        ("epss_score", json!(0.97)),
        ("component_name", json!("log4j-core")),
        ("component_version", json!("2.14.1")),
        ("fix_version", json!("2.17.1")),
        ("fix_available", json!(true)),
        ("service", json!("checkout")),
        ("unique_id_from_tool", json!("11/9f1c")),
        ("date", json!("2026-11-24")),
        ("active", json!(true)),
    ] {
        assert_eq!(written[key], expected, "{key}");
    }
    let code = judge(&every_kind()[1]);
    assert_eq!(
        (&code["file_path"], &code["line"]),
        (&json!("src/My App.java"), &json!(44))
    );
    let endpoint = judge(&every_kind()[3]);
    assert_eq!(
        (&endpoint["dynamic_finding"], &endpoint["under_review"]),
        (&json!(true), &json!(true))
    );
    let host = judge(&every_kind()[4]);
    assert_eq!(
        host["endpoints"],
        json!([{"host": "192.0.2.7", "port": 443}])
    );
}

#[test]
fn statuses_are_carried_and_resolved_findings_are_left_out() {
    let flags = |status: &str| {
        let written = super::finding(&with(json!({"status": status})))?;
        let set = [
            "active",
            "under_review",
            "false_p",
            "risk_accepted",
            "out_of_scope",
        ];
        let set = set.into_iter().filter(|flag| written[*flag] == true);
        Some(set.collect::<Vec<_>>())
    };
    assert_eq!(flags("open"), Some(vec!["active"]));
    assert_eq!(flags("in_review"), Some(vec!["active", "under_review"]));
    assert_eq!(flags("false_positive"), Some(vec!["false_p"]));
    assert_eq!(flags("risk_accepted"), Some(vec!["risk_accepted"]));
    assert_eq!(flags("not_affected"), Some(vec!["out_of_scope"]));
    assert_eq!(flags("not_security"), Some(vec!["out_of_scope"]));
    assert_eq!(flags("resolved"), None);
}

#[test]
fn what_defectdojo_tells_findings_apart_by_differs_and_stays() {
    // The same words at two places: DefectDojo would close one as a duplicate of the other.
    let one = with(json!({"fingerprint": "1:aa"}));
    let other = with(json!({"fingerprint": "1:bb"}));
    let hashed = |finding: &Exported| {
        let written = judge(finding);
        ["title", "cwe", "line", "file_path", "description"].map(|key| written[key].clone())
    };
    assert_ne!(hashed(&one), hashed(&other));
    // Scores and times come and go.
    let later = with(json!({
        "fingerprint": "1:aa", "epss_score": 0.5, "severity": "low", "last_seen": "2026-12-01T00:00:00Z",
        "image": {"name": null, "tag": "1.3", "digest": "sha256:00"},
    }));
    assert_eq!(hashed(&one), hashed(&later));
}

#[test]
fn where_a_component_runs_is_told_beside_what_tells_it_apart() {
    let running = |replica: &str| {
        let mut finding = every_kind().remove(0);
        finding.kubernetes = Some(crate::finding::Kubernetes {
            cluster: Some("prod".to_owned()),
            kind: Some("ReplicaSet".to_owned()),
            name: Some(replica.to_owned()),
            ..crate::finding::Kubernetes::default()
        });
        judge(&finding)
    };
    let (one, next) = (running("web-7d9f"), running("web-8c31"));
    assert_eq!(one["description"], next["description"]);
    assert_eq!(
        one["impact"],
        "Seen at\nKubernetes cluster: prod\nKubernetes resource: ReplicaSet web-7d9f"
    );
    // Of a Kubernetes finding it is the place itself.
    let cluster = judge(&every_kind()[6]);
    let description = cluster["description"].as_str().unwrap();
    assert!(description.contains("ReplicaSet web"), "{description}");
    assert_eq!(cluster["impact"], Value::Null);
}

#[test]
fn a_name_of_several_lines_is_one_line() {
    let written = named_finding(&with(json!({})), " a\n b ");
    let description = written["description"].as_str().unwrap();
    assert!(description.ends_with("secpull-id: a b"), "{description}");
}

#[test]
fn what_is_too_large_for_a_column_is_left_out() {
    let long = format!("https://shop.example.com/{}", "a".repeat(600));
    let written = judge(&with(json!({
        "kind": "endpoint", "cwes": [4_000_000_000_u32, 79], "cvss3_vector": "garbage",
        "source_location": {"file": "a", "line_start": 4_000_000_000_u32, "line_end": null, "url": null},
        "endpoint": {"url": long, "method": "GET", "parameter": null},
    })));
    assert_eq!(
        (&written["cwe"], &written["cwes"]),
        (&json!(79), &json!([79]))
    );
    for absent in ["line", "endpoints", "cvssv3"] {
        assert_eq!(written[absent], Value::Null, "{absent}");
    }
    assert!(written["description"].as_str().unwrap().contains(&long));
}
