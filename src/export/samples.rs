//! Findings of every kind, for tests.

use serde_json::{Value, json};

use super::Exported;

/// A finding with these members, all others absent.
pub(super) fn with(members: Value) -> Exported {
    let mut finding = json!({
        "id": 7, "product": "Shop", "branch": null, "service": null, "fingerprint": "1:ab", "kind": "other",
        "title": "Weak cipher", "description": null, "recommendation": null, "severity": "medium", "status": "open",
        "vulnerability_id": null, "aliases": [], "cwes": [], "cvss3_vector": null, "cvss3_score": null,
        "cvss4_vector": null, "cvss4_score": null, "epss_score": null, "component": null, "image": null,
        "endpoint": null, "source_location": null, "cloud": null, "kubernetes": null, "host": null,
        "references": [], "tags": [], "first_seen": "2026-11-24T06:40:00Z", "last_seen": "2026-11-25T06:40:00.5Z",
        "resolved_at": null,
        "sightings": [{"api_configuration": "shop", "connector": "burp", "source_id": "11/9f1c", "found_at": null}],
    });
    if let (Value::Object(finding), Value::Object(members)) = (&mut finding, members) {
        finding.extend(members);
    }
    serde_json::from_value(finding).unwrap()
}

/// One of each kind, with all that it may hold.
pub(super) fn every_kind() -> Vec<Exported> {
    vec![
        with(json!({
            "kind": "component", "title": "Log4Shell", "description": "JNDI\u{0}lookups", "recommendation": "Update",
            "severity": "critical", "vulnerability_id": "CVE-2021-44228", "aliases": ["GHSA-jfh8-c2jp-5v3q"],
            "cwes": [502, 917], "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "cvss3_score": 10.0,
            "epss_score": 0.97, "branch": "main", "service": "checkout",
            "component": {"name": "log4j-core", "version": "2.14.1", "cpe": null, "fixed_version": "2.17.1",
                          "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"},
            "image": {"name": "registry/shop", "tag": "1.2", "digest": null},
            "references": ["not a URL", "https://logging.apache.org/security.html"], "tags": ["b", "a", "b"],
        })),
        with(json!({
            "kind": "code", "title": "SQL injection", "severity": "high", "cwes": [89],
            "source_location": {"file": "src/My App.java", "line_start": 44, "line_end": 40, "url": null},
        })),
        with(json!({
            "kind": "secret", "title": "", "severity": "unknown",
            "source_location": {"file": "C:\\keys\\id_rsa", "line_start": 0, "line_end": null, "url": null},
        })),
        with(json!({
            "kind": "endpoint", "status": "in_review",
            "endpoint": {"url": "https://shop.example.com/a b?q=<x>", "method": "PUT", "parameter": "q"},
        })),
        with(json!({
            "kind": "host", "severity": "low", "status": "risk_accepted",
            "host": {"name": null, "ip": "192.0.2.7", "port": 443, "protocol": "tcp"},
        })),
        with(json!({
            "kind": "cloud", "severity": "info", "status": "false_positive",
            "cloud": {"provider": "aws", "account": "111122223333", "region": "eu-west-1",
                      "resource_type": "AwsS3Bucket", "resource_id": "arn:aws:s3:::shop"},
        })),
        with(json!({
            "kind": "kubernetes", "status": "not_affected",
            "kubernetes": {"cluster": "prod", "namespace": "shop", "kind": "ReplicaSet", "name": "web"},
        })),
        with(json!({"kind": "other", "status": "not_security"})),
        with(json!({"kind": "other", "status": "resolved", "title": "Gone"})),
    ]
}
