//! Three daemons on one PostgreSQL store, as on three hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Timelike, Utc};
use nix::sys::signal::Signal;
use secpull_simulators::dependency_track::{Simulator, Version};
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::postgres::{self, Database};
use super::support::random::Random;
use super::support::{Daemon, Installation, wait_for};

const DAEMONS: usize = 3;

/// A tool with `projects` projects of `findings` findings each, each imported by an API configuration of its own.
fn world(projects: u32, findings: u32, schedule: &str) -> (Simulator, String) {
    let all: Vec<_> = (0..projects)
        .map(|n| project(&format!("p{n}"), n * findings..(n + 1) * findings))
        .collect();
    let uuids: Vec<String> = all.iter().map(|project| project.uuid.clone()).collect();
    let server = server(Version::V5_0, all);
    let mut toml = format!("{}page_size = 100\n", tool("dt", &server));
    for (n, uuid) in uuids.iter().enumerate() {
        toml += &format!(
            "[api_configurations.a{n}]\ntool = \"dt\"\nproduct = \"P{n}\"\nproject_key = \"{uuid}\"\n\
             automatic_import = {{ {schedule} }}\n"
        );
    }
    (server, toml)
}

fn installations(database: &Database, toml: &str) -> Vec<Installation> {
    (0..DAEMONS)
        .map(|_| Installation::with_store(database.section(), toml))
        .collect()
}

/// A daily slot that every daemon catches up with when it starts.
fn an_hour_ago() -> String {
    let then = Utc::now() - TimeDelta::hours(1);
    format!("hour = {}, minute = {}", then.hour(), then.minute())
}

fn all_runs(installation: &Installation) -> Vec<Value> {
    let listed = ["runs", "--limit", "5000", "--format", "jsonl"];
    installation.secpull(&listed).exits(0).lines()
}

fn is_over(run: &Value) -> bool {
    run["status"] != "queued" && run["status"] != "running"
}

