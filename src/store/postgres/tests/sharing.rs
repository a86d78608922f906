//! Several processes on one store: who may write for a run, and who goes on with it.

use super::*;
use crate::finding::Filing;
use crate::store::{HoldLimits, RunState};

const NEVER: HoldLimits = HoldLimits {
    max_resolved_fraction: 1.0,
    min_held: 0,
};

const WISH: TakeOver<'static> = TakeOver {
    names: &["shop"],
    present: &[],
    most: 4,
    daemon: "other:2",
};

fn end(state: RunState) -> RunEnd {
    RunEnd::unread(state, None)
}

async fn begin(store: &PostgresStore, run: NewRun) -> RunId {
    let run = store.enqueue(run).await.unwrap().unwrap();
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    run
}

/// As if it had not renewed its lease for long: its process hangs.
async fn let_run_out(store: &PostgresStore) {
    sqlx::query(
        "UPDATE holders SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1",
    )
    .bind(store.holder().unwrap())
    .execute(&store.sessions.pool)
    .await
    .unwrap();
}

async fn states(store: &PostgresStore) -> Vec<RunState> {
    let runs = store.runs(RunFilter::default()).await.unwrap();
    runs.iter().rev().map(|run| run.status).collect()
}

/// With a lease that is not renewed while a test looks.
async fn slow(url: &PostgresUrl) -> PostgresStore {
    let url = PostgresUrl {
        lease: Duration::from_secs(3600),
        ..url.clone()
    };
    PostgresStore::open(&url).await.unwrap()
}

#[tokio::test]
async fn whoever_was_given_up_and_wakes_writes_nothing_in_any_way() {
    let url = url().await;
    let (hung, other) = (slow(&url).await, slow(&url).await);
    let run = begin(&hung, new_run()).await;
    let key = ScopeKey {
        record_id: "1".to_owned(),
        record_name: "shop".to_owned(),
        part: None,
        filing: Filing {
            product: "Shop".to_owned(),
            branch: None,
            service: None,
        },
        branch_is_label: false,
    };
    let scope = hung.open_scope(run, key.clone()).await.unwrap();
    let_run_out(&hung).await;
    let taken = other.take_over(WISH).await.unwrap();
    assert_eq!(other.start(taken[0].run).await.unwrap(), Claim::Running);
    // It wakes, and has a lease again.
    sqlx::query(
        "UPDATE holders SET expires_at = clock_timestamp() + interval '1 hour' WHERE id = $1",
    )
    .bind(hung.holder().unwrap())
    .execute(&hung.sessions.pool)
    .await
    .unwrap();
    let rows = || async {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT 'a' || a.xmin || a::text FROM api_configurations a UNION ALL SELECT 'c' || c.xmin || c::text FROM scopes c
             UNION ALL SELECT 'r' || r.xmin || r::text FROM runs r UNION ALL SELECT 'p' || p.xmin || p::text FROM records p ORDER BY 1",
        )
        .fetch_all(&other.sessions.pool)
        .await
        .unwrap();
        rows
    };
    let before = rows().await;
    let lost = [
        hung.open_scope(run, key).await.err(),
        hung.list_records(run, Vec::new()).await.err(),
        hung.write(run, scope.id, Arc::new([])).await.err(),
        hung.close(run, Vec::new(), NEVER).await.err(),
        hung.finish(run, end(RunState::Complete)).await.err(),
        hung.start(run).await.err(),
    ];
    for (way, error) in lost.iter().enumerate() {
        assert!(
            matches!(error, Some(StoreError::ClaimLost(id)) if *id == run),
            "{way}: {error:?}"
        );
    }
    hung.note_progress(run, "{}").await.unwrap();
    assert_eq!(rows().await, before);
}

#[tokio::test]
async fn nobody_takes_a_run_over_while_it_is_being_written_for() {
    let url = url().await;
    let (hung, other) = (slow(&url).await, slow(&url).await);
    let run = begin(&hung, new_run()).await;
    let holder = hung.holder().unwrap();
    let mut writing = hung.sessions.pool.begin().await.unwrap();
    runs::must_be_running(&mut writing, holder, run)
        .await
        .unwrap();
    let_run_out(&hung).await;
    assert_eq!(other.take_over(WISH).await.unwrap(), []);
    writing.commit().await.unwrap();
    assert_eq!(other.take_over(WISH).await.unwrap().len(), 1);
    assert_eq!(
        states(&other).await,
        [RunState::Interrupted, RunState::Queued]
    );
}

#[tokio::test]
async fn what_a_daemon_leaves_when_it_stops_is_queued_again_but_not_for_ever() {
    let url = url().await;
    let first = slow(&url).await;
    let mut run = begin(&first, new_run()).await;
    first.finish(run, end(RunState::Interrupted)).await.unwrap();
    drop(first);
    for _ in 0..3 {
        let next = slow(&url).await;
        // Until the server has noticed that the last one is gone.
        let taken = loop {
            if let [taken] = &next.take_over(WISH).await.unwrap()[..] {
                break taken.run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(taken > run);
        run = taken;
        assert_eq!(next.start(run).await.unwrap(), Claim::Running);
        next.finish(run, end(RunState::Interrupted)).await.unwrap();
    }
    let last = slow(&url).await;
    assert_eq!(states(&last).await, [RunState::Interrupted; 4]);
    assert_eq!(last.take_over(WISH).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_begun_by_hand_is_nobody_elses_and_ends_with_its_process() {
    let url = url().await;
    let by_hand = || NewRun {
        trigger: Trigger::Standalone,
        ..new_run()
    };
    let (hung, other) = (slow(&url).await, slow(&url).await);
    let run = begin(&hung, by_hand()).await;
    hung.enqueue(by_hand()).await.unwrap();
    assert_eq!(other.take_over(WISH).await.unwrap(), []);
    assert_eq!(states(&other).await, [RunState::Running, RunState::Queued]);
    let_run_out(&hung).await;
    assert_eq!(other.take_over(WISH).await.unwrap(), []);
    assert_eq!(states(&other).await, [RunState::Interrupted; 2]);
    let lost = hung.finish(run, end(RunState::Complete)).await;
    assert!(matches!(lost, Err(StoreError::ClaimLost(_))), "{lost:?}");
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_can_be_asked_for_again() {
    let url = url().await;
    let store = slow(&url).await;
    let run = begin(&store, new_run()).await;
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    store.finish(run, end(RunState::Complete)).await.unwrap();
    let lost = store.start(run).await;
    assert!(matches!(lost, Err(StoreError::ClaimLost(_))), "{lost:?}");
}
