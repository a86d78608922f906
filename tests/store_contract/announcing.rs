//! Runs become known to destinations: once each, with what they changed, whatever is killed in between.

use secpull::finding::{Severity, Status};
use secpull::store::{
    EndedRun, FindingGroup, KnownGroup, ListedRecord, NewMessage, RunEnd, RunId, RunState, Waiting,
};

use crate::world::{HALF, Read, World, day, end, sighting, with_severity, with_status};

fn group(product: &str, branch: Option<&str>) -> FindingGroup {
    FindingGroup {
        product: product.to_owned(),
        branch: branch.map(str::to_owned),
        service: None,
    }
}

fn message(destination: &str, topic: Option<&str>, content: &str) -> NewMessage {
    NewMessage {
        destination: destination.to_owned(),
        topic: topic.map(str::to_owned),
        content: content.to_owned(),
    }
}

impl World {
    async fn news(&self) -> Vec<EndedRun> {
        self.store.unannounced_runs(100).await.unwrap()
    }

    /// What the only run that is not announced has changed.
    async fn changed(&self) -> Vec<FindingGroup> {
        let mut news = self.news().await;
        assert_eq!(news.len(), 1, "{news:#?}");
        news.remove(0).groups
    }

    async fn announce_all(&self) {
        for run in self.news().await {
            assert!(self.announce(&run, Vec::new()).await);
        }
    }

    async fn announce(&self, run: &EndedRun, messages: Vec<NewMessage>) -> bool {
        let announced = self.store.announce(&run.run, messages, day(9));
        announced.await.unwrap()
    }

    async fn waiting(&self) -> Vec<Waiting> {
        self.store.waiting().await.unwrap()
    }

    async fn groups(&self, api: &str) -> Vec<KnownGroup> {
        self.store.finding_groups(api).await.unwrap()
    }
}

fn ids(runs: &[EndedRun]) -> Vec<RunId> {
    runs.iter().map(|run| run.run.id).collect()
}

#[tokio::test]
async fn a_run_is_news_when_it_is_over_and_until_it_is_announced() {
    let world = World::new().await;
    let first = world.begin("shop").await;
    let second = world.enqueue("web").await;
    assert!(world.news().await.is_empty());
    world.finish(second, RunState::Skipped).await;
    let refused = RunEnd {
        error: Some("401".to_owned()),
        credentials_refused: true,
        ..end(RunState::Failed)
    };
    world.store.finish(first, refused).await.unwrap();
    let news = world.news().await;
    assert_eq!(ids(&news), [first, second]);
    assert_eq!(news[0].connector, "script");
    assert_eq!(news[0].run.status, RunState::Failed);
    assert_eq!(news[0].run.error.as_deref(), Some("401"));
    assert!(news[0].credentials_refused && !news[1].credentials_refused);
    assert!(news.iter().all(|run| run.groups.is_empty()));
    assert_eq!(
        ids(&world.store.unannounced_runs(1).await.unwrap()),
        [first]
    );
    assert!(world.announce(&news[0], Vec::new()).await);
    assert_eq!(ids(&world.news().await), [second]);
}

#[tokio::test]
async fn a_run_is_announced_by_one_process_with_its_messages_or_not_at_all() {
    let world = World::new().await;
    world.import("shop", 0, &[sighting("a", "CVE-1")]).await;
    let other = World {
        store: world.place.open().await,
        place: crate::place::make_place().await,
    };
    let run = world.news().await.remove(0);
    let seen_elsewhere = other.news().await.remove(0);
    let (one, two) = tokio::join!(
        world.announce(&run, vec![message("forwards.d", Some("Shop"), "1")]),
        other.announce(&seen_elsewhere, vec![message("forwards.d", None, "2")]),
    );
    assert!(one != two, "announced twice or never");
    assert_eq!(world.waiting().await[0].messages, 1);
    assert!(world.news().await.is_empty());
}

#[tokio::test]
async fn what_came_changed_went_or_came_back_is_a_change_of_its_group_and_the_same_again_is_not() {
    let world = World::new().await;
    let main = Read::of("shop", 0).branch("main");
    let old = Read::of("shop", 0).record("s").product("Old");
    let a = sighting("a", "CVE-1");
    let run = world.begin("shop").await;
    for read in [&main, &old] {
        world.read(run, read, std::slice::from_ref(&a)).await;
    }
    world.finish(run, RunState::Partial).await;
    let both = [group("Old", None), group("Shop", Some("main"))];
    assert_eq!(world.changed().await, both);
    world.announce_all().await;

    let of_main = [group("Shop", Some("main"))];
    let worse = with_severity(a.clone(), Severity::Critical);
    let fixed = with_status(worse.clone(), Status::Resolved);
    let back = std::slice::from_ref(&a);
    let steps: [(&[_], &[FindingGroup]); 6] = [
        (back, &[]),
        (&[worse], &of_main),
        (&[fixed], &of_main),
        (back, &of_main),
        // Resolved by proof.
        (&[], &of_main),
        (&[], &[]),
    ];
    for (place, (sightings, expected)) in steps.into_iter().enumerate() {
        world.import_as(&main, sightings).await;
        assert_eq!(world.changed().await, expected, "step {place}");
        world.announce_all().await;
    }
}

