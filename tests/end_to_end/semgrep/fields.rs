//! Every field and every word of the vendor's tables.

use secpull_simulators::scenario::semgrep_shop;
use serde_json::{Value, json};

use super::{SHOP, deployment, includes, installation};

/// The findings of the default scenario, all types, with what the vendor sent.
fn imported() -> Vec<Value> {
    let simulator = deployment(semgrep_shop());
    let types = "issue_types = [\"sast\", \"sca\", \"secrets\", \"ai_sast\"]";
    let installation = installation(&simulator, &format!("{SHOP}\n{types}"));
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 31, "unreadable": 0}),
    );
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 31, "resolved": 0}),
    );
    findings
}

/// The one finding with a sighting of this id.
#[track_caller]
fn of_source<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    let has = |finding: &&Value| {
        let mut sightings = finding["sightings"].as_array().unwrap().iter();
        sightings.any(|sighting| sighting["source_id"] == id)
    };
    findings
        .iter()
        .find(has)
        .unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn every_field_of_every_type_is_imported() {
    let findings = imported();
    assert_eq!(findings.len(), 31);
    code(&findings);
    statuses(&findings);
    packages(&findings);
    secrets(&findings);
}

fn code(findings: &[Value]) {
    let injection = of_source(findings, "73000101");
    includes(
        injection,
        &json!({
            "kind": "code", "title": "psycopg-sqli", "severity": "high", "status": "open", "product": "Shop", "branch": null,
            "description": "Input from outside reaches this call unchecked.",
            "recommendation": "Bind the values.\n\n1. Use parameters.\n2. Test.",
            "vulnerability_id": null, "cwes": [89, 943], "component": null, "epss_score": null,
            "source_location": {"file": "src/db.py", "line_start": 120, "line_end": 122,
                "url": "https://github.example.com/acme/shop/blob/39f95450/src/db.py#L120"},
            "references": ["https://tickets.example.com/OPS-158"],
            "tags": ["sast", "confidence:medium", "ref:main", "security", "vuln", "SQL Injection", "A03:2021 - Injection"],
            "sightings": [{
                "connector": "semgrep", "record": "acme/shop", "source_severity": "high", "source_status": "open",
                "found_at": "2026-09-01T23:28:12.391807Z", "source_updated_at": "2026-09-05T08:00:00.123456Z"
            }]
        }),
    );
    let raw = &injection["sightings"][0]["raw"];
    assert_eq!(raw["syntactic_id"], "440e0459e4a5");
    assert_eq!(raw["assistant"]["autotriage"]["verdict"], "false_positive");
    let old = of_source(findings, "73000102");
    includes(
        old,
        &json!({
            "title": "rule-name", "description": "What the rule said then.", "severity": "low", "source_location": null, "cwes": [],
            "sightings": [{"found_at": "2020-11-18T23:28:12Z"}]
        }),
    );
    includes(
        of_source(findings, "73000301"),
        &json!({
            "kind": "code", "title": "idor", "severity": "high", "cwes": [],
            "tags": ["ai_sast", "confidence:high", "ref:main", "security", "vuln", "SQL Injection", "A03:2021 - Injection"],
            "source_location": {"file": "src/orders.py", "line_start": 44}
        }),
    );
}

fn statuses(findings: &[Value]) {
    for (id, source, status, severity, tag) in [
        ("73000110", "reviewing", "in_review", "medium", None),
        ("73000111", "fixing", "open", "critical", None),
        (
            "73000112",
            "provisionally_ignored",
            "in_review",
            "medium",
            None,
        ),
        (
            "73000113",
            "ignored",
            "false_positive",
            "medium",
            Some("triage:false_positive"),
        ),
        (
            "73000114",
            "ignored",
            "risk_accepted",
            "medium",
            Some("triage:acceptable_risk"),
        ),
        (
            "73000115",
            "ignored",
            "risk_accepted",
            "medium",
            Some("triage:no_time"),
        ),
        (
            "73000116",
            "ignored",
            "risk_accepted",
            "medium",
            Some("triage:no_triage_reason"),
        ),
        ("73000117", "ignored", "risk_accepted", "medium", None),
        (
            "73000118",
            "ignored",
            "risk_accepted",
            "medium",
            Some("triage:duplicate"),
        ),
        ("73000119", "open", "open", "medium", None),
        ("73000120", "escalated", "open", "unknown", None),
    ] {
        let finding = of_source(findings, id);
        includes(
            finding,
            &json!({"status": status, "severity": severity, "sightings": [
                {"source_status": source, "source_updated_at": "2026-09-10T08:00:00Z"}
            ]}),
        );
        let tags = finding["tags"].as_array().unwrap();
        let triage = tags
            .iter()
            .find(|t| t.as_str().unwrap().starts_with("triage:"));
        assert_eq!(triage.and_then(Value::as_str), tag, "{id}");
    }
    assert_eq!(
        of_source(findings, "73000120")["sightings"][0]["source_severity"],
        "blocker"
    );
    for never_open in ["73000121", "73000103", "73000177"] {
        assert!(
            !findings.iter().any(|f| f
                .to_string()
                .contains(&format!("\"source_id\":\"{never_open}\""))),
            "{never_open} was fixed, removed, or the same on another ref"
        );
    }
}

