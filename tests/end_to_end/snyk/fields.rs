//! Every field of every type of issue.

use secpull_simulators::scenario::{SNYK_CODE, SNYK_PACKAGES, snyk_shop};
use serde_json::{Value, json};

use super::super::support::snyk::serving;
use super::{ACME, LODASH, includes, installation, numbered, of_source};

#[test]
fn every_field_of_every_type_of_issue_is_imported() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 10, "unreadable": 0}),
    );
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    let lodash = of_source(&findings, LODASH);
    includes(
        lodash,
        &json!({
            "product": "Shop", "branch": "main", "kind": "component", "title": "Command Injection", "severity": "high",
            "status": "open",
            "description": "## Overview\nTemplates of *lodash* run what they are given.\n\nAlso at:\n\n* lodash@3.0.0 (resolved)\n* lodash@4.17.15",
            "recommendation": "Upgrade lodash to 4.17.21 or higher.",
            "vulnerability_id": "CVE-2021-23337", "aliases": ["SNYK-JS-LODASH-1040724", "GHSA-35jh-r3h4-6jhm"], "cwes": [78, 94],
            "cvss3_score": 7.2, "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
            "cvss4_score": 8.6, "cvss4_vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "epss_score": null,
            "component": {"name": "lodash", "version": "4.17.20", "purl": "pkg:npm/lodash@4.17.20", "fixed_version": "4.17.21, 5.0.0"},
            "image": null,
            "references": ["https://nvd.nist.gov/vuln/detail/CVE-2021-23337", "https://cwe.mitre.org/data/definitions/94.html",
                "https://security.snyk.io/vuln/SNYK-JS-LODASH-1040724"],
            "tags": ["package_vulnerability", "snyk://npm-deps", "reachability:function", "exploit:attacked", "risk-score:514",
                "A1:2021 – Injection", "team:blue", "pci:yes"],
            "sightings": [{
                "connector": "snyk", "record": SNYK_PACKAGES, "source_id": LODASH, "source_severity": "high", "source_status": "open",
                "found_at": "2026-04-17T01:26:56.550Z", "source_updated_at": "2026-05-02T10:00:00.120Z",
            }],
        }),
    );
    let raw = &lodash["sightings"][0]["raw"];
    assert_eq!(raw["attributes"]["key"], "SNYK-JS-LODASH-1040724");
    assert_eq!(raw["relationships"]["test_executions"], Value::Null);
    includes(
        of_source(&findings, &numbered(2)),
        &json!({
            "status": "risk_accepted", "severity": "medium", "vulnerability_id": "npm:minimist:20200101",
            "component": {"name": "@acme/minimist", "purl": "pkg:npm/%40acme/minimist@1.2.0"},
            "tags": ["package_vulnerability", "ignored", "reachability:no-info", "team:blue", "pci:yes"],
            "sightings": [{"source_status": "open"}],
        }),
    );
    includes(
        of_source(&findings, &numbered(3)),
        &json!({"kind": "component", "severity": "low", "vulnerability_id": null, "aliases": [], "component": {"name": "copyleft"}}),
    );
    includes(
        of_source(&findings, &numbered(5)),
        &json!({
            "kind": "code", "cwes": [89], "source_location": {"file": "src/db.js", "line_start": 12, "line_end": 14},
            "tags": ["code", "snyk://code", "Regel–für–Daten"], "branch": "main", "sightings": [{"record": SNYK_CODE}],
        }),
    );
    includes(
        of_source(&findings, &numbered(6)),
        &json!({"kind": "secret", "severity": "critical", "source_location": {"file": "deploy.sh", "line_start": null}}),
    );
    includes(
        of_source(&findings, &numbered(7)),
        &json!({
            "kind": "other", "severity": "info", "branch": null, "description": "The bucket shop-data has no encryption.",
            "recommendation": "Set `server_side_encryption_configuration`.",
            "tags": ["config", "resource > aws_s3_bucket[shop-data]"], "references": [],
        }),
    );
    includes(
        of_source(&findings, &numbered(8)),
        &json!({
            "kind": "component", "severity": "critical", "vulnerability_id": "CVE-2023-5363", "cvss3_score": 7.5, "branch": null,
            "component": {"name": "openssl/libssl3", "version": "3.0.11-1~deb12u1", "purl": null},
            "image": {"name": "registry.example.com/shop/web", "tag": "1.2"},
        }),
    );
    includes(
        of_source(&findings, &numbered(9)),
        &json!({"kubernetes": {"namespace": "shop", "kind": "deployment.apps", "name": "web"}}),
    );
    includes(
        of_source(&findings, &numbered(10)),
        &json!({
            "vulnerability_id": "GHSA-0000-0000-0001", "branch": "main", "sightings": [{"record": "acme/new:go.mod"}],
            "component": {"purl": "pkg:golang/golang.org/x/net@0.17.0"},
        }),
    );
    includes(
        of_source(&findings, &numbered(12)),
        &json!({
            "kind": "cloud", "sightings": [{"record": "production"}],
            "cloud": {"provider": "aws", "account": "123456789012", "region": "eu-central-1", "resource_type": "aws_security_group",
                "resource_id": "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-1"},
        }),
    );
}

#[test]
fn an_unchanged_import_writes_nothing_though_every_test_has_another_id() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    simulator.customer().change(|world| {
        for issue in &mut world.organization("acme").issues {
            issue["relationships"]["test_executions"]["data"][0]["id"] =
                json!("00000000-0000-4000-8000-000000000002");
        }
    });
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"new": 0, "updated": 0, "unchanged": 10, "resolved": 0}),
    );
}
