#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::finding::{Severity, Status};

const TARGET: &str = "46aGYvJUPCtW";

fn row() -> Value {
    json!({
        "id": 12,
        "target": {
            "id": TARGET, "name": "", "type": "single", "labels": [], "teams": [],
            "site": {"id": "3Q855jvjrpqs", "name": "Shop", "url": "https://shop.example", "host": "shop.example"}
        },
        "scans": ["29CHejpCKeci"],
        "labels": [{"id": "l1", "name": "sprint-7", "color": "red"}, "old style", null],
        "fix": "Escape **all** output.", "requests": [], "evidence": "The payload came back.", "extra": "",
        "definition": {"id": "N9V9hJ_GnlKp", "name": "Reflected cross-site scripting", "desc": "Input comes back.\r\nAs HTML.", "cwe_id": "CWE-79", "cwe_name": "XSS"},
        "url": "https://shop.example/p?pp=1", "path": "https://shop.example/p", "method": "get",
        "insertion_point": "parameter", "parameter": "pp", "value": "1", "params": {},
        "assignee": null, "state": "notfixed", "severity": 30, "cvss_score": 6.1,
        "cvss_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
        "last_found": "2024-08-31T16:04:02.503243Z", "retesting": false, "new": true, "review_status": "notrequired",
        "created_at": "2024-08-30T16:04:02.503243Z", "changed": "2024-08-30T16:05:02.664733Z", "comment": ""
    })
}

fn read(row: &Value) -> Result<Sighting, String> {
    map(row.to_string().as_bytes(), TARGET)
}

fn mapped(row: &Value) -> Sighting {
    read(row).unwrap()
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut row = row();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        row.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    row
}

#[test]
fn a_finding_is_mapped_field_by_field() {
    let sighting = mapped(&row());
    assert_eq!(sighting.source_id, "46aGYvJUPCtW-12");
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.source_severity.as_deref(), Some("30"));
    assert_eq!(sighting.status, Status::Open);
    assert_eq!(sighting.source_status.as_deref(), Some("notfixed"));
    let found_at = sighting.found_at.unwrap().to_rfc3339();
    assert_eq!(found_at, "2024-08-30T16:04:02.503243+00:00");
    let updated_at = sighting.source_updated_at.unwrap().to_rfc3339();
    assert_eq!(updated_at, "2024-08-30T16:05:02.664733+00:00");
    assert_eq!(sighting.weakness.as_deref(), Some("probely:N9V9hJ_GnlKp"));
    assert_eq!(serde_json::from_str::<Value>(&sighting.raw).unwrap(), row());
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Endpoint);
    assert_eq!(content.title, "Reflected cross-site scripting");
    assert_eq!(
        content.description.as_deref(),
        Some("Input comes back.\r\nAs HTML.\n\n## Evidence\n\nThe payload came back.")
    );
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Escape **all** output.")
    );
    assert_eq!(content.vulnerability_id, None);
    assert_eq!(content.cwes, [79]);
    assert_eq!(content.cvss3_score, Some(6.1));
    assert!(content.cvss3_vector.unwrap().starts_with("CVSS:3.0/"));
    assert_eq!((content.cvss4_score, content.cvss4_vector), (None, None));
    assert_eq!(
        content.endpoint.unwrap(),
        Endpoint {
            url: Some("https://shop.example/p?pp=1".to_owned()),
            method: Some("GET".to_owned()),
            parameter: Some("pp".to_owned()),
        }
    );
    assert_eq!(content.tags, ["sprint-7", "old style"]);
}

#[test]
fn the_id_is_unique_only_with_the_target_whether_it_comes_as_number_or_text() {
    let minus = "AxtkqTE0v3E-";
    for (target, id, expected) in [
        (TARGET, json!(2), "46aGYvJUPCtW-2"),
        (TARGET, json!("2"), "46aGYvJUPCtW-2"),
        (TARGET, json!("46aGYvJUPCtW-2"), "46aGYvJUPCtW-2"),
        (minus, json!(2), "AxtkqTE0v3E--2"),
        (minus, json!("AxtkqTE0v3E--2"), "AxtkqTE0v3E--2"),
        ("-4x", json!("-4x-30"), "-4x-30"),
    ] {
        let row = with(&[("/id", id), ("/target/id", target.into())]);
        let sighting = map(row.to_string().as_bytes(), target).unwrap();
        assert_eq!(sighting.source_id, expected);
    }
}

#[test]
fn a_finding_that_cannot_be_known_again_is_unreadable() {
    for changes in [
        [("/target/id", json!(null))],
        [("/target/id", json!(""))],
        [("/target", json!(null))],
        [("/target/id", json!("anotherTarget"))],
        [("/id", json!(null))],
        [("/id", json!(-7))],
        [("/id", json!(1.5))],
        [("/id", json!("46aGYvJUPCtW-"))],
        [("/id", json!("anotherTarget-2"))],
        [("/id", json!({"n": 1}))],
    ] {
        let refused = read(&with(&changes));
        assert!(refused.is_err(), "{changes:?}: {refused:?}");
    }
    for broken in [&b"null"[..], b"[]", b"{", b"{}", b"\xff"] {
        assert!(map(broken, TARGET).is_err());
    }
}

#[test]
fn severities_are_kept_word_for_word() {
    for (number, severity, word) in [
        (json!(40), Severity::Critical, Some("40")),
        (json!(20), Severity::Medium, Some("20")),
        (json!(10), Severity::Low, Some("10")),
        (json!("30"), Severity::High, Some("30")),
        (json!(99), Severity::Unknown, Some("99")),
        (json!("dreadful"), Severity::Unknown, Some("dreadful")),
        (json!(null), Severity::Unknown, None),
        (json!([30]), Severity::Unknown, None),
    ] {
        let sighting = mapped(&with(&[("/severity", number)]));
        assert_eq!(
            (sighting.severity, sighting.source_severity.as_deref()),
            (severity, word)
        );
    }
}

