//! Burp Suite DAST, from its simulator to what secpull prints.

use std::fs;
use std::process::Stdio;

use secpull_simulators::burp::{API_KEY, Burp, Issue, IssueType, Scan, Simulator, shop};
use serde_json::{Value, json};

use super::misfortunes::{Case, through_all};
use super::support::{Installation, wait_for};

/// Two parameters at one URL, on a server that gives no fingerprint.
const MADE: &str = "11/h:c8f5ac4c62b8bea6fd754d15b9f94c507d8d4953b5f3d43e5638b4ceaa0a5a04";
const DAY: &str = "2026-10-01T06:00:00.000Z";
const NEXT_DAY: &str = "2026-10-02T06:00:00.000Z";

fn installation(server: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!(
        "[tools.burp]\nconnector = \"burp\"\nlocation = \"{}/graphql/v1\"\nsecret = \"{API_KEY}\"\n\
         timeout = \"20s\"\n\
         [api_configurations.shop]\ntool = \"burp\"\nproduct = \"Shop\"\n{settings}\n",
        server.url()
    ))
}

fn issue(number: u64) -> Issue {
    let kind = IssueType {
        index: "5243392".to_owned(),
        name: Some("Cookie".to_owned()),
        ..IssueType::default()
    };
    Issue::new(number, kind)
}

/// A server with one site and one scan of these issues.
fn small(numbers: impl IntoIterator<Item = u64>) -> Burp {
    let issues = numbers.into_iter().map(issue).collect();
    Burp::new()
        .site("11", "Shop")
        .scan(Scan::new("1003", "11", DAY, issues))
}

fn by_source_id(installation: &Installation, id: &str) -> Value {
    let findings = installation
        .secpull(&["findings", "--status", "all", "--format", "jsonl", "--raw"])
        .exits(0)
        .lines();
    findings
        .iter()
        .find(|finding| {
            let sightings = finding["sightings"].as_array().unwrap();
            sightings.iter().any(|s| s["source_id"] == id)
        })
        .unwrap_or_else(|| panic!("no {id} in {findings:#?}"))
        .clone()
}

fn open(installation: &Installation) -> usize {
    let findings = installation.findings();
    findings.iter().filter(|f| f["status"] == "open").count()
}

