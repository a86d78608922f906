#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::daemon::fakes::{FakeStore, api, config};
use crate::daemon::outgoing::office;
use crate::delivery::{Deliverer, Post};
use crate::import::Job;
use crate::schedule::ManualClock;

/// An engine over a store in memory, whose imports end when the test lets them.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<FakeStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// Each permit ends one import.
    pub(crate) may_end: Arc<Semaphore>,
    at_once: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    products: Arc<Mutex<Vec<Option<String>>>>,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        Self::over(Arc::default(), config)
    }

    /// The next engine over the same store.
    pub(crate) fn after(last: &Self, config: Config) -> Self {
        Self::over(Arc::clone(&last.store), config)
    }

    fn over(store: Arc<FakeStore>, config: Config) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-24T01:00:00Z".parse().unwrap()));
        let may_end = Arc::new(Semaphore::new(0));
        let at_once = Arc::new(AtomicUsize::new(0));
        let most_at_once = Arc::new(AtomicUsize::new(0));
        let products = Arc::new(Mutex::new(Vec::new()));
        let importer: Importer = {
            let (may_end, at_once, most) = (
                Arc::clone(&may_end),
                Arc::clone(&at_once),
                Arc::clone(&most_at_once),
            );
            let products = Arc::clone(&products);
            Arc::new(move |store, job, progress, cancel| {
                let (may_end, at_once, most) = (
                    Arc::clone(&may_end),
                    Arc::clone(&at_once),
                    Arc::clone(&most),
                );
                products.lock().unwrap().push(job.api.product.clone());
                Box::pin(async move {
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    progress.send_modify(|snapshot| snapshot.pages = 1);
                    let end = import(&job, &may_end, cancel).await;
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    // A store that fails here is what the engine has to make good.
                    if job.api.name != "forgetful" {
                        let _ = store.finish(job.run, end.clone()).await;
                    }
                    end
                })
            })
        };
        let engine = Engine::new(Parts {
            store: store.clone(),
            connectors: Connectors::open(&config),
            config,
            metrics: Arc::new(Metrics::new().unwrap()),
            clock: clock.clone(),
            importer,
        });
        Self {
            engine,
            store,
            clock,
            may_end,
            at_once,
            most_at_once,
            products,
        }
    }

    /// A post office for these destinations.
    pub(crate) fn post(&self, deliverers: Vec<Arc<dyn Deliverer>>) -> Post {
        Post::open(office(&self.engine), deliverers)
    }

    pub(crate) async fn start(&self, names: &[&str]) -> Vec<Started> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        self.engine
            .start_runs(&names, Trigger::Operator)
            .await
            .unwrap()
    }

    async fn until_running(&self, number: usize) {
        self.store
            .until(|runs| count(runs, RunState::Running) == number)
            .await;
    }
}

async fn import(job: &Job, may_end: &Semaphore, cancel: CancellationToken) -> RunEnd {
    match job.api.name.as_str() {
        "crashing" => panic!("as the test wants it"),
        "deaf" => std::future::pending().await,
        _ => {}
    }
    tokio::select! {
        permit = may_end.acquire() => {
            permit.unwrap().forget();
            RunEnd { error: None, ..ended(RunState::Complete, String::new()) }
        }
        () = cancel.cancelled() => ended(RunState::Interrupted, "cancelled".to_owned()),
    }
}

pub(crate) fn count(runs: &[Run], state: RunState) -> usize {
    runs.iter().filter(|run| run.status == state).count()
}

fn all_over(runs: &[Run]) -> bool {
    runs.iter().all(|run| run.status.is_over())
}

fn slot(name: &str) -> Due {
    Due {
        api_configuration: name.to_owned(),
        slot: "2026-11-24T02:00:00Z".parse().unwrap(),
        trigger: Trigger::Schedule,
    }
}

