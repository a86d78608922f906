//! The clock is set back and forth under a running daemon (with libfaketime, which `scripts/test` fetches).

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secpull_simulators::dependency_track::Version;
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::{Daemon, Installation};

fn libfaketime() -> Option<PathBuf> {
    let given = std::env::var_os("SECPULL_LIBFAKETIME").map(PathBuf::from);
    let arch = std::env::consts::ARCH;
    let installed = format!("/usr/lib/{arch}-linux-gnu/faketime/libfaketimeMT.so.1");
    given
        .into_iter()
        .chain([installed.into()])
        .find(|path| path.is_file())
}

/// From now on the daemon's clock shows this time, and goes on from there.
fn set(clock: &Path, time: &str) {
    let wanted: DateTime<Utc> = time.parse().unwrap();
    let offset = (wanted - Utc::now()).num_seconds();
    // In one step, so that nobody reads half of it.
    let new = clock.with_extension("new");
    fs::write(&new, format!("{offset:+}\n")).unwrap();
    fs::rename(new, clock).unwrap();
}

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
    let Some(library) = libfaketime() else {
        eprintln!("not tested: libfaketime is missing; scripts/test fetches it");
        return;
    };
    let server = server(Version::V5_0, vec![project("shop", 0..5)]);
    let installation = Installation::new(&format!(
        "[automatic_import]\nhour = 2\nminute = 0\n{}[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let clock = installation.path("clock");
    set(&clock, "2030-06-10T01:59:57Z");
    let daemon = Daemon::start_with(
        &installation,
        &[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ],
    );
    until_runs(&daemon, 1);

    // Back: the slot comes a second time, and has been run.
    set(&clock, "2030-06-10T01:59:57Z");
    // Forth, to the next one.
    let before = daemon.log().matches("the clock was set").count();
    for _ in 0..1200 {
        if daemon.log().matches("the clock was set").count() > before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(until_runs(&daemon, 1).len(), 1);
    set(&clock, "2030-06-11T01:59:57Z");
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
