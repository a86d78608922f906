//! SonarQube through the real binary: versions and Cloud, more than ten thousand issues, what is not there, every field.

use std::collections::BTreeSet;
use std::time::Duration;

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::sonarqube_shop;
use secpull_simulators::server::SeenRequest;
use secpull_simulators::sonarqube::{
    Branch, Edition, Hotspot, Issue, Project, Simulator, SonarQube, TOKEN,
};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::Installation;
use super::support::sonarqube::{NEW, server, tool};

const SHOP: &str = "project_key = \"com.acme:shop\"\n";

fn installation_of(simulator: &Simulator, edition: Edition, settings: &str) -> Installation {
    Installation::new(&format!(
        "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{settings}\n",
        tool("sonar", simulator, edition)
    ))
}

fn installation(simulator: &Simulator, settings: &str) -> Installation {
    installation_of(simulator, NEW, settings)
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

/// The unresolved sightings: branch, id.
fn ids(installation: &Installation) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for finding in installation.findings() {
        let branch = finding["branch"].as_str().unwrap_or("-");
        for sighting in finding["sightings"].as_array().unwrap() {
            if sighting["status"] != "resolved" {
                let id = sighting["source_id"].as_str().unwrap();
                ids.insert(format!("{branch} {id}"));
            }
        }
    }
    ids
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn of_path<'a>(
    requests: &'a [SeenRequest],
    path: &'a str,
) -> impl Iterator<Item = &'a SeenRequest> + 'a {
    requests.iter().filter(move |one| one.path.ends_with(path))
}

fn with_raw(installation: &Installation) -> Vec<Value> {
    installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines()
}

