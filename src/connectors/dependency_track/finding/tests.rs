#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const MATRIX: &str = "0d0e7a11-0000-4000-8000-000000000001:0d0e7a11-0000-4000-8000-000000000002:0d0e7a11-0000-4000-8000-000000000003";

fn row() -> Value {
    json!({
        "component": {
            "uuid": "0d0e7a11-0000-4000-8000-000000000002", "name": "commons-text", "group": "org.apache.commons",
            "version": "1.9", "purl": "pkg:maven/org.apache.commons/commons-text@1.9?type=jar",
            "latestVersion": "1.12.0", "project": "0d0e7a11-0000-4000-8000-000000000001"
        },
        "vulnerability": {
            "uuid": "0d0e7a11-0000-4000-8000-000000000003", "source": "NVD", "vulnId": "CVE-2022-42889",
            "severity": "CRITICAL", "severityRank": 0, "description": "Interpolation runs *scripts*.",
            "recommendation": "Upgrade", "cvssV3BaseScore": 9.8,
            "cvssV3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "epssScore": 0.94,
            "cwes": [{"cweId": 94, "name": "Code Injection"}, {"cweId": 94}, {"cweId": "1321"}, null],
            "aliases": [
                {"cveId": "CVE-2022-42889", "ghsaId": "GHSA-599f-7c49-w659"},
                {"ghsaId": "ghsa-599f-7c49-w659", "snykId": "SNYK-1", "osvId": " ", "allBySource": {"cveId": "CVE-1"}, "gsdId": null}
            ],
            "references": "* [https://example.com/advisory](https://example.com/advisory)\n* [https://example.com/fix](https://example.com/fix)"
        },
        "analysis": {"state": "IN_TRIAGE", "isSuppressed": false},
        "attribution": {"analyzerIdentity": "OSSINDEX_ANALYZER", "attributedOn": 1_731_000_000_123_i64, "referenceUrl": "https://example.com/advisory"},
        "matrix": MATRIX
    })
}

fn mapped(row: &Value) -> Sighting {
    map(row.to_string().as_bytes()).unwrap()
}

#[test]
fn a_finding_is_mapped_field_by_field() {
    let json = row().to_string();
    let sighting = map(json.as_bytes()).unwrap();
    assert_eq!(sighting.source_id, MATRIX);
    assert_eq!(sighting.raw, json);
    assert_eq!(sighting.severity, Severity::Critical);
    assert_eq!(sighting.source_severity.as_deref(), Some("CRITICAL"));
    assert_eq!(sighting.status, Status::InReview);
    assert_eq!(sighting.source_status.as_deref(), Some("IN_TRIAGE"));
    assert_eq!(
        sighting.found_at.unwrap().to_rfc3339(),
        "2024-11-07T17:20:00.123+00:00"
    );
    assert_eq!(sighting.weakness, None);
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "CVE-2022-42889 in commons-text 1.9");
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2022-42889"));
    assert_eq!(content.aliases, ["GHSA-599f-7c49-w659", "SNYK-1"]);
    assert_eq!(content.cwes, [94, 1321]);
    assert_eq!(content.cvss3_score, Some(9.8));
    assert!(content.cvss3_vector.unwrap().starts_with("CVSS:3.1/"));
    assert_eq!(content.epss_score, Some(0.94));
    assert_eq!(
        content.references,
        ["https://example.com/advisory", "https://example.com/fix"]
    );
    assert_eq!(content.tags, ["OSSINDEX_ANALYZER"]);
    let component = content.component.unwrap();
    assert_eq!(component.name.as_deref(), Some("commons-text"));
    assert_eq!(component.version.as_deref(), Some("1.9"));
    assert!(component.purl.unwrap().starts_with("pkg:maven/"));
    assert_eq!(component.fixed_version, None);
}

#[test]
fn the_status_follows_state_and_suppression() {
    for (state, suppressed, expected) in [
        (None, false, Status::Open),
        (None, true, Status::RiskAccepted),
        (Some("NOT_SET"), false, Status::Open),
        (Some("NOT_SET"), true, Status::RiskAccepted),
        (Some("EXPLOITABLE"), false, Status::Open),
        (Some("EXPLOITABLE"), true, Status::RiskAccepted),
        (Some("IN_TRIAGE"), true, Status::InReview),
        (Some("RESOLVED"), false, Status::Resolved),
        (Some("FALSE_POSITIVE"), true, Status::FalsePositive),
        (Some("NOT_AFFECTED"), false, Status::NotAffected),
        (Some("SOMETHING_NEW"), false, Status::Open),
    ] {
        let mut row = row();
        row["analysis"] = json!({"isSuppressed": suppressed});
        if let Some(state) = state {
            row["analysis"]["state"] = state.into();
        }
        let sighting = mapped(&row);
        assert_eq!(sighting.status, expected, "{state:?} {suppressed}");
        assert_eq!(sighting.source_status.as_deref(), state);
        let tagged = sighting.content.tags.iter().any(|tag| tag == "suppressed");
        assert_eq!(tagged, suppressed);
    }
}

