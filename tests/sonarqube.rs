//! The connector `sonarqube` against simulated servers and Cloud: what comes, and how often.

#![allow(clippy::unwrap_used)]

mod pulling;

use pulling::{Setup, setup};
use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::sonarqube::{
    Edition, Issue, ORGANIZATION, Project, Simulator, SonarQube, TOKEN,
};

const NEW: Edition = Edition::Server("2025.4.3.113915");
const OLD: Edition = Edition::Server("9.9.8.100196");

/// One API configuration `it` of a tool `sonar` that reads the project `big`.
fn configured(simulator: &Simulator, edition: Edition, settings: &str) -> Setup {
    let organization = match edition {
        Edition::Cloud => format!("organization = \"{ORGANIZATION}\"\n"),
        Edition::Server(_) => String::new(),
    };
    let toml = format!(
        "[tools.sonar]\nconnector = \"sonarqube\"\nlocation = \"{}\"\nsecret = {{ env = \"KEY\" }}\nproxy = \"none\"\n\
         timeout = \"30s\"\n{organization}{settings}\n\
         [api_configurations.it]\nproduct = \"Shop\"\ntool = \"sonar\"\nproject_key = \"big\"\nrule_details = false\nhotspots = false\n",
        simulator.url()
    );
    setup(&toml, TOKEN)
}

async fn started(edition: Edition, issues: u64) -> Simulator {
    let project = Project::new("big", "Big").issues(Issue::many(issues, 7));
    let simulator = SonarQube::new(edition).projects([project]);
    simulator.start().await.unwrap()
}

fn searches(simulator: &Simulator) -> usize {
    let requests = simulator.requests();
    let searches = requests
        .iter()
        .filter(|one| one.path == "/api/issues/search");
    searches.count()
}

#[tokio::test]
async fn thirty_five_thousand_issues_of_one_second_come_once_each() {
    for edition in [NEW, OLD, Edition::Cloud] {
        let simulator = started(edition, 35_000).await;
        let outcome = configured(&simulator, edition, "").pull("it").await;
        outcome.is_complete();
        assert_eq!(outcome.sightings.len(), 35_000, "{edition:?}");
        assert_eq!(outcome.distinct(), 35_000, "{edition:?}");
        assert_eq!(outcome.expected, 35_000, "{edition:?}");
        assert!(outcome.largest_page <= 500);
    }
}

#[tokio::test]
async fn pages_are_asked_for_up_to_the_total_and_no_further() {
    for (count, pages) in [(0, 2), (1, 1), (99, 1), (100, 1), (101, 2), (240, 3)] {
        let simulator = started(NEW, count).await;
        let outcome = configured(&simulator, NEW, "page_size = 100")
            .pull("it")
            .await;
        outcome.is_complete();
        assert_eq!(outcome.distinct() as u64, count);
        // Where nothing is found it is asked once whether there is something else.
        assert_eq!(searches(&simulator), pages, "{count}");
    }
}

#[tokio::test]
async fn a_page_size_that_does_not_divide_the_cap_never_reaches_beyond_it() {
    let simulator = started(NEW, 9_950).await;
    let outcome = configured(&simulator, NEW, "page_size = 300")
        .pull("it")
        .await;
    outcome.is_complete();
    assert_eq!(outcome.sightings.len(), 9_950);
    assert!(
        simulator
            .requests()
            .iter()
            .all(|one| one.status == Some(200))
    );
}

#[tokio::test]
async fn an_issue_that_goes_while_pages_are_read_makes_them_read_again() {
    let simulator = started(NEW, 240).await;
    let portfolio = simulator.portfolio();
    // Version, mode, project, first page.
    simulator.before_request(5, move || {
        portfolio.change("big", |project| drop(project.branches[0].issues.remove(0)));
    });
    let outcome = configured(&simulator, NEW, "page_size = 100")
        .pull("it")
        .await;
    outcome.is_complete();
    assert_eq!(
        searches(&simulator),
        2 + 3,
        "until the total changed, and anew"
    );
}

#[tokio::test]
async fn pages_that_repeat_or_never_end_prove_nothing() {
    for misfortune in [Misfortune::RepeatedPage, Misfortune::EndlessPages] {
        let simulator = started(NEW, 240).await;
        simulator.inflict_as(Plan::new(misfortune));
        let setup = configured(&simulator, NEW, "page_size = 100");
        let outcome = setup.pull("it").await;
        assert!(outcome.end_of("big").is_some(), "{misfortune:?}");
        assert!(searches(&simulator) < 10, "{misfortune:?}");
    }
}

#[tokio::test]
async fn a_project_that_is_gone_proves_nothing_and_is_missed_by_check() {
    let simulator = started(NEW, 3).await;
    let setup = configured(&simulator, NEW, "");
    let line = setup.check("it").await.unwrap();
    assert!(line.contains("3 VULNERABILITY issues"), "{line}");
    let records = setup.discover("sonar").await.unwrap();
    assert_eq!(records[0].id, "big");
    assert!(simulator.portfolio().remove("big"));
    let reason = setup.pull("it").await.proves_nothing();
    assert!(reason.contains("there is no project big"), "{reason}");
    assert!(setup.check("it").await.is_err());
}