#[test]
fn every_field_of_issues_hotspots_and_risks_is_imported() {
    let simulator = SonarQube::new(NEW)
        .projects(sonarqube_shop())
        .below("/sonar")
        .start_blocking()
        .unwrap();
    let installation = Installation::new(&format!(
        "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}dependency_risks = true\n",
        tool("sonar", &simulator, NEW).replace("/sonar\"", "/sonar/api/\"")
    ));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 14, "unreadable": 0}),
    );
    let findings = with_raw(&installation);
    let root = simulator.url();
    let injection = of_source(&findings, "AZ-injection-12");
    includes(
        injection,
        &json!({
            "kind": "code", "title": "Change this code to not construct SQL from user <input>.", "product": "Shop",
            "branch": null, "severity": "high", "status": "open",
            "description": "Queries that are put together from input can be changed by it.\n\n#### Why is this an issue?\n\nThe input is **not** checked.",
            "recommendation": "Use parameters of Spring JDBC.", "vulnerability_id": null, "cwes": [20, 89],
            "source_location": {
                "file": "src/main/java/App.java", "line_start": 12, "line_end": 15,
                "url": format!("{root}/project/issues?id=com.acme%3Ashop&issues=AZ-injection-12&open=AZ-injection-12")
            },
            "references": ["https://cwe.mitre.org/data/definitions/89"],
            "tags": ["VULNERABILITY", "java:S3649", "cwe", "team-a", "linux"],
            "sightings": [{
                "connector": "sonarqube", "record": "com.acme:shop", "source_severity": "HIGH", "source_status": "OPEN",
                "found_at": "2026-10-01T07:55:00Z", "source_updated_at": "2026-10-01T07:56:00Z"
            }]
        }),
    );
    assert_eq!(
        injection["sightings"][0]["raw"]["impacts"][0]["softwareQuality"],
        "RELIABILITY"
    );
    for (id, severity, status, word) in [
        ("AZ-confirmed", "critical", "open", "CONFIRMED"),
        ("AZ-false", "medium", "false_positive", "FALSE_POSITIVE"),
        ("AZ-accepted", "low", "risk_accepted", "ACCEPTED"),
        ("AZ-in-a-sandbox", "info", "in_review", "IN_SANDBOX"),
    ] {
        includes(
            of_source(&findings, id),
            &json!({"severity": severity, "status": status, "sightings": [{"source_status": word}]}),
        );
    }
    includes(
        of_source(&findings, "AZ-nameless"),
        &json!({
            "kind": "other", "title": "lint:E1", "severity": "high", "description": null, "cwes": [],
            "source_location": {"file": null, "line_start": null},
            "sightings": [{"source_severity": "CRITICAL"}]
        }),
    );
    includes(
        of_source(&findings, "AZ-orphan"),
        &json!({
            "title": "Mend line 3.", "severity": "low", "description": null,
            "source_location": {"file": "src/a:b.c", "line_start": 3}, "tags": ["VULNERABILITY", "gone:S1", "cwe"]
        }),
    );
    includes(
        of_source(&findings, "AZ-to-review"),
        &json!({
            "kind": "code", "title": "Make sure that line 4 is safe here.", "severity": "high", "status": "open",
            "description": "Credentials in code are found by others.\n\nAsk whether it is one.",
            "recommendation": "Store it elsewhere.", "cwes": [798],
            "source_location": {
                "file": "src/main/java/Login.java", "line_start": 4, "line_end": 4,
                "url": format!("{root}/security_hotspots?id=com.acme%3Ashop&hotspots=AZ-to-review")
            },
            "tags": ["SECURITY_HOTSPOT", "auth", "java:S2068"],
            "sightings": [{"source_severity": "HIGH", "source_status": "TO_REVIEW", "found_at": "2026-10-01T07:55:00Z"}]
        }),
    );
    includes(
        of_source(&findings, "AZ-safe"),
        &json!({"severity": "medium", "status": "not_affected", "sightings": [{"source_status": "REVIEWED/SAFE"}]}),
    );
    includes(
        of_source(&findings, "AZ-acknowledged"),
        &json!({"severity": "low", "status": "risk_accepted"}),
    );
    includes(
        of_source(&findings, "5ca00000-0000-4000-8000-000000000001"),
        &json!({
            "kind": "component", "title": "CVE-2021-44228 in log4j-core", "severity": "critical", "status": "open",
            "vulnerability_id": "CVE-2021-44228", "cvss3_score": 10.0, "cwes": [94],
            "component": {"name": "log4j-core", "version": "2.14.1", "purl": "pkg:maven/org.acme/log4j-core@2.14.1"},
            "tags": ["VULNERABILITY", "maven"],
            "sightings": [{"source_severity": "BLOCKER", "source_status": "OPEN", "found_at": "2026-09-01T10:00:00Z"}]
        }),
    );
    for (number, severity, status) in [
        (2, "high", "open"),
        (3, "medium", "risk_accepted"),
        (4, "low", "not_affected"),
    ] {
        includes(
            of_source(
                &findings,
                &format!("5ca00000-0000-4000-8000-00000000000{number}"),
            ),
            &json!({"severity": severity, "status": status}),
        );
    }
    // Each rule was asked for once.
    let requests = simulator.requests();
    let mut keys: Vec<_> = of_path(&requests, "/api/rules/show")
        .map(|one| one.parameter("key").unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["external_lint:E1", "gone:S1", "java:S2068", "java:S3649"]
    );
    assert_eq!(of_path(&requests, "/api/hotspots/show").count(), 0);
    assert!(requests.iter().all(|one| !one.credential_in_url));

    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 14}),
    );
}

