#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::finding::{Severity, Status};

const LOCATION: &str = "https://eu.ast.checkmarx.net/";

fn mapped(row: &Value) -> Sighting {
    let states = States::default();
    let source = Source {
        location: LOCATION,
        project: "p-1",
        scan: "s-1",
        states: &states,
    };
    let raw = row.to_string();
    map(&Row::parse(&raw).unwrap(), &raw, &source).unwrap()
}

fn sast() -> Value {
    json!({
        "type": "sast", "id": "vu/B9/LA3C=", "similarityId": "-624652752", "alternateId": "alt",
        "status": "RECURRENT", "state": "URGENT ", "severity": "HIGH",
        "firstFoundAt": "2026-04-08T17:07:12Z", "foundAt": "2026-11-10T06:09:05Z", "updateAt": "0001-01-01T00:00:00Z",
        "description": "Data reaches\r\nthe database\u{a0}unchecked.",
        "data": {
            "queryId": 12_956_636_075_206_043_460_u64, "queryName": "SQL_Injection", "group": "Java_High_Risk",
            "resultHash": "vu/B9/LA3C=", "languageName": "Java",
            "nodes": [{"line": 50, "fileName": "/src/App.java"}, {"line": 90, "fileName": "/src/Db.java"}]
        },
        "comments": {},
        "vulnerabilityDetails": {"cweId": 89, "compliances": ["OWASP Top 10 2021", null, "PCI DSS v4.0"]}
    })
}

fn sca() -> Value {
    json!({
        "type": "sca", "scaType": "Vulnerability", "id": "CVE-2021-23337", "similarityId": "CVE-2021-23337", "status": "NEW",
        "state": "TO_VERIFY", "severity": "high", "firstFoundAt": "2026-04-08T17:07:12Z",
        "foundAt": "2026-11-10T06:09:05Z", "updateAt": "2026-11-11T00:00:00Z", "description": "Injection",
        "data": {
            "packageIdentifier": "Npm-lodash-es-4.17.20", "recommendations": "", "recommendedVersion": "4.17.21",
            "packageData": [{"url": "https://example.com/fix", "type": "Commit"}, {"url": "ftp://x"}, null]
        },
        "vulnerabilityDetails": {"cvssScore": 7.199_999_809_265_137, "cveName": "CVE-2021-23337", "cweId": "CWE-94",
            "cvss": {"version": 3, "attackVector": "NETWORK", "attackComplexity": "LOW", "privilegesRequired": "HIGH",
                "userInteraction": "NONE", "scope": "UNCHANGED", "confidentiality": "HIGH", "integrityImpact": "HIGH",
                "availability": "HIGH"}}
    })
}

#[test]
fn a_sast_result_is_mapped_field_by_field() {
    let json = sast();
    let sighting = mapped(&json);
    assert_eq!(sighting.source_id, "sast:vu/B9/LA3C=");
    assert_eq!(sighting.raw, json.to_string());
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.status, Status::Open);
    assert_eq!(sighting.source_severity.as_deref(), Some("HIGH"));
    assert_eq!(sighting.source_status.as_deref(), Some("URGENT"));
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.unwrap().to_rfc3339();
    assert_eq!(time(sighting.found_at), "2026-04-08T17:07:12+00:00");
    assert_eq!(
        time(sighting.source_updated_at),
        "2026-11-10T06:09:05+00:00"
    );
    assert_eq!(
        sighting.weakness.as_deref(),
        Some("checkmarx:Java/SQL_Injection")
    );
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Code);
    assert_eq!(content.title, "SQL Injection");
    assert!(content.description.unwrap().starts_with("Data reaches"));
    assert_eq!(
        (content.recommendation, content.vulnerability_id),
        (None, None)
    );
    assert_eq!(content.cwes, [89]);
    let place = content.source_location.unwrap();
    assert_eq!(place.file.as_deref(), Some("src/App.java"));
    assert_eq!(place.line_start, Some(50));
    assert_eq!(
        content.references,
        ["https://eu.ast.checkmarx.net/results/s-1/p-1/sast?result-id=vu%2FB9%2FLA3C%3D"]
    );
    assert_eq!(
        content.tags,
        [
            "sast",
            "Java",
            "Java_High_Risk",
            "OWASP Top 10 2021",
            "PCI DSS v4.0"
        ]
    );
}

