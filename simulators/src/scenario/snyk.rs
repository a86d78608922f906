//! The shop in Snyk: every type of issue, and the projects that one meets.

use serde_json::{Value, json};

use crate::random::Random;
use crate::snyk::{ENVIRONMENT, Organization, Project, World};

/// The project of the shop's packages.
pub const SNYK_PACKAGES: &str = "acme/shop:package.json";

/// The project of the shop's code.
pub const SNYK_CODE: &str = "acme/shop";

/// The project of the shop's image.
pub const SNYK_IMAGE: &str = "docker-image|registry.example.com/shop/web";

/// A project that Snyk no longer tests.
pub const SNYK_INACTIVE: &str = "acme/attic:pom.xml";

/// A project that has issues and is not listed.
pub const SNYK_UNLISTED: &str = "acme/new:go.mod";

/// A group of two organizations. `acme` has projects of every sort, with an issue of every type; `acme-labs` has one.
#[must_use]
pub fn snyk_shop() -> World {
    let mut unlisted = Project::new(SNYK_UNLISTED, "gomodules", "main");
    unlisted.is_listed = false;
    let cloud = format!("{ENVIRONMENT}aws production");
    let acme = Organization::new("acme")
        .with(
            Project::new(SNYK_PACKAGES, "npm", "main")
                .tag("team", "blue")
                .tag("pci", "yes"),
        )
        .with(Project::new(SNYK_CODE, "sast", "main"))
        .with(Project::new("acme/infra", "terraformconfig", ""))
        .with(Project::new(SNYK_IMAGE, "deb", "1.2").origin("cli"))
        .with(
            Project::new(
                "shop/deployment.apps/web:registry.example.com/shop/web",
                "deb",
                "",
            )
            .origin("kubernetes"),
        )
        .with(Project::new(SNYK_INACTIVE, "maven", "main").status("inactive"))
        .with(unlisted)
        .issue(SNYK_PACKAGES, command_injection())
        .issue(SNYK_PACKAGES, ignored())
        .issue(SNYK_PACKAGES, license())
        .issue(SNYK_PACKAGES, resolved())
        .issue(SNYK_CODE, sql_injection())
        .issue(SNYK_CODE, secret())
        .issue("acme/infra", bucket())
        .issue(SNYK_IMAGE, of_image())
        .issue(
            "shop/deployment.apps/web:registry.example.com/shop/web",
            of_workload(),
        )
        .issue(SNYK_UNLISTED, of_new_project())
        .issue(SNYK_INACTIVE, of_inactive_project())
        .issue(&cloud, of_cloud());
    let labs = Organization::new("acme-labs")
        .with(Project::new("labs/probe:requirements.txt", "pip", "main"))
        .issue("labs/probe:requirements.txt", of_labs());
    World::of([acme, labs])
}

/// Attributes that every issue has, and these.
fn issue(id: &str, attributes: Value) -> Value {
    let mut all = json!({
        "key": format!("key of {id}"), "effective_severity_level": "high", "status": "open", "ignored": false,
        "created_at": "2026-04-17T01:26:56.55Z", "updated_at": "2026-05-02T10:00:00.120Z",
    });
    if let (Some(all), Value::Object(own)) = (all.as_object_mut(), attributes) {
        all.extend(own);
    }
    json!({"id": id, "attributes": all, "relationships": {
        "test_executions": {"data": [{"id": "00000000-0000-4000-8000-000000000001", "type": "test-workflow-execution"}]},
    }})
}

