#![allow(clippy::unwrap_used)]

use super::*;
use crate::delivery::fakes::{Act, Bench, Fake};
use crate::store::RunState;

const TO: &str = "forwards.dojo";
const PATIENCE: Duration = Duration::from_secs(20);

fn open(bench: &Bench, fakes: &[&Arc<Fake>]) -> Post {
    Post::open(bench.office.clone(), all(fakes))
}

fn all(fakes: &[&Arc<Fake>]) -> Vec<Arc<dyn Deliverer>> {
    let erase = |fake: &&Arc<Fake>| Arc::clone(fake) as Arc<dyn Deliverer>;
    fakes.iter().map(erase).collect()
}

async fn until_nothing_waits(bench: &Bench) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !bench.waiting().await.is_empty() {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "{:?}", bench.waiting().await);
}

#[tokio::test]
async fn a_run_that_ends_is_delivered_when_it_rings() {
    let bench = Bench::new().await;
    let fake = Fake::new(TO, []);
    let before = bench.run("a", RunState::Complete).await;
    let post = open(&bench, &[&fake]);
    // What ended while nobody was up.
    fake.until_tried(1).await;
    let after = bench.run("a", RunState::Complete).await;
    post.ring();
    fake.until_tried(2).await;
    assert_eq!(fake.tried(), [before.to_string(), after.to_string()]);
    assert_eq!(post.destinations(), [TO]);
    post.close(PATIENCE).await;
    until_nothing_waits(&bench).await;
}

#[tokio::test]
async fn one_destination_that_hangs_does_not_hold_up_another_nor_the_end() {
    let bench = Bench::new().await;
    let (hanging, quick) = (Fake::new("forwards.a", [Act::Obeys]), Fake::new(TO, []));
    bench.run("a", RunState::Complete).await;
    let post = open(&bench, &[&hanging, &quick]);
    hanging.until_tried(1).await;
    quick.until_tried(1).await;
    let closed = tokio::time::timeout(PATIENCE, post.close(PATIENCE));
    closed.await.unwrap();
}

#[tokio::test]
async fn a_reload_lets_the_delivery_under_way_end_before_the_new_one_begins() {
    let bench = Bench::new().await;
    let old = Fake::new(TO, [Act::Waits]);
    bench.run("a", RunState::Complete).await;
    let post = open(&bench, &[&old]);
    old.until_tried(1).await;
    let new = Fake::new(TO, []);
    post.serve(all(&[&new]));
    bench.run("b", RunState::Complete).await;
    post.ring();
    // It is announced, and nobody takes it yet.
    let announced = tokio::time::timeout(PATIENCE, async {
        while bench.waiting().await[0].messages < 2 {
            tokio::task::yield_now().await;
        }
    });
    announced.await.unwrap();
    assert!(new.tried().is_empty());
    old.go_on.notify_one();
    new.until_tried(1).await;
    until_nothing_waits(&bench).await;
    assert_eq!((old.tried().len(), new.tried().len()), (1, 1));
    post.close(PATIENCE).await;
}

#[tokio::test]
async fn a_destination_that_is_taken_out_keeps_what_waits_and_one_that_comes_back_gets_it_at_once()
{
    let bench = Bench::new().await;
    let down = Fake::new(TO, [crate::delivery::fakes::later("down")]);
    bench.run("a", RunState::Complete).await;
    let post = open(&bench, &[&down]);
    down.until_tried(1).await;
    post.serve(Vec::new());
    assert!(post.destinations().is_empty());
    bench.run("b", RunState::Complete).await;
    post.ring();
    let announced = tokio::time::timeout(PATIENCE, async {
        while !bench.store().unannounced_runs(1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    announced.await.unwrap();
    assert_eq!(bench.waiting().await[0].messages, 1);
    // The clock stands: by itself the message would wait for half a minute.
    let up = Fake::new(TO, []);
    post.serve(all(&[&up]));
    up.until_tried(1).await;
    until_nothing_waits(&bench).await;
    post.close(PATIENCE).await;
}