#[test]
fn severities_that_are_absent_or_new_are_unknown_and_kept_verbatim() {
    for (word, expected) in [
        (json!("HIGH"), Severity::High),
        (json!("MEDIUM"), Severity::Medium),
        (json!("LOW"), Severity::Low),
        (json!("INFO"), Severity::Info),
        (json!("UNASSIGNED"), Severity::Unknown),
        (json!("DREADFUL"), Severity::Unknown),
        (json!(null), Severity::Unknown),
    ] {
        let mut row = row();
        row["vulnerability"]["severity"] = word.clone();
        let sighting = mapped(&row);
        assert_eq!(sighting.severity, expected);
        assert_eq!(sighting.source_severity.as_deref(), word.as_str());
    }
}

#[test]
fn an_internal_id_is_no_vulnerability_id_but_tells_the_weakness() {
    let mut row = row();
    row["vulnerability"]["source"] = "INTERNAL".into();
    row["vulnerability"]["vulnId"] = "INT-ab12-cd34".into();
    let sighting = mapped(&row);
    assert_eq!(sighting.content.vulnerability_id, None);
    assert_eq!(sighting.weakness.as_deref(), Some("INT-ab12-cd34"));
}

#[test]
fn an_old_server_gives_a_single_cwe_and_a_new_one_marks_known_exploits() {
    let mut row = row();
    row["vulnerability"]["cwes"].take();
    row["vulnerability"]["cweId"] = 20.into();
    row["vulnerability"]["isKev"] = true.into();
    row["vulnerability"]["title"] = "Text4Shell".into();
    let content = mapped(&row).content;
    assert_eq!(content.cwes, [20]);
    assert_eq!(content.tags, ["OSSINDEX_ANALYZER", "kev"]);
    assert_eq!(content.title, "Text4Shell");
}

#[test]
fn a_row_with_nulls_and_wrong_types_is_kept_as_far_as_it_can_be_read() {
    let row = json!({
        "component": {"name": 7, "version": null, "purl": ["x"]},
        "vulnerability": {"vulnId": "GHSA-1", "cvssV3BaseScore": "high", "epssScore": 2.0, "aliases": "none", "cwes": {}, "references": []},
        "analysis": null, "attribution": {"attributedOn": "yesterday"}, "matrix": "a:b:c"
    });
    let sighting = mapped(&row);
    assert_eq!(sighting.status, Status::Open);
    assert_eq!(sighting.found_at, None);
    assert_eq!(sighting.content.title, "GHSA-1");
    assert_eq!(sighting.content.component, None);
    assert_eq!(sighting.content.cvss3_score, None);
    assert_eq!(sighting.content.epss_score, None);
}

#[test]
fn a_row_that_cannot_be_known_again_is_unreadable() {
    for broken in [
        &b"{}"[..],
        b"[\"x\"]",
        b"{\"matrix\":null}",
        b"{\"matrix\":7}",
        b"{\"matrix\"",
        b"\xff",
    ] {
        assert!(map(broken).is_err());
    }
}

#[test]
fn a_row_is_known_by_its_id_wherever_that_stands() {
    let mapped_and_known = |json: &str| {
        let mapped = map(json.as_bytes()).map(|sighting| sighting.source_id);
        assert_eq!(
            id(json.as_bytes()).as_deref(),
            mapped.ok().as_deref(),
            "{json}"
        );
    };
    for json in [
        r#"{"component":{},"matrix":"p:c:v"}"#,
        r#"{"matrix":"p:c:v"}"#,
        r#"{"matrix":"p:c:v","component":{}}"#,
        r#"{"component":{"matrix":"x"}}"#,
        r#"{"matrix":"p:c:v","component":{"matrix":"x"}}"#,
        r#"{"a\"matrix":"x","matrix":"p:c:v" }"#,
        r#"{"matrix":"p:c:v","a\"matrix":"x"}"#,
        r#"{"matrix":"p:c:v","a,\"matrix":"x"}"#,
        r#"{"matrix":"p\u003ac"}"#,
        r#"{"matrix":" "}"#,
        r#"{"matrix":7}"#,
        r#"{"component":"matrix"}"#,
    ] {
        mapped_and_known(json);
    }
}