#[test]
fn a_sast_result_without_hash_is_known_by_its_alternate_id_then_its_id() {
    let mut json = sast();
    json["data"]["resultHash"] = json!("");
    assert_eq!(mapped(&json).source_id, "sast:alt");
    json["alternateId"] = Value::Null;
    json["id"] = json!(16_350_365);
    assert_eq!(mapped(&json).source_id, "sast:16350365");
    json["data"]["nodes"] = json!([]);
    assert_eq!(mapped(&json).content.source_location, None);
}

#[test]
fn a_kics_result_is_mapped_without_where_its_words_were_taken_from() {
    let sighting = mapped(&json!({
        "type": "kics", "id": "704597058", "similarityID": "05bdd012", "status": "NEW", "state": "NOT_EXPLOITABLE",
        "severity": "MEDIUM", "description": "Pin it.",
        "data": {"queryId": "555ab8f9 [Taken from query_id]", "queryName": "Unpinned Actions [Taken from query_name]",
            "group": "Supply-Chain [Taken from category]", "filename": "/.github/workflows/ci.yaml", "line": 17,
            "platform": "CICD", "issueType": "IncorrectValue", "expectedValue": "A hash", "value": "v4",
            "queryUrl": "see the manual"},
        "vulnerabilityDetails": {}
    }));
    assert_eq!(sighting.source_id, "kics:05bdd012");
    assert_eq!(sighting.status, Status::FalsePositive);
    assert_eq!(sighting.weakness.as_deref(), Some("checkmarx:555ab8f9"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Code);
    assert_eq!(content.title, "Unpinned Actions");
    assert_eq!(
        content.description.as_deref(),
        Some("Pin it.\n\nExpected: A hash\n\nFound: v4")
    );
    assert_eq!(content.recommendation.as_deref(), Some("A hash"));
    let place = content.source_location.unwrap();
    assert_eq!(place.file.as_deref(), Some(".github/workflows/ci.yaml"));
    assert_eq!(place.line_start, Some(17));
    assert_eq!(
        content.references,
        ["https://eu.ast.checkmarx.net/results/s-1/p-1/kics?result-id=704597058"]
    );
    assert_eq!(
        content.tags,
        ["kics", "CICD", "Supply-Chain", "IncorrectValue"]
    );
}

#[test]
fn an_sca_result_is_one_per_package() {
    let sighting = mapped(&sca());
    assert_eq!(
        sighting.source_id,
        "sca:CVE-2021-23337|Npm-lodash-es-4.17.20"
    );
    assert_eq!(sighting.weakness, None);
    assert_eq!(
        sighting.source_updated_at.unwrap().to_rfc3339(),
        "2026-11-11T00:00:00+00:00"
    );
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "CVE-2021-23337 in lodash-es");
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2021-23337"));
    assert!(content.aliases.is_empty());
    assert_eq!(content.cwes, [94]);
    assert_eq!(content.cvss3_score, Some(7.2));
    assert_eq!(
        content.cvss3_vector.as_deref(),
        Some("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H")
    );
    let component = content.component.unwrap();
    assert_eq!(component.name.as_deref(), Some("lodash-es"));
    assert_eq!(component.version.as_deref(), Some("4.17.20"));
    assert_eq!(component.fixed_version.as_deref(), Some("4.17.21"));
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Update to 4.17.21.")
    );
    assert_eq!(content.references, ["https://example.com/fix"]);
    assert_eq!(content.tags, ["sca", "Vulnerability", "Npm"]);
}

#[test]
fn checkmarxs_own_vulnerability_ids_are_kept_and_a_cwe_is_never_taken_for_one() {
    let mut json = sca();
    json["id"] = json!("Cxda14f253-4e52");
    json["vulnerabilityDetails"]["cveName"] = json!("CWE-401");
    let content = mapped(&json).content;
    assert_eq!(content.vulnerability_id.as_deref(), Some("Cxda14f253-4e52"));
    assert!(content.aliases.is_empty());
    json["vulnerabilityDetails"]["cveName"] = json!("CVE-2021-1");
    assert_eq!(mapped(&json).content.aliases, ["CVE-2021-1"]);
}

#[test]
fn a_package_identifier_is_split_at_its_first_and_its_last_dash() {
    let split = |text| {
        let (ecosystem, name, version) = split_identifier(text);
        [ecosystem, name, version].map(Option::unwrap_or_default)
    };
    assert_eq!(split("Npm-bluebird-3.7.2"), ["Npm", "bluebird", "3.7.2"]);
    assert_eq!(
        split("Maven-org.apache.commons:commons-text-1.9"),
        ["Maven", "org.apache.commons:commons-text", "1.9"]
    );
    assert_eq!(split("Npm-x"), ["Npm", "x", ""]);
    assert_eq!(split("x"), ["", "x", ""]);
}

