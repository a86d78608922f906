#![allow(clippy::unwrap_used)]

mod broken;
mod world;

use self::world::{World, filed, judged, severe, shop, weakness};
use super::gather::Room;
use crate::finding::{Kind, Severity, SourceLocation, Status};

#[tokio::test]
async fn what_an_import_has_changed_is_sent_and_the_same_again_touches_nothing() {
    let world = World::new("close_old = 'complete_only'").await;
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +High"]);
    let names = ["Shop", "secpull", "shop"].map(str::to_owned);
    let [product, engagement, title] = names;
    assert_eq!(world.tests(), [(product, engagement, title, 2)]);
    // Nothing has changed: nothing is said.
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.uploads().len(), 1);
    // The whole group is sent for the one that is new.
    world
        .import(&[weakness("1"), weakness("2"), weakness("3")])
        .await;
    world.deliver().await;
    let actions = world.dojo.change(|world| {
        let imports = world.test_imports.iter();
        let last = imports.last().unwrap().1;
        last.actions
            .iter()
            .map(|(_, what)| *what)
            .collect::<String>()
    });
    assert_eq!(actions, "UUN");
    assert_eq!(world.listed().len(), 3);
}

#[tokio::test]
async fn the_upload_is_what_defectdojo_asks_for() {
    let world = World::new("tags = ['secpull', 'Nightly']\ntest_type = 'secpull'").await;
    let filing = filed("Shop", Some("main"), Some("checkout"));
    world
        .import_as("shop", &filing, true, &[weakness("1")])
        .await;
    world.deliver().await;
    let upload = world.uploads().remove(0);
    assert_eq!(upload.path, "/api/v2/reimport-scan/");
    for (name, value) in [
        ("scan_type", "Generic Findings Import"),
        ("product_type_name", "secpull"),
        ("product_name", "Shop"),
        ("engagement_name", "secpull"),
        ("test_title", "shop (branch main, service checkout)"),
        ("auto_create_context", "true"),
        ("close_old_findings", "false"),
        ("service", "checkout"),
        ("branch_tag", "main"),
        ("file", "findings.json"),
    ] {
        assert_eq!(upload.parameter(name), Some(value), "{name}");
    }
    let length = upload.headers["content-length"].parse::<u64>().unwrap();
    assert!(length > 500, "its length is known: {length}");
    for absent in ["minimum_severity", "active", "verified", "scan_date"] {
        assert_eq!(upload.parameter(absent), None);
    }
    let (tags, kind) = world.dojo.change(|world| {
        let test = world.tests.iter().last().unwrap().1;
        let kind = world.test_types.get(test.test_type).unwrap();
        (test.tags.clone(), kind.name.clone())
    });
    assert_eq!(tags, ["secpull", "nightly"]);
    assert_eq!(kind, "secpull Scan (Generic Findings Import)");
    let finding = world.finding("Weakness 1");
    assert_eq!(
        finding.unique_id_from_tool.as_deref(),
        Some("id of 1"),
        "{finding:#?}"
    );
    assert!(
        finding.description.ends_with("\nsecpull-id: id of 1"),
        "{}",
        finding.description
    );
    assert_eq!(finding.service.as_deref(), Some("checkout"));
    // A product that is there needs no type.
    world
        .import_as("shop", &filing, true, &[weakness("1"), weakness("2")])
        .await;
    world.deliver().await;
    assert_eq!(world.uploads()[1].parameter("product_type_name"), None);
}

