#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::finding::{Severity, Status};

fn full() -> Value {
    serde_json::from_str(r#"{
        "id": 12, "test": 3, "title": "Remote Code Execution in log4j-core", "description": "Lookups\r\nload **classes**.",
        "mitigation": "Update.", "impact": "All of it.", "severity": "Critical", "numerical_severity": "S0",
        "references": "https://nvd.example/CVE-2021-44228\nsee https://logging.example/security.html.",
        "display_status": "Active, Verified", "active": true, "verified": true, "false_p": false, "duplicate": false,
        "out_of_scope": false, "risk_accepted": false, "under_review": false, "is_mitigated": false, "mitigated": null,
        "vulnerability_ids": [{"vulnerability_id": "GHSA-jfh8-c2jp-5v3q"}, {"vulnerability_id": "VNS/7"}, {"vulnerability_id": "CVE-2021-44228"}],
        "cwe": 502, "cwes": [{"cwe": "CWE-502"}, {"cwe": "CWE-917"}],
        "cvssv3": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "cvssv3_score": 10.0,
        "cvssv4": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "cvssv4_score": 9.3,
        "epss_score": 0.97, "epss_percentile": 0.99,
        "component_name": "log4j-core", "component_version": "2.14.1", "fix_version": "2.17.1",
        "file_path": "lib/log4j-core.jar", "line": 7, "sast_source_file_path": "src/form.py", "sast_source_line": 42,
        "unique_id_from_tool": "a1", "vuln_id_from_tool": "rule-1", "hash_code": "5f5f", "service": "checkout",
        "tags": ["internet-facing", "sprint-7"], "date": "2026-09-01", "created": "2026-09-01T06:00:00.503243Z",
        "last_status_update": "2026-09-02T06:00:00.503243Z", "updated": "2026-11-01T06:00:00.1Z", "age": 30,
        "sla_days_remaining": 60, "endpoints": [7], "request_response": {"req_resp": [{"request": "Cookie: live-cookie"}]}
    }"#)
    .unwrap()
}

fn mapped(row: &Value) -> Finding {
    map(row.to_string().as_bytes()).unwrap()
}

/// The full finding with these changes.
fn with(changes: Value) -> Finding {
    let mut row = full();
    if let (Value::Object(row), Value::Object(changes)) = (&mut row, changes) {
        row.extend(changes);
    }
    mapped(&row)
}

fn content(changes: Value) -> Content {
    with(changes).sighting.content
}

#[test]
fn every_field_is_where_it_belongs() {
    let finding = mapped(&full());
    assert_eq!((finding.id, finding.test), (12, 3));
    assert!(finding.is_active && !finding.is_duplicate);
    let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
    let Sighting { raw, .. } = &finding.sighting;
    let expected = Sighting {
        source_id: "12".to_owned(),
        id_space: None,
        severity: Severity::Critical,
        status: Status::Open,
        source_severity: Some("Critical".to_owned()),
        source_status: Some("Active, Verified".to_owned()),
        found_at: at("2026-09-01T00:00:00Z"),
        source_updated_at: at("2026-09-02T06:00:00.503243Z"),
        weakness: Some("defectdojo:rule-1".to_owned()),
        content: Content {
            kind: Kind::Component,
            title: "Remote Code Execution in log4j-core".to_owned(),
            description: Some("Lookups\r\nload **classes**.".to_owned()),
            recommendation: Some("Update.".to_owned()),
            vulnerability_id: Some("GHSA-jfh8-c2jp-5v3q".to_owned()),
            aliases: vec!["CVE-2021-44228".to_owned()],
            cwes: vec![502, 917],
            cvss3_vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()),
            cvss3_score: Some(10.0),
            cvss4_vector: Some(
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N".to_owned(),
            ),
            cvss4_score: Some(9.3),
            epss_score: Some(0.97),
            component: Some(Component {
                name: Some("log4j-core".to_owned()),
                version: Some("2.14.1".to_owned()),
                fixed_version: Some("2.17.1".to_owned()),
                ..Component::default()
            }),
            source_location: Some(SourceLocation {
                file: Some("lib/log4j-core.jar".to_owned()),
                line_start: Some(7),
                ..SourceLocation::default()
            }),
            references: vec![
                "https://nvd.example/CVE-2021-44228".to_owned(),
                "https://logging.example/security.html".to_owned(),
            ],
            tags: vec![
                "internet-facing".to_owned(),
                "sprint-7".to_owned(),
                "service:checkout".to_owned(),
            ],
            ..Content::default()
        },
        raw: raw.clone(),
    };
    assert_eq!(finding.sighting, expected);
}

