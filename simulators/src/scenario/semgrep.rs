//! The shop in Semgrep: every type of finding, every word of the vendor's tables, and what one meets beside.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::random::Random;
use crate::semgrep::Project;

/// Three projects. `acme/shop` has code findings of every status, one of them on two refs, packages of every ecosystem, a
/// detection by AI, and secrets of every status; `acme/tools` was never scanned, and `acme/old` is archived.
#[must_use]
pub fn semgrep_shop() -> Vec<Project> {
    let shop = Project::new("acme/shop")
        .with("sast", code_findings())
        .with("sca", package_findings())
        .with("ai_sast", vec![detection()])
        .with_secrets(secrets());
    let mut tools = Project::new("acme/tools");
    tools.latest_scan_at = None;
    tools.primary_branch = None;
    let mut old = Project::new("acme/old").with("sast", vec![code(9, "a.b", "old.py", 1)]);
    old.archived = true;
    vec![shop, tools, old]
}

/// An open code finding of severity high on `main`, with all that the vendor may tell of it.
#[must_use]
pub fn code(id: u64, rule: &str, file: &str, line: u32) -> Value {
    json!({
        "id": id, "ref": "main", "first_seen_scan_id": 30_469_982, "syntactic_id": format!("440e{id:08x}"),
        "match_based_id": format!("{:016x}_0", Random::new(u64::from(line), rule.len() as u64).next()),
        "line_of_code_url": format!("https://github.example.com/acme/shop/blob/39f95450/{file}#L{line}"),
        "status": "open", "state": "unresolved", "triage_state": "untriaged", "triage_reason": null,
        "triage_comment": null, "triaged_at": null, "severity": "high", "confidence": "medium",
        "categories": ["security"], "created_at": "2026-09-01 23:28:12.391807+00:00",
        "relevant_since": "2026-09-02 10:00:00.000001+00:00", "state_updated_at": "2026-09-05T08:00:00.123456Z",
        "rule": {
            "name": rule, "message": "Input from outside reaches this call unchecked.", "confidence": "high",
            "category": "security", "subcategories": ["vuln"], "vulnerability_classes": ["SQL Injection"],
            "cwe_names": ["CWE-89: Improper Neutralization of Special Elements used in an SQL Command"],
            "owasp_names": ["A03:2021 - Injection"]
        },
        "rule_name": rule, "rule_message": null,
        "location": {"file_path": file, "line": line, "column": 8, "end_line": line + 2, "end_column": 16},
        "sourcing_policy": {"id": 120, "name": "Default Policy", "slug": "default-policy"},
        "review_comments": [], "click_to_fix_prs": [], "click_to_fix_failures": []
    })
}

fn triaged(id: u64, status: &str, reason: Option<&str>) -> Value {
    let line = u32::try_from(id % 1000).unwrap_or(1);
    let mut finding = code(id, "python.flask.xss.reflected-xss", "src/pages.py", line);
    finding["status"] = json!(status);
    finding["triage_state"] = json!(if status == "fixed" {
        "untriaged"
    } else {
        status
    });
    finding["triage_reason"] = json!(reason);
    finding["triaged_at"] = json!("2026-09-10T08:00:00Z");
    finding["severity"] = json!("medium");
    finding
}

fn code_findings() -> Vec<Value> {
    let mut full = code(
        73_000_101,
        "python.lang.security.audit.sqli.psycopg-sqli",
        "src/db.py",
        120,
    );
    full["rule"]["cwe_names"] = json!(["CWE-89: SQL Injection", "CWE-943: Query Logic"]);
    full["assistant"] = json!({
        "autofix": {"fix_code": "cursor.execute(query, (value,))", "explanation": ""},
        "autotriage": {"verdict": "false_positive", "reason": "A machine thinks so."},
        "component": {"tag": "user data", "risk": "high"},
        "guidance": {"summary": "Bind the values.", "instructions": "1. Use parameters.\n2. Test."},
        "rule_explanation": {"summary": "x", "explanation": "y"}
    });
    full["external_ticket"] = json!({
        "external_slug": "OPS-158", "url": "https://tickets.example.com/OPS-158", "id": 5, "linked_issue_ids": [73_000_101_u64]
    });
    full["review_comments"] = json!([{"external_discussion_id": "af0", "external_note_id": "5678"}, {"external_note_id": 6}]);
    // The same finding on a pull request: another id, and seen later.
    let mut on_pull_request = full.clone();
    on_pull_request["id"] = json!(73_000_177);
    on_pull_request["ref"] = json!("refs/pull/7/merge");
    on_pull_request["relevant_since"] = json!("2026-09-01 10:00:00+00:00");
    // From before there were rules and places.
    let mut old = code(73_000_102, "java.old.rule-name", "x", 1);
    for field in [
        "rule",
        "location",
        "sourcing_policy",
        "line_of_code_url",
        "categories",
        "confidence",
    ] {
        old[field] = Value::Null;
    }
    old["rule_message"] = json!("What the rule said then.");
    old["severity"] = json!("low");
    old["created_at"] = json!("2020-11-18 23:28:12+00:00");
    old["match_based_id"] = json!("0ld_0");
    let mut removed = code(73_000_103, "a.b.removed", "src/gone.py", 1);
    removed["status"] = json!("removed");
    let mut critical = triaged(73_000_111, "fixing", None);
    critical["severity"] = json!("critical");
    let mut reopened = triaged(73_000_119, "open", None);
    reopened["triage_state"] = json!("reopened");
    let mut muted = triaged(73_000_117, "ignored", None);
    muted["state"] = json!("muted");
    let mut unknown = triaged(73_000_120, "escalated", None);
    unknown["severity"] = json!("blocker");
    vec![
        full,
        on_pull_request,
        old,
        removed,
        triaged(73_000_110, "reviewing", None),
        critical,
        triaged(73_000_112, "provisionally_ignored", None),
        triaged(73_000_113, "ignored", Some("false_positive")),
        triaged(73_000_114, "ignored", Some("acceptable_risk")),
        triaged(73_000_115, "ignored", Some("no_time")),
        triaged(73_000_116, "ignored", Some("no_triage_reason")),
        muted,
        triaged(73_000_118, "ignored", Some("duplicate")),
        reopened,
        unknown,
        triaged(73_000_121, "fixed", None),
    ]
}

