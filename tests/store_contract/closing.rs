//! What a complete import concludes.

use secpull::finding::{Sighting, Status};
use secpull::store::{Accepted, Closing, ListedRecord, Proof, RunState, Unseen};

use crate::world::{HALF, NEVER, Read, World, day, sighting};

fn many(count: usize) -> Vec<Sighting> {
    (0..count)
        .map(|n| sighting(&format!("s{n:03}"), &format!("CVE-{n:03}")))
        .collect()
}

async fn resolved(world: &World) -> usize {
    let all = world.all().await;
    all.iter()
        .filter(|finding| finding.status == Status::Resolved)
        .count()
}

#[tokio::test]
async fn only_a_complete_import_resolves_what_it_did_not_see() {
    let world = World::new().await;
    let all = many(3);
    world.import("shop", 0, &all).await;
    let partial = world
        .import_as(&Read::of("shop", 1).partly(), &all[..1])
        .await;
    assert_eq!(partial.closing, Closing::Resolved(0));
    assert_eq!(resolved(&world).await, 0);
    let complete = world.import("shop", 2, &all[..1]).await;
    assert_eq!(complete.closing, Closing::Resolved(2));
    assert_eq!(world.run(complete.run).await.resolved, 2);
    assert_eq!(world.unresolved("shop").await, 1);
    let gone = &world.all().await[1];
    assert_eq!(
        (gone.status, gone.resolved_at),
        (Status::Resolved, Some(day(2)))
    );
    // The last import that proved it is the one before.
    assert_eq!(gone.last_seen, day(0));
    assert_eq!(
        world.history(gone.id).await,
        ["first_seen", "resolved open resolved"]
    );
}

#[tokio::test]
async fn what_was_resolved_by_absence_and_comes_back_unchanged_is_reopened() {
    let world = World::new().await;
    let all = many(2);
    world.import("shop", 0, &all).await;
    world.import("shop", 1, &all[..1]).await;
    let back = world.import("shop", 2, &all).await;
    assert_eq!((back.counts.reopened, back.counts.updated), (1, 1));
    assert_eq!(resolved(&world).await, 0);
    assert_eq!(world.unresolved("shop").await, 2);
    let finding = &world.all().await[1];
    assert_eq!((finding.resolved_at, finding.last_seen), (None, day(2)));
}

#[tokio::test]
async fn a_resolved_sighting_is_resolved_once() {
    let world = World::new().await;
    let all = many(2);
    world.import("shop", 0, &all).await;
    world.import("shop", 1, &all[..1]).await;
    let again = world.import("shop", 2, &all[..1]).await;
    assert_eq!(again.closing, Closing::Resolved(0));
    assert_eq!(world.all().await[1].resolved_at, Some(day(1)));
}

#[tokio::test]
async fn it_takes_as_many_complete_imports_in_a_row_as_the_admin_says() {
    let world = World::new().await;
    let all = many(2);
    let read = |at| Read::of("shop", at).resolve_after(3);
    world.import_as(&read(0), &all).await;
    world.import_as(&read(1), &all[..1]).await;
    world.import_as(&read(2), &all[..1]).await;
    // Seen again in time: the count begins anew, and nothing has changed.
    let seen = world.import_as(&read(3), &all).await;
    assert_eq!((seen.counts.unchanged, seen.counts.updated), (2, 0));
    for at in 4..6 {
        let import = world.import_as(&read(at), &all[..1]).await;
        assert_eq!(import.closing, Closing::Resolved(0));
    }
    world.import_as(&read(6).partly(), &all[..1]).await;
    let third = world.import_as(&read(7), &all[..1]).await;
    assert_eq!(third.closing, Closing::Resolved(1));
    let gone = &world.all().await[1];
    assert_eq!((gone.last_seen, gone.resolved_at), (day(3), Some(day(7))));
}

#[tokio::test]
async fn what_is_missed_but_not_resolved_yet_was_last_seen_before() {
    let world = World::new().await;
    let all = many(2);
    let read = |at| Read::of("shop", at).resolve_after(3);
    for at in 0..2 {
        world.import_as(&read(at), &all).await;
    }
    world.import_as(&read(2), &all[..1]).await;
    let findings = world.all().await;
    assert_eq!(
        (findings[0].last_seen, findings[1].last_seen),
        (day(2), day(1))
    );
}

