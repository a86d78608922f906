//! `secpull run --standalone`: the same import without a daemon.

use secpull_simulators::dependency_track::Version;
use secpull_simulators::misfortune::Misfortune;

use super::support::dependency_track::{project, server, tool};
use super::support::{Installation, wait_for};

#[test]
fn it_refuses_while_somebody_else_imports_the_same() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let daemon = installation.daemon();
    server.inflict(Misfortune::NoAnswer);
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the daemon's import", || {
        (daemon.get("/v1/runs")["runs"][0]["status"] == "running").then_some(())
    });
    let ran = installation.import("shop").exits(1);
    let pid = daemon.pid().to_string();
    assert!(
        ran.stderr.contains(&pid),
        "who imports is not named: {ran:#?}"
    );

    // Once the other is gone, however it went, nothing is in the way.
    daemon.kill();
    server.calm();
    installation.import("shop").exits(0);
    let states: Vec<_> = installation
        .runs("shop")
        .iter()
        .map(|run| run["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states[0], "complete");
    assert!(states.contains(&"interrupted".to_owned()), "{states:?}");
    assert!(!states.contains(&"running".to_owned()), "{states:?}");
}

#[test]
fn an_unknown_name_is_a_usage_error_that_lists_the_known_ones() {
    let server = server(Version::V5_0, vec![]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let ran = installation.import("shp").exits(2);
    assert!(ran.stderr.contains("shop"), "{ran:#?}");
}

#[test]
fn progress_in_a_pipe_is_lines_without_control_characters() {
    let server = server(Version::V5_0, vec![project("shop", 0..300)]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let ran = installation.import("shop").exits(0);
    let text = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    assert!(text.contains("complete"), "{text}");
    assert!(text.contains("300"), "{text}");
}

#[test]
fn check_and_discover_speak_to_the_tool() {
    let server = server(
        Version::V5_0,
        vec![project("web", 0..1), project("api", 0..1)],
    );
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nrecords = {{ include = [\"web\"] }}\n",
        tool("dt", &server)
    ));
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(checked.stdout.contains("5.0"), "{checked:#?}");
    let found = installation
        .secpull(&["discover", "dt", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");

    server.inflict(Misfortune::KeyRevoked);
    let checked = installation.secpull(&["check"]).exits(1);
    let text = format!("{}{}", checked.stdout, checked.stderr);
    assert!(text.contains("401"), "{text}");
}

#[test]
fn an_older_secpull_refuses_a_newer_store() {
    let installation = Installation::new("");
    installation.secpull(&["findings"]);
    let server = server(Version::V5_0, vec![project("shop", 0..1)]);
    installation.configure(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    installation.import("shop").exits(0);
    installation.place().set_schema_version(999);
    let ran = installation.import("shop");
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("999") && ran.stderr.contains("newer"),
        "{ran:#?}"
    );
}
