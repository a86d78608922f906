//! What a run has brought, and how its API configuration fared before.

use chrono::TimeDelta;
use secpull::finding::{Severity, Sighting, Status};
use secpull::store::{BroughtFindings, Run, RunId, RunState, WantedRun};

use crate::world::{Read, World, day, sighting, with_severity, with_status};

/// The run as if it had lasted an hour around noon of that day, as its findings say.
async fn on(world: &World, run: RunId, at: i64) -> Run {
    Run {
        started_at: Some(day(at) - TimeDelta::minutes(30)),
        finished_at: Some(day(at) + TimeDelta::minutes(30)),
        ..world.run(run).await
    }
}

async fn brought(world: &World, run: &Run, severity: Severity, most: u32) -> BroughtFindings {
    let found = world.store.findings_of_run(run, severity, most);
    found.await.unwrap()
}

fn severe(source_id: &str, severity: Severity) -> Sighting {
    with_severity(sighting(source_id, &format!("CVE-{source_id}")), severity)
}

#[tokio::test]
async fn a_run_has_brought_what_nobody_knew_before_the_most_severe_first() {
    let world = World::new().await;
    let known = severe("known", Severity::Critical);
    world.import("shop", 0, std::slice::from_ref(&known)).await;
    let all = [
        known,
        severe("low", Severity::Low),
        severe("high", Severity::High),
        severe("worst", Severity::Critical),
        severe("high too", Severity::High),
        with_status(severe("no", Severity::Critical), Status::FalsePositive),
        with_status(severe("looked at", Severity::High), Status::InReview),
    ];
    let import = world.import("shop", 1, &all).await;
    let run = on(&world, import.run, 1).await;
    let ids = |names: &[&str], all: &[secpull::finding::Finding]| -> Vec<i64> {
        let id = |name: &&str| {
            let cve = format!("CVE-{name}");
            let named = |finding: &&secpull::finding::Finding| {
                finding.vulnerability_id.as_deref() == Some(cve.as_str())
            };
            all.iter().find(named).unwrap().id
        };
        names.iter().map(id).collect()
    };
    let findings = world.all().await;

    let high = brought(&world, &run, Severity::High, 20).await;
    assert_eq!(
        high.by_severity,
        [(Severity::Critical, 1), (Severity::High, 3)]
    );
    let expected = ids(&["worst", "high", "high too", "looked at"], &findings);
    assert_eq!(high.first, expected);
    let few = brought(&world, &run, Severity::Unknown, 2).await;
    assert_eq!(
        few.by_severity,
        [
            (Severity::Critical, 1),
            (Severity::High, 3),
            (Severity::Low, 1)
        ]
    );
    assert_eq!(few.first, ids(&["worst", "high"], &findings));
}

#[tokio::test]
async fn what_another_api_configuration_has_brought_is_no_news_of_this_one() {
    let world = World::new().await;
    let shared = severe("shared", Severity::High);
    world
        .import("first", 1, std::slice::from_ref(&shared))
        .await;
    // The same weakness at the same place, seen by another a day later, and one of its own.
    let own = severe("own", Severity::High);
    let second = world
        .import_as(&Read::of("second", 2), &[shared, own])
        .await;
    let found = brought(&world, &on(&world, second.run, 2).await, Severity::High, 20).await;
    assert_eq!(found.by_severity, [(Severity::High, 1)]);
    // The first has brought nothing on that day.
    let first = world.import("first", 3, &[]).await;
    let found = brought(&world, &on(&world, first.run, 2).await, Severity::High, 20).await;
    assert_eq!(found, BroughtFindings::default());
}

#[tokio::test]
async fn a_run_that_never_began_has_brought_nothing() {
    let world = World::new().await;
    let queued = world.enqueue("shop").await;
    let run = world.run(queued).await;
    let found = brought(&world, &run, Severity::Unknown, 20).await;
    assert_eq!(found, BroughtFindings::default());
}

#[tokio::test]
async fn the_run_before_is_the_last_that_came_to_an_end_of_its_own() {
    let world = World::new().await;
    let mut runs = Vec::new();
    for state in [
        RunState::Complete,
        RunState::Failed,
        RunState::Interrupted,
        RunState::Skipped,
    ] {
        let run = world.begin("shop").await;
        world.finish(run, state).await;
        runs.push(run);
        let other = world.begin("other").await;
        world.finish(other, RunState::Partial).await;
    }
    let run = world.begin("shop").await;
    let before = |run, wanted| {
        let before = world.store.run_before(run, wanted);
        async { before.await.unwrap().map(|before| before.run.id) }
    };
    assert_eq!(before(run, WantedRun::Any).await, Some(runs[1]));
    assert_eq!(before(run, WantedRun::Complete).await, Some(runs[0]));
    assert_eq!(before(runs[1], WantedRun::Any).await, Some(runs[0]));
    assert_eq!(before(runs[0], WantedRun::Any).await, None);
}

#[tokio::test]
async fn it_is_known_when_each_api_configuration_was_last_imported() {
    let world = World::new().await;
    let failed = world.begin("a").await;
    world.finish(failed, RunState::Failed).await;
    let complete = world.import("b", 0, &[]).await;
    world.enqueue("c").await;
    let imports = world.store.last_imports().await.unwrap();
    let times: Vec<_> = imports
        .iter()
        .map(|import| (import.last_complete_at.is_some(), import.first_run_at))
        .collect();
    let names: Vec<_> = imports
        .iter()
        .map(|import| import.api_configuration.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        times,
        [
            (false, world.run(failed).await.finished_at),
            (true, world.run(complete.run).await.finished_at),
            (false, None),
        ]
    );
}
