//! What arrives: every field, of which products and branches; how it is asked for.

use std::fs;

use secpull_simulators::defectdojo::{DefectDojo, Finding, TOKEN, shop};
use serde_json::{Value, json};

use super::{ids, includes, installation, of_source, sightings, started, status_of};

#[test]
fn every_field_of_every_finding_arrives() {
    let server = started(shop());
    let installation = installation(&server, "");
    let ran = installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    // Neither the duplicate, nor what secpull forwarded, nor what was closed before it was ever seen open.
    includes(
        &run,
        &json!({"status": "complete", "new": 9, "unreadable": 0}),
    );
    let shown = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0);
    assert!(!shown.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN));
    let findings = shown.lines();
    includes(
        of_source(&findings, 1),
        &json!({
            "kind": "component", "title": "Remote Code Execution in log4j-core", "severity": "critical", "status": "open",
            "description": "Lookups in logged text\r\nload classes from elsewhere.", "recommendation": "Update to 2.17.1.",
            "vulnerability_id": "GHSA-jfh8-c2jp-5v3q", "aliases": ["CVE-2021-44228", "SNYK-JAVA-1"], "cwes": [502, 917],
            "product": "Shop", "branch": "main", "service": null, "epss_score": 0.97,
            "cvss3_score": 10.0, "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "cvss4_score": null,
            "component": {"name": "log4j-core", "version": "2.14.1", "fixed_version": "2.17.1"}, "source_location": null,
            "references": ["https://nvd.nist.gov/vuln/detail/CVE-2021-44228", "https://logging.apache.org/security.html"],
            "tags": ["internet-facing", "sprint-7", "service:checkout"],
            "sightings": [{
                "connector": "defectdojo", "record": "Shop", "source_severity": "Critical", "source_status": "Active, Verified",
                "found_at": "2026-09-01T00:00:00Z", "source_updated_at": "2026-09-01T00:00:00.503243Z",
                "raw": {"id": 1, "test": 1, "unique_id_from_tool": "a1b2", "known_exploited": true, "age": null, "updated": null},
            }],
        }),
    );
    includes(
        of_source(&findings, 2),
        &json!({
            "kind": "code", "severity": "high", "cvss4_score": 9.3, "cvss3_score": null, "cwes": [89],
            "source_location": {"file": "src/login.py", "line_start": 42},
        }),
    );
    for (id, severity, status, words) in [
        (
            4,
            "medium",
            "false_positive",
            "Inactive, Mitigated, False Positive",
        ),
        (5, "medium", "risk_accepted", "Inactive, Risk Accepted"),
        (6, "info", "not_affected", "Inactive, Out Of Scope"),
        (8, "high", "in_review", "Under Review, Active"),
        (9, "info", "in_review", "Inactive"),
    ] {
        includes(
            of_source(&findings, id),
            &json!({"severity": severity, "status": status, "sightings": [{"source_status": words}]}),
        );
    }
    includes(
        of_source(&findings, 10),
        &json!({"product": "Shop", "branch": "release/1.2", "title": "Cross-Site Scripting"}),
    );
    includes(
        of_source(&findings, 12),
        &json!({
            "product": "Warehouse", "branch": null, "severity": "unknown", "status": "open", "cwes": [], "vulnerability_id": null,
            "cvss3_vector": null, "tags": [], "sightings": [{"source_severity": "Catastrophic"}],
        }),
    );
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 9, "resolved": 0}),
    );
}

#[test]
fn requests_are_as_the_vendor_wants_them() {
    let server = DefectDojo::new(shop())
        .below("/dojo")
        .start_blocking()
        .unwrap();
    server.change(|world| world.behaviour.origin = Some("http://inside.invalid:8080".to_owned()));
    let installation = installation(&server, "dojo_product = \"Shop\"\npage_size = 4");
    installation.import("shop").exits(0);
    let requests = server.requests();
    for request in &requests {
        assert_eq!(request.status, Some(200), "{request:?}");
        assert!(request.path.starts_with("/dojo/api/v2/") && request.path.ends_with('/'));
        assert!(!request.path.contains("//"), "{request:?}");
        assert!(request.credential && !request.credential_in_url);
        assert_eq!(request.headers["accept"], "application/json");
    }
    let pages: Vec<_> = requests
        .iter()
        .filter(|request| request.path == "/dojo/api/v2/findings/")
        .map(|request| {
            let names = [
                "limit",
                "offset",
                "o",
                "test__engagement__product",
                "duplicate",
                "not_test__tags",
                "active",
            ];
            names.map(|name| request.parameter(name))
        })
        .collect();
    let page = |offset| {
        [
            Some("4"),
            Some(offset),
            Some("id"),
            Some("1"),
            Some("false"),
            Some("secpull"),
            None,
        ]
    };
    assert_eq!(pages, [page("0"), page("4"), page("8")]);
}

