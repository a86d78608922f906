//! What arrives: every field, and no credential; how it is asked for, and of which targets.

use std::fs;

use secpull_simulators::probely::{API_KEY, LOGIN_SECRETS, shop};
use serde_json::json;

use super::{API, WEB, includes, installation, of_source, sightings, with_tool};

#[test]
fn every_field_of_every_finding_arrives() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    // What was fixed before it was ever seen open is counted, not stored.
    includes(
        &run,
        &json!({"status": "complete", "new": 11, "unreadable": 0}),
    );
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    let scripting = of_source(&findings, "46aGYvJUPCtW-1");
    includes(
        scripting,
        &json!({
            "kind": "endpoint", "title": "Reflected cross-site scripting", "severity": "high", "status": "open",
            "description": "Input comes back\r\nas HTML.\n\n## Evidence\n\nThe scanner sent *** and got its payload back.",
            "recommendation": "Escape **all** output.", "vulnerability_id": null, "cwes": [79], "product": "Shop",
            "cvss3_score": 6.1, "cvss3_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "cvss4_score": null,
            "endpoint": {"url": "https://shop.example/page/1?pp=1", "method": "GET", "parameter": "pp"},
            "tags": ["sprint-7"], "references": [],
            "sightings": [{
                "connector": "probely", "record": "Shop", "source_severity": "30", "source_status": "notfixed",
                "found_at": "2026-09-01T06:00:00.503243Z", "source_updated_at": "2026-10-01T06:00:01.503243Z",
                "raw": {
                    "id": 1, "last_found": "2026-10-01T06:00:01.503243Z",
                    "target": {"id": WEB, "site": {"name": "Shop", "host": "shop.example", "has_otp": true, "otp_secret": null}},
                },
            }],
        }),
    );
    includes(
        of_source(&findings, "46aGYvJUPCtW-2"),
        &json!({
            "severity": "critical", "cvss3_score": null, "cvss4_score": 9.3,
            "cvss4_vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "endpoint": {"method": "POST"}, "sightings": [{"record": "Shop", "source_severity": "40"}],
        }),
    );
    for (number, severity, status, number_of_vendor, word) in [
        (4, "low", "risk_accepted", json!("10"), "accepted"),
        (5, "unknown", "false_positive", json!("99"), "invalid"),
        (6, "high", "open", json!("30"), "retesting"),
        (7, "high", "open", json!("30"), "fixed"),
        (8, "high", "in_review", json!("30"), "notfixed"),
        (9, "high", "open", json!(null), "from_the_future"),
        (11, "high", "open", json!("30"), "notfixed"),
    ] {
        includes(
            of_source(&findings, &format!("{WEB}-{number}")),
            &json!({
                "severity": severity, "status": status,
                "sightings": [{"source_severity": number_of_vendor, "source_status": word}],
            }),
        );
    }
    includes(
        of_source(&findings, "46aGYvJUPCtW-10"),
        &json!({"description": "Input comes back\r\nas HTML.", "endpoint": {"url": "https://shop.example", "method": null, "parameter": null}}),
    );
    // The same number in another target is another finding, and a minus at the end of a target's id is its own.
    includes(
        of_source(&findings, "AxtkqTE0v3E--2"),
        &json!({
            "title": "Injection", "cwes": [], "tags": ["legacy"],
            "endpoint": {"url": null, "method": "DELETE", "parameter": "item"},
            "sightings": [{"record": "Shop API", "found_at": null, "source_updated_at": null}],
        }),
    );

    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 11}),
    );
}

#[test]
fn nothing_that_the_scanner_logs_in_with_is_kept_or_shown() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "");
    let ran = installation.import("shop").exits(0);
    let shown = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0);
    for secret in LOGIN_SECRETS.iter().chain([&API_KEY]) {
        for text in [&shown.stdout, &ran.stdout, &ran.stderr] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    assert!(shown.stdout.contains("Cookie: ***"), "{}", shown.stdout);
}

