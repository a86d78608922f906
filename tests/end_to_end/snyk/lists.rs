//! Lists and the links between their pages, good and bad ones.

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::snyk::{API_KEY, Quirk, Spelling};
use serde_json::json;

use super::super::misfortunes::{Case, IMPATIENT, through_all};
use super::super::support::snyk::{serving, tool};
use super::{ACME, generated, includes, installation, open};

#[test]
fn requests_are_as_the_api_wants_them() {
    let simulator = serving(generated(250));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let requests = simulator.requests();
    assert!(
        requests.iter().all(|request| {
            request.credential
                && !request.credential_in_url
                && request.status == Some(200)
                && request.parameter("version") == Some("2024-10-15")
                && request.headers.get("accept").map(String::as_str)
                    == Some("application/vnd.api+json")
        }),
        "{requests:#?}"
    );
    let issues: Vec<_> = requests
        .iter()
        .filter(|one| one.path.ends_with("/issues"))
        .collect();
    assert_eq!(issues.len(), 3);
    assert!(issues.iter().all(
        |one| one.parameter("limit") == Some("100") && one.parameter("status") == Some("open")
    ));
    assert_eq!(issues[0].parameter("starting_after"), None);
    assert_eq!(requests[0].parameter("slug"), Some("acme"));
    // A UUID needs no looking up.
    let id = simulator
        .customer()
        .change(|world| world.organization("acme").id.clone());
    simulator.forget_requests();
    let by_id = self::installation(&simulator, &format!("organization = \"{id}\""));
    by_id.import("shop").exits(0);
    assert!(
        simulator
            .requests()
            .iter()
            .all(|one| one.path != "/rest/orgs")
    );
}

#[test]
fn links_are_followed_in_every_spelling_and_over_empty_pages() {
    for spelling in Spelling::ALL {
        let mut world = generated(250);
        world.spelling = spelling;
        let simulator = serving(world);
        let installation = installation(&simulator, ACME);
        installation.import("shop").exits(0);
        assert_eq!(open(&installation), 250, "{spelling:?}");
    }
    for quirk in [Quirk::EmptyPages, Quirk::EmptyCircle] {
        let mut world = generated(250);
        world.quirk = Some(quirk.clone());
        let simulator = serving(world);
        let installation = installation(&simulator, ACME);
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        includes(&run, &json!({"status": "complete", "new": 250}));
    }
}

#[test]
fn a_link_to_another_host_is_not_followed() {
    let stranger = serving(generated(0));
    let mut world = generated(150);
    world.quirk = Some(Quirk::LeadsTo(stranger.url().to_owned()));
    let simulator = serving(world);
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    let error = run["error"].to_string();
    assert!(
        error.contains("another host") && error.contains(stranger.url()),
        "{error}"
    );
    assert_eq!(stranger.request_count(), 0, "the key went elsewhere");
}

#[test]
fn a_list_that_goes_in_a_circle_ends_and_resolves_nothing() {
    let simulator = serving(generated(150));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    for quirk in [Quirk::CircleAtTheEnd, Quirk::Endless] {
        simulator.customer().change(|world| {
            *world = generated(140);
            world.quirk = Some(quirk.clone());
        });
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        includes(&run, &json!({"status": "partial", "resolved": 0}));
        let error = run["error"].to_string();
        assert!(
            error.contains("circle") || error.contains("come to an end"),
            "{error}"
        );
        assert_eq!(open(&installation), 150);
    }
    simulator.customer().change(|world| *world = generated(140));
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 140);
}

#[test]
fn a_partial_list_keeps_what_it_read_and_resolves_nothing() {
    let simulator = serving(generated(250));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    simulator.customer().change(|world| *world = generated(240));
    simulator.inflict_as(Plan::new(Misfortune::PermissionLostInTheMiddle).after(1));
    installation.import("shop").exits(1);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "partial", "resolved": 0}),
    );
    assert_eq!(open(&installation), 250);
    simulator.calm();
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 240);
}

#[test]
fn snyk_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "Snyk",
        secret: API_KEY,
        start: &|name| {
            // More than one page.
            let simulator = serving(generated(160));
            let toml = format!(
                "{}{IMPATIENT}[api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n{ACME}\n",
                tool(name, &simulator)
            );
            (simulator, toml)
        },
    });
}

#[test]
fn twenty_thousand_issues_stream() {
    let simulator = serving(generated(20_000));
    let installation = installation(&simulator, ACME);
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