#[tokio::test]
async fn no_more_than_the_limit_run_at_once_and_the_first_come_first() {
    let bench = Bench::new(config(&["a", "b", "c", "d", "e"], 2));
    bench.start(&["e", "d", "c", "b", "a"]).await;
    bench.until_running(2).await;
    assert_eq!(bench.engine.load(), (2, 3));
    let running = |name: &str| bench.store.of(name)[0].status == RunState::Running;
    assert!(running("e") && running("d"));
    bench.may_end.add_permits(5);
    bench
        .store
        .until(|runs| count(runs, RunState::Complete) == 5)
        .await;
    assert_eq!(bench.most_at_once.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_asks_for_an_import_that_is_queued_or_under_way_joins_it() {
    let bench = Bench::new(config(&["a", "b"], 1));
    let first = bench.start(&["a", "b"]).await;
    bench.until_running(1).await;
    let second = bench.start(&["b", "a"]).await;
    assert!(first.iter().all(|started| !started.joined));
    assert!(second.iter().all(|started| started.joined));
    assert_eq!(first[0].run, second[1].run);
    assert_eq!(first[1].run, second[0].run);
    assert_eq!(bench.store.all().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_slots_of_the_same_minute_are_each_run_once_however_often_it_rings() {
    let names: Vec<_> = (0..500).map(|number| format!("api-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let bench = Bench::new(config(&names, 4));
    bench.may_end.add_permits(1000);
    let mut rings = Vec::new();
    for _ in 0..3 {
        let engine = bench.engine.clone();
        let names: Vec<_> = names.iter().map(|name| slot(name)).collect();
        rings.push(tokio::spawn(async move {
            let mut claimed = 0;
            for due in names {
                claimed += usize::from(engine.run_slot(&due).await.unwrap());
            }
            claimed
        }));
    }
    let mut claimed = 0;
    for ring in rings {
        claimed += ring.await.unwrap();
    }
    assert_eq!(claimed, 500);
    bench
        .store
        .until(|runs| runs.len() == 500 && all_over(runs))
        .await;
    assert_eq!(count(&bench.store.all(), RunState::Complete), 500);
    assert!(bench.most_at_once.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn who_has_seen_an_import_end_gets_another_however_long_the_store_tidies_up() {
    let bench = Bench::new(config(&["a"], 1));
    bench.store.settling_hangs.store(true, Ordering::SeqCst);
    bench.may_end.add_permits(2);
    for run in 1..=2 {
        let started = bench.start(&["a"]).await;
        assert_eq!((started[0].run, started[0].joined), (run, false));
        bench
            .store
            .until(|runs| count(runs, RunState::Complete) as i64 == run)
            .await;
    }
}

#[tokio::test]
async fn a_slot_that_comes_during_an_import_is_claimed_and_skipped_with_the_reason() {
    let bench = Bench::new(config(&["a"], 1));
    bench.start(&["a"]).await;
    bench.until_running(1).await;
    assert!(bench.engine.run_slot(&slot("a")).await.unwrap());
    bench
        .store
        .until(|runs| count(runs, RunState::Skipped) == 1)
        .await;
    let skipped = &bench.store.of("a")[1];
    assert_eq!(
        skipped.error.as_deref(),
        Some("a was already being imported by run 1")
    );
    assert!(!bench.engine.run_slot(&slot("a")).await.unwrap());
}

#[tokio::test]
async fn an_import_that_another_process_is_at_is_skipped_with_the_reason() {
    let bench = Bench::new(config(&["a"], 1));
    bench
        .store
        .busy_elsewhere
        .lock()
        .unwrap()
        .insert("a".to_owned());
    let run = bench.start(&["a"]).await[0].run;
    let end = bench.engine.wait(run).await.unwrap().unwrap();
    assert_eq!(end.status, RunState::Skipped);
    assert_eq!(
        end.error.as_deref(),
        Some("a is already being imported by run 77 of elsewhere:9")
    );
}

#[tokio::test]
async fn a_crash_in_one_import_fails_that_run_and_no_other() {
    let bench = Bench::new(config(&["a", "crashing"], 1));
    bench.may_end.add_permits(1);
    let runs = bench.start(&["crashing", "a"]).await;
    let crashed = bench.engine.wait(runs[0].run).await.unwrap().unwrap();
    assert_eq!(crashed.status, RunState::Failed);
    let other = bench.engine.wait(runs[1].run).await.unwrap().unwrap();
    assert_eq!(other.status, RunState::Complete);
}

#[tokio::test]
async fn what_is_under_way_keeps_its_configuration_and_what_waits_gets_the_new_one() {
    let bench = Bench::new(config(&["a", "b", "gone"], 1));
    bench.start(&["a", "gone", "b"]).await;
    bench.until_running(1).await;
    let mut changed = config(&["a", "b"], 1);
    for name in ["a", "b"] {
        let renamed = ApiConfiguration {
            product: Some("Renamed".to_owned()),
            ..api(name)
        };
        changed
            .api_configurations
            .insert(name.to_owned(), Arc::new(renamed));
    }
    let connectors = Connectors::open(&changed);
    bench.engine.put_in_force(changed, connectors);
    bench.may_end.add_permits(2);
    bench.store.until(all_over).await;
    assert_eq!(
        *bench.products.lock().unwrap(),
        [Some("Shop".to_owned()), Some("Renamed".to_owned())]
    );
    let gone = &bench.store.of("gone")[0];
    assert_eq!(gone.status, RunState::Skipped);
    assert_eq!(
        gone.error.as_deref(),
        Some("gone was taken out of the configuration before its turn came")
    );
}

#[tokio::test]
async fn a_higher_limit_starts_waiting_imports_at_once() {
    let bench = Bench::new(config(&["a", "b", "c"], 1));
    bench.start(&["a", "b", "c"]).await;
    bench.until_running(1).await;
    let wider = config(&["a", "b", "c"], 3);
    let connectors = Connectors::open(&wider);
    bench.engine.put_in_force(wider, connectors);
    bench.until_running(3).await;
}

#[tokio::test]
async fn one_unknown_name_starts_nothing_and_is_named() {
    let bench = Bench::new(config(&["a"], 1));
    let names = ["a".to_owned(), "b".to_owned()];
    let refused = bench.engine.start_runs(&names, Trigger::Operator).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "there is no API configuration \"b\""
    );
    assert!(bench.store.all().is_empty());
}

#[tokio::test]
async fn stopping_interrupts_what_runs_and_what_waits_and_takes_no_more() {
    let bench = Bench::new(config(&["a", "b", "c"], 1));
    bench.start(&["a", "b", "c"]).await;
    bench.until_running(1).await;
    bench.engine.stop(Duration::from_secs(20)).await;
    assert_eq!(count(&bench.store.all(), RunState::Interrupted), 3);
    assert!(!bench.engine.run_slot(&slot("a")).await.unwrap());
    let refused = bench
        .engine
        .start_runs(&["a".to_owned()], Trigger::Operator)
        .await;
    assert!(matches!(refused, Err(StartError::Stopping)));
    assert_eq!(bench.at_once.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_import_that_does_not_hear_is_cut_off_and_marked() {
    let bench = Bench::new(config(&["deaf"], 1));
    bench.start(&["deaf"]).await;
    bench.until_running(1).await;
    bench.engine.stop(Duration::from_millis(50)).await;
    let run = &bench.store.of("deaf")[0];
    assert_eq!(run.status, RunState::Interrupted);
    assert!(run.error.as_ref().unwrap().contains("cut off"));
}

#[tokio::test]
async fn a_store_that_hangs_does_not_hold_up_the_end() {
    let bench = Bench::new(config(&["a"], 1));
    bench.start(&["a"]).await;
    bench.until_running(1).await;
    bench.store.hangs.store(true, Ordering::SeqCst);
    let stopping = bench.engine.stop(Duration::from_millis(50));
    tokio::time::timeout(Duration::from_secs(5), stopping)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_delays_a_run_until_there_is_room_and_is_a_problem_meanwhile() {
    let bench = Bench::new(config(&["a"], 1));
    bench.may_end.add_permits(1);
    let begun = bench.engine.now();
    bench.store.full.store(true, Ordering::SeqCst);
    let refused = bench
        .engine
        .start_runs(&["a".to_owned()], Trigger::Operator)
        .await;
    assert!(matches!(refused, Err(StartError::Store(_))));
    assert_eq!(bench.engine.health().problems().len(), 1);
    bench.store.full.store(false, Ordering::SeqCst);
    let run = bench.start(&["a"]).await[0].run;
    assert!(bench.engine.health().problems().is_empty(), "{begun}");
    let end = bench.engine.wait(run).await.unwrap().unwrap();
    assert_eq!(end.status, RunState::Complete);
}

#[tokio::test]
async fn a_run_whose_import_could_not_tell_the_store_is_told_by_the_engine() {
    let bench = Bench::new(config(&["forgetful"], 1));
    let run = bench.start(&["forgetful"]).await[0].run;
    bench.until_running(1).await;
    bench.store.full.store(true, Ordering::SeqCst);
    bench.may_end.add_permits(1);
    // Still taken: a second run would meet the first one's claim.
    assert!(bench.start(&["forgetful"]).await[0].joined);
    bench.store.full.store(false, Ordering::SeqCst);
    let end = bench.engine.wait(run).await.unwrap().unwrap();
    assert_eq!(end.status, RunState::Complete);
    assert!(!bench.start(&["forgetful"]).await[0].joined);
}
