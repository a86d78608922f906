//! Runs, slots and claims.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use secpull::store::{Claim, NewRun, RunEnd, RunFilter, RunState, StoreError, Trigger};

use crate::place;
use crate::world::{NEVER, Read, World, change, day, end, new_run, sighting};

#[tokio::test]
async fn a_run_is_listed_with_all_that_is_known_of_it() {
    let world = World::new().await;
    let run = world.begin("shop").await;
    let end = RunEnd {
        state: RunState::Partial,
        error: Some("page 2 answered 500".to_owned()),
        unchanged: 1,
        unreadable: 2,
        already_fixed: 3,
        pages: 4,
        requests: 5,
        retries: 6,
        credentials_refused: false,
    };
    world.store.finish(run, end).await.unwrap();
    let run = world.run(run).await;
    assert_eq!(run.api_configuration, "shop");
    assert_eq!(run.trigger, Trigger::Operator);
    assert_eq!(run.status, RunState::Partial);
    assert_eq!(run.daemon, "host:1");
    assert_eq!(run.error.as_deref(), Some("page 2 answered 500"));
    assert_eq!(
        (
            run.unchanged,
            run.unreadable,
            run.pages,
            run.requests,
            run.retries
        ),
        (1, 2, 4, 5, 6)
    );
    assert!(run.started_at.unwrap() <= run.finished_at.unwrap());
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_by_name() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for api in ["a", "b", "a"] {
        let run = world.begin(api).await;
        world.finish(run, RunState::Complete).await;
        ids.push(run);
    }
    let listed = |filter| async {
        let runs = world.store.runs(filter).await.unwrap();
        runs.iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(RunFilter::default()).await, [ids[2], ids[1], ids[0]]);
    let of_a = RunFilter {
        api_configuration: Some("a".to_owned()),
        ..RunFilter::default()
    };
    assert_eq!(listed(of_a).await, [ids[2], ids[0]]);
    let newest = RunFilter {
        limit: Some(1),
        ..RunFilter::default()
    };
    assert_eq!(listed(newest).await, [ids[2]]);
}

#[tokio::test]
async fn a_slot_is_claimed_exactly_once_also_by_another_process() {
    let world = World::new().await;
    let other = world.place.open().await;
    let slot = |api: &str, at| NewRun {
        slot: Some(day(at)),
        trigger: Trigger::Schedule,
        ..new_run(api)
    };
    assert!(world.store.enqueue(slot("a", 1)).await.unwrap().is_some());
    assert!(other.enqueue(slot("a", 1)).await.unwrap().is_none());
    assert!(world.store.enqueue(slot("a", 1)).await.unwrap().is_none());
    assert!(other.enqueue(slot("b", 1)).await.unwrap().is_some());
    assert!(other.enqueue(slot("a", 2)).await.unwrap().is_some());
    let mut slots = world.store.claimed_slots().await.unwrap();
    slots.sort();
    assert_eq!(slots, [("a".to_owned(), day(2)), ("b".to_owned(), day(1))]);
}

#[tokio::test]
async fn only_one_run_of_an_api_configuration_runs_in_one_process() {
    let world = World::new().await;
    let first = world.begin("shop").await;
    let second = world.enqueue("shop").await;
    let busy = Claim::Busy {
        run: first,
        daemon: "host:1".to_owned(),
    };
    assert_eq!(world.store.start(second).await.unwrap(), busy);
    assert_eq!(world.run(second).await.status, RunState::Queued);
    world.finish(first, RunState::Complete).await;
    assert_eq!(world.store.start(second).await.unwrap(), Claim::Running);
}

#[tokio::test]
async fn only_one_run_of_an_api_configuration_runs_in_two_processes() {
    let world = World::new().await;
    let other = world.place.open().await;
    let first = world.begin("shop").await;
    let second = other.enqueue(new_run("shop")).await.unwrap().unwrap();
    assert!(matches!(
        other.start(second).await.unwrap(),
        Claim::Busy { run, .. } if run == first
    ));
    let elsewhere = other.enqueue(new_run("web")).await.unwrap().unwrap();
    assert_eq!(other.start(elsewhere).await.unwrap(), Claim::Running);
}

