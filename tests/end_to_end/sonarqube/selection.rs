//! Types, qualities, branches, projects: what is asked for is read, and nothing else is closed.

use std::collections::BTreeSet;

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::sonarqube_shop;
use secpull_simulators::sonarqube::{Edition, Issue, Project, SonarQube};
use serde_json::json;

use super::{SHOP, ids, includes, installation, installation_of, of_path, set};
use crate::support::Installation;
use crate::support::sonarqube::{NEW, server, tool};

#[test]
fn branches_and_pull_requests_are_read_by_name_and_never_close_each_others_findings() {
    let simulator = server(NEW, sonarqube_shop());
    let of = |settings: &str| {
        let installation = installation(&simulator, &format!("{SHOP}{settings}\nhotspots = false"));
        installation.import("shop").exits(0);
        installation
    };
    let release = of("branch = \"release/2.0\"");
    assert_eq!(ids(&release), set(&["release/2.0 AZ-injection-44"]));
    let url = release.findings()[0]["source_location"]["url"].to_string();
    assert!(url.contains("&branch=release%2F2.0"), "{url}");
    assert_eq!(
        ids(&of("pull_request = \"12\"")),
        set(&["12 AZ-injection-13"])
    );
    // The main branch by its name is not asked for by it.
    simulator.forget_requests();
    let main = of("branch = \"main\"");
    assert!(ids(&main).contains("main AZ-injection-12"));
    let requests = simulator.requests();
    assert!(requests.iter().all(|one| one.parameter("branch").is_none()));

    let all = of("branches = \"all\"");
    assert!(ids(&all).contains("main AZ-injection-12"));
    assert!(ids(&all).contains("release/2.0 AZ-injection-44"));
    simulator.portfolio().change("com.acme:shop", |project| {
        project.branches[0]
            .issues
            .retain(|issue| issue.key != "AZ-injection-12");
    });
    all.import("shop").exits(0);
    assert!(!ids(&all).contains("main AZ-injection-12"));
    assert!(ids(&all).contains("release/2.0 AZ-injection-44"));
    // A branch that was purged leaves its findings as they are.
    simulator.portfolio().change("com.acme:shop", |project| {
        project
            .branches
            .retain(|branch| branch.name != "release/2.0");
    });
    all.import("shop").exits(0);
    assert!(ids(&all).contains("release/2.0 AZ-injection-44"));
    release.import("shop").exits(1);
    let error = release.last_run("shop")["error"].to_string();
    assert!(error.contains("on branch release/2.0"), "{error}");
    assert_eq!(ids(&release), set(&["release/2.0 AZ-injection-44"]));
}

#[test]
fn a_setting_that_takes_something_out_closes_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let everything = format!(
        "{SHOP}types = [\"VULNERABILITY\", \"BUG\", \"CODE_SMELL\"]\ndependency_risks = true\nprohibited_licenses = true"
    );
    let installation = installation(&simulator, &everything);
    installation.import("shop").exits(0);
    let before = ids(&installation);
    assert_eq!(before.len(), 17);
    for fewer in [
        format!("{SHOP}hotspots = false\ntypes = [\"BUG\"]\ndependency_risks = true"),
        format!("{SHOP}types = []"),
        format!("{SHOP}software_qualities = [\"SECURITY\"]"),
    ] {
        installation.configure(&format!(
            "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{fewer}\n",
            tool("sonar", &simulator, NEW)
        ));
        installation.import("shop").exits(0);
        assert_eq!(ids(&installation), before, "{fewer}");
    }
}

#[test]
fn qualities_select_issues_whatever_their_type_and_old_servers_cannot() {
    let settings = format!(
        "{SHOP}hotspots = false\nsoftware_qualities = [\"RELIABILITY\", \"MAINTAINABILITY\", \"SECURITY\"]"
    );
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, &settings);
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    // All but the one without impacts and the one that is fixed; the one with two impacts once.
    includes(&run, &json!({"status": "complete", "new": 8}));
    let old = Edition::Server("9.9.8.100196");
    let simulator = server(old, sonarqube_shop());
    let refused = installation_of(&simulator, old, &settings);
    refused.import("shop").exits(1);
    let error = refused.last_run("shop")["error"].to_string();
    assert!(error.contains("they came with 10.2"), "{error}");
    assert_eq!(
        of_path(&simulator.requests(), "/api/issues/search").count(),
        0
    );
}

#[test]
fn a_selection_that_finds_nothing_tells_what_else_there_is() {
    let mut bug = Issue::new("custom:old", "a.c", 1);
    bug.kind = "BUG".to_owned();
    let simulator = server(NEW, vec![Project::new("p", "P").issues([bug])]);
    let installation = installation(&simulator, "project_key = \"p\"");
    let ran = installation.import("shop").exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("none of its 1 issues is of VULNERABILITY"),
        "{said}"
    );
}

#[test]
fn all_projects_are_read_and_one_that_fails_keeps_the_others_from_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let toml = |settings: &str| {
        format!(
            "{}[api_configurations.all]\ntool = \"sonar\"\n{settings}\n",
            tool("sonar", &simulator, NEW)
        )
    };
    let installation = Installation::new(&toml(""));
    installation.import("all").exits(0);
    let products: BTreeSet<_> = installation
        .findings()
        .iter()
        .map(|finding| finding["product"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(products, set(&["com.acme:legacy", "com.acme:shop"]));
    let before = ids(&installation);
    simulator.inflict_as(Plan::new(Misfortune::PermissionLostInTheMiddle).on("com.acme:legacy"));
    simulator.portfolio().change("com.acme:shop", |project| {
        project.branches[0]
            .issues
            .retain(|issue| issue.key != "AZ-orphan");
    });
    installation.import("all").exits(1);
    let run = installation.last_run("all");
    assert_eq!(run["status"], "partial", "{run}");
    assert!(
        run["error"].to_string().contains("com.acme:legacy"),
        "{run}"
    );
    assert_eq!(ids(&installation), before, "a partial run closes nothing");
    simulator.calm();
    installation.import("all").exits(0);
    assert_eq!(ids(&installation).len(), before.len() - 1);
    let listed = installation
        .secpull(&["discover", "sonar", "--format", "jsonl"])
        .exits(0)
        .stdout;
    assert!(listed.contains("com.acme:legacy") && listed.contains("com.acme:shop"));
    assert!(!listed.contains("com.acme:hidden") && !listed.contains("com.acme:app"));
}

#[test]
fn dependency_risks_that_the_edition_lacks_are_missed_only_where_they_are_asked_for() {
    let simulator = SonarQube::new(NEW)
        .projects(sonarqube_shop())
        .without_advanced_security()
        .start_blocking()
        .unwrap();
    installation(&simulator, SHOP).import("shop").exits(0);
    let asking = installation(&simulator, &format!("{SHOP}dependency_risks = true"));
    asking.import("shop").exits(1);
    let run = asking.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 10}));
    assert!(
        run["error"].to_string().contains("Advanced Security"),
        "{run}"
    );
    let cloud = server(Edition::Cloud, sonarqube_shop());
    let settings = format!("{SHOP}dependency_risks = true\nhotspots = false\ntypes = []");
    let installation = installation_of(&cloud, Edition::Cloud, &settings);
    installation.import("shop").exits(0);
    assert_eq!(installation.findings().len(), 4);
}
