//! What happens when something breaks on the way.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use secpull_simulators::defectdojo::Gateway;

use super::world::{World, weakness};
use crate::delivery::{Desk, Hold, announce_runs, look_round};
use tokio_util::sync::CancellationToken;

fn gateway(world: &World, does: &[Gateway]) {
    let does = does.to_vec();
    world.dojo.change(|world| world.behaviour.gateway = does);
}

/// Waits until the instance has done so many imports.
async fn until_imported(world: &World, number: usize) {
    let waiting = async {
        while world.dojo.change(|world| world.test_imports.count()) < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "it was not imported");
}

#[tokio::test]
async fn a_502_after_all_was_done_is_not_sent_again() {
    let world = World::new("").await;
    gateway(&world, &[Gateway::GivesUp]);
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    assert_eq!(world.uploads().len(), 1);
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
    // Into a test that was there.
    gateway(&world, &[Gateway::GivesUp]);
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.uploads().len(), 2);
}

#[tokio::test]
async fn a_502_before_anything_was_done_is_sent_again_when_nothing_can_come_any_more() {
    let world = World::new("request_timeout_seconds = 600").await;
    gateway(&world, &[Gateway::NotReached]);
    world.import(&[weakness("1")]).await;
    world.go().await;
    let problem = world.waits().await.problem.unwrap();
    assert!(problem.contains("502"), "{problem}");
    assert!(problem.contains("01:10:0"), "until when: {problem}");
    for _ in 0..3 {
        world.later(100);
        world.go().await;
        assert_eq!(world.uploads().len(), 1);
    }
    world.later(600);
    world.deliver().await;
    assert_eq!(world.uploads().len(), 2);
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
}

#[tokio::test]
async fn while_it_may_still_be_at_it_nothing_is_sent_and_its_end_is_found() {
    let world = World::new("request_timeout_seconds = 600").await;
    world
        .dojo
        .change(|world| world.behaviour.import_takes = Duration::from_millis(300));
    gateway(&world, &[Gateway::IsImpatient]);
    world.import(&[weakness("1")]).await;
    world.go().await;
    assert_eq!(world.waits().await.attempts, 1);
    until_imported(&world, 1).await;
    world.later(61);
    world.deliver().await;
    assert_eq!(world.uploads().len(), 1);
    assert_eq!(world.tests().len(), 1);
}

#[tokio::test]
async fn a_killed_delivery_is_looked_up_before_it_is_sent_again() {
    let world = World::new("request_timeout_seconds = 600").await;
    gateway(&world, &[Gateway::Hangs]);
    world.import(&[weakness("1")]).await;
    let office = &world.bench.office;
    let deliverers = [world.deliverer.clone()];
    announce_runs(office, &deliverers).await.unwrap();
    look_round(office, &deliverers).await.unwrap();
    let store = world.bench.store();
    let lease = Duration::from_secs(60);
    let now = (office.now)();
    let taken = store.take_message("forwards.dojo", "killed", lease, now);
    let message = taken.await.unwrap().unwrap();
    let hold = Hold {
        store,
        message: &message,
        holder: "killed",
    };
    let desk = Desk::new(hold, now, CancellationToken::new());
    tokio::select! {
        outcome = world.deliverer.deliver(&message, &desk) => panic!("{outcome:?}"),
        () = until_imported(&world, 1) => {}
    }
    // The next process takes it over.
    store.put_back(&message, "killed", None, now).await.unwrap();
    world.deliver().await;
    assert_eq!(world.uploads().len(), 1);
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
}

#[tokio::test]
async fn without_a_history_of_imports_it_waits_and_sends_again() {
    let world = World::new("request_timeout_seconds = 600").await;
    world
        .dojo
        .change(|world| world.behaviour.import_history = false);
    gateway(&world, &[Gateway::GivesUp]);
    world.import(&[weakness("1")]).await;
    world.go().await;
    world.later(601);
    world.deliver().await;
    assert_eq!((world.uploads().len(), world.tests().len()), (2, 1));
    assert_eq!(world.listed(), ["Weakness 1 +High"]);
}

#[tokio::test]
async fn down_for_long_it_gets_what_is_newest() {
    let world = World::new("close_old = 'complete_only'").await;
    world.dojo.change(|world| world.behaviour.down = true);
    for names in [["1", "2"], ["2", "3"], ["3", "4"]] {
        world.import(&names.map(weakness)).await;
        world.go().await;
        world.later(3600);
    }
    let waits = world.waits().await;
    assert_eq!(waits.messages, 1);
    assert!(waits.problem.unwrap().contains("502"));
    assert_eq!(world.uploads().len(), 0);
    world.dojo.change(|world| world.behaviour.down = false);
    world.later(3600);
    world.deliver().await;
    assert_eq!(world.uploads().len(), 1);
    assert_eq!(world.listed(), ["Weakness 3 +High", "Weakness 4 +High"]);
}

#[tokio::test]
async fn refusals_are_told_in_its_own_words_and_not_tried_again_soon() {
    let world = World::new("").await;
    world.dojo.change(|world| world.behaviour.may_write = false);
    world.import(&[weakness("1")]).await;
    world.go().await;
    let waits = world.waits().await;
    let problem = waits.problem.unwrap();
    assert!(
        problem.contains("You do not have permission to perform this action."),
        "{problem}"
    );
    assert!(!problem.contains(secpull_simulators::defectdojo::TOKEN));
    world.dojo.change(|world| {
        world.behaviour.may_write = true;
        // The names are another test's, of another type.
        world.behaviour.refuses = Some("Test type mismatch: Secpull".to_owned());
    });
    world.later(3600);
    world.go().await;
    let waits = world.waits().await;
    let problem = waits.problem.unwrap();
    assert!(problem.contains("Test type mismatch: Secpull"), "{problem}");
    let wait = waits.next_attempt_at.unwrap() - (world.bench.office.now)();
    assert!(wait.num_hours() >= 5, "{wait}");
    // New content is tried at once.
    world.dojo.change(|world| world.behaviour.refuses = None);
    world.import(&[weakness("1"), weakness("2")]).await;
    world.deliver().await;
    assert_eq!(world.listed().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new("").await;
    world.dojo.change(|world| world.behaviour.redirects = true);
    world.import(&[weakness("1")]).await;
    world.go().await;
    let problem = world.waits().await.problem.unwrap();
    assert!(problem.contains("301"), "{problem}");
    assert!(problem.contains("check `location`"), "{problem}");
}

#[tokio::test]
async fn changes_that_could_not_be_carried_are_carried_later_without_the_file() {
    let world = World::new("").await;
    world.import(&[weakness("1")]).await;
    world.deliver().await;
    world.dojo.change(|world| world.behaviour.may_edit = false);
    let low = super::severe(weakness("1"), crate::finding::Severity::Low);
    world.import(&[low]).await;
    world.go().await;
    let problem = world.waits().await.problem.unwrap();
    assert!(
        problem.contains("PATCH") && problem.contains("403"),
        "{problem}"
    );
    world.dojo.change(|world| world.behaviour.may_edit = true);
    world.later(24 * 3600);
    world.deliver().await;
    assert_eq!(world.uploads().len(), 2);
    assert_eq!(world.listed(), ["Weakness 1 +Low"]);
}