#[tokio::test]
async fn a_run_whose_store_was_closed_is_interrupted_by_the_next_start() {
    let world = World::new().await;
    let other = world.place.open().await;
    let first = other.enqueue(new_run("shop")).await.unwrap().unwrap();
    assert_eq!(other.start(first).await.unwrap(), Claim::Running);
    drop(other);
    let second = world.enqueue("shop").await;
    world.start_after_an_end(second).await;
    let first = world.run(first).await;
    assert_eq!(first.status, RunState::Interrupted);
    assert!(first.finished_at.is_some());
    assert_eq!(
        first.error.as_deref(),
        Some("host:1 ended without finishing this run")
    );
    assert_eq!(world.run(second).await.status, RunState::Running);
}

#[tokio::test]
async fn leftovers_are_interrupted_and_what_is_alive_is_left_alone() {
    let world = World::new().await;
    let gone = world.place.open().await;
    let running = gone.enqueue(new_run("a")).await.unwrap().unwrap();
    gone.start(running).await.unwrap();
    let queued = gone.enqueue(new_run("b")).await.unwrap().unwrap();
    let mine = world.begin("c").await;
    let other = world.place.open().await;
    let theirs = other.enqueue(new_run("d")).await.unwrap().unwrap();
    drop(gone);
    let mut interrupted = 0;
    while interrupted < 2 {
        interrupted += world.store.interrupt_leftovers().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(interrupted, 2);
    assert_eq!(world.store.interrupt_leftovers().await.unwrap(), 0);
    let mut states = Vec::new();
    for run in [running, queued, mine, theirs] {
        states.push(world.run(run).await.status);
    }
    assert_eq!(
        states,
        [
            RunState::Interrupted,
            RunState::Interrupted,
            RunState::Running,
            RunState::Queued
        ]
    );
}

/// Is run as a process of its own by the test below: claims a run and waits to be killed.
#[test]
#[ignore = "a helper of another test"]
fn child_that_holds_a_claim() {
    let Ok(name) = std::env::var("SECPULL_TEST_STORE") else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = secpull::store::open(&place::named(&name)).await.unwrap();
        let run = store.enqueue(new_run("shop")).await.unwrap().unwrap();
        store.start(run).await.unwrap();
        println!("claimed {run}");
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn a_kill_frees_the_claim_at_once() {
    let world = World::new().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runs::child_that_holds_a_claim", "--ignored"])
        .args(["--nocapture"])
        .env("SECPULL_TEST_STORE", place::name(&world.place.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let claimed = output
        .lines()
        .map(Result::unwrap)
        .find_map(|line| line.split("claimed ").nth(1)?.parse::<i64>().ok())
        .unwrap();
    let next = world.enqueue("shop").await;
    assert!(matches!(
        world.store.start(next).await.unwrap(),
        Claim::Busy { run, .. } if run == claimed
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    world.start_after_an_end(next).await;
    assert_eq!(world.run(claimed).await.status, RunState::Interrupted);
}

#[tokio::test]
async fn a_run_that_was_ended_writes_nothing_more() {
    let world = World::new().await;
    let run = world.begin("shop").await;
    let read = Read::of("shop", 0);
    let scope = world.store.open_scope(run, read.scope()).await.unwrap();
    world.finish(run, RunState::Interrupted).await;
    let lost = |error: StoreError| assert!(matches!(error, StoreError::ClaimLost(id) if id == run));
    let changes = vec![change(&sighting("a", "CVE-1"), b"", 0)];
    lost(
        world
            .store
            .write(run, scope.id, changes.into())
            .await
            .unwrap_err(),
    );
    lost(world.store.open_scope(run, read.scope()).await.unwrap_err());
    lost(world.store.close(run, vec![], NEVER).await.unwrap_err());
    lost(world.store.list_records(run, vec![]).await.unwrap_err());
    lost(
        world
            .store
            .finish(run, end(RunState::Complete))
            .await
            .unwrap_err(),
    );
    lost(world.store.start(run).await.unwrap_err());
    assert!(world.all().await.is_empty());
}

#[tokio::test]
async fn a_queued_run_can_be_skipped() {
    let world = World::new().await;
    let run = world.enqueue("shop").await;
    world.finish(run, RunState::Skipped).await;
    let run = world.run(run).await;
    assert_eq!((run.status, run.started_at), (RunState::Skipped, None));
}
