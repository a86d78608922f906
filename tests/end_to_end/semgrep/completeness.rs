//! What is concluded from absence, and what is not.

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::{semgrep_package, semgrep_secret};
use secpull_simulators::semgrep::{Project, Rows, Semgrep};
use serde_json::json;

use super::{
    SHOP, codes, deployment, includes, installation, on_main, open_ids, with_code, with_tool,
};

const SMALL_PAGES: &str = "page_size = 100\n";

#[test]
fn what_vanished_is_resolved_and_what_was_triaged_is_not() {
    let simulator = deployment(vec![with_code(1..=5)]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    simulator.deployment().change("acme/shop", |project| {
        project.findings.remove(0);
        project.findings[0].json["status"] = json!("ignored");
        project.findings[0].json["triage_reason"] = json!("false_positive");
        project.findings[1].json["status"] = json!("fixed");
        project.findings[2].json["status"] = json!("removed");
    });
    installation.import("shop").exits(0);
    let mut statuses: Vec<_> = installation
        .findings()
        .iter()
        .map(|f| {
            [&f["sightings"][0]["source_id"], &f["status"]].map(|v| v.as_str().unwrap().to_owned())
        })
        .collect();
    statuses.sort();
    assert_eq!(
        statuses,
        [
            ["1", "resolved"],
            ["2", "false_positive"],
            ["3", "resolved"],
            ["4", "resolved"],
            ["5", "open"]
        ]
    );
}

#[test]
fn lists_of_any_length_are_read_whole_and_only_whole_ones_resolve() {
    for count in [0, 1, 99, 100, 101, 250, 300] {
        let simulator = deployment(vec![Project::new("acme/shop").with_many(count)]);
        let installation = with_tool(
            &simulator,
            SMALL_PAGES,
            &format!("{SHOP}\nissue_types = [\"sast\"]"),
        );
        installation.import("shop").exits(0);
        includes(
            &installation.last_run("shop"),
            &json!({"status": "complete", "new": count}),
        );
        let pages = count.div_ceil(100) + 1;
        let asked = simulator
            .requests()
            .iter()
            .filter(|r| r.path.ends_with("/findings"))
            .count() as u64;
        // What does not fit one page is read twice.
        assert_eq!(
            asked,
            if count > 100 { 2 * pages } else { pages },
            "{count}"
        );
    }
    let simulator = deployment(vec![Project::new("acme/shop").with_many(250)]);
    let installation = with_tool(&simulator, SMALL_PAGES, SHOP);
    installation.import("shop").exits(0);
    simulator
        .deployment()
        .change("acme/shop", |project| project.many = 220);
    simulator.inflict_as(Plan::new(Misfortune::ServerErrorOnPage(1)));
    installation.import("shop").exits(1);
    assert_eq!(installation.last_run("shop")["status"], "partial");
    assert_eq!(open_ids(&installation).len(), 250);
    simulator.calm();
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 220);
}

#[test]
fn a_server_that_gives_fewer_rows_than_were_asked_for_is_read_to_its_empty_page() {
    let project = Project::new("acme/shop")
        .with_many(250)
        .with_secrets(Rows::many(150));
    let simulator = Semgrep::new().projects([project]).clamps_pages(70);
    let simulator = simulator.start_blocking().unwrap();
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 400);
}

#[test]
fn a_finding_that_appears_between_two_pages_hides_none() {
    let simulator = deployment(vec![with_code(1..=150)]);
    let installation = with_tool(
        &simulator,
        SMALL_PAGES,
        &format!("{SHOP}\nissue_types = [\"sast\"]"),
    );
    installation.import("shop").exits(0);
    // Deployment, project, page 0; then the head of the list grows, and row 100 comes again on page 1.
    let appear = simulator.deployment();
    simulator.before_request(4, move || {
        let mut newest = on_main(999);
        newest["relevant_since"] = json!("2026-11-01T00:00:00Z");
        appear.change("acme/shop", |project| {
            *project = project.clone().with("sast", vec![newest]);
        });
    });
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 1, "resolved": 0, "unreadable": 0}),
    );
    assert_eq!(open_ids(&installation).len(), 151);

    // The head shrinks between two pages: one row of the next page is skipped, and the second reading finds it.
    let vanish = simulator.deployment();
    simulator.before_request(4, move || {
        vanish.change("acme/shop", |project| {
            project.findings.retain(|finding| finding.json["id"] != 999)
        });
    });
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["status"], "complete");
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 150);
}

#[test]
fn a_type_that_fails_keeps_what_it_had_and_the_others_go_on() {
    let project = with_code([1, 2])
        .with(
            "sca",
            vec![semgrep_package(
                50,
                "npm",
                "lodash",
                "4.17.20",
                "CVE-2021-23337",
            )],
        )
        .with_secrets(vec![semgrep_secret(5, "AWS", "a:1")]);
    let simulator = deployment(vec![project]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    simulator.deployment().change("acme/shop", |project| {
        project.findings.clear();
        project.findings.extend(with_code([1, 3]).findings);
        project.secrets = Rows::default();
    });
    simulator.inflict_as(Plan::new(Misfortune::TruncatedJson).on("sca"));
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 1, "resolved": 0}));
    let error = run["error"].to_string();
    assert!(error.contains("acme/shop, sca: "), "{error}");
    assert_eq!(
        open_ids(&installation),
        ["- 1", "- 2", "- 3", "- 50", "- secrets:5"]
    );
    simulator.calm();
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["- 1", "- 3"]);
}

