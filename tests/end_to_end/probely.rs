//! Probely, from its simulator to what secpull prints.

use std::fs;
use std::process::Stdio;

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::probely::{
    API_KEY, Account, LOGIN_SECRETS, Probely, Simulator, Target, finding, shop,
};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::{Installation, wait_for};

const WEB: &str = "46aGYvJUPCtW";
const API: &str = "AxtkqTE0v3E-";

fn with_tool(server: &Simulator, tool: &str, settings: &str) -> Installation {
    Installation::new(&format!(
        "[tools.probely]\nconnector = \"probely\"\nlocation = \"{}/\"\nsecret = \"{API_KEY}\"\n{tool}\n\
         [api_configurations.shop]\ntool = \"probely\"\nproduct = \"Shop\"\n{settings}\n",
        server.url()
    ))
}

fn installation(server: &Simulator, settings: &str) -> Installation {
    with_tool(server, "", settings)
}

/// A target with findings of these numbers.
fn target(id: &str, numbers: impl IntoIterator<Item = u64>) -> Target {
    let findings: Vec<_> = numbers.into_iter().map(finding).collect();
    Target::new(id, &format!("Target {id}"), &findings)
}

fn started(targets: impl IntoIterator<Item = Target>) -> Simulator {
    let server = targets.into_iter().fold(Probely::new(), Probely::target);
    server.start_blocking().unwrap()
}

/// Every sighting by its `source_id`, with the status of its own.
fn sightings(installation: &Installation) -> Vec<(String, String)> {
    let mut all: Vec<_> = installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("source_id"), text("status"))
        })
        .collect();
    all.sort();
    all
}

fn open(installation: &Installation) -> usize {
    let all = sightings(installation);
    all.iter().filter(|(_, status)| status == "open").count()
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

#[track_caller]
fn includes(actual: &Value, expected: &Value) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                includes(actual.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (one, other) in actual.iter().zip(expected) {
                includes(one, other);
            }
        }
        _ => assert_eq!(actual, expected),
    }
}

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

#[test]
fn lists_of_every_length_are_read_to_their_end() {
    for count in [0, 1, 19, 20, 21, 100] {
        let mut generated = Target::new("generated000", "Generated", &[]);
        generated.generated = count;
        let server = started([generated]);
        let installation = with_tool(&server, "page_length = 20", "");
        installation.import("shop").exits(0);
        includes(
            &installation.last_run("shop"),
            &json!({"status": "complete", "new": count}),
        );
        let requests = server.requests();
        let pages = requests.iter().filter(|r| r.path.contains("/findings/"));
        assert_eq!(pages.count() as u64, count.div_ceil(20).max(1), "{count}");
    }
    // The server gives fewer at once than it is asked for.
    let server = started([target(WEB, 1..=50)]);
    server.change(|account| account.longest_page = 7);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 50);
}

#[test]
fn what_is_repaired_marked_or_gone_is_told_and_comes_back() {
    let server = started([target(WEB, 1..=3)]);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let status_of = |number: usize| sightings(&installation)[number - 1].1.clone();
    let change = |account: &mut Account, number: usize, member: &str, value: Value| {
        account.target(WEB).unwrap().findings[number - 1][member] = value;
    };
    for (state, status) in [
        ("fixed", "resolved"),
        ("notfixed", "open"),
        ("accepted", "risk_accepted"),
        ("invalid", "false_positive"),
        ("notfixed", "open"),
    ] {
        server.change(|account| change(account, 1, "state", state.into()));
        installation.import("shop").exits(0);
        assert_eq!(status_of(1), status, "{state}");
    }
    let kept = server.change(|account| account.target(WEB).unwrap().findings.remove(2));
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["resolved"], 1);
    assert_eq!(status_of(3), "resolved");
    server.change(|account| account.target(WEB).unwrap().findings.push(kept));
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["reopened"], 1);
    // No findings of a target that is there is the truth too.
    server.change(|account| account.target(WEB).unwrap().findings.clear());
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 0);
}