#[test]
fn raw_is_the_vendors_text_without_what_changes_by_itself_and_without_traffic() {
    let raw = mapped(&full()).sighting.raw;
    let kept: Value = serde_json::from_str(&raw).unwrap();
    for (name, value) in full().as_object().unwrap() {
        match NOT_KEPT.contains(&name.as_str()) {
            true => assert_eq!(kept.get(name), None, "{name}"),
            false => assert_eq!(kept.get(name), Some(value), "{name}"),
        }
    }
    let later = json!({"age": 31, "sla_days_remaining": 59, "updated": "2026-11-02T06:00:00.1Z"});
    assert_eq!(
        with(later).sighting.digest(b""),
        mapped(&full()).sighting.digest(b"")
    );
}

#[test]
fn a_finding_that_says_nothing_but_its_numbers_is_one() {
    let finding = mapped(&json!({"id": 12, "test": 3}));
    let sighting = finding.sighting;
    assert_eq!(
        (sighting.severity, sighting.status),
        (Severity::Unknown, Status::Open)
    );
    assert_eq!(
        (sighting.source_severity, sighting.source_status),
        (None, None)
    );
    assert_eq!(
        (
            sighting.found_at,
            sighting.source_updated_at,
            sighting.weakness
        ),
        (None, None, None)
    );
    let nothing = Content {
        title: "DefectDojo finding 12".to_owned(),
        ..Content::default()
    };
    assert_eq!(sighting.content, nothing);
    assert!(finding.is_active && !finding.is_duplicate);
}

#[test]
fn fields_of_wrong_types_are_absent() {
    for wrong in [json!(null), json!({"a": 1}), json!([[]]), json!(true)] {
        let row: Value = full()
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| !["id", "test"].contains(&key.as_str()))
            .filter(|key| wrong != json!(true) || !full()[*key].is_boolean())
            .map(|key| (key.clone(), wrong.clone()))
            .chain([("id".to_owned(), json!(12)), ("test".to_owned(), json!(3))])
            .collect();
        let sighting = mapped(&row).sighting;
        let nothing = Content {
            title: "DefectDojo finding 12".to_owned(),
            ..Content::default()
        };
        assert_eq!(sighting.content, nothing, "{wrong}");
        assert_eq!(
            (sighting.severity, sighting.status),
            (Severity::Unknown, Status::Open),
            "{wrong}"
        );
        assert_eq!(
            (sighting.found_at, sighting.source_updated_at),
            (None, None),
            "{wrong}"
        );
    }
}

#[test]
fn numbers_may_be_written_as_text() {
    let finding = mapped(
        &json!({"id": "12", "test": "3", "cwe": "79", "line": "4", "file_path": "a.py", "cvssv3_score": "7.5"}),
    );
    assert_eq!((finding.id, finding.test), (12, 3));
    let content = finding.sighting.content;
    assert_eq!(
        (content.cwes.as_slice(), content.cvss3_score),
        (&[79][..], Some(7.5))
    );
    assert_eq!(content.source_location.unwrap().line_start, Some(4));
}

