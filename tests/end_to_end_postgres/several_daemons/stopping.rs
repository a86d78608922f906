//! A daemon that is stopped in good order.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use secpull_simulators::dependency_track::Simulator;
use secpull_simulators::misfortune::Misfortune;

use super::super::support::postgres::{self, Database};
use super::super::support::{Daemon, Installation, wait_for};
use super::{all_runs, an_hour_ago, assert_whole, complete, installations, is_over, world};

fn until_running(installation: &Installation) {
    wait_for("an import under way", || {
        let runs = all_runs(installation);
        runs.iter()
            .find(|run| run["status"] == "running")
            .map(|_| ())
    });
}

/// An import of `a0` by the first of two daemons, whose tool does not answer.
struct Hanging {
    tool: Simulator,
    database: Database,
    installations: Vec<Installation>,
    first: Daemon,
    second: Daemon,
}

fn hanging() -> Hanging {
    let (tool, toml) = world(1, 50, "enabled = false");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let first = installations[0].daemon();
    let second = installations[1].daemon();
    tool.inflict(Misfortune::NoAnswer);
    installations[0]
        .secpull(&["run", "--detach", "a0"])
        .exits(0);
    until_running(&installations[0]);
    Hanging {
        tool,
        database,
        installations,
        first,
        second,
    }
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
    let runs = wait_for("the rest to be run", || {
        let runs = all_runs(&installations[1]);
        runs.iter().all(is_over).then_some(runs)
    });
    // What it was at in that moment too.
    assert_eq!(complete(&runs).len(), 20, "{runs:#?}");
    assert!(complete(&runs).values().all(|count| *count == 1));
    assert_whole(&installations[1], 2000);
}

#[test]
fn what_a_stopped_daemon_was_at_is_begun_anew_by_another() {
    let Hanging {
        tool,
        database: _database,
        installations,
        first,
        second: _second,
    } = hanging();
    assert!(first.stop().success());
    tool.calm();
    let runs = wait_for("the other to go on", || {
        let runs = all_runs(&installations[1]);
        runs.iter().all(is_over).then_some(runs)
    });
    let of =
        |key: &str| [&runs[0][key], &runs[1][key]].map(|value| value.as_str().unwrap().to_owned());
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(of("status"), ["complete", "interrupted"]);
    assert_eq!(of("trigger"), ["operator", "operator"]);
    let [by, before] = of("daemon");
    assert_ne!(by, before);
    assert_whole(&installations[1], 50);
}

#[test]
fn who_watches_an_import_is_told_of_its_second_beginning_and_its_end() {
    for is_killed in [false, true] {
        let Hanging {
            tool,
            database: _database,
            installations,
            first,
            second: _second,
        } = hanging();
        let mut watching = installations[1]
            .command(&["run", "a0"])
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(watching.stderr.take().unwrap());
        let mut joined = String::new();
        said.read_line(&mut joined).unwrap();
        assert!(joined.contains("watching that one"), "{joined}");
        if is_killed {
            first.kill();
        } else {
            assert!(first.stop().success());
        }
        tool.calm();
        let said = std::io::read_to_string(said).unwrap();
        let watched = watching.wait_with_output().unwrap();
        assert_eq!(watched.status.code(), Some(0), "{said}");
        assert!(said.contains("a0: begun anew by run 2"), "{said}");
        let summary = String::from_utf8(watched.stdout).unwrap();
        assert!(summary.contains("complete"), "{summary}");
        assert_eq!(all_runs(&installations[1]).len(), 2);
        assert_whole(&installations[1], 50);
    }
}

#[test]
fn an_import_by_hand_that_is_stopped_is_nobody_elses() {
    let (tool, toml) = world(1, 50, "enabled = false");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    tool.inflict(Misfortune::NoAnswer);
    let mut import = installations[0]
        .command(&["run", "--standalone", "a0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    database.wait_for_tables();
    until_running(&installations[0]);
    let process = nix::unistd::Pid::from_raw(import.id().cast_signed());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(import.wait().unwrap().code(), Some(1));
    let runs = all_runs(&installations[0]);
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(runs[0]["status"], "interrupted");
}

#[test]
fn an_import_by_hand_takes_nothing_from_a_daemon_that_is_being_restarted() {
    let (_tool, toml) = world(8, 50, &an_hour_ago());
    let toml = format!("[automatic_import]\nmax_concurrent = 1\n{toml}");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let first = installations[0].daemon();
    database.wait_for_tables();
    wait_for("the slots to be claimed", || {
        (database.number("SELECT count(*) FROM slots") == 8).then_some(())
    });
    first.kill();
    installations[1].import("a0");
    let _again = installations[0].daemon();
    let runs = wait_for("all slots to be run", || {
        let runs = all_runs(&installations[0]);
        runs.iter().all(is_over).then_some(runs)
    });
    assert_eq!(complete(&runs).len(), 8, "{runs:#?}");
    assert_whole(&installations[0], 400);
}