#[tokio::test]
async fn a_change_is_news_of_the_last_run_that_made_one() {
    let world = World::new().await;
    let (a, b) = (sighting("a", "CVE-1"), sighting("b", "CVE-2"));
    world.import("shop", 0, std::slice::from_ref(&a)).await;
    world.import("shop", 1, &[a.clone(), b.clone()]).await;
    world.import("shop", 2, &[a, b]).await;
    let groups: Vec<usize> = world.news().await.iter().map(|n| n.groups.len()).collect();
    assert_eq!(groups, [0, 1, 0]);
}

#[tokio::test]
async fn accepting_makes_the_held_run_news_again_also_while_it_is_being_announced() {
    let world = World::new().await;
    let all: Vec<_> = (0..4)
        .map(|n| sighting(&format!("s{n}"), &format!("CVE-{n}")))
        .collect();
    world.import("shop", 0, &all).await;
    world.announce_all().await;
    let held = world
        .import_as(&Read::of("shop", 1).limits(HALF), &all[..1])
        .await;
    let before = world.news().await.remove(0);
    assert_eq!(
        (before.run.status, before.groups.len()),
        (RunState::Held, 0)
    );
    world.store.accept("shop", day(2)).await.unwrap().unwrap();
    // Who announces now has not seen what was accepted.
    assert!(!world.announce(&before, Vec::new()).await);
    let after = world.news().await.remove(0);
    assert_eq!(
        (after.run.id, after.run.status),
        (held.run, RunState::Complete)
    );
    assert_eq!(after.groups, [group("Shop", None)]);
    assert!(world.announce(&after, Vec::new()).await);

    let held = world
        .import_as(&Read::of("shop", 3).limits(HALF), &[])
        .await;
    world.announce_all().await;
    world.store.accept("shop", day(4)).await.unwrap().unwrap();
    assert_eq!(ids(&world.news().await), [held.run]);
    assert_eq!(world.changed().await, [group("Shop", None)]);
}

#[tokio::test]
async fn what_a_killed_process_has_written_is_announced_when_its_end_is_noticed() {
    let world = World::new().await;
    let dying = world.place.open().await;
    let dead = World {
        store: dying,
        place: crate::place::make_place().await,
    };
    let run = dead.begin("shop").await;
    dead.read(run, &Read::of("shop", 0), &[sighting("a", "CVE-1")])
        .await;
    drop(dead);
    for _ in 0..500 {
        if world.store.interrupt_leftovers().await.unwrap() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let news = world.news().await.remove(0);
    assert_eq!((news.run.id, news.run.status), (run, RunState::Interrupted));
    assert_eq!(news.groups, [group("Shop", None)]);
}

#[tokio::test]
async fn what_is_said_once_is_said_once() {
    let world = World::new().await;
    let say = |key: &'static str| {
        let messages = vec![message("notifications.n", None, key)];
        world.store.announce_once(key, messages, day(0))
    };
    assert!(say("a").await.unwrap());
    assert!(!say("a").await.unwrap());
    assert!(say("b").await.unwrap());
    assert_eq!(world.waiting().await[0].messages, 2);
}

#[tokio::test]
async fn a_group_is_complete_if_the_newest_import_has_read_all_its_scopes_to_their_end() {
    let world = World::new().await;
    assert!(world.groups("shop").await.is_empty());
    let a = [sighting("a", "CVE-1")];
    let [one, two] = ["r", "s"].map(|record| Read::of("shop", 0).record(record));
    let other = Read::of("shop", 0).record("t").branch("main");
    let both = async |limits| {
        let run = world.begin("shop").await;
        let mut proofs = Vec::new();
        for read in [&one, &two, &other] {
            let (_, proof) = world.read(run, read, &a).await;
            proofs.extend(proof);
        }
        proofs.truncate(limits);
        world
            .store
            .close(run, proofs, crate::world::NEVER)
            .await
            .unwrap();
        world.finish(run, RunState::Complete).await;
    };
    let known = |shop, main| {
        [
            KnownGroup {
                group: group("Shop", None),
                is_complete: shop,
            },
            KnownGroup {
                group: group("Shop", Some("main")),
                is_complete: main,
            },
        ]
    };
    both(3).await;
    assert_eq!(world.groups("shop").await, known(true, true));
    // One scope of the first group came to no end.
    both(1).await;
    assert_eq!(world.groups("shop").await, known(false, false));
    both(3).await;
    let skipped = world.enqueue("shop").await;
    world.finish(skipped, RunState::Skipped).await;
    let running = world.begin("shop").await;
    assert_eq!(world.groups("shop").await, known(true, true));
    world.finish(running, RunState::Failed).await;
    assert_eq!(world.groups("shop").await, known(false, false));
    assert!(world.groups("web").await.is_empty());
}

#[tokio::test]
async fn a_held_import_has_read_its_scopes_and_a_missing_record_was_not_read() {
    let world = World::new().await;
    let all: Vec<_> = (0..4)
        .map(|n| sighting(&format!("s{n}"), &format!("CVE-{n}")))
        .collect();
    world.import("shop", 0, &all).await;
    world
        .import_as(&Read::of("shop", 1).limits(HALF), &[])
        .await;
    let complete = async || world.groups("shop").await[0].is_complete;
    assert!(complete().await);
    world.store.accept("shop", day(2)).await.unwrap().unwrap();
    assert!(complete().await);
    let run = world.begin("shop").await;
    let records = vec![ListedRecord {
        id: "other".to_owned(),
        name: "other".to_owned(),
        wanted: true,
    }];
    world.store.list_records(run, records).await.unwrap();
    world.finish(run, RunState::Complete).await;
    assert!(!complete().await);
}