#[test]
fn what_has_no_identity_or_no_test_is_unreadable() {
    for (row, words) in [
        ("null", "no id"),
        ("[]", "no id"),
        (r#"{"test":3}"#, "no id"),
        (r#"{"id":0,"test":3}"#, "no id"),
        (r#"{"id":12}"#, "finding 12 is of no test"),
        (r#"{"id":12,"test":"x"}"#, "finding 12 is of no test"),
        (r#"{"id":12"#, "cannot be read"),
    ] {
        let reason = map(row.as_bytes()).unwrap_err();
        assert!(reason.contains(words), "{row}: {reason}");
    }
    assert!(map(b"\xff").unwrap_err().contains("UTF-8"));
}

#[test]
fn the_kind_is_that_of_the_place_that_is_told() {
    let code = content(json!({"component_name": null}));
    assert_eq!(code.kind, Kind::Code);
    assert_eq!(code.component, None);
    let source = content(json!({"component_name": null, "file_path": ""}));
    assert_eq!(source.kind, Kind::Code);
    let location = source.source_location.unwrap();
    assert_eq!(
        (location.file.as_deref(), location.line_start),
        (Some("src/form.py"), Some(42))
    );
    let nowhere = json!({"component_name": null, "file_path": null, "sast_source_file_path": null});
    let finding = with(nowhere);
    assert_eq!(finding.sighting.content.kind, Kind::Other);
    assert_eq!(finding.sighting.content.source_location, None);
    for line in [json!(0), json!(-3), json!(5_000_000_000_u64), json!(null)] {
        assert_eq!(
            content(json!({"line": line}))
                .source_location
                .unwrap()
                .line_start,
            None,
            "{line}"
        );
    }
}

#[test]
fn without_a_place_findings_are_told_apart_as_dojo_does_it() {
    let mut changes =
        json!({"component_name": null, "file_path": null, "sast_source_file_path": null});
    assert_eq!(
        with(changes.clone()).sighting.weakness.as_deref(),
        Some("defectdojo:5f5f")
    );
    changes["hash_code"] = Value::Null;
    assert_eq!(
        with(changes.clone()).sighting.weakness.as_deref(),
        Some("defectdojo:rule-1")
    );
    changes["vuln_id_from_tool"] = Value::Null;
    assert_eq!(with(changes).sighting.weakness, None);
}

#[test]
fn only_ids_of_vulnerabilities_are_taken_for_such() {
    let ids = |ids: &[&str]| {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| json!({"vulnerability_id": id}))
            .collect();
        let content = content(json!({"vulnerability_ids": ids}));
        (content.vulnerability_id, content.aliases)
    };
    let nothing: Vec<String> = Vec::new();
    assert_eq!(ids(&["VNS/7", "rule"]), (None, nothing.clone()));
    assert_eq!(
        ids(&[" CVE-2021-1 ", "CVE-2021-1", "", "GHSA-aaaa-bbbb-cccc"]),
        (
            Some("CVE-2021-1".to_owned()),
            vec!["GHSA-aaaa-bbbb-cccc".to_owned()]
        )
    );
    let odd = content(
        json!({"vulnerability_ids": [null, "CVE-2021-1", {"vulnerability_id": 7}, {"vulnerability_id": "CVE-2021-2"}]}),
    );
    assert_eq!(
        (odd.vulnerability_id.as_deref(), odd.aliases),
        (Some("CVE-2021-2"), nothing)
    );
}

#[test]
fn no_weakness_is_number_0() {
    assert_eq!(content(json!({"cwe": 0, "cwes": []})).cwes, [0_u32; 0]);
    assert_eq!(
        content(json!({"cwe": null, "cwes": [{"cwe": "CWE-79"}, {"cwe": "79"}, null]})).cwes,
        [79]
    );
    assert_eq!(content(json!({"cwe": 79, "cwes": null})).cwes, [79]);
}

#[test]
fn garbage_in_ratings_is_left_out() {
    let garbage = content(
        json!({"cvssv3": "AV:N", "cvssv3_score": 11, "cvssv4": "nonsense", "cvssv4_score": -1, "epss_score": 7.0}),
    );
    assert_eq!((garbage.cvss3_vector, garbage.cvss3_score), (None, None));
    assert_eq!(
        (
            garbage.cvss4_vector,
            garbage.cvss4_score,
            garbage.epss_score
        ),
        (None, None, None)
    );
    // A score that is missing is reckoned.
    assert_eq!(
        content(json!({"cvssv3_score": null})).cvss3_score,
        Some(10.0)
    );
}

#[test]
fn times_that_are_none_are_absent() {
    let odd = with(json!({"date": "yesterday", "last_status_update": "2026-09-02"}));
    assert_eq!(
        (odd.sighting.found_at, odd.sighting.source_updated_at),
        (None, None)
    );
    let zoned = with(json!({"date": "2026-09-01T08:00:00+02:00"}))
        .sighting
        .found_at;
    assert_eq!(zoned, Some("2026-09-01T06:00:00Z".parse().unwrap()));
}

#[test]
fn duplicates_and_what_is_not_active_are_told() {
    assert!(with(json!({"duplicate": true})).is_duplicate);
    assert!(!with(json!({"active": false})).is_active);
    assert!(
        with(json!({"active": "false"})).is_active,
        "a wrong type says nothing"
    );
}
