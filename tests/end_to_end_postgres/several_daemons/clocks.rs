//! Hosts whose clocks are hours apart (with libfaketime): the database's clock decides.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde_json::Value;

use super::super::support::faked_clock::FakedClock;
use super::super::support::postgres::{self, Database};
use super::super::support::{Daemon, Installation, wait_for, wait_up_to};
use super::{all_runs, an_hour_ago, assert_whole, complete, daily, is_over, world};

/// Everything that is due is looked at once a minute, and at the slot only where the host's clock shows it too.
const LOOKED_WITHIN: Duration = Duration::from_secs(90);

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn of<'a>(runs: &'a [Value], names: impl Fn(u32) -> bool + 'a) -> impl Iterator<Item = &'a Value> {
    runs.iter().filter(move |run| {
        let name = run["api_configuration"].as_str().unwrap();
        names(name[1..].parse().unwrap())
    })
}

#[test]
fn hosts_hours_apart_run_each_slot_once_and_none_before_the_database_says_so() {
    let slot = (Utc::now() + TimeDelta::seconds(80))
        .with_second(0)
        .and_then(|slot| slot.with_nanosecond(0))
        .unwrap();
    let (_tool, toml) = world(8, 40, "SCHEDULE");
    // The even ones are due already, the odd ones soon.
    let toml: String = toml
        .split_inclusive("SCHEDULE")
        .enumerate()
        .map(|(n, part)| match n % 2 {
            0 => part.replace("SCHEDULE", &an_hour_ago()),
            _ => part.replace("SCHEDULE", &daily(slot)),
        })
        .collect();
    let database = Database::on(postgres::server());
    let installations = super::installations(&database, &toml);
    let began = Utc::now() - TimeDelta::seconds(1);
    let mut daemons = Vec::new();
    for (installation, hours) in installations.iter().zip([-7, 5, 26]) {
        let Some(clock) = FakedClock::of(installation) else {
            return;
        };
        clock.set_ahead(TimeDelta::hours(hours));
        daemons.push(Daemon::start_with(installation, &clock.environment()));
    }
    let is_even = |n: u32| n.is_multiple_of(2);
    wait_for("what is due already", || {
        let runs = all_runs(&installations[0]);
        (complete(&runs).len() == 4).then_some(())
    });
    while Utc::now() < slot - TimeDelta::seconds(1) {
        let runs = all_runs(&installations[0]);
        assert_eq!(
            of(&runs, |n| !is_even(n)).count(),
            0,
            "too early: {runs:#?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let runs = wait_up_to(LOOKED_WITHIN, "the slot", || {
        let runs = all_runs(&installations[1]);
        (complete(&runs).len() == 8 && runs.iter().all(is_over)).then_some(runs)
    });
    assert_eq!(runs.len(), 8, "{runs:#?}");
    for run in of(&runs, |n| !is_even(n)) {
        assert!(time(&run["started_at"]) >= slot, "{run}");
    }
    let slots =
        "SELECT count(*) FROM slots s JOIN api_configurations a ON a.id = s.api_configuration_id";
    let at_slot = format!("{slots} WHERE s.slot = {}", slot.timestamp_millis());
    assert_eq!((database.number(slots), database.number(&at_slot)), (8, 4));
    assert_whole(&installations[2], 320);
    // No host's own time has found its way in.
    for finding in installations[0].findings() {
        for seen in ["first_seen", "last_seen"] {
            let seen = time(&finding[seen]);
            assert!((began..=Utc::now()).contains(&seen), "{finding}");
        }
        assert!(
            time(&finding["first_seen"]) <= time(&finding["last_seen"]),
            "{finding}"
        );
    }
}

#[test]
fn a_host_whose_clock_is_set_to_a_slot_runs_it_no_earlier() {
    let slot = (Utc::now() + TimeDelta::hours(3))
        .with_second(0)
        .and_then(|slot| slot.with_nanosecond(0))
        .unwrap();
    let (_tool, toml) = world(1, 5, &daily(slot));
    // Else the slot of yesterday is caught up with.
    let toml = format!("[automatic_import]\ncatch_up_within = \"0s\"\n{toml}");
    let database = Database::on(postgres::server());
    // With the lease that is usual: its host asks for the time every few seconds, and must know it in between.
    let installation = Installation::with_store(format!("url = \"{}\"", database.url()), &toml);
    let Some(clock) = FakedClock::of(&installation) else {
        return;
    };
    let daemon = Daemon::start_with(&installation, &clock.environment());
    database.wait_for_tables();
    for _ in 0..3 {
        clock.set(slot - TimeDelta::seconds(1));
        // The bell rings by the host's clock, and in vain.
        std::thread::sleep(Duration::from_secs(3));
        clock.set_ahead(TimeDelta::zero());
        assert_eq!(
            all_runs(&installation),
            [] as [Value; 0],
            "{}",
            daemon.log()
        );
    }
    let status = daemon.get("/v1/status");
    let next = time(&status["api_configurations"][0]["next_run"]);
    assert_eq!(next, slot, "{status}");
}
