//! More than a search gives.

use secpull_simulators::sonarqube::{Edition, Hotspot, Issue, Project};
use serde_json::json;

use super::{SHOP, includes, installation, installation_of};
use crate::support::sonarqube::{NEW, server};

/// Imports a project of one second with so many issues, and checks that each was sent once.
fn each_issue_is_read_once(edition: Edition, count: u64) {
    let simulator = server(
        edition,
        vec![Project::new("big", "Big").issues(Issue::many(count, 3))],
    );
    let installation = installation_of(
        &simulator,
        edition,
        "project_key = \"big\"\nhotspots = false\nrule_details = false",
    );
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": count, "unchanged": 0, "updated": 0, "unreadable": 0}),
    );
    // What is gone afterwards is resolved: the slices are believed.
    simulator
        .portfolio()
        .change("big", |project| project.branches[0].issues.truncate(34_900));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 0, "unchanged": 34_900, "resolved": count - 34_900}),
    );
    assert!(
        simulator
            .requests()
            .iter()
            .all(|one| one.status == Some(200))
    );
}

#[test]
fn thirty_five_thousand_issues_of_one_second_are_read_once_each_from_a_server() {
    each_issue_is_read_once(NEW, 35_000);
}

#[test]
fn thirty_five_thousand_issues_of_one_second_are_read_once_each_from_cloud() {
    each_issue_is_read_once(Edition::Cloud, 35_000);
}

#[test]
fn issues_of_all_ages_and_of_one_severity_and_rule_are_told_apart_by_directories_and_files() {
    let issues = (0..24_000).map(|number: i64| {
        let path = format!("src/d{}/f{}.c", number % 7, number % 301);
        let mut issue = Issue::new("java:S3649", &path, u32::try_from(number).unwrap());
        // Half of them trickled in over two years, the other half came at once.
        if number % 2 == 0 {
            issue.created -= number * 2_600;
        }
        issue
    });
    let simulator = server(NEW, vec![Project::new("big", "Big").issues(issues)]);
    let settings = "project_key = \"big\"\nhotspots = false\nrule_details = false";
    let installation = installation(&simulator, settings);
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 24_000}),
    );
    let requests = simulator.requests();
    let directories = requests
        .iter()
        .any(|one| one.parameter("directories").is_some());
    assert!(directories);
}

#[test]
fn what_no_filter_tells_apart_is_not_complete_and_says_so() {
    let issues =
        |count| (0..count).map(|number| Issue::new("java:S3649", "src/generated.c", number));
    let simulator = server(NEW, vec![Project::new("big", "Big").issues(issues(10_500))]);
    let settings = "project_key = \"big\"\nhotspots = false\nrule_details = false";
    let installation = installation(&simulator, settings);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "partial", "new": 10_000, "resolved": 0}),
    );
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("too many for one search"), "{error}");
}

#[test]
fn more_hotspots_than_a_search_gives_are_read_by_status_and_by_file() {
    for edition in [NEW, Edition::Cloud] {
        let hotspots = (0..12_000).map(|number: u32| {
            let path = format!("src/d{}/f{}.c", number % 7, number % 301);
            let hotspot = Hotspot::new("java:S2068", &path, number);
            match number % 10 {
                0 => hotspot.reviewed("SAFE"),
                _ => hotspot,
            }
        });
        let simulator = server(edition, vec![Project::new("big", "Big").hotspots(hotspots)]);
        let settings = "project_key = \"big\"\nrule_details = false";
        let installation = installation_of(&simulator, edition, settings);
        installation.import("shop").exits(0);
        includes(
            &installation.last_run("shop"),
            &json!({"status": "complete", "new": 12_000}),
        );
    }
}

#[test]
fn twenty_thousand_issues_stream() {
    let simulator = server(
        NEW,
        vec![Project::new("com.acme:shop", "Shop").issues(Issue::many(20_000, 5))],
    );
    let installation = installation(&simulator, SHOP);
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