/// An open supply-chain finding of severity high on `main`.
#[must_use]
pub fn package(
    id: u64,
    ecosystem: &str,
    package: &str,
    version: &str,
    vulnerability: &str,
) -> Value {
    json!({
        "id": id, "ref": "main", "first_seen_scan_id": 30_469_982, "syntactic_id": "440e", "match_based_id": format!("cf89{id:08x}_0"),
        "line_of_code_url": null, "status": "open", "state": "unresolved", "triage_state": "untriaged", "triage_reason": null,
        "triage_comment": null, "triaged_at": null, "severity": "high", "confidence": "high", "categories": ["security"],
        "created_at": "2026-09-30T07:00:00.391807Z", "relevant_since": "2026-09-30T07:00:00.391807Z", "state_updated_at": null,
        "location": null,
        "rule": {"name": format!("ssc-{id:x}"), "message": "Commands can be injected.", "confidence": "high",
            "category": "security", "subcategories": [], "vulnerability_classes": ["Code Injection"],
            "cwe_names": ["CWE-94: Improper Control of Generation of Code"], "owasp_names": null},
        "vulnerability_identifier": vulnerability, "reachability": "reachable", "reachable_condition": null,
        "is_malicious": false, "usage": null,
        "found_dependency": {"package": package, "version": version, "ecosystem": ecosystem, "transitivity": "direct",
            "lockfile_line_url": null},
        "fix_recommendations": [], "epss_score": null
    })
}

fn package_findings() -> Vec<Value> {
    let mut lodash = package(73_000_201, "npm", "lodash", "4.17.20", "CVE-2021-23337");
    lodash["reachability"] = json!("conditionally reachable");
    lodash["reachable_condition"] = json!("you call template()");
    lodash["found_dependency"]["lockfile_line_url"] =
        json!("https://github.example.com/acme/shop/blob/main/package-lock.json#L25");
    lodash["fix_recommendations"] = json!([
        {"package": "lodash-es", "version": "4.18.0"}, {"package": "lodash", "version": "4.17.21"},
        {"package": "lodash", "version": "5.0.0"}
    ]);
    lodash["epss_score"] = json!({"score": 0.97, "percentile": 0.994});
    lodash["usage"] = json!({"location": {"path": "src/a.js", "start_line": 1, "start_col": 2, "end_line": 1,
        "end_col": 9, "url": "https://github.example.com/x"}, "external_ticket": null});
    lodash["location"] =
        json!({"file_path": "src/a.js", "line": 1, "column": 2, "end_line": 1, "end_column": 9});
    let mut malicious = package(73_000_202, "npm", "@acme/evil", "1.0.0", "MAL-2026-77");
    malicious["is_malicious"] = json!(true);
    malicious["reachability"] = json!("always reachable");
    malicious["severity"] = json!("critical");
    let mut own = package(73_000_203, "pypi", "Some_Package", "0.1", "UNKNOWN-a1b2c3");
    own["reachability"] = json!("unreachable");
    own["status"] = json!("provisionally_ignored");
    own["found_dependency"]["transitivity"] = json!("transitive");
    let mut unnamed = package(73_000_204, "no_package_manager", "zlib", "1.2.11", "");
    unnamed["vulnerability_identifier"] = Value::Null;
    unnamed["reachability"] = json!("no reachability analysis");
    unnamed["found_dependency"]["transitivity"] = json!("unknown");
    let ghsa = "GHSA-35jh-r3h4-6jhm";
    let mut all = vec![lodash, malicious, own, unnamed];
    for (number, (ecosystem, name)) in (205..).zip([
        ("gomod", "github.com/gin-gonic/gin"),
        ("cargo", "tokio"),
        ("maven", "org.apache.commons:commons-text"),
        ("gem", "rails"),
        ("composer", "symfony/http-kernel"),
        ("nuget", "System.Drawing.Common"),
        ("pub", "http"),
        ("swiftpm", "github.com/apple/swift-nio"),
        ("hex", "phoenix"),
    ]) {
        all.push(package(73_000_000 + number, ecosystem, name, "1.2.3", ghsa));
    }
    all
}

