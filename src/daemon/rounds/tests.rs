#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use super::*;
use crate::connectors::Connectors;
use crate::daemon::engine::tests::{Bench, count};
use crate::daemon::fakes::{api, config};
use crate::store::{RunState, Trigger};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn alive(rounds: &Rounds) -> bool {
    rounds.answers_within(Duration::from_secs(20)).await
}

/// Two answers later whatever was asked for before has been done.
async fn looked(rounds: &Rounds) {
    rounds.reloaded();
    assert!(alive(rounds).await && alive(rounds).await);
}

#[tokio::test]
async fn a_slot_is_run_once_when_it_comes_and_after_the_clock_was_set_back_and_forth() {
    let bench = Bench::new(config(&["a"], 1));
    bench.may_end.add_permits(9);
    bench.clock.set(time("2026-11-23T18:00:00Z"));
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    assert!(bench.store.all().is_empty());
    for now in [
        "2026-11-24T02:00:00.3Z",
        "2026-11-24T02:00:30Z",
        "2026-11-24T01:30:00Z",
        "2026-11-24T02:00:00Z",
        "2026-11-24T13:00:00Z",
    ] {
        bench.clock.set(time(now));
        looked(&rounds).await;
    }
    bench
        .store
        .until(|runs| count(runs, RunState::Complete) == 1)
        .await;
    assert_eq!(bench.store.all().len(), 1);
    assert_eq!(bench.store.all()[0].trigger, Trigger::Schedule);
}

#[tokio::test]
async fn a_slot_missed_while_down_is_caught_up_at_the_start_and_not_at_the_next_start() {
    let bench = Bench::new(config(&["a"], 1));
    bench.may_end.add_permits(9);
    bench.clock.set(time("2026-11-24T09:00:00Z"));
    for _ in 0..2 {
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        looked(&rounds).await;
    }
    bench
        .store
        .until(|runs| count(runs, RunState::Complete) == 1)
        .await;
    assert_eq!(bench.store.all().len(), 1);
    assert_eq!(bench.store.all()[0].trigger, Trigger::CatchUp);
}

#[tokio::test]
async fn a_slot_whose_import_the_daemons_end_cut_short_is_begun_anew_at_the_next_start() {
    let bench = Bench::new(config(&["a", "b"], 2));
    bench.clock.set(time("2026-11-24T02:00:00Z"));
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    bench.may_end.add_permits(1);
    bench
        .store
        .until(|runs| count(runs, RunState::Complete) == 1)
        .await;
    bench.engine.stop(Duration::from_secs(20)).await;
    assert_eq!(count(&bench.store.all(), RunState::Interrupted), 1);

    let next = Bench::after(&bench, config(&["a", "b"], 2));
    next.clock.set(time("2026-11-24T02:05:00Z"));
    next.may_end.add_permits(9);
    let (rounds, _task) = Rounds::begin(next.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    next.store
        .until(|runs| count(runs, RunState::Complete) == 2)
        .await;
    let runs = next.store.all();
    assert_eq!(runs.len(), 3, "{runs:?}");
    assert_eq!(runs[2].trigger, Trigger::CatchUp);
}

#[tokio::test]
async fn a_slot_that_was_cut_short_longer_ago_than_it_would_be_caught_up_stays_lost() {
    let bench = Bench::new(config(&["a"], 1));
    bench.clock.set(time("2026-11-24T02:00:00Z"));
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    bench.engine.stop(Duration::from_secs(20)).await;
    let next = Bench::after(&bench, config(&["a"], 1));
    next.clock.set(time("2026-11-24T14:00:01Z"));
    let (rounds, _task) = Rounds::begin(next.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    assert_eq!(next.store.all().len(), 1);
}

#[tokio::test]
async fn both_switches_of_automatic_import_are_respected() {
    let mut off = config(&["a", "b"], 1);
    off.automatic_import = false;
    let bench = Bench::new(off);
    bench.clock.set(time("2026-11-24T02:00:00Z"));
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    assert!(bench.store.all().is_empty());

    let mut on = config(&["a"], 1);
    let switched_off = ApiConfiguration {
        automatic_import: false,
        ..api("b")
    };
    on.api_configurations
        .insert("b".to_owned(), Arc::new(switched_off));
    let connectors = Connectors::open(&on);
    bench.engine.put_in_force(on, connectors);
    looked(&rounds).await;
    assert_eq!(bench.store.of("a").len(), 1);
    assert!(bench.store.of("b").is_empty());
}

#[tokio::test]
async fn a_store_that_fails_at_the_slot_delays_the_run_and_loses_nothing() {
    let bench = Bench::new(config(&["a", "b"], 2));
    bench.clock.set(time("2026-11-24T02:00:00Z"));
    bench.store.full.store(true, Ordering::SeqCst);
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    assert!(bench.store.all().is_empty());
    bench.store.full.store(false, Ordering::SeqCst);
    // It looks again soon, without being told.
    bench.store.until(|runs| runs.len() == 2).await;
}

#[tokio::test]
async fn a_schedule_that_hangs_does_not_answer() {
    let bench = Bench::new(config(&["a"], 1));
    let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
    looked(&rounds).await;
    bench.store.writes_hang.store(true, Ordering::SeqCst);
    bench.clock.set(time("2026-11-24T02:00:00Z"));
    rounds.reloaded();
    // The first question may be answered before the look begins.
    rounds.answers_within(Duration::from_millis(100)).await;
    assert!(!rounds.answers_within(Duration::from_millis(300)).await);
}

#[test]
fn a_clock_that_was_set_shows_as_drift() {
    let (steady, wall) = (Instant::now(), time("2026-11-24T02:00:00Z"));
    let later = |seconds: u64| steady + Duration::from_secs(seconds);
    let minute = TimeDelta::seconds(60);
    assert_eq!(
        drift((steady, wall), (later(60), wall + minute)),
        TimeDelta::zero()
    );
    assert_eq!(
        drift((steady, wall), (later(60), wall - minute)),
        TimeDelta::seconds(-120)
    );
}

#[test]
fn the_next_of_all_is_the_earliest_that_is_switched_on() {
    let mut config = config(&["a", "b"], 1);
    let sooner = ApiConfiguration {
        schedule: ScheduleSetting::Daily { hour: 1, minute: 0 },
        ..api("b")
    };
    config
        .api_configurations
        .insert("b".to_owned(), Arc::new(sooner));
    let now = time("2026-11-24T00:00:00Z");
    assert_eq!(
        next_of_all(&config, now),
        Some((time("2026-11-24T01:00:00Z"), "b"))
    );
    config.automatic_import = false;
    assert_eq!(next_of_all(&config, now), None);
}