#[test]
fn what_is_not_a_whole_list_of_a_key_that_sees_resolves_nothing() {
    type Change = fn(&mut Account);
    let server = started([target(WEB, 1..=3), target(API, 1..=3)]);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let healthy = server.change(|account| account.clone());
    let changes: [(&str, Change, i32, &str); 7] = [
        (
            "the view is lost",
            |account| account.may_view = false,
            1,
            "sees no target",
        ),
        (
            "all targets are gone",
            |account| account.targets.clear(),
            1,
            "sees no target",
        ),
        (
            "the count is too high",
            |account| account.count = Some(9),
            1,
            "counts 9 rows and gave 3",
        ),
        (
            "the count is too low",
            |account| account.count = Some(0),
            1,
            "more rows than the tool counts",
        ),
        (
            "a finding is of no target",
            |account| account.targets[0].findings[0]["target"] = Value::Null,
            1,
            "no target.id",
        ),
        (
            "the gateway keeps everybody out",
            |account| account.gateway_refuses = true,
            1,
            "Cloudflare",
        ),
        // It becomes missing; its findings stay.
        (
            "one target is gone",
            |account| drop(account.targets.remove(0)),
            0,
            "",
        ),
    ];
    for (what, change, code, words) in changes {
        server.change(change);
        let ran = installation.import("shop");
        let run = installation.last_run("shop");
        assert_eq!(ran.code, code, "{what}: {run}");
        let error = run["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{what}: {run}");
        assert!(!error.contains(API_KEY), "{what}: {run}");
        assert_eq!(open(&installation), 6, "{what}: {run}");
        server.change(|account| *account = healthy.clone());
        installation.import("shop").exits(0);
    }
}

#[test]
fn a_target_that_vanishes_while_it_is_read_is_not_taken_for_an_empty_one() {
    let server = started([target(WEB, 1..=3)]);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    // After the list of targets, and before the findings.
    let lost = server.changing(|account| account.may_view = false);
    server.before_request(2, lost);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    assert!(
        run["error"]
            .as_str()
            .unwrap()
            .contains("does not see the target any more"),
        "{run}"
    );
    assert_eq!(open(&installation), 3);
}

#[test]
fn findings_that_move_between_pages_are_read_again() {
    let server = started([target(WEB, 1..=30)]);
    let installation = with_tool(&server, "page_length = 10", "");
    installation.import("shop").exits(0);
    server.forget_requests();
    // The oldest is found again between pages one and two: all others move down by one.
    let found_again = server.changing(|account| {
        let oldest = &mut account.target(WEB).unwrap().findings[0];
        oldest["last_found"] = "2026-11-01T00:00:00.000000Z".into();
    });
    server.before_request(3, found_again);
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 0, "resolved": 0}),
    );
    let requests = server.requests();
    let pages = requests.iter().filter(|r| r.path.contains("/findings/"));
    assert_eq!(pages.count(), 6, "the second reading is whole");

    // The last page is gone when it is asked for, and all is well the second time.
    let repaired = server.changing(|account| account.target(WEB).unwrap().findings.truncate(20));
    server.before_request(4, repaired);
    installation.import("shop").exits(0);
    // They were seen in the first reading, and are not in the next run.
    assert_eq!(installation.last_run("shop")["resolved"], 0);
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["resolved"], 10);
}

#[test]
fn one_target_that_fails_spoils_no_other() {
    let server = started([target(WEB, 1..=2), target(API, 1..=2)]);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    server.inflict_as(Plan::new(Misfortune::ServerErrorOnPage(1)).on(WEB));
    server.change(|account| account.target(API).unwrap().findings.push(finding(3)));
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 1, "resolved": 0}));
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("Target 46aGYvJUPCtW"), "{run}");
    server.calm();

    // It was deleted just when it was to be read.
    let deleted = server.changing(|account| drop(account.targets.remove(0)));
    server.before_request(2, deleted);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "resolved": 0}));
    assert_eq!(open(&installation), 5);
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
fn probely_is_never_believed_when_it_should_not_be() {
    let server = started([target(WEB, 1..=60)]);
    let tool = format!("page_length = 20\n{IMPATIENT}");
    let installation = with_tool(&server, &tool, "");
    through_all(&Case {
        name: "Probely",
        installation: &installation,
        secret: API_KEY,
        inflict: &|misfortune| server.inflict(misfortune),
        calm: &|| server.calm(),
    });
    assert!(
        server.requests_elsewhere().is_empty(),
        "followed to another host"
    );
    let runs = installation
        .secpull(&["runs", "--format", "jsonl"])
        .exits(0);
    assert!(!runs.stdout.contains(API_KEY));
}

#[test]
fn twenty_thousand_findings_need_little_memory() {
    let server = Probely::new().many(20_000).start_blocking().unwrap();
    let installation = installation(&server, "");
    let mut child = installation
        .command(&["run", "--standalone", "shop"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = wait_for("the import to end", || {
        let memory = fs::read_to_string(&status).unwrap_or_default();
        let line = memory.lines().find(|line| line.starts_with("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = kibibytes.unwrap_or(0).max(peak);
        child.try_wait().unwrap()
    });
    assert!(ended.success(), "{}", installation.last_run("shop"));
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "{peak} KiB");
}