#[tokio::test]
async fn what_smells_is_held_and_nothing_is_touched() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    let held = world.import_as(&read(1), &all[..4]).await;
    let closing = Closing::Held {
        would_resolve: 6,
        open: 10,
    };
    assert_eq!(held.closing, closing);
    assert_eq!(world.run(held.run).await.status, RunState::Held);
    assert_eq!(resolved(&world).await, 0);
    let state = world.state("shop").await;
    assert_eq!((state.held, state.unresolved), (6, 10));
    assert_eq!(state.last_run.unwrap().id, held.run);
}

#[tokio::test]
async fn exactly_the_allowed_share_is_not_held_nor_are_fewer_than_the_least() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    let half = world.import_as(&read(1), &all[..5]).await;
    assert_eq!(half.closing, Closing::Resolved(5));
    let lenient = Read {
        limits: secpull::store::HoldLimits {
            max_resolved_fraction: 0.1,
            min_held: 6,
        },
        ..read(2)
    };
    let few = world.import_as(&lenient, &[]).await;
    assert_eq!(few.closing, Closing::Resolved(5));
}

#[tokio::test]
async fn the_share_is_of_all_that_the_api_configuration_has_open() {
    let world = World::new().await;
    let all = many(10);
    let other = |at| Read::of("shop", at).limits(HALF).record("other");
    world
        .import_as(&Read::of("shop", 0).limits(HALF), &all)
        .await;
    world.import_as(&other(0), &many(2)).await;
    let import = world.import_as(&other(1), &[]).await;
    assert_eq!(import.closing, Closing::Resolved(2));
}

#[tokio::test]
async fn accept_resolves_what_was_held_but_for_what_has_been_seen_since() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    let held = world.import_as(&read(1), &all[..4]).await;
    // Broken off, but one of the held came by, and said nothing new.
    let seen = world.import_as(&read(2).partly(), &all[9..]).await;
    assert_eq!((seen.counts.unchanged, seen.counts.updated), (1, 0));
    let accepted = world.store.accept("shop", day(3)).await.unwrap();
    assert_eq!(
        accepted,
        Some(Accepted {
            run: held.run,
            resolved: 5
        })
    );
    let run = world.run(held.run).await;
    assert_eq!((run.status, run.resolved), (RunState::Complete, 5));
    assert_eq!(run.error, None);
    let findings = world.all().await;
    assert_eq!(findings[9].status, Status::Open);
    assert_eq!(
        (findings[8].status, findings[8].resolved_at),
        (Status::Resolved, Some(day(3)))
    );
    let finding = world.store.finding(findings[8].id, false).await;
    let history = finding.unwrap().unwrap().history.unwrap();
    assert_eq!(
        (history[1].event.as_str(), history[1].run),
        ("resolved", None)
    );
    assert_eq!((history[1].at, world.unresolved("shop").await), (day(3), 5));
    assert_eq!(world.state("shop").await.held, 0);
    assert_eq!(world.state("shop").await.last_complete_at, Some(day(3)));
    assert_eq!(world.store.accept("shop", day(4)).await.unwrap(), None);
    assert_eq!(world.store.accept("nobody", day(4)).await.unwrap(), None);
}

#[tokio::test]
async fn a_later_import_within_bounds_settles_what_was_held() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    world.import_as(&read(1), &[]).await;
    let good = world.import_as(&read(2), &all[..9]).await;
    assert_eq!(good.closing, Closing::Resolved(1));
    assert_eq!(world.state("shop").await.held, 0);
    assert_eq!(world.store.accept("shop", day(3)).await.unwrap(), None);
    assert_eq!(resolved(&world).await, 1);
}

#[tokio::test]
async fn a_later_held_import_takes_the_place_of_the_older() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    world.import_as(&read(1), &[]).await;
    let second = world.import_as(&read(2), &all[..1]).await;
    let accepted = world.store.accept("shop", day(3)).await.unwrap().unwrap();
    assert_eq!((accepted.run, accepted.resolved), (second.run, 9));
}