#[test]
fn each_version_is_spoken_to_in_its_own_way() {
    for (edition, components, project, severity) in [
        (
            Edition::Server("8.9.10.61524"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("9.9.8.100196"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("10.1.0.73491"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("10.3.0.82913"),
            "components",
            "project",
            "critical",
        ),
        (
            Edition::Server("10.7.0.96327"),
            "components",
            "project",
            "critical",
        ),
        (
            Edition::Server("25.9.0.112764"),
            "components",
            "project",
            "high",
        ),
        (NEW, "components", "project", "high"),
        (Edition::Cloud, "componentKeys", "projectKey", "high"),
    ] {
        let mut shop = sonarqube_shop();
        if edition == Edition::Cloud {
            // Hotspots cannot be acknowledged there.
            shop[0].branches[0]
                .hotspots
                .retain(|one| one.key != "AZ-acknowledged");
        }
        let simulator = server(edition, shop);
        let installation = installation_of(&simulator, edition, SHOP);
        installation.import("shop").exits(0);
        let findings = installation.findings();
        let expected = if edition == Edition::Cloud { 9 } else { 10 };
        assert_eq!(findings.len(), expected, "{edition:?}");
        let injection = of_source(&findings, "AZ-injection-12");
        assert_eq!(injection["severity"], severity, "{edition:?}");
        includes(
            of_source(&findings, "AZ-accepted"),
            &json!({"status": "risk_accepted"}),
        );
        includes(
            of_source(&findings, "AZ-false"),
            &json!({"status": "false_positive"}),
        );
        includes(
            of_source(&findings, "AZ-to-review"),
            &json!({"cwes": [798], "tags": ["SECURITY_HOTSPOT", "auth", "java:S2068"]}),
        );
        let requests = simulator.requests();
        let versions = of_path(&requests, "/api/server/version").count();
        assert_eq!(
            versions,
            usize::from(edition != Edition::Cloud),
            "asked once"
        );
        for search in of_path(&requests, "/api/issues/search") {
            assert_eq!(search.parameter(components), Some("com.acme:shop"));
            let organization = (edition == Edition::Cloud).then_some("acme-org");
            assert_eq!(search.parameter("organization"), organization);
        }
        for search in of_path(&requests, "/api/hotspots/search") {
            assert_eq!(search.parameter(project), Some("com.acme:shop"));
        }
        assert!(
            requests.iter().all(|one| one.status != Some(401)),
            "{edition:?}"
        );
        // Only servers before 9.7 have to be asked for each hotspot.
        let single = of_path(&requests, "/api/hotspots/show").count();
        let is_old = edition == Edition::Server("8.9.10.61524");
        assert_eq!(single, if is_old { 4 } else { 0 }, "{edition:?}");
    }
}

#[test]
fn the_older_mode_of_a_new_server_counts_the_older_severity() {
    let simulator = SonarQube::new(NEW)
        .projects(sonarqube_shop())
        .standard_experience()
        .start_blocking()
        .unwrap();
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let findings = installation.findings();
    includes(
        of_source(&findings, "AZ-injection-12"),
        &json!({"severity": "critical", "sightings": [{"source_severity": "BLOCKER"}]}),
    );
}

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
fn what_is_not_there_or_not_allowed_is_an_error_and_closes_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let before = ids(&installation);
    assert_eq!(before.len(), 10);
    let portfolio = simulator.portfolio();
    let failed = |word: &str| {
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        let error = run["error"].as_str().unwrap();
        assert_eq!(run["status"], "failed", "{run}");
        assert!(error.contains(word), "{error}");
        assert_eq!(ids(&installation), before);
    };
    // Renamed, forbidden, and turned into an application: each would have no issues.
    portfolio.change("com.acme:shop", |project| {
        project.key = "com.acme:store".to_owned()
    });
    failed("there is no project com.acme:shop");
    portfolio.change("com.acme:store", |project| {
        project.key = "com.acme:shop".to_owned()
    });
    portfolio.change("com.acme:shop", |project| project.browsable = false);
    failed("needs Browse on the project");
    portfolio.change("com.acme:shop", |project| {
        project.browsable = true;
        project.qualifier = "APP".to_owned();
    });
    failed("is an application");
    portfolio.change("com.acme:shop", |project| {
        project.qualifier = "TRK".to_owned()
    });
    installation.import("shop").exits(0);
    assert_eq!(ids(&installation), before);
    // A server that does not know its own filter any more.
    let old = server(Edition::Server("9.9.8.100196"), sonarqube_shop());
    let toml = format!(
        "[tools.sonar]\nconnector = \"sonarqube\"\nlocation = \"{}\"\nsecret = \"{TOKEN}\"\nproxy = \"none\"\n\
         organization = \"acme-org\"\n[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}",
        old.url()
    );
    let mistaken = Installation::new(&toml);
    mistaken.import("shop").exits(1);
    assert_eq!(mistaken.findings().len(), 0);
}

#[test]
fn rows_of_another_project_are_never_taken() {
    let mut projects = sonarqube_shop();
    let stray = &mut projects[0].branches[0].issues[0];
    let _none = stray
        .extra
        .insert("project".to_owned(), json!("com.acme:other"));
    let simulator = server(NEW, projects);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(
        error.contains("rows of project com.acme:other came"),
        "{error}"
    );
    assert_eq!(installation.findings().len(), 0);
}

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
fn rules_that_cannot_be_had_are_missed_and_told_and_fail_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, SHOP);
    simulator.inflict_as(
        Plan::new(Misfortune::ServerError)
            .everywhere()
            .on("/api/rules/show"),
    );
    let ran = installation.import("shop").exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("texts and CWEs of some rules are missing"),
        "{said}"
    );
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 10}),
    );
    simulator.calm();
    installation.import("shop").exits(0);
    let findings = installation.findings();
    let cwes = &of_source(&findings, "AZ-injection-12")["cwes"];
    assert_eq!(*cwes, json!([20, 89]));
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

