//! Which scans are read, and what they prove.

use std::fs;

use secpull_simulators::burp::{API_KEY, Burp, Issue, Scan, shop};
use serde_json::json;

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::{DAY, MADE, by_source_id, installation, issue, open, small};
use crate::support::Installation;

const NEXT_DAY: &str = "2026-10-02T06:00:00.000Z";

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
    through_all(&Case {
        name: "Burp",
        secret: API_KEY,
        start: &|name| {
            let server = small(0..60).start_blocking().unwrap();
            let toml = format!(
                "[tools.{name}]\nconnector = \"burp\"\nlocation = \"{}/graphql/v1\"\nsecret = \"{API_KEY}\"\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\nsite_id = \"11\"\npage_size = 20\n",
                server.url()
            );
            (server, toml)
        },
    });
}

#[test]
fn twenty_thousand_issues_need_little_memory() {
    let server = Burp::new().many(20_000).start_blocking().unwrap();
    let installation = installation(&server, "");
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "{peak} KiB");
}
