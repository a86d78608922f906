//! Three daemons on one PostgreSQL store, as on three hosts.

mod clocks;
mod faults;
mod stopping;
mod watching;
mod zombie;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use secpull_simulators::dependency_track::{Simulator, Version};
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::postgres::{self, Database};
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

/// A daily slot at this time.
fn daily(slot: DateTime<Utc>) -> String {
    format!("hour = {}, minute = {}", slot.hour(), slot.minute())
}

/// A daily slot that every daemon catches up with when it starts.
fn an_hour_ago() -> String {
    daily(Utc::now() - TimeDelta::hours(1))
}

fn all_runs(installation: &Installation) -> Vec<Value> {
    let listed = ["runs", "--all", "--format", "jsonl"];
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