#[test]
fn a_product_an_engagement_or_a_test_can_be_selected() {
    let mut world = shop();
    let second = world.add_engagement(1, "Nightly");
    let test = world.add_test(second, "Scan");
    let other = world.add_finding(Finding::new(test, "Of the night", "High"));
    let server = started(world);
    let read = |settings: &str| {
        let installation = installation(&server, settings);
        installation.import("shop").exits(0);
        ids(&installation)
    };
    let of_main = [1, 2, 4, 5, 6, 8, 9];
    assert_eq!(
        read("dojo_product = \"sHOP\""),
        [&of_main[..], &[10, other]].concat()
    );
    assert_eq!(
        read("dojo_engagement_id = 1"),
        [&of_main[..], &[10]].concat()
    );
    assert_eq!(read(&format!("dojo_engagement_id = {second}")), [other]);
    assert_eq!(read("dojo_test_id = 2"), [10]);
    assert_eq!(read("records = { include = [\"Ware*\"] }"), [12]);
    for (settings, words) in [
        ("dojo_product = \"Sho\"", "there is no product \"Sho\""),
        ("dojo_engagement_id = 99", "there is no engagement 99"),
        ("dojo_test_id = 99", "there is no test 99"),
        ("dojo_test_id = 3", "test 3 is tagged secpull"),
    ] {
        let installation = installation(&server, settings);
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        assert_eq!(run["status"], "failed", "{run}");
        assert!(run["error"].as_str().unwrap().contains(words), "{run}");
    }
    for (settings, words) in [
        (
            "dojo_product = \"Shop\"\ndojo_test_id = 1",
            "is given beside dojo_product",
        ),
        (
            "automatic_import = { branch = \"main\" }",
            "branch_tags reads several branches",
        ),
    ] {
        let installation = installation(&server, settings);
        let told = installation.import("shop").exits(2).stderr;
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn tests_of_all_branches_can_be_read_as_one() {
    let server = started(shop());
    let settings =
        "dojo_product = \"Shop\"\nbranch_tags = false\nautomatic_import = { branch = \"any\" }";
    let installation = installation(&server, settings);
    installation.import("shop").exits(0);
    let all = sightings(&installation);
    assert_eq!(all.len(), 8);
    assert!(
        all.iter()
            .all(|(_, branch, _)| branch.as_deref() == Some("any")),
        "{all:?}"
    );
}

#[test]
fn what_secpull_forwarded_is_not_pulled_back_even_where_the_filter_is_not_known() {
    let server = started(shop());
    server.change(|world| {
        let unknown = &mut world.behaviour.unknown_parameters;
        unknown.extend(["not_test__tags", "duplicate"]);
    });
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "complete", "new": 9}));
    let read = ids(&installation);
    assert!(!read.contains(&11), "forwarded: {read:?}");
    assert!(!read.contains(&3), "a duplicate: {read:?}");
}

#[test]
fn without_what_is_inactive_only_the_active_are_taken_in_and_nothing_known_is_lost() {
    let server = started(shop());
    let all = installation(&server, "");
    all.import("shop").exits(0);
    assert_eq!(ids(&all).len(), 9);
    let text = fs::read_to_string(all.path("secpull.toml")).unwrap();
    all.write("secpull.toml", &format!("{text}include_inactive = false\n"));
    all.import("shop").exits(0);
    includes(
        &all.last_run("shop"),
        &json!({"status": "complete", "resolved": 0}),
    );
    assert_eq!(status_of(&all, 5), "risk_accepted", "it is as it was");

    let active = installation(&server, "include_inactive = false");
    active.import("shop").exits(0);
    assert_eq!(ids(&active), [1, 2, 8, 10, 12]);
    server.change(|world| {
        let finding = world.findings.get_mut(2).unwrap();
        (finding.active, finding.is_mitigated) = (false, true);
    });
    active.import("shop").exits(0);
    assert_eq!(status_of(&active, 2), "resolved");
}

#[test]
fn check_and_discover_tell_what_the_key_sees() {
    let server = started(shop());
    let installation = installation(&server, "dojo_product = \"Shop\"");
    let checked = installation.secpull(&["check"]).exits(0).stdout;
    assert!(
        checked.contains("key of secpull accepted, products visible: 3"),
        "{checked}"
    );
    assert!(checked.contains("Shop readable, findings: 9"), "{checked}");
    let records = installation
        .secpull(&["discover", "dojo", "--format", "jsonl"])
        .exits(0)
        .lines();
    let of = |id: &str| records.iter().find(|record| record["id"] == id).unwrap();
    assert_eq!(records.len(), 3);
    includes(
        of("1"),
        &json!({"name": "Shop", "detail": "Research and Development, tests: 3", "imported": true}),
    );
    includes(of("2"), &json!({"name": "Warehouse", "imported": false}));

    let said = |code: i32| {
        let checked = installation.secpull(&["check"]).exits(code);
        format!("{}{}", checked.stdout, checked.stderr)
    };
    server.change(|world| world.behaviour.visible = Some([2].into()));
    assert!(said(1).contains("there is no product \"Shop\", or the key's user may not see it"));
    server.change(|world| world.behaviour.visible = Some([].into()));
    assert!(said(1).contains("the key's user sees no product"));
    server.change(|world| world.behaviour.visible = None);
    server.change(|world| world.behaviour.tokens_enabled = false);
    assert!(said(1).contains("DD_API_TOKENS_ENABLED"));
    server.change(|world| world.behaviour.tokens_enabled = true);

    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    for (from, to, code, words) in [
        (TOKEN, "not-the-key", 1, "API v2 Key"),
        ("/\"\nsecret", "/elsewhere/\"\nsecret", 1, "without /api/v2"),
        (
            "/\"\nsecret",
            "/api/v2/\"\nsecret",
            2,
            "ends with /api/v2, which secpull adds itself",
        ),
    ] {
        installation.write("secpull.toml", &text.replace(from, to));
        let said = said(code);
        assert!(
            said.contains(words) && !said.contains("not-the-key"),
            "{said}"
        );
    }
}

#[test]
fn an_engagement_is_of_the_product_that_discover_tells() {
    let server = started(shop());
    for (settings, expected) in [
        ("dojo_engagement_id = 2", "Warehouse"),
        ("dojo_test_id = 1", "Shop"),
    ] {
        let installation = installation(&server, settings);
        let records = installation
            .secpull(&["discover", "dojo", "--format", "jsonl"])
            .exits(0)
            .lines();
        let imported = records.iter().filter(|record| record["imported"] == true);
        let imported: Vec<_> = imported.map(|record| &record["name"]).collect();
        assert_eq!(imported, [&Value::from(expected)], "{settings}");
    }
}