#[test]
fn a_containers_result_is_mapped_in_either_of_its_types() {
    for kind in ["containers", "sca-container"] {
        let sighting = mapped(&json!({
            "type": kind, "id": "CVE-2023-5363", "status": "NEW", "state": "PROPOSED_NOT_EXPLOITABLE", "severity": "CRITICAL",
            "data": {"packageName": "openssl", "packageVersion": "3.0.11-1", "imageName": "registry.example.com/web",
                "imageTag": "1.2", "imageFilePath": "/Dockerfile", "imageOrigin": "Dockerfile"},
            "vulnerabilityDetails": {"cvssScore": 7.5, "cweId": "", "cvss": {"attack_vector": "NETWORK"}}
        }));
        assert_eq!(
            sighting.source_id,
            format!("{kind}:CVE-2023-5363|registry.example.com/web:1.2|openssl@3.0.11-1")
        );
        assert_eq!(sighting.status, Status::InReview);
        assert_eq!(sighting.severity, Severity::Critical);
        let content = sighting.content;
        assert_eq!(content.title, "CVE-2023-5363 in openssl");
        assert!(content.cwes.is_empty());
        assert_eq!(
            (content.cvss3_score, content.cvss3_vector),
            (Some(7.5), None)
        );
        let image = content.image.unwrap();
        assert_eq!(image.name.as_deref(), Some("registry.example.com/web"));
        assert_eq!(image.tag.as_deref(), Some("1.2"));
        let place = content.source_location.unwrap();
        assert_eq!(place.file.as_deref(), Some("Dockerfile"));
        assert_eq!(content.tags, [kind, "Dockerfile"]);
    }
}

#[test]
fn a_found_secret_is_mapped_and_its_lines_are_not_kept() {
    let sighting = mapped(&json!({
        "type": "sscs-secret-detection", "id": "1", "similarityId": "sec-1", "status": "NEW", "state": "CONFIRMED",
        "severity": "HIGH",
        "data": {"ruleId": "aws", "ruleName": "AWS key", "ruleDescription": "A key.", "snippet": "key = AKIA999",
            "fileName": "/deploy.sh", "line": 3, "slsaStep": "Source", "validity": "Valid", "remediation": "Revoke it.",
            "remediationLink": "https://example.com/revoke", "commitUrl": "https://example.com/commit"}
    }));
    assert_eq!(sighting.source_id, "sscs-secret-detection:sec-1");
    assert!(!sighting.raw.contains("AKIA999") && sighting.raw.contains("***"));
    assert_eq!(sighting.weakness.as_deref(), Some("checkmarx:aws"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Secret);
    assert_eq!(content.title, "AWS key");
    assert_eq!(content.description.as_deref(), Some("A key."));
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Revoke it.\n\nhttps://example.com/revoke")
    );
    assert_eq!(content.source_location.unwrap().line_start, Some(3));
    assert_eq!(
        content.references,
        ["https://example.com/revoke", "https://example.com/commit"]
    );
    assert_eq!(content.tags, ["sscs-secret-detection", "Source", "Valid"]);
}

#[test]
fn what_is_fixed_is_resolved_whatever_its_state() {
    let mut json = sca();
    json["status"] = json!("FIXED");
    let sighting = mapped(&json);
    assert_eq!(sighting.status, Status::Resolved);
    assert_eq!(sighting.source_status.as_deref(), Some("FIXED"));
}

#[test]
fn a_result_of_an_unknown_type_with_missing_blocks_is_taken_in_all_the_same() {
    let sighting = mapped(&json!({
        "type": "DAST", "id": "d-1", "status": "SEEN", "state": null, "severity": "TERRIBLE", "data": null,
        "vulnerabilityDetails": null
    }));
    assert_eq!(sighting.source_id, "dast:d-1");
    assert_eq!(sighting.severity, Severity::Unknown);
    assert_eq!(sighting.source_severity.as_deref(), Some("TERRIBLE"));
    assert_eq!(sighting.content.kind, Kind::Other);
    assert_eq!(sighting.content.title, "dast d-1");
}

#[test]
fn a_result_without_any_id_is_unreadable() {
    let raw = r#"{"type":"sca","data":{"packageIdentifier":"Npm-a-1"}}"#;
    let states = States::default();
    let source = Source {
        location: LOCATION,
        project: "p",
        scan: "s",
        states: &states,
    };
    let refused = map(&Row::parse(raw).unwrap(), raw, &source).unwrap_err();
    assert_eq!(refused, "a result of type sca has no id");
}