/// Complete runs of each API configuration.
fn complete(runs: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for run in runs.iter().filter(|run| run["status"] == "complete") {
        let name = run["api_configuration"].as_str().unwrap().to_owned();
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// Each finding of the tool once, and open.
fn assert_whole(installation: &Installation, findings: usize) {
    let listed = installation.findings();
    let ids: BTreeSet<&str> = listed
        .iter()
        .map(|finding| finding["vulnerability_id"].as_str().unwrap())
        .collect();
    assert_eq!((listed.len(), ids.len()), (findings, findings));
    assert!(listed.iter().all(|finding| finding["status"] == "open"));
}

#[test]
fn each_slot_runs_once_and_the_work_spreads() {
    let (_tool, toml) = world(24, 800, &an_hour_ago());
    let toml = format!("[automatic_import]\nmax_concurrent = 1\n{toml}");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let _others = [1, 2].map(|n| Daemon::spawn(&installations[n], &[]));
    let _first = installations[0].daemon();
    let runs = wait_for("all slots to be run", || {
        let runs = all_runs(&installations[0]);
        (complete(&runs).len() == 24 && runs.iter().all(is_over)).then_some(runs)
    });
    assert_eq!(runs.len(), 24, "{runs:#?}");
    let by: BTreeSet<&str> = runs
        .iter()
        .map(|run| run["daemon"].as_str().unwrap())
        .collect();
    assert!(by.len() > 1, "{by:?}");
    assert_whole(&installations[0], 24 * 800);
}

#[test]
fn what_a_killed_daemon_had_is_taken_over() {
    let (_tool, toml) = world(12, 300, &an_hour_ago());
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let first = installations[0].daemon();
    database.wait_for_tables();
    wait_for("the first import", || {
        (database.number("SELECT count(*) FROM runs WHERE state = 'running'") > 0).then_some(())
    });
    first.kill();
    let _others: Vec<Daemon> = installations[1..]
        .iter()
        .map(Installation::daemon)
        .collect();
    wait_for("all slots to be run", || {
        let runs = all_runs(&installations[1]);
        (complete(&runs).len() == 12 && runs.iter().all(is_over)).then_some(())
    });
    let runs = all_runs(&installations[1]);
    assert!(
        complete(&runs).values().all(|count| *count == 1),
        "{runs:#?}"
    );
    assert_eq!(database.number("SELECT count(*) FROM slots"), 12);
    assert_whole(&installations[2], 3600);
}

#[test]
fn a_daemon_that_hung_and_wakes_writes_nothing() {
    let (_tool, toml) = world(1, 10_000, "enabled = false");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let hung = installations[0].daemon();
    installations[0]
        .secpull(&["run", "--detach", "a0"])
        .exits(0);
    wait_for("the first rows", || {
        (database.number("SELECT count(*) FROM sightings") > 0).then_some(())
    });
    hung.signal(Signal::SIGSTOP);
    let awake = installations[1].daemon();
    let taken = wait_for("another daemon to take over", || {
        let runs = installations[1].runs("a0");
        (runs.len() == 2 && runs[0]["status"] == "complete").then_some(runs)
    });
    assert_eq!(taken[1]["status"], "interrupted", "{taken:#?}");
    assert_ne!(taken[0]["daemon"], taken[1]["daemon"]);
    let rows = || database.texts("SELECT s.xmin || ' ' || s.id FROM sightings s ORDER BY s.id");
    let before = rows();
    hung.signal(Signal::SIGCONT);
    wait_for("it to notice", || {
        hung.log()
            .contains("marked this run as interrupted")
            .then_some(())
    });
    assert_eq!(rows(), before);
    assert_eq!(installations[0].runs("a0")[1]["status"], "interrupted");
    assert_whole(&installations[1], 10_000);
    drop(awake);
}

#[test]
fn a_run_is_joined_and_watched_from_another_host() {
    let (_tool, toml) = world(1, 3000, "enabled = false");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let _daemons: Vec<Daemon> = installations.iter().map(Installation::daemon).collect();
    installations[0]
        .secpull(&["run", "--detach", "a0"])
        .exits(0);
    installations[1].secpull(&["run", "a0"]).exits(0);
    assert_eq!(installations[1].runs("a0").len(), 1);
    let status = installations[2].secpull(&["status", "--format", "json"]);
    let last = &status.exits(0).json()["api_configurations"][0]["last_run"];
    assert!(last["daemon"].as_str().unwrap().contains(':'), "{last}");
}

#[test]
fn a_stopped_daemon_leaves_its_queue_to_the_others() {
    let (_tool, toml) = world(20, 100, &an_hour_ago());
    let database = Database::on(postgres::server());
    let toml = format!("[automatic_import]\nmax_concurrent = 1\n{toml}");
    let installations = installations(&database, &toml);
    let first = installations[0].daemon();
    database.wait_for_tables();
    wait_for("the slots to be claimed", || {
        (database.number("SELECT count(*) FROM slots") == 20).then_some(())
    });
    assert!(first.stop().success());
    let _second = installations[1].daemon();
    wait_for("the rest to be run", || {
        let runs = all_runs(&installations[1]);
        let ended = |run: &Value| run["status"] == "complete" || run["status"] == "interrupted";
        runs.iter().all(ended).then_some(())
    });
    let complete = complete(&all_runs(&installations[1])).len();
    assert!(complete >= 19, "{complete}");
}

/// `SECPULL_FAULTS=300 cargo test --test end_to_end faults_at_random` makes that many API configurations; `SECPULL_FAULT_SEED`
/// repeats a run.
#[test]
fn faults_at_random_lose_no_slot_and_no_finding() {
    let many: u32 = std::env::var("SECPULL_FAULTS").map_or(24, |many| many.parse().unwrap());
    let mut random = Random::seeded("SECPULL_FAULT_SEED");
    let (_tool, toml) = world(many, 60, &an_hour_ago());
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let mut daemons: Vec<Daemon> = installations.iter().map(Installation::daemon).collect();
    database.wait_for_tables();
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let left = database.number(
            "SELECT (SELECT count(*) FROM runs WHERE state IN ('queued', 'running')) + (SELECT CASE count(*) WHEN 0 THEN 1 ELSE 0 END FROM runs)",
        );
        if left == 0 && database.number("SELECT count(*) FROM slots") == i64::from(many) {
            break;
        }
        assert!(Instant::now() < deadline, "{left} runs are left");
        let victim = random.below(DAEMONS as u64) as usize;
        match random.below(4) {
            0 => {
                daemons.remove(victim).kill();
                daemons.insert(victim, installations[victim].daemon());
            }
            1 => {
                daemons[victim].signal(Signal::SIGSTOP);
                // Longer than its lease.
                std::thread::sleep(Duration::from_secs(4));
                daemons[victim].signal(Signal::SIGCONT);
            }
            2 => database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            ),
            _ => std::thread::sleep(Duration::from_millis(300)),
        }
    }
    let runs = all_runs(&installations[0]);
    let complete = complete(&runs);
    assert!(complete.values().all(|count| *count == 1), "{runs:#?}");
    // Whose daemons died three times in a row is not handed on; the next run makes it good.
    let missed = many as usize - complete.len();
    assert!(missed <= many as usize / 4, "{missed} of {many}");
    installations[0].secpull(&["run", "--all"]).exits(0);
    assert_whole(&installations[1], 60 * many as usize);
    let falsely = database.number("SELECT count(*) FROM history WHERE event = 'resolved'");
    assert_eq!(falsely, 0);
}