#[tokio::test]
async fn an_import_without_proofs_leaves_what_is_held() {
    let world = World::new().await;
    let all = many(10);
    let read = |at| Read::of("shop", at).limits(HALF);
    world.import_as(&read(0), &all).await;
    world.import_as(&read(1), &[]).await;
    world.import_as(&read(2).partly(), &[]).await;
    assert_eq!(world.state("shop").await.held, 10);
}

#[tokio::test]
async fn a_record_that_is_gone_resolves_whole() {
    let world = World::new().await;
    let all = many(3);
    world.import("shop", 0, &all).await;
    let run = world.begin("shop").await;
    let listed = |id: &str, wanted| ListedRecord {
        id: id.to_owned(),
        name: id.to_owned(),
        wanted,
    };
    let missing = world
        .store
        .list_records(run, vec![listed("other", true)])
        .await
        .unwrap();
    let [(record, scopes)] = &missing[..] else {
        panic!("{missing:?}");
    };
    assert_eq!(
        (record.id.as_str(), record.state.as_str()),
        ("r", "missing")
    );
    assert_eq!(record.last_complete_at, Some(day(0)));
    let proofs = scopes
        .iter()
        .map(|scope| Proof {
            scope: *scope,
            unseen: Unseen::All,
            resolve_after: 1,
            at: day(1),
        })
        .collect();
    let closing = world.store.close(run, proofs, NEVER).await.unwrap();
    assert_eq!(closing, Closing::Resolved(3));
    assert_eq!(resolved(&world).await, 3);
}

#[tokio::test]
async fn records_are_present_missing_or_excluded() {
    let world = World::new().await;
    for record in ["a", "b", "c"] {
        world
            .import_as(&Read::of("shop", 0).record(record), &many(1))
            .await;
    }
    let run = world.begin("shop").await;
    let listed = |id: &str, wanted| ListedRecord {
        id: id.to_owned(),
        name: format!("{id} renamed"),
        wanted,
    };
    let records = vec![listed("a", true), listed("b", false), listed("d", false)];
    let missing = world.store.list_records(run, records).await.unwrap();
    assert_eq!(missing.len(), 1);
    let states = |records: Vec<secpull::store::RecordState>| -> Vec<String> {
        records
            .into_iter()
            .map(|record| format!("{} {}", record.name, record.state))
            .collect()
    };
    assert_eq!(
        states(world.state("shop").await.records),
        [
            "a renamed present",
            "b renamed excluded",
            "c by name missing"
        ]
    );
    let since = world.state("shop").await.records[2].missing_since;
    assert!(since.is_some());
    // Still missing: since then. Back: present.
    let records = vec![listed("a", true), listed("b", true)];
    world.store.list_records(run, records).await.unwrap();
    let records = world.state("shop").await.records;
    assert_eq!(records[2].missing_since, since);
    let records = vec![listed("a", true), listed("c", true)];
    let missing = world.store.list_records(run, records).await.unwrap();
    assert_eq!(missing[0].0.id, "b");
    assert_eq!(
        states(world.state("shop").await.records),
        [
            "a renamed present",
            "b renamed missing",
            "c renamed present"
        ]
    );
}

#[tokio::test]
async fn states_know_when_an_import_was_last_complete() {
    let world = World::new().await;
    world.import("shop", 0, &many(2)).await;
    let complete = world.state("shop").await.last_complete_at;
    assert!(complete.is_some());
    world
        .import_as(&Read::of("shop", 1).partly(), &many(2))
        .await;
    let state = world.state("shop").await;
    assert_eq!(state.last_complete_at, complete);
    assert_eq!(state.last_run.unwrap().status, RunState::Partial);
    assert_eq!(state.records[0].last_complete_at, Some(day(0)));
    // One that waits is not the last run yet.
    world.enqueue("shop").await;
    let last = world.state("shop").await.last_run.unwrap();
    assert_eq!(last.status, RunState::Partial);
}