#[test]
fn every_field_of_every_issue_arrives() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "site_id = \"11\"");
    let ran = installation.import("shop").exits(0);
    assert_eq!(installation.findings().len(), 10);
    let sql = by_source_id(&installation, "11/9f1c");
    for (field, expected) in [
        ("kind", json!("endpoint")),
        ("title", json!("SQL injection")),
        (
            "description",
            json!(
                "The **id** parameter appears to be vulnerable.  \n  \nThe payload **' and 1=1** was submitted.\n\nIt arises when input reaches a `query`."
            ),
        ),
        (
            "recommendation",
            json!("Use parameters:\n\n* always\n* everywhere"),
        ),
        ("severity", json!("high")),
        ("status", json!("open")),
        ("cwes", json!([89, 943])),
        (
            "references",
            json!([
                "https://portswigger.net/web-security/sql-injection",
                "https://example.com/?a=1&b=2"
            ]),
        ),
        (
            "endpoint",
            json!({"url": "https://shop.example.com:8443/api/v1/items", "method": null, "parameter": null}),
        ),
        ("tags", json!(["confidence:certain", "novelty:repeated"])),
        ("vulnerability_id", json!(null)),
        ("cvss3_score", json!(null)),
    ] {
        assert_eq!(
            without_nulls(&sql[field]),
            without_nulls(&expected),
            "{field}: {sql:#}"
        );
    }
    let sighting = &sql["sightings"][0];
    for (field, expected) in [
        ("connector", json!("burp")),
        ("record", json!("Shop")),
        ("source_id", json!("11/9f1c")),
        ("source_severity", json!("high")),
        ("source_status", json!(null)),
        ("found_at", json!(null)),
    ] {
        assert_eq!(sighting[field], expected, "{field}: {sql:#}");
    }
    let updated = sighting["source_updated_at"].as_str().unwrap();
    assert!(updated.starts_with("2026-10-01T09:15:42"), "{updated}");
    let raw = &sighting["raw"];
    let raw: Value = raw
        .as_str()
        .map_or_else(|| raw.clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(
        (&raw["scan_id"], &raw["site_id"]),
        (&json!("1003"), &json!("11"))
    );
    assert_eq!(raw["serial_number"], "6150599811840000101");
    assert!(raw.get("evidence").is_none(), "{raw:#}");

    for (id, title, severity, status, word, tags, url) in [
        (
            "11/marked",
            "Cookie without Secure flag set",
            "medium",
            "false_positive",
            json!("false_positive"),
            json!(["confidence:false_positive", "novelty:first"]),
            "https://shop.example.com/page/102",
        ),
        (
            "11/accepted",
            "Cookie without Secure flag set",
            "low",
            "risk_accepted",
            json!("accepted_risk"),
            json!(["confidence:firm", "novelty:regression"]),
            "https://shop.example.com/page/103",
        ),
        (
            "11/changed",
            "Cookie without Secure flag set",
            "info",
            "open",
            json!(null),
            json!(["confidence:tentative", "novelty:first"]),
            "https://shop.example.com",
        ),
        (
            "11/extension",
            "Secret in page",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first", "extension:Scanner++"]),
            "https://shop.example.com/straße/%2e%2E",
        ),
        (
            "11/bcheck",
            "Burp issue 134217729",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "bcheck:exposed-git"]),
            "https://shop.example.com/page/106",
        ),
        (
            "11/untyped",
            "Burp issue",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/page/107",
        ),
        (
            "11/twice",
            "Cookie without Secure flag set",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/a",
        ),
        (
            "11/twice#2",
            "Cookie without Secure flag set",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/z",
        ),
        (
            MADE,
            "SQL injection",
            "medium",
            "open",
            json!(null),
            json!(["confidence:false_positive", "novelty:first"]),
            "https://shop.example.com/search",
        ),
    ] {
        let finding = by_source_id(&installation, id);
        assert_eq!(finding["title"], title, "{finding:#}");
        assert_eq!(finding["severity"], severity, "{finding:#}");
        assert_eq!(finding["status"], status, "{finding:#}");
        assert_eq!(finding["tags"], tags, "{finding:#}");
        assert_eq!(finding["endpoint"]["url"], url, "{finding:#}");
        assert_eq!(
            finding["sightings"][0]["source_status"], word,
            "{finding:#}"
        );
    }
    assert_eq!(
        by_source_id(&installation, "11/extension")["recommendation"],
        "Take it out."
    );
    let merged = by_source_id(&installation, MADE).to_string();
    assert!(
        merged.contains("6150599811840000110") && merged.contains("6150599811840000111"),
        "{merged}"
    );

    // The newest scan failed; that is said, and the one before is read.
    let run = installation.last_run("shop");
    assert_eq!(run["status"], "complete", "{run}");
    let warning = "the newest scan 1004 is failed; read is scan 1003";
    assert!(ran.stderr.contains(warning), "{ran:#?}");

    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    assert_eq!(
        (&run["new"], &run["updated"], &run["unchanged"]),
        (&json!(0), &json!(0), &json!(10)),
        "{run}"
    );
    let headers: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(
        headers.iter().all(|path| path == "/graphql/v1"),
        "{headers:?}"
    );
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
        other => other.clone(),
    }
}

#[test]
fn a_new_scan_resolves_what_it_no_longer_has_and_reopens_what_is_back() {
    let server = small([1, 2, 3]).start_blocking().unwrap();
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 3);

    // Other serial numbers, the same fingerprints.
    let again = |numbers: &[u64]| {
        numbers
            .iter()
            .map(|&number| Issue {
                serial: (number + 77).to_string(),
                ..issue(number)
            })
            .collect()
    };
    server.change(|world| {
        world
            .scans
            .push(Scan::new("1004", "11", NEXT_DAY, again(&[1, 2])))
    });
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    assert_eq!(
        (&run["new"], &run["resolved"]),
        (&json!(0), &json!(1)),
        "{run}"
    );
    assert_eq!(
        by_source_id(&installation, "11/00000000000000000000000000000003")["status"],
        "resolved"
    );

    server.change(|world| world.scans[1].issues = again(&[1, 2, 3]));
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["reopened"], 1);

    // A mark, and its withdrawal.
    for (marked, status) in [(true, "false_positive"), (false, "open")] {
        server.change(|world| world.scans[1].issues[0].false_positive = marked);
        installation.import("shop").exits(0);
        assert_eq!(
            by_source_id(&installation, "11/00000000000000000000000000000001")["status"],
            status
        );
    }

    // A scan of nothing, that says so, is the truth too.
    server.change(|world| {
        world.scans.push(Scan::new(
            "1005",
            "11",
            "2026-10-03T06:00:00.000Z",
            Vec::new(),
        ))
    });
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 0);
}