fn detection() -> Value {
    let mut finding = code(73_000_301, "ai.detection.idor", "src/orders.py", 44);
    for absent in ["categories", "confidence"] {
        if let Some(members) = finding.as_object_mut() {
            members.remove(absent);
        }
    }
    finding["ai_impact"] = json!("Orders of others can be read.");
    finding["rule"]["cwe_names"] = Value::Null;
    finding
}

/// An open secret of severity high.
#[must_use]
pub fn secret(id: u64, kind: &str, path: &str) -> Value {
    json!({
        "id": id.to_string(), "type": kind, "findingPath": path,
        "findingPathUrl": format!("https://github.example.com/acme/shop/blob/6ad1/{}", path.replace(':', "#L")),
        "ref": "main", "refUrl": "https://github.example.com/acme/shop/tree/main", "ruleHashId": "lBU41LA",
        "severity": "SEVERITY_HIGH", "confidence": "CONFIDENCE_HIGH", "status": "FINDING_STATUS_OPEN",
        "validationState": "VALIDATION_STATE_CONFIRMED_VALID", "mode": "MODE_MONITOR",
        "createdAt": "2026-06-17T17:23:01.901204Z", "updatedAt": "2026-06-20T17:33:00.669343Z",
        "reviewComments": [{"externalDiscussionId": "af0433345acfb74c8f9", "externalNoteId": "5678"}],
        "historicalInfo": {"gitCommit": "6ad1", "gitBlob": "77aa", "gitCommitTimestamp": "2026-06-01T00:00:00Z"}
    })
}

fn secrets() -> Vec<Value> {
    let mut ticketed = secret(691_234, "OpenAI", "src/pay.py:232");
    ticketed["externalTicket"] =
        json!({"externalSlug": "OPS-9", "url": "https://tickets.example.com/OPS-9", "id": "9"});
    let with =
        |id, status: &str, severity: &str, confidence: &str, validation: &str, mode: &str| {
            let mut secret = secret(id, "Heroku", &format!("config.yaml:{}", id % 1000));
            secret["status"] = json!(format!("FINDING_STATUS_{status}"));
            secret["severity"] = json!(format!("SEVERITY_{severity}"));
            secret["confidence"] = json!(format!("CONFIDENCE_{confidence}"));
            secret["validationState"] = json!(format!("VALIDATION_STATE_{validation}"));
            secret["mode"] = json!(format!("MODE_{mode}"));
            secret["ref"] = json!("develop");
            secret
        };
    vec![
        ticketed,
        with(
            691_301,
            "IGNORED",
            "CRITICAL",
            "MEDIUM",
            "CONFIRMED_INVALID",
            "COMMENT",
        ),
        with(
            691_302,
            "PROVISIONALLY_IGNORED",
            "MEDIUM",
            "LOW",
            "VALIDATION_ERROR",
            "BLOCK",
        ),
        with(
            691_303,
            "UNKNOWN",
            "LOW",
            "HIGH",
            "NO_VALIDATOR",
            "DISABLED",
        ),
        with(691_304, "FIXED", "HIGH", "HIGH", "NO_VALIDATOR", "MONITOR"),
        with(
            691_305,
            "REMOVED",
            "HIGH",
            "HIGH",
            "NO_VALIDATOR",
            "MONITOR",
        ),
    ]
}

/// The `number`-th of a project's generated code findings, about 1.5 KB of JSON; the same one each time. Those of lower
/// numbers are relevant since later.
#[must_use]
pub fn many_semgrep(project: u64, number: u64) -> Value {
    let mut random = Random::new(project, number);
    let rule = random.pick(&[
        "python.lang.security.audit.sqli.psycopg-sqli",
        "python.flask.security.xss.reflected-xss",
        "python.lang.security.path-traversal",
        "python.requests.security.ssrf",
    ]);
    let line = u32::try_from(number % 900).unwrap_or(0) + 1;
    let file = format!("src/generated/part{}.py", number / 900);
    let mut finding = code(1_000_000_000 + number, rule, &file, line);
    finding["match_based_id"] = json!(format!("{:016x}{number:08x}_0", random.next()));
    finding["severity"] = json!(random.pick(&["critical", "high", "medium", "low"]));
    let newest = DateTime::from_timestamp(1_788_000_000, 0).unwrap_or_default();
    let seconds = TimeDelta::seconds(i64::try_from(number).unwrap_or(0));
    finding["relevant_since"] = json!(
        (newest - seconds)
            .format("%Y-%m-%d %H:%M:%S+00:00")
            .to_string()
    );
    finding
}

/// The `number`-th generated secret.
#[must_use]
pub fn many_secrets(number: u64) -> Value {
    let path = format!("src/part{}.py:{}", number / 900, number % 900 + 1);
    secret(2_000_000 + number, "AWS", &path)
}
