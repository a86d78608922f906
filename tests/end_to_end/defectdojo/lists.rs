//! Lists: when they are whole, what is concluded from them, and what goes wrong.

use std::fs;

use secpull_simulators::defectdojo::{Finding, TOKEN, World, many};
use secpull_simulators::misfortune::{Misfortune, Plan};
use serde_json::json;

use super::{ids, includes, installation, open, product, shop_of, sightings, started, status_of};
use crate::misfortunes::{Case, IMPATIENT, through_all};

#[test]
fn lists_of_every_length_are_read_to_their_end() {
    for (count, pages) in [(0, 1), (1, 1), (24, 1), (25, 1), (26, 2), (75, 3)] {
        let server = started(shop_of(count));
        let installation = installation(&server, "page_size = 25");
        installation.import("shop").exits(0);
        includes(
            &installation.last_run("shop"),
            &json!({"status": "complete", "new": count}),
        );
        let requests = server.requests();
        let asked = requests
            .iter()
            .filter(|one| one.path == "/api/v2/findings/");
        assert_eq!(asked.count(), pages, "{count}");
    }
    // The server has a limit of its own, which it does not tell.
    let server = started(shop_of(60));
    server.change(|world| world.behaviour.longest_page = 25);
    let installation = installation(&server, "page_size = 100");
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 60);
}

#[test]
fn what_is_closed_marked_or_gone_is_told_and_comes_back() {
    type Change = fn(&mut Finding);
    let server = started(shop_of(3));
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let plain = server.change(|world| world.findings.get(1).unwrap().clone());
    let changes: [(&str, Change); 6] = [
        ("resolved", |finding| finding.is_mitigated = true),
        ("open", |_| {}),
        ("risk_accepted", |finding| finding.risk_accepted = true),
        ("false_positive", |finding| {
            (finding.false_p, finding.is_mitigated) = (true, true)
        }),
        ("not_affected", |finding| finding.out_of_scope = true),
        ("in_review", |finding| {
            (finding.under_review, finding.active) = (true, true)
        }),
    ];
    for (status, change) in changes {
        server.change(|world| {
            let finding = world.findings.get_mut(1).unwrap();
            *finding = plain.clone();
            finding.active = status == "open";
            change(finding);
        });
        installation.import("shop").exits(0);
        assert_eq!(status_of(&installation, 1), status);
    }
    // One is deleted, the other becomes a duplicate: something else stands for it.
    server.change(|world| {
        world.findings.remove(2);
        world.findings.get_mut(3).unwrap().duplicate = true;
    });
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["resolved"], 2);
    server.change(|world| world.findings.get_mut(3).unwrap().duplicate = false);
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["reopened"], 1);
    // No findings of a product that is there is the truth too.
    server.change(|world| world.findings.retain(|_, _| false));
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 0);
}

#[test]
fn a_branch_without_findings_is_known_to_have_none_and_others_stay() {
    let mut world = World::new();
    let main = product(&mut world, "Shop", Some("main"), 2);
    let engagement = world.engagement_of(main).unwrap();
    let release = world.add_test(engagement, "Release");
    world.tests.get_mut(release).unwrap().branch_tag = Some("release".to_owned());
    world.add_finding(Finding::new(release, "On both", "High"));
    let server = started(world);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let branches = |status: &str| {
        let all = sightings(&installation).into_iter();
        let all = all.filter(|(.., own)| own == status);
        all.filter_map(|(_, branch, _)| branch).collect::<Vec<_>>()
    };
    assert_eq!(branches("open"), ["main", "main", "release"]);
    server.change(|world| world.findings.retain(|_, finding| finding.test != release));
    installation.import("shop").exits(0);
    assert_eq!(
        (branches("open"), branches("resolved")),
        (vec!["main".to_owned(); 2], vec!["release".to_owned()])
    );
}

#[test]
fn a_setting_that_reads_less_resolves_nothing_of_the_rest() {
    let mut world = World::new();
    let test = product(&mut world, "Shop", None, 2);
    let engagement = world.add_engagement(1, "Nightly");
    let nightly = world.add_test(engagement, "Scan");
    world.add_finding(Finding::new(nightly, "Of the night", "High"));
    let server = started(world);
    let installation = installation(&server, "dojo_product = \"Shop\"");
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 3);
    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    for settings in [
        format!("dojo_engagement_id = {engagement}"),
        format!("dojo_test_id = {test}"),
        "dojo_product = \"Shop\"\nbranch_tags = false".to_owned(),
    ] {
        let text = text.replace("dojo_product = \"Shop\"", &settings);
        installation.write("secpull.toml", &text);
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        includes(&run, &json!({"status": "complete", "resolved": 0}));
        assert_eq!(ids(&installation).len(), open(&installation), "{settings}");
    }
}