fn command_injection() -> Value {
    issue(
        "73832c6c-19ff-4a92-850c-2e1ff2800c16",
        json!({
            "key": "SNYK-JS-LODASH-1040724", "title": "Command Injection", "type": "package_vulnerability",
            "description": "## Overview\nTemplates of *lodash* run what they are given.", "tool": "snyk://npm-deps",
            "classes": [
                {"id": "CWE-94", "source": "CWE", "type": "weakness", "url": "https://cwe.mitre.org/data/definitions/94.html"},
                {"id": "CWE-78", "source": "CWE", "type": "weakness"},
                {"id": "A1:2021 – Injection", "source": "OWASP", "type": "compliance"},
            ],
            "problems": [
                {"id": "SNYK-JS-LODASH-1040724", "source": "SNYK", "type": "vulnerability", "updated_at": "2026-04-17T01:26:58.346003Z"},
                {"id": "GHSA-35jh-r3h4-6jhm", "source": "GitHub", "type": "vulnerability"},
                {"id": "CVE-2021-23337", "source": "NVD", "type": "rule", "url": "https://nvd.nist.gov/vuln/detail/CVE-2021-23337"},
            ],
            "severities": [
                {"source": "NVD", "version": "3.1", "score": 8.1, "level": "high", "vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
                 "modification_time": "2026-03-11T09:54:27.540Z"},
                {"source": "Snyk", "version": "3.1", "score": 7.2, "level": "high", "vector": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
                 "modification_time": "2026-03-11T09:54:27.540Z"},
                {"source": "Snyk", "version": "4.0", "score": 8.6, "level": "high",
                 "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                 "modification_time": "2026-03-11T09:54:27.540Z"},
            ],
            "coordinates": [
                {"state": "resolved", "representations": [{"dependency": {"package_name": "lodash", "package_version": "3.0.0"}}]},
                {"state": "open", "is_upgradeable": true, "reachability": "function",
                 "remedies": [
                    {"type": "manual", "description": "Upgrade lodash to 4.17.21 or higher."},
                    {"type": "indeterminate", "meta": {"schema_version": "package_vulnerability/v0",
                        "data": {"fixed_in": ["4.17.21", "5.0.0"], "semver_vulnerable": ["<4.17.21"]}}},
                 ],
                 "representations": [{"dependency": {"package_name": "lodash", "package_version": "4.17.20"}}]},
                {"state": "open", "remedies": [{"type": "manual", "description": "Upgrade lodash to 4.17.21 or higher."}],
                 "representations": [{"dependency": {"package_name": "lodash", "package_version": "4.17.15"}}]},
            ],
            "risk": {"factors": [], "score": {"model": "v4", "value": 514, "updated_at": "2026-05-02T10:00:00Z"}},
            "exploit_details": {"sources": ["CISA"], "maturity_levels": [{"format": "CVSS_v4", "level": "attacked"}]},
        }),
    )
}

fn ignored() -> Value {
    let mut issue = issue(
        "0a5b8f6e-0000-4000-8000-000000000002",
        json!({
            "key": "npm:minimist:20200101", "title": "Prototype Pollution", "type": "package_vulnerability",
            "effective_severity_level": "medium", "ignored": true,
            "problems": [{"id": "npm:minimist:20200101", "source": "snyk", "type": "vulnerability"}],
            "coordinates": [{"state": "open", "reachability": "no-info",
                "representations": [{"dependency": {"package_name": "@acme/minimist", "package_version": "1.2.0"}}]}],
        }),
    );
    issue["relationships"]["ignore"] = json!({"data": {"id": "9", "type": "ignore"}});
    issue
}

fn license() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000003",
        json!({
            "title": "GPL-3.0 license", "type": "license", "effective_severity_level": "low",
            "problems": [{"id": "snyk:lic:npm:copyleft:GPL-3.0", "source": "SNYK", "type": "rule"}],
            "coordinates": [{"state": "open", "representations": [{"dependency": {"package_name": "copyleft", "package_version": "1.0.0"}}]}],
        }),
    )
}

fn resolved() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000004",
        json!({
            "title": "Denial of Service", "type": "package_vulnerability", "status": "resolved",
            "problems": [{"id": "SNYK-JS-OLD-1", "source": "SNYK", "type": "vulnerability"}],
            "resolution": {"type": "fixed", "resolved_at": "2026-05-01T00:00:00Z"},
            "coordinates": [{"state": "resolved", "representations": [{"dependency": {"package_name": "old", "package_version": "1.0.0"}}]}],
        }),
    )
}

fn sql_injection() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000005",
        json!({
            "title": "SQL Injection", "type": "code", "tool": "snyk://code",
            "classes": [{"id": "CWE-89", "source": "CWE", "type": "weakness"}, {"id": "Regel–für–Daten", "source": "SNYK", "type": "rule-category"}],
            "problems": [{"id": "javascript/Sqli", "source": "SNYK", "type": "rule"}],
            "coordinates": [{"state": "open", "representations": [{"sourceLocation": {"file": "src/db.js", "commit_id": "4f2c",
                "region": {"start": {"line": 12, "column": 3}, "end": {"line": 14, "column": 9}}}}]}],
        }),
    )
}

fn secret() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000006",
        json!({
            "title": "AWS access key", "type": "secrets", "effective_severity_level": "critical",
            "problems": [{"id": "aws-access-key", "source": "SNYK", "type": "rule"}],
            "coordinates": [{"state": "open", "representations": [{"sourceLocation": {"file": "deploy.sh"}}]}],
        }),
    )
}

fn bucket() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000007",
        json!({
            "title": "Bucket is not encrypted", "type": "config", "effective_severity_level": "info",
            "problems": [{"id": "SNYK-CC-TF-4", "source": "SNYK", "type": "rule"}],
            "coordinates": [{"state": "open",
                "remedies": [{"type": "rule_result_message", "description": "The bucket shop-data has no encryption."},
                    {"type": "terraform", "description": "Set `server_side_encryption_configuration`."}],
                "representations": [{"resourcePath": "resource > aws_s3_bucket[shop-data]"}]}],
        }),
    )
}