#[test]
fn check_tells_what_is_wrong_and_what_can_be_read() {
    let check = |simulator: &Simulator, edition, change: (&str, &str), settings: &str| {
        let toml = format!(
            "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{settings}\n",
            tool("sonar", simulator, edition)
        );
        let ran = Installation::new(&toml.replace(change.0, change.1)).secpull(&["check"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(TOKEN), "{said}");
        (ran.code, said)
    };
    let simulator = server(NEW, sonarqube_shop());
    let (code, said) = check(&simulator, NEW, ("", ""), SHOP);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("SonarQube 2025.4, token accepted"), "{said}");
    assert!(
        said.contains("project com.acme:shop readable: 8 VULNERABILITY issues, 4 hotspots"),
        "{said}"
    );
    let other = "sqp_0fAnalysisNotOfUsers";
    for (change, settings, word) in [
        ((TOKEN, other), SHOP, "does not accept the token"),
        (
            ("location = \"http", "location = \"http"),
            "project_key = \"com.acme:hidden\"",
            "Browse",
        ),
        (
            ("", ""),
            "project_key = \"com.acme:typo\"",
            "there is no project",
        ),
        (
            ("", ""),
            "project_key = \"com.acme:app\"",
            "is an application",
        ),
        (("\"\nsecret", "/wrong\"\nsecret"), SHOP, "location"),
    ] {
        let (code, said) = check(&simulator, NEW, change, settings);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(word) && !said.contains(other), "{said}");
    }
    let migrating = SonarQube::new(NEW).status("DB_MIGRATION_NEEDED");
    let migrating = migrating.start_blocking().unwrap();
    let (code, said) = check(&migrating, NEW, ("", ""), SHOP);
    assert!(code == 1 && said.contains("DB_MIGRATION_NEEDED"), "{said}");
    let cloud = server(Edition::Cloud, sonarqube_shop());
    let (code, said) = check(&cloud, Edition::Cloud, ("", ""), SHOP);
    assert!(
        code == 0 && said.contains("organization acme-org"),
        "{said}"
    );
    let (code, said) = check(&cloud, Edition::Cloud, (TOKEN, other), SHOP);
    assert!(
        code == 1 && said.contains("does not accept the token"),
        "{said}"
    );
    let (code, said) = check(
        &simulator,
        NEW,
        ("", ""),
        "project_key = \"https://sonar.example/dashboard?id=shop\"",
    );
    assert!(code == 2 && said.contains("is an address"), "{said}");
}

#[test]
fn sonarqube_is_never_believed_when_it_should_not_be() {
    // The branch is there, or nothing at all could be read without hotspots.
    let project = Project::new("com.acme:shop", "Shop")
        .issues(Issue::many(60, 5))
        .with(Branch::new("release/2.0"));
    let simulator = server(NEW, vec![project]);
    let installation = Installation::new(&format!(
        "{}page_size = 20\n{IMPATIENT}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}",
        tool("sonar", &simulator, NEW)
    ));
    through_all(&Case {
        name: "SonarQube",
        installation: &installation,
        secret: TOKEN,
        inflict: &|misfortune| simulator.inflict(misfortune),
        calm: &|| simulator.calm(),
    });
    assert!(
        simulator.requests_elsewhere().is_empty(),
        "followed to another host"
    );
}

#[test]
fn twenty_thousand_issues_stream() {
    let simulator = server(
        NEW,
        vec![Project::new("com.acme:shop", "Shop").issues(Issue::many(20_000, 5))],
    );
    let installation = installation(&simulator, SHOP);
    let mut child = installation
        .command(&["run", "--standalone", "shop"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(high.unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(ended.success());
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
