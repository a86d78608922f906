//! Messages wait in the outbox until their destination has them; one process at a time delivers to a destination.

use std::time::Duration;

use chrono::TimeDelta;
use secpull::store::{Message, NewMessage, Store};

use crate::world::{World, day};

/// No test takes so long.
const LEASE: Duration = Duration::from_secs(600);
/// Over as soon as it begins.
const NO_LEASE: Duration = Duration::ZERO;
const TO: &str = "forwards.dojo";

/// Adds a message that has waited since that day.
async fn post(world: &World, destination: &str, topic: Option<&str>, content: &str, at: i64) {
    let message = NewMessage {
        destination: destination.to_owned(),
        topic: topic.map(str::to_owned),
        content: content.to_owned(),
    };
    let key = format!("{destination} {topic:?} {content} {at}");
    let posted = world.store.announce_once(&key, vec![message], day(at));
    assert!(posted.await.unwrap());
}

async fn take(store: &dyn Store, holder: &str, lease: Duration) -> Option<Message> {
    let taken = store.take_message(TO, holder, lease, day(100));
    taken.await.unwrap()
}

async fn must_take(world: &World, holder: &str) -> Message {
    take(&*world.store, holder, LEASE).await.unwrap()
}

async fn delivered(world: &World, message: &Message, holder: &str) -> bool {
    world.store.delivered(message, holder).await.unwrap()
}

#[tokio::test]
async fn messages_of_a_destination_are_taken_oldest_first_and_go_when_they_are_delivered() {
    let world = World::new().await;
    post(&world, TO, Some("b"), "2", 2).await;
    post(&world, TO, None, "1", 1).await;
    post(&world, TO, None, "3", 2).await;
    post(&world, "forwards.other", None, "4", 0).await;
    let mut contents = Vec::new();
    while let Some(message) = take(&*world.store, "me", LEASE).await {
        assert_eq!((message.attempts, message.note.as_deref()), (0, None));
        contents.push((
            message.content.clone(),
            message.since,
            message.topic.clone(),
        ));
        assert!(delivered(&world, &message, "me").await);
    }
    let expected = [
        ("1", day(1), None),
        ("2", day(2), Some("b".to_owned())),
        ("3", day(2), None),
    ]
    .map(|(content, since, topic)| (content.to_owned(), since, topic));
    assert_eq!(contents, expected);
    let left = world.store.waiting().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].destination, "forwards.other");
}

#[tokio::test]
async fn a_waiting_message_is_replaced_by_the_next_of_its_topic_and_keeps_its_place() {
    let world = World::new().await;
    post(&world, TO, Some("a"), "old", 1).await;
    post(&world, TO, Some("b"), "between", 2).await;
    post(&world, TO, None, "no topic", 3).await;
    post(&world, TO, None, "none either", 3).await;
    post(&world, TO, Some("a"), "new", 4).await;
    post(&world, "forwards.other", Some("a"), "elsewhere", 4).await;
    assert_eq!(world.store.waiting().await.unwrap()[0].messages, 4);
    let message = must_take(&world, "me").await;
    assert_eq!(
        (message.content.as_str(), message.revision, message.since),
        ("new", 2, day(1))
    );
}