#[test]
fn the_status_follows_state_retest_and_review() {
    for (state, retesting, review, status) in [
        (json!("fixed"), false, "notrequired", Status::Resolved),
        (json!("fixed"), true, "notrequired", Status::Open),
        (json!("accepted"), false, "accepted", Status::RiskAccepted),
        (json!("invalid"), false, "rejected", Status::FalsePositive),
        (json!("retesting"), true, "", Status::Open),
        (json!("notfixed"), false, "pending", Status::InReview),
        (json!("something_new"), false, "pending", Status::Open),
        (json!(null), false, "pending", Status::Open),
    ] {
        let sighting = mapped(&with(&[
            ("/state", state.clone()),
            ("/retesting", retesting.into()),
            ("/review_status", review.into()),
        ]));
        assert_eq!(sighting.status, status, "{state} {retesting} {review}");
        assert_eq!(sighting.source_status.as_deref(), state.as_str());
    }
}

#[test]
fn a_rating_belongs_to_the_version_of_its_vector() {
    let rated = |score: Value, vector: Value| {
        mapped(&with(&[("/cvss_score", score), ("/cvss_vector", vector)])).content
    };
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let content = rated(json!(9.3), json!(four));
    assert_eq!(content.cvss4_vector.as_deref(), Some(four));
    assert_eq!(
        (content.cvss4_score, content.cvss3_score),
        (Some(9.3), None)
    );
    let content = rated(json!(5.0), json!(""));
    assert_eq!(
        (content.cvss3_score, content.cvss3_vector),
        (Some(5.0), None)
    );
    let content = rated(json!(null), json!(null));
    assert_eq!((content.cvss3_score, content.cvss3_vector), (None, None));
    let content = rated(json!("high"), json!("AV:N/AC:L/Au:N/C:P/I:P/A:P"));
    assert_eq!((content.cvss3_score, content.cvss3_vector), (None, None));
}

#[test]
fn a_weakness_number_is_found_whatever_is_around_it() {
    for (id, cwes) in [
        (json!("CWE-79"), vec![79]),
        (json!("89"), vec![89]),
        (json!(352), vec![352]),
        (json!("none"), vec![]),
        (json!(null), vec![]),
    ] {
        let content = mapped(&with(&[("/definition/cwe_id", id)])).content;
        assert_eq!(content.cwes, cwes);
    }
}

#[test]
fn the_place_is_kept_as_far_as_it_is_told() {
    let place = |changes: &[(&str, Value)]| mapped(&with(changes)).content.endpoint;
    let bare = [
        ("/url", json!("")),
        ("/path", json!("/p")),
        ("/method", json!("dns_soa")),
        ("/parameter", json!("")),
    ];
    assert_eq!(place(&bare), None);
    let old = place(&[("/url", json!(null)), ("/parameter", json!(7))]).unwrap();
    assert_eq!(old.url.as_deref(), Some("https://shop.example/p"));
    assert_eq!(old.parameter, None);
    let user = place(&[("/url", json!("https://me:pw@shop.example/p"))]).unwrap();
    assert_eq!(user.url.as_deref(), Some("https://shop.example/p"));
}

#[test]
fn times_are_read_as_far_as_they_can_be() {
    for (text, expected) in [
        (
            json!("2024-08-30T18:04:02+02:00"),
            Some("2024-08-30T16:04:02+00:00"),
        ),
        (
            json!("2024-08-30T16:04:02.5"),
            Some("2024-08-30T16:04:02.500+00:00"),
        ),
        (json!("2024-08-30T13:27.43"), None),
        (json!(""), None),
        (json!(1_725_033_842), None),
    ] {
        let sighting = mapped(&with(&[("/created_at", text.clone())]));
        let found_at = sighting.found_at.map(|time| time.to_rfc3339());
        assert_eq!(found_at.as_deref(), expected, "{text}");
    }
}

#[test]
fn an_old_bare_finding_is_kept_as_far_as_it_can_be_read() {
    let row = json!({
        "id": 3, "target": {"id": TARGET, "site": {"teams": {"name": null}}}, "definition": {"id": "x1"},
        "labels": "none", "params": null, "evidence": null, "cvss_score": "?", "retesting": "no"
    });
    let sighting = mapped(&row);
    assert_eq!(sighting.source_id, "46aGYvJUPCtW-3");
    assert_eq!(sighting.content.title, "Probely finding x1");
    assert_eq!(sighting.content.description, None);
    assert_eq!(sighting.content.endpoint, None);
    assert_eq!(sighting.found_at, None);
    let nameless = mapped(&with(&[("/definition", json!(null))]));
    assert_eq!(nameless.content.title, "Probely finding");
    assert_eq!(nameless.weakness, None);
}

#[test]
fn credentials_of_the_target_are_in_no_field() {
    let secret = "swordfish-1234";
    let sighting = mapped(&with(&[
        (
            "/target/site/basic_auth",
            json!({"username": "tester", "password": secret}),
        ),
        ("/evidence", format!("logged in with {secret}").into()),
        (
            "/requests",
            json!([{"request": format!("GET /?p={secret}"), "response": secret}]),
        ),
    ]));
    assert!(!format!("{sighting:?}").contains(secret), "{sighting:?}");
    let description = sighting.content.description.unwrap();
    assert!(description.ends_with("logged in with ***"), "{description}");
}