fn of_image() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000008",
        json!({
            "title": "CVE-2023-5363", "type": "package_vulnerability", "effective_severity_level": "critical",
            "problems": [{"id": "SNYK-DEBIAN12-OPENSSL-1", "source": "SNYK", "type": "vulnerability"},
                {"id": "CVE-2023-5363", "source": "CVE", "type": "vulnerability"}],
            "severities": [{"source": "Red Hat", "version": "3.0", "score": 7.5, "level": "high",
                "vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "modification_time": "2026-03-11T09:54:27.540Z"}],
            "coordinates": [{"state": "open", "reachability": "not-applicable",
                "representations": [{"dependency": {"package_name": "openssl/libssl3", "package_version": "3.0.11-1~deb12u1"}}]}],
        }),
    )
}

fn of_workload() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000009",
        json!({
            "title": "CVE-2024-0001", "type": "package_vulnerability", "effective_severity_level": "low",
            "problems": [{"id": "CVE-2024-0001", "source": "NVD", "type": "vulnerability"}],
            "coordinates": [{"state": "open", "representations": [{"dependency": {"package_name": "zlib/zlib1g", "package_version": "1.2"}}]}],
        }),
    )
}

fn of_new_project() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000010",
        json!({
            "title": "Excessive memory", "type": "package_vulnerability", "effective_severity_level": "medium",
            "problems": [{"id": "GHSA-0000-0000-0001", "source": "GHSA", "type": "vulnerability"}],
            "coordinates": [{"state": "open", "reachability": "package",
                "representations": [{"dependency": {"package_name": "golang.org/x/net", "package_version": "0.17.0"}}]}],
        }),
    )
}

fn of_inactive_project() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000011",
        json!({
            "title": "Old trouble", "type": "package_vulnerability",
            "problems": [{"id": "CVE-2020-0001", "source": "NVD", "type": "vulnerability"}],
            "coordinates": [{"state": "open", "representations": [{"dependency": {"package_name": "a:b", "package_version": "1"}}]}],
        }),
    )
}

fn of_cloud() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000012",
        json!({
            "title": "Security group is open", "type": "cloud",
            "problems": [{"id": "SNYK-CC-00001", "source": "SNYK", "type": "rule"}],
            "coordinates": [{"state": "open", "representations": [{"cloud_resource": {
                "environment": {"id": "e", "name": "production", "native_id": "123456789012", "type": "aws"},
                "resource": {"input_type": "cloud_scan", "location": "eu-central-1", "resource_type": "aws_security_group",
                    "native_id": "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-1", "name": "web"}}}]}],
        }),
    )
}

fn of_labs() -> Value {
    issue(
        "0a5b8f6e-0000-4000-8000-000000000013",
        json!({
            "title": "Request smuggling", "type": "package_vulnerability",
            "problems": [{"id": "CVE-2024-1135", "source": "NVD", "type": "vulnerability"}],
            "coordinates": [{"state": "open", "representations": [{"dependency": {"package_name": "gunicorn", "package_version": "20.0"}}]}],
        }),
    )
}

/// Issues that are made when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManyIssues {
    count: u64,
    seed: u64,
}

/// `count` issues of packages of about 2 KB of JSON each; the same for the same seed.
#[must_use]
pub fn many_issues(count: u64, seed: u64) -> ManyIssues {
    ManyIssues { count, seed }
}

impl ManyIssues {
    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one of a number, without its project.
    #[must_use]
    pub fn issue(&self, number: u64) -> Value {
        let mut random = Random::new(self.seed, number);
        let cve = format!("CVE-2026-{:05}", number % 40_000);
        let package = format!("generated-{}", number / 4);
        let words =
            "An attacker can send a crafted request, and its header is read beyond its length. "
                .repeat(12);
        let mut issue = issue(
            &random.uuid(),
            json!({
                "key": format!("SNYK-JS-GENERATED-{number}"), "title": "Out-of-bounds Read", "type": "package_vulnerability",
                "description": words,
                "effective_severity_level": random.pick(&["critical", "high", "medium", "low", "info"]),
                "classes": [{"id": "CWE-125", "source": "CWE", "type": "weakness"}],
                "problems": [{"id": format!("SNYK-JS-GENERATED-{number}"), "source": "SNYK", "type": "vulnerability"},
                    {"id": cve, "source": "NVD", "type": "vulnerability"}],
                "coordinates": [{"state": "open", "reachability": "no-info",
                    "representations": [{"dependency": {"package_name": package, "package_version": "1.0.0"}}]}],
                "risk": {"factors": [], "score": {"model": "v4", "value": random.below(1000)}},
            }),
        );
        issue["type"] = json!("issue");
        issue
    }
}