#[test]
fn what_is_not_a_whole_list_of_a_key_that_sees_resolves_nothing() {
    type Change = fn(&mut World);
    let mut world = World::new();
    product(&mut world, "Shop", None, 3);
    product(&mut world, "Web", None, 3);
    let server = started(world);
    let installation = installation(&server, "");
    installation.import("shop").exits(0);
    let healthy = server.change(|world| world.clone());
    let changes: [(&str, Change, i32, &str); 6] = [
        (
            "the user sees nothing any more",
            |world| world.behaviour.visible = Some([].into()),
            1,
            "sees no product",
        ),
        (
            "the count is too high",
            |world| world.behaviour.count = Some(9),
            1,
            "counts 9 rows and gave 3 different ones",
        ),
        (
            "the count is too low",
            |world| world.behaviour.count = Some(1),
            1,
            "more rows than the tool counts",
        ),
        (
            "the filters are not known, and findings of all products come",
            |world| {
                let unknown = &mut world.behaviour.unknown_parameters;
                unknown.insert("test__engagement__product");
            },
            1,
            "which is not listed",
        ),
        (
            "a finding has no id",
            |world| {
                let finding = world.findings.get_mut(1).unwrap();
                finding.other.insert("id".to_owned(), json!(null));
            },
            1,
            "no id",
        ),
        // It becomes missing; its findings stay.
        (
            "one product is hidden",
            |world| world.behaviour.visible = Some([1].into()),
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
        assert!(!error.contains(TOKEN), "{what}: {run}");
        assert_eq!(open(&installation), 6, "{what}: {run}");
        server.change(|world| *world = healthy.clone());
        installation.import("shop").exits(0);
    }
}

#[test]
fn a_product_that_is_hidden_while_it_is_read_is_not_taken_for_an_empty_one() {
    let server = started(shop_of(3));
    let installation = installation(&server, "dojo_product = \"Shop\"");
    installation.import("shop").exits(0);
    // After the product, its engagements and its tests, and before the findings.
    server.before_request(
        4,
        server.changing(|world| world.behaviour.visible = Some([].into())),
    );
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("does not see it any more"), "{run}");
    assert_eq!(open(&installation), 3);
}

#[test]
fn findings_that_go_while_pages_are_read_make_them_read_again() {
    let server = started(shop_of(60));
    let installation = installation(&server, "dojo_product = \"Shop\"\npage_size = 20");
    installation.import("shop").exits(0);
    server.forget_requests();
    // Before the second page: all others move up by one, and one is never seen.
    server.before_request(5, server.changing(|world| drop(world.findings.remove(3))));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 0, "resolved": 0}),
    );
    let requests = server.requests();
    let pages = requests
        .iter()
        .filter(|one| one.path == "/api/v2/findings/");
    assert_eq!(pages.count(), 2 + 3, "until the count changed, and anew");
    // It was seen in the first reading, and is not in the next run.
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["resolved"], 1);
}

#[test]
fn a_test_that_is_added_while_its_product_is_read_is_read_too() {
    let server = started(shop_of(3));
    let installation = installation(&server, "dojo_product = \"Shop\"");
    server.before_request(
        4,
        server.changing(|world| {
            let test = world.add_test(1, "Just now");
            world.tests.get_mut(test).unwrap().branch_tag = Some("new".to_owned());
            world.add_finding(Finding::new(test, "Just now", "High"));
        }),
    );
    installation.import("shop").exits(0);
    let all = sightings(&installation);
    assert_eq!(
        all.last(),
        Some(&(4, Some("new".to_owned()), "open".to_owned()))
    );
}

#[test]
fn one_product_that_fails_spoils_no_other() {
    let mut world = World::new();
    product(&mut world, "Shop", None, 2);
    let web = product(&mut world, "Web", None, 2);
    let server = started(world);
    let installation = installation(&server, "page_size = 30");
    installation.import("shop").exits(0);
    // Nothing but the number of the first product has this digit.
    server.inflict_as(Plan::new(Misfortune::CredentialInAnError).on("1"));
    server.change(|world| world.add_finding(Finding::new(web, "New", "High")));
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 1, "resolved": 0}));
    assert!(run["error"].as_str().unwrap().contains("Shop"), "{run}");
    assert_eq!(ids(&installation), [1, 2, 3, 4, 5]);
}

#[test]
fn defectdojo_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "DefectDojo",
        secret: TOKEN,
        start: &|name| {
            let server = started(shop_of(60));
            let toml = format!(
                "[tools.{name}]\nconnector = \"defectdojo\"\nlocation = \"{}\"\nsecret = \"{TOKEN}\"\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\ndojo_product = \"Shop\"\npage_size = 20\n",
                server.url()
            );
            (server, toml)
        },
    });
}

#[test]
fn twenty_thousand_findings_need_little_memory() {
    let mut world = World::new();
    many(&mut world, 20_000);
    let server = started(world);
    let installation = installation(&server, "page_size = 1000");
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "{peak} KiB");
}