fn packages(findings: &[Value]) {
    includes(
        of_source(findings, "73000201"),
        &json!({
            "kind": "component", "title": "lodash: Code Injection", "severity": "high", "status": "open",
            "description": "Commands can be injected.\n\nReachable if you call template()",
            "recommendation": "Update lodash-es to 4.18.0.\nUpdate lodash to 4.17.21.\nUpdate lodash to 5.0.0.",
            "vulnerability_id": "CVE-2021-23337", "cwes": [94], "epss_score": 0.97,
            "component": {"name": "lodash", "version": "4.17.20", "purl": "pkg:npm/lodash@4.17.20", "fixed_version": "4.17.21"},
            "source_location": {"file": "src/a.js", "line_start": 1, "line_end": 1},
            "references": ["https://github.example.com/acme/shop/blob/main/package-lock.json#L25"],
            "tags": ["sca", "confidence:high", "reachability:conditionally reachable", "transitivity:direct", "ref:main",
                "security", "Code Injection"]
        }),
    );
    let malicious = of_source(findings, "73000202");
    includes(
        malicious,
        &json!({
            "severity": "critical", "vulnerability_id": "MAL-2026-77", "source_location": null,
            "component": {"purl": "pkg:npm/%40acme/evil@1.0.0", "fixed_version": null}, "recommendation": null
        }),
    );
    assert_eq!(malicious["tags"][1], "malicious");
    includes(
        of_source(findings, "73000203"),
        &json!({
            "status": "in_review", "vulnerability_id": null,
            "component": {"name": "Some_Package", "purl": "pkg:pypi/some-package@0.1"},
            "tags": ["sca", "confidence:high", "reachability:unreachable", "transitivity:transitive", "ref:main", "security",
                "Code Injection"]
        }),
    );
    includes(
        of_source(findings, "73000204"),
        &json!({"vulnerability_id": null, "component": {"name": "zlib", "version": "1.2.11", "purl": null}}),
    );
    for (id, purl) in [
        ("73000205", "pkg:golang/github.com/gin-gonic/gin@1.2.3"),
        ("73000206", "pkg:cargo/tokio@1.2.3"),
        (
            "73000207",
            "pkg:maven/org.apache.commons/commons-text@1.2.3",
        ),
        ("73000208", "pkg:gem/rails@1.2.3"),
        ("73000209", "pkg:composer/symfony/http-kernel@1.2.3"),
        ("73000210", "pkg:nuget/System.Drawing.Common@1.2.3"),
        ("73000211", "pkg:pub/http@1.2.3"),
        ("73000212", "pkg:swift/github.com/apple/swift-nio@1.2.3"),
        ("73000213", "pkg:hex/phoenix@1.2.3"),
    ] {
        includes(
            of_source(findings, id),
            &json!({"vulnerability_id": "GHSA-35jh-r3h4-6jhm", "component": {"purl": purl}}),
        );
    }
}

fn secrets(findings: &[Value]) {
    includes(
        of_source(findings, "secrets:691234"),
        &json!({
            "kind": "secret", "title": "OpenAI secret", "severity": "high", "status": "open",
            "source_location": {"file": "src/pay.py", "line_start": 232, "line_end": null,
                "url": "https://github.example.com/acme/shop/blob/6ad1/src/pay.py#L232"},
            "references": ["https://tickets.example.com/OPS-9"],
            "tags": ["secrets", "VALIDATION_STATE_CONFIRMED_VALID", "CONFIDENCE_HIGH", "MODE_MONITOR", "ref:main"],
            "sightings": [{
                "record": "acme/shop", "source_severity": "SEVERITY_HIGH", "source_status": "FINDING_STATUS_OPEN",
                "found_at": "2026-06-17T17:23:01.901204Z", "source_updated_at": "2026-06-20T17:33:00.669343Z"
            }]
        }),
    );
    for (id, status, severity, tag) in [
        (
            "691301",
            "risk_accepted",
            "critical",
            "VALIDATION_STATE_CONFIRMED_INVALID",
        ),
        (
            "691302",
            "in_review",
            "medium",
            "VALIDATION_STATE_VALIDATION_ERROR",
        ),
        ("691303", "open", "low", "VALIDATION_STATE_NO_VALIDATOR"),
    ] {
        let secret = of_source(findings, &format!("secrets:{id}"));
        includes(secret, &json!({"status": status, "severity": severity}));
        assert_eq!(secret["tags"][1], tag);
    }
    let gone = |id: &str| !findings.iter().any(|f| f.to_string().contains(id));
    assert!(
        gone("secrets:691304") && gone("secrets:691305"),
        "fixed or removed before they were seen"
    );
}