#[tokio::test]
async fn a_message_that_is_replaced_while_it_is_delivered_waits_again_as_a_new_one() {
    let world = World::new().await;
    post(&world, TO, Some("a"), "old", 1).await;
    let first = must_take(&world, "me").await;
    let noted = world.store.note_message(&first, "me", "sent");
    assert!(noted.await.unwrap());
    let problem = Some("502");
    let back = world.store.put_back(&first, "me", problem, day(2));
    assert!(back.await.unwrap());
    let second = must_take(&world, "me").await;
    assert_eq!((second.attempts, second.note.as_deref()), (1, Some("sent")));
    post(&world, TO, Some("a"), "new", 5).await;
    assert!(delivered(&world, &second, "me").await);

    let waiting = world.store.waiting().await.unwrap().remove(0);
    assert_eq!((waiting.messages, waiting.since), (1, day(5)));
    assert_eq!((waiting.attempts, waiting.problem), (0, None));
    let third = must_take(&world, "me").await;
    assert_eq!((third.content.as_str(), third.revision), ("new", 2));
    assert_eq!((third.since, third.note), (day(5), None));
    let third = Message {
        note: None,
        ..must_take(&world, "me").await
    };
    assert!(delivered(&world, &third, "me").await);
    assert!(world.store.waiting().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_put_back_waits_until_its_time_and_others_are_taken_meanwhile() {
    let world = World::new().await;
    post(&world, TO, Some("a"), "first", 1).await;
    post(&world, TO, Some("b"), "second", 2).await;
    let first = must_take(&world, "me").await;
    let back = world.store.put_back(&first, "me", Some("429"), day(200));
    assert!(back.await.unwrap());
    let second = must_take(&world, "me").await;
    assert_eq!(second.content, "second");
    let waiting = world.store.waiting().await.unwrap().remove(0);
    assert_eq!((waiting.messages, waiting.since), (2, day(1)));
    assert_eq!(waiting.attempts, 1);
    assert_eq!(waiting.problem.as_deref(), Some("429"));
    assert_eq!(waiting.next_attempt_at, Some(day(200)));
    // Without a problem the last one known stays.
    let back = world.store.put_back(&second, "me", None, day(300));
    assert!(back.await.unwrap());
    assert!(take(&*world.store, "me", LEASE).await.is_none());
    let just = day(300) - TimeDelta::milliseconds(1);
    for (at, content) in [(just, Some("first")), (day(300), Some("second"))] {
        let taken = world.store.take_message(TO, "me", LEASE, at).await.unwrap();
        let taken = taken.unwrap();
        assert_eq!(Some(taken.content.as_str()), content);
        let back = world.store.put_back(&taken, "me", None, day(400));
        assert!(back.await.unwrap());
    }
    // What was wrong with the one need not be with its replacement.
    post(&world, TO, Some("a"), "first again", 150).await;
    assert_eq!(must_take(&world, "me").await.content, "first again");
}

#[tokio::test]
async fn a_destination_that_is_set_up_anew_gets_everything_at_once() {
    let world = World::new().await;
    post(&world, TO, None, "1", 1).await;
    let message = must_take(&world, "me").await;
    let back = world.store.put_back(&message, "me", Some("401"), day(200));
    assert!(back.await.unwrap());
    world.store.make_due("forwards.other").await.unwrap();
    assert!(take(&*world.store, "me", LEASE).await.is_none());
    world.store.make_due(TO).await.unwrap();
    let again = must_take(&world, "me").await;
    assert_eq!(again.attempts, 1);
    let waiting = world.store.waiting().await.unwrap().remove(0);
    assert_eq!(waiting.problem.as_deref(), Some("401"));
}

#[tokio::test]
async fn one_process_at_a_time_delivers_to_a_destination() {
    let world = World::new().await;
    let other = world.place.open().await;
    for content in ["1", "2"] {
        post(&world, TO, None, content, 1).await;
    }
    post(&world, "forwards.other", None, "3", 1).await;
    let first = must_take(&world, "me").await;
    assert!(take(&*other, "you", LEASE).await.is_none());
    let elsewhere = other.take_message("forwards.other", "you", LEASE, day(100));
    assert!(elsewhere.await.unwrap().is_some());
    assert!(world.store.keep_message(&first, "me", LEASE).await.unwrap());
    assert!(take(&*other, "you", LEASE).await.is_none());
    assert!(delivered(&world, &first, "me").await);
    let second = take(&*other, "you", LEASE).await.unwrap();
    assert_eq!(second.content, "2");
    assert!(other.put_back(&second, "you", None, day(1)).await.unwrap());
    assert!(take(&*world.store, "me", LEASE).await.is_some());
}

#[tokio::test]
async fn two_that_take_at_once_never_both_get_a_message() {
    let world = World::new().await;
    let other = world.place.open().await;
    for round in 0..20 {
        post(&world, TO, None, "once", round).await;
        let (one, two) = tokio::join!(
            take(&*world.store, "me", LEASE),
            take(&*other, "you", LEASE)
        );
        assert!(one.is_some() != two.is_some(), "{one:?} {two:?}");
        let (message, holder) = one.map_or((two, "you"), |message| (Some(message), "me"));
        assert!(delivered(&world, &message.unwrap(), holder).await);
    }
}

#[tokio::test]
async fn who_has_lost_the_lease_can_write_nothing_any_more() {
    let world = World::new().await;
    let store = &world.store;
    post(&world, TO, Some("a"), "1", 1).await;
    let mine = take(&**store, "me", NO_LEASE).await.unwrap();
    // Nobody has taken it yet, but somebody might be about to.
    assert!(!store.keep_message(&mine, "me", LEASE).await.unwrap());
    let yours = take(&**store, "you", LEASE).await.unwrap();
    assert_eq!((yours.id, yours.attempts), (mine.id, 1));
    assert!(!store.keep_message(&mine, "me", LEASE).await.unwrap());
    assert!(!store.note_message(&mine, "me", "sent").await.unwrap());
    let kept = store.keep_destination_state(&mine, "me", "test", "7");
    assert!(!kept.await.unwrap());
    let back = store.put_back(&mine, "me", Some("late"), day(500));
    assert!(!back.await.unwrap());
    assert!(!delivered(&world, &mine, "me").await);

    let waiting = store.waiting().await.unwrap().remove(0);
    assert_eq!((waiting.problem, waiting.next_attempt_at), (None, None));
    assert_eq!(store.destination_state(TO, "test").await.unwrap(), None);
    assert!(store.note_message(&yours, "you", "mine").await.unwrap());
    assert!(delivered(&world, &yours, "you").await);
    assert!(store.waiting().await.unwrap().is_empty());
    // What is gone is nobody's.
    assert!(!delivered(&world, &yours, "you").await);
}

#[tokio::test]
async fn deliverers_remember_what_they_like_by_destination_and_topic() {
    let world = World::new().await;
    let store = &world.store;
    post(&world, TO, None, "1", 1).await;
    let message = must_take(&world, "me").await;
    for (topic, state) in [("a", "1"), ("b", "2"), ("a", "3")] {
        let kept = store.keep_destination_state(&message, "me", topic, state);
        assert!(kept.await.unwrap());
    }
    assert!(delivered(&world, &message, "me").await);
    let state = async |to, topic| store.destination_state(to, topic).await.unwrap();
    assert_eq!(state(TO, "a").await.as_deref(), Some("3"));
    assert_eq!(state(TO, "b").await.as_deref(), Some("2"));
    assert_eq!(state("forwards.other", "a").await, None);
}

#[tokio::test]
async fn what_waits_outlives_every_process() {
    let world = World::new().await;
    post(&world, TO, Some("a"), "1", 1).await;
    let message = must_take(&world, "me").await;
    let noted = world.store.note_message(&message, "me", "half sent");
    assert!(noted.await.unwrap());
    let World { place, store } = world;
    drop(store);
    let store = place.open().await;
    let again = take(&*store, "me", LEASE).await.unwrap();
    assert_eq!((again.id, again.attempts), (message.id, 1));
    assert_eq!(again.note.as_deref(), Some("half sent"));
}