#[test]
fn a_deployment_without_secrets_is_told_what_to_leave_out() {
    let simulator = Semgrep::new().projects([with_code([1])]).lacks_secrets();
    let simulator = simulator.start_blocking().unwrap();
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 1}));
    let error = run["error"].to_string();
    assert!(
        error.contains("take \\\"secrets\\\" out of issue_types"),
        "{error}"
    );
    let checked = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("out of issue_types"), "{said}");
}

#[test]
fn a_configured_project_that_is_gone_is_an_error_and_no_empty_list() {
    let simulator = deployment(vec![with_code([1, 2])]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    simulator.deployment().remove("acme/shop");
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "failed", "resolved": 0}));
    assert!(
        run["error"].to_string().contains("there is no project"),
        "{run}"
    );
    assert_eq!(open_ids(&installation), ["- 1", "- 2"]);
}

#[test]
fn a_project_that_goes_while_all_are_read_keeps_its_findings() {
    let shop = with_code([1, 2]);
    let simulator = deployment(vec![
        Project::new("acme/pay").with("sast", codes([7])),
        shop,
    ]);
    let installation = installation(&simulator, "issue_types = [\"sast\"]");
    installation.import("shop").exits(0);
    // Deployment, projects (two pages), two pages of acme/pay; then acme/shop goes.
    let go = simulator.deployment();
    simulator.before_request(6, move || {
        go.remove("acme/shop");
    });
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "resolved": 0}));
    assert!(
        run["error"].to_string().contains("there is no project"),
        "{run}"
    );
    assert_eq!(open_ids(&installation), ["- 1", "- 2", "- 7"]);
    // Then it is missing, which resolves nothing either.
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["- 1", "- 2", "- 7"]);
}

#[test]
fn one_project_that_fails_leaves_the_others_complete_in_what_they_say() {
    let simulator = deployment(vec![
        Project::new("acme/pay").with("sast", codes([7])),
        with_code([1, 2]),
    ]);
    let installation = installation(&simulator, "issue_types = [\"sast\"]");
    simulator.inflict_as(Plan::new(Misfortune::GarbageBehindJson).on("acme/pay"));
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial"}));
    assert!(run["error"].to_string().contains("acme/pay, sast"), "{run}");
    assert!(open_ids(&installation).contains(&"- 1".to_owned()));
}

#[test]
fn a_filter_that_is_not_obeyed_neither_takes_in_nor_resolves() {
    let simulator = deployment(vec![
        with_code([1]),
        Project::new("acme/pay").with("sast", codes([7])),
    ]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    drop(simulator);

    let mut projects = vec![
        Project::new("acme/shop"),
        Project::new("acme/pay").with("sast", codes([7])),
    ];
    let ignoring = |projects: &[Project]| {
        Semgrep::new()
            .projects(projects.to_vec())
            .ignores_repos()
            .start_blocking()
            .unwrap()
    };
    let strange = ignoring(&projects);
    let point_at = |simulator: &super::Simulator| {
        installation.configure(&format!(
            "{}\n[api_configurations.shop]\ntool = \"semgrep\"\nproduct = \"Shop\"\n{SHOP}\n",
            super::tool("semgrep", simulator)
        ));
    };
    point_at(&strange);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("of other projects"), "{error}");
    assert_eq!(open_ids(&installation), ["- 1"]);
    // With rows of its own among them, those count.
    projects[0] = with_code([1]);
    let strange = ignoring(&projects);
    point_at(&strange);
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["- 1"]);
}

#[test]
fn secrets_are_read_to_the_last_cursor_and_one_that_comes_again_proves_nothing() {
    let secrets = |count| Project::new("acme/shop").with_secrets(Rows::many(count));
    let only = format!("{SHOP}\nissue_types = [\"secrets\"]");
    let simulator = deployment(vec![secrets(1200)]);
    let installation = installation(&simulator, &only);
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["new"], 1200);
    let asked = simulator.requests();
    let cursors = asked
        .iter()
        .filter(|request| request.parameter("cursor").is_some());
    assert_eq!(cursors.count(), 2);

    let stuck = Semgrep::new().projects([secrets(3)]).stuck_cursor();
    let stuck = stuck.start_blocking().unwrap();
    let installation = super::installation(&stuck, &only);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "new": 3}));
    assert!(
        run["error"].to_string().contains("a cursor came twice"),
        "{run}"
    );
    assert!(stuck.request_count() < 10);

    let terse = Semgrep::new()
        .projects([secrets(0)])
        .leaves_out_empty_lists();
    let terse = terse.start_blocking().unwrap();
    let installation = super::installation(&terse, &only);
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["status"], "complete");
}