#[test]
fn requests_are_as_the_vendor_wants_them() {
    let server = shop().start_blocking().unwrap();
    let installation = with_tool(&server, "page_length = 4", "");
    installation.import("shop").exits(0);
    let requests = server.requests();
    for request in &requests {
        assert_eq!(request.status, Some(200), "{request:?}");
        assert!(request.path.ends_with('/') && !request.path.contains("//"));
        assert!(request.credential && !request.credential_in_url);
        assert_eq!(request.headers["accept"], "application/json");
        assert!(request.headers["user-agent"].starts_with("secpull/"));
    }
    let pages: Vec<_> = requests
        .iter()
        .filter(|request| request.path == "/targets/46aGYvJUPCtW/findings/")
        .map(|request| ["page", "length", "ordering", "state"].map(|name| request.parameter(name)))
        .collect();
    let page = |number| [Some(number), Some("4"), Some("-last_found"), None];
    assert_eq!(pages, [page("1"), page("2"), page("3")]);
}

#[test]
fn check_and_discover_tell_what_the_key_sees() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "target_labels = [\"prod\"]");
    let checked = installation.secpull(&["check"]).exits(0).stdout;
    assert!(
        checked.contains("key accepted, targets visible: 3"),
        "{checked}"
    );
    assert!(
        checked.contains("of which selected: 1, findings of Shop readable"),
        "{checked}"
    );
    let records = installation
        .secpull(&["discover", "probely", "--format", "jsonl"])
        .exits(0)
        .lines();
    assert_eq!(records.len(), 3);
    let of = |id: &str| records.iter().find(|record| record["id"] == id).unwrap();
    includes(
        of(WEB),
        &json!({"name": "Shop", "detail": "https://shop.example, single", "imported": true}),
    );
    includes(of(API), &json!({"name": "Shop API", "imported": false}));

    server.change(|account| account.may_view = false);
    let checked = installation.secpull(&["check"]).exits(1).stdout;
    assert!(
        checked.contains("connected, but the key sees no target"),
        "{checked}"
    );
    server.change(|account| account.may_view = true);

    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    for (from, to, words) in [
        (API_KEY, "not-the-key", "another region"),
        ("/\"\nsecret", "/elsewhere/\"\nsecret", "check `location`"),
    ] {
        installation.write("secpull.toml", &text.replace(from, to));
        let checked = installation.secpull(&["check"]).exits(1);
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert!(
            said.contains(words) && !said.contains("not-the-key"),
            "{said}"
        );
    }
}

#[test]
fn targets_are_chosen_by_id_by_label_and_by_name() {
    let server = shop().start_blocking().unwrap();
    let records = |settings: &str| {
        let installation = installation(&server, settings);
        installation.import("shop").exits(0);
        let mut targets: Vec<_> = sightings(&installation)
            .into_iter()
            .filter_map(|(id, _)| Some(id.rsplit_once('-')?.0.to_owned()))
            .collect();
        targets.dedup();
        targets
    };
    assert_eq!(records(""), [WEB, API]);
    assert_eq!(records("targets = [\"AxtkqTE0v3E-\"]"), [API]);
    assert_eq!(records("target_labels = [\"eu\", \"other\"]"), [WEB]);
    assert_eq!(records("records = { exclude = [\"Shop\"] }"), [API]);
    for (settings, words) in [
        (
            "targets = [\"46aGYvJUPCtW\", \"gone\"]",
            "target gone is not there",
        ),
        ("target_labels = [\"PROD\"]", "has a label of"),
    ] {
        let installation = installation(&server, settings);
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        assert_eq!(run["status"], "failed", "{run}");
        assert!(run["error"].as_str().unwrap().contains(words), "{run}");
    }
    let wrong = installation(&server, "targets = [\"Shop web\"]");
    assert!(
        wrong
            .import("shop")
            .exits(2)
            .stderr
            .contains("is no id of a target")
    );
}
