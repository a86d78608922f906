//! What the daemon imports by itself.

use chrono::{Timelike, Utc};
use secpull_simulators::dependency_track::Version;
use secpull_simulators::misfortune::Misfortune;

use super::support::dependency_track::{project, server, tool};
use super::support::{Installation, wait_for, wait_up_to};

/// Hour and minute of the slot that was due a short while ago.
fn just_missed() -> String {
    let time = Utc::now() - chrono::TimeDelta::minutes(3);
    format!("hour = {}, minute = {}", time.hour(), time.minute())
}

#[test]
fn a_slot_that_was_missed_is_run_once_at_start() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let slot = just_missed();
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nautomatic_import = {{ {slot} }}\n\
         [api_configurations.off]\ntool = \"dt\"\nautomatic_import = {{ enabled = false, {slot} }}\n",
        tool("dt", &server)
    ));
    let daemon = installation.daemon();
    wait_for("the missed slot", || {
        (installation.runs("shop").first()?["status"] == "complete").then_some(())
    });
    assert_eq!(installation.last_run("shop")["trigger"], "catch_up");
    daemon.stop();
    // The slot is claimed for ever: another start does not run it again.
    let daemon = installation.daemon();
    let status = daemon.get("/v1/status");
    let next = &status["api_configurations"][1]["next_run"];
    assert!(next.is_string(), "{status}");
    assert_eq!(
        status["api_configurations"][0]["enabled"], false,
        "{status}"
    );
    assert_eq!(installation.runs("shop").len(), 1);
    assert_eq!(installation.runs("off").len(), 0);
}

#[test]
fn the_general_switch_stops_all_automatic_imports() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&format!(
        "[automatic_import]\nenabled = false\n{}\n[api_configurations.shop]\ntool = \"dt\"\n\
         automatic_import = {{ {} }}\n",
        tool("dt", &server),
        just_missed()
    ));
    let daemon = installation.daemon();
    let status = daemon.get("/v1/status");
    assert_eq!(status["api_configurations"][0]["enabled"], false);
    assert!(status["api_configurations"][0]["next_run"].is_null());
    assert_eq!(daemon.get("/v1/runs")["runs"].as_array().unwrap().len(), 0);
    // An operator can still run it.
    installation.secpull(&["run", "--all"]).exits(0);
    assert_eq!(installation.runs("shop").len(), 1);
}

#[test]
fn five_hundred_due_at_once_are_each_run_once_and_never_more_than_allowed_together() {
    let server = server(Version::V5_0, vec![project("shop", 0..2)]);
    let mut toml = format!(
        "[automatic_import]\nmax_concurrent = 4\n{}",
        tool("dt", &server)
    );
    for number in 0..500 {
        toml += &format!(
            "[api_configurations.c{number}]\ntool = \"dt\"\nproduct = \"P{number}\"\n\
             automatic_import = {{ {} }}\n",
            just_missed()
        );
    }
    let installation = Installation::new(&toml);
    let daemon = installation.daemon();
    // A busy machine needs its time for so many.
    let bound = std::time::Duration::from_secs(240);
    wait_up_to(bound, "five hundred imports", || {
        let status = daemon.get("/v1/status");
        let running = status["daemon"]["running"].as_u64().unwrap();
        assert!(running <= 4, "{running} at once");
        let apis = status["api_configurations"].as_array().unwrap().clone();
        apis.iter()
            .all(|api| api["last_run"]["status"] == "complete")
            .then_some(())
    });
    let runs = installation
        .secpull(&["runs", "--all", "--format", "jsonl"])
        .exits(0)
        .lines();
    assert_eq!(runs.len(), 500);
}

#[test]
fn an_api_configuration_is_imported_when_its_minute_comes() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&format!(
        "[automatic_import]\ncatch_up_within = \"0s\"\n{}\n[api_configurations.shop]\ntool = \"dt\"\n\
         automatic_import = {{ cron = \"* * * * *\" }}\n",
        tool("dt", &server)
    ));
    // So that no slot of the last minute is near enough to be taken for this one.
    let daemon = installation.daemon();
    let began = Utc::now();
    // Longer than other waits: the next minute begins in at most sixty seconds.
    let run = loop {
        let run = daemon.get("/v1/runs")["runs"]
            .as_array()
            .unwrap()
            .last()
            .cloned();
        match run {
            Some(run) if run["status"] == "complete" => break run,
            _ => assert!(
                Utc::now() - began < chrono::TimeDelta::seconds(90),
                "{}",
                daemon.log()
            ),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert!(
        ["schedule", "catch_up"].contains(&run["trigger"].as_str().unwrap()),
        "{run}"
    );
}

#[test]
fn one_hanging_tool_does_not_delay_anothers_import() {
    let hanging = server(Version::V5_0, vec![project("slow", 0..1)]);
    hanging.inflict(Misfortune::NoAnswer);
    let healthy = server(Version::V5_0, vec![project("shop", 0..1)]);
    let installation = Installation::new(&format!(
        "{}{}\n[api_configurations.a]\ntool = \"slow\"\n[api_configurations.b]\ntool = \"dt\"\n\
         [automatic_import]\nenabled = false\n",
        tool("slow", &hanging),
        tool("dt", &healthy)
    ));
    let daemon = installation.daemon();
    installation.secpull(&["run", "a", "--detach"]).exits(0);
    installation.secpull(&["run", "b"]).exits(0);
    assert_eq!(installation.last_run("a")["status"], "running");
    daemon.stop();
}