#[test]
fn what_is_not_a_whole_healthy_scan_resolves_nothing() {
    type Change = fn(&mut secpull_simulators::burp::World);
    let whole = small([1, 2, 3]);
    let server = whole.start_blocking().unwrap();
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let healthy = server.change(|world| world.clone());
    let changes: [(&str, Change, i32, &str); 10] = [
        (
            "only a failed scan is left",
            |world| world.scans[0].status = "failed".to_owned(),
            0,
            "failed",
        ),
        ("no scan is left", |world| world.scans.clear(), 0, "no scan"),
        ("the site is gone", |world| world.sites.clear(), 0, ""),
        (
            "the counts say more",
            |world| {
                world.scans[0].issues.pop();
                world.scans[0].counted = Some(3);
            },
            1,
            "counts 3 issues and lists 2",
        ),
        (
            "issues is null",
            |world| world.lists_no_issues = true,
            1,
            "no list of issues",
        ),
        (
            "errors come with the data",
            |world| world.complains = true,
            1,
            "no access to some fields",
        ),
        (
            "the tree is denied",
            |world| world.denies = Some(("SiteTree".to_owned(), "Not permitted".to_owned())),
            1,
            "Not permitted",
        ),
        (
            "scans are denied",
            |world| world.denies = Some(("LatestScan".to_owned(), "Not permitted".to_owned())),
            1,
            "permissions to view",
        ),
        (
            "issues are denied",
            |world| world.denies = Some(("ScanIssues".to_owned(), "Not permitted".to_owned())),
            1,
            "Not permitted",
        ),
        (
            "the error holds the key",
            |world| world.denies = Some(("ScanIssues".to_owned(), format!("bad key {API_KEY}"))),
            1,
            "bad key ***",
        ),
    ];
    for (what, change, code, words) in changes {
        server.change(change);
        let ran = installation.import("shop");
        let run = installation.last_run("shop");
        assert_eq!(ran.code, code, "{what}: {run}");
        let said = format!("{run} {}", ran.stderr);
        assert!(said.contains(words), "{what}: {said}");
        assert!(!said.contains(API_KEY), "{what}: {said}");
        assert_eq!(open(&installation), 3, "{what}: {run}");
        server.change(|world| *world = healthy.clone());
        installation.import("shop").exits(0);
    }
    // A page that is shorter than asked for is not the end.
    server.change(|world| world.page_cap = 1);
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 3);
}

#[test]
fn one_site_that_fails_spoils_no_other() {
    let server = small([1])
        .site("12", "Shop")
        .scan(Scan::new("2001", "12", DAY, vec![issue(1), issue(2)]))
        .start_blocking()
        .unwrap();
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    // Its list is cut; what the other site says is taken in, and resolved by the next complete run.
    server.change(|world| {
        world.scans[0].counted = Some(9);
        world.scans[1].issues.pop();
        world.scans[1].issues.push(issue(3));
    });
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    let expected = (&json!("partial"), &json!(1), &json!(0));
    assert_eq!(
        (&run["status"], &run["new"], &run["resolved"]),
        expected,
        "{run}"
    );
    assert!(
        run["error"].as_str().unwrap().contains("site Shop (11)"),
        "{run}"
    );

    // It has no succeeded scan any more: nothing is said of it, and the other site is whole.
    server.change(|world| world.scans[0].status = "cancelled".to_owned());
    let ran = installation.import("shop").exits(0);
    assert!(
        ran.stderr.contains("site Shop (11): no succeeded scan"),
        "{ran:#?}"
    );
    assert_eq!(installation.last_run("shop")["resolved"], 1);
    let first = by_source_id(&installation, "11/00000000000000000000000000000001");
    assert_eq!(first["status"], "open");

    // Alone it is what the import was to read.
    let alone = Installation::new(&format!(
        "[tools.burp]\nconnector = \"burp\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\n\
         [api_configurations.shop]\ntool = \"burp\"\nsite_id = \"11\"\n",
        server.url()
    ));
    alone.import("shop").exits(1);
    assert!(
        alone
            .last_run("shop")
            .to_string()
            .contains("1003, is cancelled")
    );
}

