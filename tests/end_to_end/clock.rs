//! The clock is set back and forth under a running daemon.

use secpull_simulators::dependency_track::Version;
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::faked_clock::FakedClock;
use super::support::{Daemon, Installation};

/// The slots of the runs, and how they ended. The schedule looks around every minute, so this waits for longer than that.
fn until_runs(daemon: &Daemon, count: usize) -> Vec<Value> {
    for _ in 0..1200 {
        let runs = daemon.get("/v1/runs")["runs"].as_array().unwrap().clone();
        let over = |run: &Value| run["status"] == "complete";
        if runs.len() >= count && runs.iter().all(over) {
            return runs;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("waited in vain for run {count}: {}", daemon.log());
}

#[test]
fn a_clock_that_is_set_back_and_forth_runs_each_slot_once_and_resolves_nothing() {
    let server = server(Version::V5_0, vec![project("shop", 0..5)]);
    let installation = Installation::new(&format!(
        "[automatic_import]\nhour = 2\nminute = 0\n{}[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let Some(clock) = FakedClock::of(&installation) else {
        return;
    };
    clock.set("2030-06-10T01:59:57Z".parse().unwrap());
    let daemon = Daemon::start_with(&installation, &clock.environment());
    until_runs(&daemon, 1);

    // Back: the slot comes a second time, and has been run.
    clock.set("2030-06-10T01:59:57Z".parse().unwrap());
    // Forth, to the next one.
    let before = daemon.log().matches("the clock was set").count();
    for _ in 0..1200 {
        if daemon.log().matches("the clock was set").count() > before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(until_runs(&daemon, 1).len(), 1);
    clock.set("2030-06-11T01:59:57Z".parse().unwrap());
    let runs = until_runs(&daemon, 2);
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!(daemon.log().contains("the clock was set by"));
    assert!(daemon.stop().success());
    let findings = installation.findings();
    assert_eq!(findings.len(), 5);
    for finding in findings {
        assert_eq!(finding["status"], "open", "{finding}");
        assert!(finding["first_seen"].as_str() <= finding["last_seen"].as_str());
    }
}