#[tokio::test]
async fn only_a_whole_import_closes_and_only_where_it_may() {
    let world = World::new("close_old = 'complete_only'").await;
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    // The tool says itself that one is fixed, in an import that did not come to its end.
    let fixed = judged(weakness("2"), Status::Resolved);
    world
        .import_as("shop", &shop(), false, std::slice::from_ref(&fixed))
        .await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +High"]);
    // The next whole one brings nothing new, but what was left open can be closed.
    world.import(&[weakness("1"), fixed.clone()]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 -High"]);
    // And it comes back.
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +High"]);
    // The last findings go: an empty report closes them.
    world.import(&[]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 -High", "Weakness 2 -High"]);
    let closing: Vec<_> = world.uploads().iter().map(closes).collect();
    assert_eq!(closing, [true, false, true, true, true]);
}

fn closes(upload: &secpull_simulators::server::SeenRequest) -> bool {
    upload.parameter("close_old_findings") == Some("true")
}

#[tokio::test]
async fn by_default_nothing_is_ever_closed() {
    let world = World::new("").await;
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    world.import(&[]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +High"]);
    assert!(!world.uploads().iter().any(closes));
}

#[tokio::test]
async fn findings_with_the_same_words_stay_apart() {
    let world = World::new("close_old = 'complete_only'").await;
    let same = ["1", "2", "3"].map(|name| {
        let mut sighting = weakness(name);
        sighting.content.title = "Weak".to_owned();
        sighting
    });
    world.import(&same).await;
    world.deliver().await;
    let mut more = same.to_vec();
    more.push(weakness("4"));
    world.import(&more).await;
    world.deliver().await;
    let expected = ["Weak +High", "Weak +High", "Weak +High", "Weakness 4 +High"];
    assert_eq!(world.listed(), expected);
}

#[tokio::test]
async fn volatile_text_makes_no_new_finding() {
    let world = World::new("close_old = 'complete_only'").await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    let mut later = weakness("1");
    later.content.epss_score = Some(0.9);
    later.content.cvss3_score = Some(9.0);
    later.content.recommendation = Some("Update".to_owned());
    later.found_at = Some(chrono::Utc::now());
    world.import(&[later]).await;
    world.deliver().await;
    assert_eq!(world.uploads().len(), 2);
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
}

#[tokio::test]
async fn a_vendors_edit_or_a_moved_line_makes_no_new_finding() {
    let world = World::new("close_old = 'complete_only'").await;
    let with = |title: &str, line| {
        let mut sighting = weakness("1");
        sighting.content.kind = Kind::Code;
        sighting.content.title = title.to_owned();
        sighting.content.source_location = Some(SourceLocation {
            file: Some("src/a.c".to_owned()),
            line_start: Some(line),
            ..SourceLocation::default()
        });
        sighting
    };
    world.import(&[with("Weak", 7), weakness("2")]).await;
    world.deliver().await;
    for (title, line) in [("Weak", 9), ("Really weak", 9), ("Weak", 7)] {
        let mut edited = weakness("2");
        edited.content.description = Some(format!("Edited, {line}"));
        world.import(&[with(title, line), edited]).await;
        world.deliver().await;
        assert_eq!(world.listed(), ["Weak +High", "Weakness 2 +High"]);
    }
    assert_eq!(world.uploads().len(), 4);
    let severe = severe(with("Weaker", 11), Severity::Low);
    world.import(&[severe, weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weak +Low", "Weakness 2 +High"]);
}

#[tokio::test]
async fn new_severities_and_statuses_are_carried_and_a_persons_decision_stays() {
    let world = World::new("").await;
    let names = ["1", "2", "3", "4"].map(weakness);
    world.import(&names).await;
    world.deliver().await;
    assert_eq!(world.patches(), 0);
    // A person has looked at one.
    world.dojo.change(|world| {
        let mut findings = world.findings.iter_mut();
        let (_, third) = findings.find(|(_, f)| f.title == "Weakness 3").unwrap();
        third.severity = "Medium".to_owned();
    });
    let [one, two, three, four] = names;
    world
        .import(&[
            severe(one.clone(), Severity::Critical),
            judged(two.clone(), Status::FalsePositive),
            severe(three, Severity::Low),
            judged(four, Status::RiskAccepted),
        ])
        .await;
    world.deliver().await;
    assert_eq!(
        world.listed(),
        [
            "Weakness 1 +Critical",
            "Weakness 2 -High",
            "Weakness 3 +Medium",
            "Weakness 4 -High"
        ]
    );
    assert!(world.finding("Weakness 2").false_p);
    assert!(world.finding("Weakness 4").risk_accepted);
    assert_eq!(world.patches(), 3);
    // It was one after all.
    world.import(&[one, two]).await;
    world.deliver().await;
    let second = world.finding("Weakness 2");
    assert!(
        second.active && !second.false_p && !second.is_mitigated,
        "{second:#?}"
    );
    assert_eq!(world.finding("Weakness 1").severity, "High");
}

#[tokio::test]
async fn a_risk_that_cannot_be_accepted_there_holds_nothing_up() {
    let world = World::new("").await;
    world
        .dojo
        .change(|world| world.behaviour.simple_risk_acceptance = false);
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    world
        .import(&[judged(weakness("1"), Status::RiskAccepted)])
        .await;
    world.deliver().await;
    assert_eq!(
        (world.listed(), world.patches()),
        (vec!["Weakness 1 +High".to_owned()], 1)
    );
    world
        .import(&[judged(weakness("1"), Status::RiskAccepted), weakness("2")])
        .await;
    world.deliver().await;
    assert_eq!(world.patches(), 1, "it is not asked for again");
}

#[tokio::test]
async fn what_is_less_severe_is_not_sent_and_what_sinks_stays_open() {
    let world = World::new("minimum_severity = 'High'\nclose_old = 'complete_only'").await;
    let low = severe(weakness("2"), Severity::Low);
    world.import(&[weakness("1"), low.clone()]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
    let sunk = severe(weakness("1"), Severity::Medium);
    world.import(&[sunk, low, weakness("3")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +Medium", "Weakness 3 +High"]);
}

#[tokio::test]
async fn each_api_configuration_branch_and_service_has_a_test_of_its_own() {
    let world = World::new("").await;
    let filings = [
        ("shop", filed("Shop", None, None)),
        ("shop", filed("Shop", Some("main"), None)),
        ("shop", filed("Shop", Some("dev"), Some("checkout"))),
        ("other", filed("Shop", None, None)),
        ("other", filed("Till", None, None)),
    ];
    for (number, (api, filing)) in filings.iter().enumerate() {
        let own = weakness(&number.to_string());
        world.import_as(api, filing, true, &[own]).await;
    }
    world.deliver().await;
    let mut tests: Vec<_> = world
        .tests()
        .into_iter()
        .map(|(product, _, title, findings)| {
            assert_eq!(findings, 1, "{title}");
            format!("{product}: {title}")
        })
        .collect();
    tests.sort();
    assert_eq!(
        tests,
        [
            "Shop: other",
            "Shop: shop",
            "Shop: shop (branch dev, service checkout)",
            "Shop: shop (branch main)",
            "Till: other",
        ]
    );
}

#[tokio::test]
async fn names_that_come_out_the_same_are_told_apart() {
    // `a-b` and `c` make the same as `a` and `b-c`.
    let world = World::new("test_title = '{branch}-{service}{api_configuration}'").await;
    for (branch, service) in [("a-b", "c"), ("a", "b-c")] {
        let filing = filed("Shop", Some(branch), Some(service));
        world
            .import_as("shop", &filing, true, &[weakness("1")])
            .await;
        world.deliver().await;
    }
    let titles: Vec<_> = world.tests().into_iter().map(|test| test.2).collect();
    assert_eq!(titles[0], "a-b-cshop");
    assert!(titles[1].starts_with("a-b-cshop ["), "{titles:?}");
    // And they stay what they are.
    let filing = filed("Shop", Some("a"), Some("b-c"));
    world
        .import_as("shop", &filing, true, &[weakness("1"), weakness("2")])
        .await;
    world.deliver().await;
    let counts: Vec<_> = world.tests().into_iter().map(|test| test.3).collect();
    assert_eq!(counts, [1, 2]);
}

#[tokio::test]
async fn a_finding_goes_as_its_own_api_configuration_sees_it() {
    let world = World::new("from = ['shop']\nclose_old = 'complete_only'").await;
    let mut elsewhere = severe(weakness("1"), Severity::Critical);
    elsewhere.source_id = "another id".to_owned();
    elsewhere.content.title = "In other words".to_owned();
    world.import_as("other", &shop(), true, &[elsewhere]).await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
    // Only the other still sees it.
    world.import(&[]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 -High"]);
}

#[tokio::test]
async fn a_new_forward_gets_all_that_there_is() {
    let mut world = World::new("from = ['other']").await;
    world
        .import(&[weakness("1"), severe(weakness("2"), Severity::Low)])
        .await;
    world.deliver().await;
    assert_eq!(world.uploads().len(), 0);
    world.set_up_anew("minimum_severity = 'high'");
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
    // And so does one whose rules have changed.
    world.set_up_anew("minimum_severity = 'low'");
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +Low"]);
    world.set_up_anew("minimum_severity = 'low'");
    world.deliver().await;
    assert_eq!(world.uploads().len(), 2, "the same is no news");
}

#[tokio::test]
async fn what_is_too_much_for_one_test_goes_into_several_and_stays_where_it_is() {
    let room = Room {
        findings: 2,
        bytes: u64::MAX,
    };
    let world = World::with_room("close_old = 'complete_only'", room).await;
    let many = |names: std::ops::Range<u32>| {
        let names = names.map(|name| weakness(&name.to_string()));
        names.collect::<Vec<_>>()
    };
    world.import(&many(0..5)).await;
    world.deliver().await;
    let tests = |world: &World| {
        let tests = world.tests().into_iter();
        tests.map(|test| (test.2, test.3)).collect::<Vec<_>>()
    };
    let part = |title: &str, findings| (title.to_owned(), findings);
    assert_eq!(
        tests(&world),
        [
            part("shop", 2),
            part("shop (part 2)", 2),
            part("shop (part 3)", 1)
        ]
    );
    // Two go, three come: each into the first test that has room.
    world.import(&many(2..8)).await;
    world.deliver().await;
    let open = world.findings().into_iter().filter(|f| f.active);
    let mut open: Vec<_> = open.map(|f| (f.title, f.test)).collect();
    open.sort();
    assert_eq!(open.len(), 6);
    assert_eq!(open[0], ("Weakness 2".to_owned(), 2));
    assert_eq!(open[2], ("Weakness 4".to_owned(), 3));
    assert_eq!(world.findings().len(), 8, "nothing is in two tests");
}

#[tokio::test]
async fn over_long_texts_and_odd_bytes_are_made_to_fit() {
    let world = World::new("").await;
    let long = "ä".repeat(5000);
    let mut odd = weakness("1");
    odd.content.title = format!("{long}\0");
    odd.content.description = Some("a\0b".to_owned());
    odd.content.vulnerability_id = Some(long.clone());
    odd.content.cvss4_vector = Some(long.clone());
    odd.content.cwes = vec![u32::MAX, 79];
    if let Some(component) = &mut odd.content.component {
        component.version = Some(long.clone());
        component.fixed_version = Some(long.clone());
    }
    let filing = filed(&long, Some(&long), Some(&long));
    world
        .import_as("shop", &filing, true, &[odd, weakness("2")])
        .await;
    world.deliver().await;
    let test = world.tests().remove(0);
    assert_eq!(test.0.chars().count(), 255);
    assert_eq!(test.2.chars().count(), 255);
    assert_eq!(test.3, 2);
    assert_eq!(world.findings()[0].cwe, Some(79));
}

#[tokio::test]
async fn a_test_that_was_deleted_there_comes_back_whole() {
    let world = World::new("").await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    world.dojo.change(|world| world.delete_product(1));
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High", "Weakness 2 +High"]);
}

#[tokio::test]
async fn an_existing_product_of_another_type_is_taken_as_it_is() {
    let world = World::new("").await;
    world.dojo.change(|world| world.add_product("Shop"));
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
}

#[tokio::test]
async fn it_comes_between_the_look_and_the_upload() {
    let world = World::new("").await;
    world.import(&[weakness("1")]).await;
    // The look-up of the product is the first request, the upload the second.
    let add = world.dojo.changing(|world| {
        world.add_product("Shop");
    });
    world.dojo.before_request(2, add);
    world.deliver().await;
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
    assert_eq!(world.uploads().len(), 2);
}

#[tokio::test]
async fn numbers_that_do_not_fit_are_told() {
    let world = World::new("").await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    // Somebody deletes findings while it works.
    let lose = world.dojo.changing(|world| {
        world.findings.retain(|_, _| false);
        world.behaviour.loses = 1;
    });
    world.dojo.before_request(2, lose);
    world.import(&[weakness("1"), weakness("2")]).await;
    world.go().await;
    let problem = world.waits().await.problem.unwrap();
    assert!(
        problem.contains("1 findings in the test after 2 were sent"),
        "{problem}"
    );
    world.later(3600);
    world.deliver().await;
    assert_eq!(world.listed().len(), 2);
}