#[test]
fn settings_choose_sites_schedules_and_severities() {
    let server = shop().start_blocking().unwrap();
    let records = |settings: &str, code: i32| {
        let installation = installation(&server, settings);
        installation.import("shop").exits(code);
        let mut ids: Vec<_> = installation
            .findings()
            .iter()
            .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
            .map(|sighting| {
                sighting["source_id"]
                    .as_str()
                    .unwrap()
                    .split('/')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(records("folder_id = \"1\"", 0), ["11"]);
    assert_eq!(
        records("folder_id = \"1\"\ninclude_cids_sites = true", 0),
        ["11", "20"]
    );
    // One of all was never scanned, and one has only a cancelled scan.
    assert_eq!(records("", 0), ["11", "12"]);

    let none = installation(&server, "site_id = \"99\"");
    none.import("shop").exits(1);
    assert!(
        none.last_run("shop")
            .to_string()
            .contains("site 99 not found or not visible")
    );
    let both = installation(&server, "site_id = \"11\"\nfolder_id = \"1\"");
    assert!(both.import("shop").exits(2).stderr.contains("folder_id"));

    // A schedule pins its scans, however much newer others are.
    server.change(|world| {
        world.scans[0].schedule = Some("7".to_owned());
        world.scans[0].issues.truncate(1);
    });
    let pinned = installation(&server, "site_id = \"11\"\nschedule_item_id = \"7\"");
    pinned.import("shop").exits(0);
    assert_eq!(pinned.findings().len(), 1);
}

#[test]
fn a_narrower_severity_takes_in_less_and_resolves_nothing() {
    let server = shop().start_blocking().unwrap();
    let narrow = installation(&server, "site_id = \"11\"\nminimum_severity = \"medium\"");
    narrow.import("shop").exits(0);
    assert_eq!(narrow.findings().len(), 8);

    let wide = installation(&server, "site_id = \"11\"");
    wide.import("shop").exits(0);
    let text = fs::read_to_string(wide.path("secpull.toml")).unwrap();
    wide.write(
        "secpull.toml",
        &format!("{text}minimum_severity = \"high\"\n"),
    );
    wide.import("shop").exits(0);
    assert_eq!(wide.last_run("shop")["resolved"], 0);
    assert_eq!(open(&wide), 8);
}

#[test]
fn old_servers_are_read_whether_they_tell_their_schema_or_not() {
    for tells in [true, false] {
        let server = shop().old().start_blocking().unwrap();
        server.change(|world| world.tells_its_schema = tells);
        let installation = installation(&server, "site_id = \"11\"");
        installation.import("shop").exits(0);
        // Every id is made from type and place.
        assert_eq!(by_source_id(&installation, MADE)["severity"], "medium");
        assert_eq!(installation.findings().len(), 10);
        let marked = installation.findings();
        assert_eq!(
            marked
                .iter()
                .filter(|f| f["status"] == "false_positive")
                .count(),
            1
        );
        installation.import("shop").exits(0);
        assert_eq!(installation.last_run("shop")["unchanged"], 10);
    }
    let server = shop().start_blocking().unwrap();
    server.change(|world| world.tells_its_schema = false);
    let installation = installation(&server, "site_id = \"11\"");
    installation.import("shop").exits(0);
    by_source_id(&installation, "11/9f1c");
}

#[test]
fn evidence_is_kept_on_request_and_without_cookies() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(
        &server,
        "site_id = \"11\"\ninclude_evidence = true\npage_size = 3",
    );
    installation.import("shop").exits(0);
    let finding = by_source_id(&installation, "11/9f1c");
    assert_eq!(finding["endpoint"]["method"], "PUT", "{finding:#}");
    let text = finding.to_string();
    assert!(
        text.contains("syntax error") && text.contains("Cookie: ***"),
        "{text}"
    );
    assert!(!text.contains("session-cookie"), "{text}");
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["unchanged"], 10);
}

#[test]
fn check_and_discover_tell_what_the_key_sees() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "folder_id = \"1\"");
    let checked = installation.secpull(&["check"]).exits(0).stdout;
    assert!(
        checked.contains("Burp Suite DAST, key accepted, scans readable"),
        "{checked}"
    );
    let records = installation
        .secpull(&["discover", "burp", "--format", "jsonl"])
        .exits(0)
        .lines();
    let of = |id: &str| records.iter().find(|record| record["id"] == id).unwrap();
    assert_eq!(
        (&of("11")["name"], &of("11")["detail"]),
        (&json!("Shop"), &json!("All Sites / EU"))
    );
    assert_eq!(
        (&of("11")["imported"], &of("12")["imported"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&of("12")["detail"], records.len()),
        (&json!("All Sites / US"), 5)
    );

    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    for (from, to, words) in [
        (API_KEY, "not-the-key", "API key"),
        ("/graphql/v1", "/elsewhere", "location"),
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
fn burp_is_never_believed_when_it_should_not_be() {
    let server = small(0..60).start_blocking().unwrap();
    let installation = installation(&server, "site_id = \"11\"\npage_size = 20");
    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    installation.write(
        "secpull.toml",
        &text.replace("timeout = \"20s\"", "timeout = \"2s\""),
    );
    through_all(&Case {
        name: "Burp",
        secret: API_KEY,
        installation: &installation,
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
fn twenty_thousand_issues_need_little_memory() {
    let server = Burp::new().many(20_000).start_blocking().unwrap();
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
