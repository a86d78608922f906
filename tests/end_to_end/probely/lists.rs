//! Lists: when they are whole, what is concluded from them, and what goes wrong.

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::probely::{API_KEY, Account, Probely, Target, finding};
use serde_json::{Value, json};

use super::{API, WEB, includes, installation, open, sightings, started, target, with_tool};
use crate::misfortunes::{Case, IMPATIENT, through_all};

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
fn probely_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "Probely",
        secret: API_KEY,
        start: &|name| {
            let server = started([target(WEB, 1..=60)]);
            let toml = format!(
                "[tools.{name}]\nconnector = \"probely\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\n\
                 page_length = 20\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n",
                server.url()
            );
            (server, toml)
        },
    });
}

#[test]
fn twenty_thousand_findings_need_little_memory() {
    let server = Probely::new().many(20_000).start_blocking().unwrap();
    let installation = installation(&server, "");
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "{peak} KiB");
}
