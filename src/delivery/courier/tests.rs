#![allow(clippy::unwrap_used)]

use super::*;
use crate::delivery::fakes::{Act, Bench, Fake, later, unavailable};

const TO: &str = "forwards.dojo";

/// Leases that no test outlives, and short last words.
const CALM: Pace = Pace {
    last_words: Duration::from_millis(50),
    ..PACE
};

struct Round {
    bench: Bench,
    fake: Arc<Fake>,
    courier: Courier,
}

impl Round {
    async fn new(orders: impl IntoIterator<Item = Act>) -> Self {
        let bench = Bench::new().await;
        let fake = Fake::new(TO, orders);
        let courier = Courier::new(bench.office.clone(), fake.clone()).at_pace(CALM);
        Self {
            bench,
            fake,
            courier,
        }
    }

    async fn go(&mut self) -> Option<DateTime<Utc>> {
        let never = CancellationToken::new();
        self.courier.deliver_due(&never, &never).await.unwrap()
    }
}

#[tokio::test]
async fn everything_due_is_delivered_oldest_first_and_once() {
    let mut round = Round::new([]).await;
    round.bench.post(TO, &["1", "2", "3"]).await;
    round.bench.post("forwards.other", &["4"]).await;
    assert_eq!(round.go().await, None);
    assert_eq!(round.go().await, None);
    assert_eq!(round.fake.tried(), ["1", "2", "3"]);
    assert_eq!(round.bench.outcomes(), ["delivered"; 3]);
    assert_eq!(round.bench.waiting().await[0].destination, "forwards.other");
}

#[tokio::test]
async fn what_cannot_be_delivered_waits_longer_each_time_and_holds_up_nothing_else() {
    let mut round = Round::new([
        later("400\n\u{1b}bad"),
        Act::Ends(Outcome::Delivered),
        later("still"),
    ])
    .await;
    round.bench.post(TO, &["1", "2"]).await;
    let began = (round.bench.office.now)();
    let first = round.go().await.unwrap() - began;
    assert_eq!(round.fake.tried(), ["1", "2"]);
    let waiting = round.bench.waiting().await.remove(0);
    assert_eq!((waiting.messages, waiting.attempts), (1, 1));
    assert_eq!(waiting.problem.as_deref(), Some("400 bad"));
    assert_eq!(waiting.next_attempt_at, Some(began + first));

    round.bench.forward(Duration::from_secs(10));
    assert_eq!(round.go().await, None);
    round.bench.forward(Duration::from_secs(25));
    let now = (round.bench.office.now)();
    let second = round.go().await.unwrap() - now;
    assert!(second > first, "{second} after {first}");
    round.bench.forward(Duration::from_secs(61));
    assert_eq!(round.go().await, None);
    assert_eq!(round.fake.tried(), ["1", "2", "1", "1"]);
    assert!(round.bench.waiting().await.is_empty());
    let outcomes = ["later", "delivered", "later", "delivered"];
    assert_eq!(round.bench.outcomes(), outcomes);
}

#[tokio::test]
async fn a_destination_that_takes_nothing_is_left_alone_whatever_else_comes() {
    let wish = Some(Duration::from_secs(3600));
    let mut round = Round::new([
        unavailable("502"),
        Act::Ends(Outcome::Unavailable {
            problem: "429".to_owned(),
            after: wish,
        }),
    ])
    .await;
    round.bench.post(TO, &["1", "2"]).await;
    let again = round.go().await.unwrap();
    round.bench.post(TO, &["3"]).await;
    assert_eq!(round.go().await, Some(again));
    assert_eq!(round.fake.tried(), ["1"]);
    round.bench.forward(Duration::from_secs(31));
    let again = round.go().await.unwrap();
    let now = (round.bench.office.now)();
    assert_eq!(again, now + Duration::from_secs(3600));
    assert_eq!(round.fake.tried().len(), 2);
    round.bench.forward(Duration::from_secs(3600));
    assert_eq!(round.go().await, None);
    assert!(round.bench.waiting().await.is_empty());
}

#[tokio::test]
async fn a_delivery_that_crashes_is_a_problem_and_the_others_go_out() {
    let mut round = Round::new([Act::Crashes]).await;
    round.bench.post(TO, &["1", "2"]).await;
    assert!(round.go().await.is_some());
    assert_eq!(round.fake.tried(), ["1", "2"]);
    let waiting = round.bench.waiting().await.remove(0);
    assert_eq!(waiting.messages, 1);
    assert!(waiting.problem.unwrap().contains("fault of secpull"));
}

#[tokio::test]
async fn what_is_given_up_is_gone_and_counted() {
    let mut round = Round::new([Act::Ends(Outcome::GivenUp {
        problem: "too old".to_owned(),
    })])
    .await;
    round.bench.post(TO, &["1", "2"]).await;
    assert_eq!(round.go().await, None);
    assert_eq!(round.bench.outcomes(), ["given_up", "delivered"]);
    assert!(round.bench.waiting().await.is_empty());
}

#[tokio::test]
async fn a_delivery_that_hangs_is_broken_off_in_the_end() {
    let mut round = Round::new([Act::Hangs("sent")]).await;
    round.courier.pace.longest = Duration::from_millis(50);
    round.bench.post(TO, &["1"]).await;
    round.go().await.unwrap();
    let waiting = round.bench.waiting().await.remove(0);
    assert!(waiting.problem.unwrap().contains("broken off"));
}

#[tokio::test]
async fn a_stop_ends_a_hanging_delivery_soon_and_the_next_courier_reads_its_note() {
    let mut round = Round::new([Act::Hangs("sent")]).await;
    round.bench.post(TO, &["1", "2"]).await;
    let stop = CancellationToken::new();
    let never = CancellationToken::new();
    let (ended, ()) = tokio::join!(round.courier.deliver_due(&never, &stop), async {
        round.fake.until_tried(1).await;
        stop.cancel();
    });
    assert_eq!(ended.unwrap(), None);
    assert_eq!(round.fake.tried(), ["1"]);
    let waiting = round.bench.waiting().await.remove(0);
    assert_eq!((waiting.messages, waiting.problem), (2, None));

    // Another one need not wait for the lease.
    let office = round.bench.office.clone();
    let mut next = Courier::new(office, round.fake.clone()).at_pace(CALM);
    assert_eq!(next.deliver_due(&never, &never).await.unwrap(), None);
    assert_eq!(round.fake.tried(), ["1", "1, sent", "2"]);
}

#[tokio::test]
async fn what_ends_by_itself_when_it_is_stopped_is_delivered() {
    let mut round = Round::new([Act::Obeys]).await;
    round.bench.post(TO, &["1"]).await;
    let stop = CancellationToken::new();
    let never = CancellationToken::new();
    let (ended, ()) = tokio::join!(round.courier.deliver_due(&never, &stop), async {
        round.fake.until_tried(1).await;
        stop.cancel();
    });
    assert_eq!(ended.unwrap(), None);
    assert!(round.bench.waiting().await.is_empty());
}

#[tokio::test]
async fn who_retires_ends_the_delivery_under_way_and_takes_no_other() {
    let mut round = Round::new([Act::Waits]).await;
    round.bench.post(TO, &["1", "2"]).await;
    let retire = CancellationToken::new();
    let never = CancellationToken::new();
    let (ended, ()) = tokio::join!(round.courier.deliver_due(&retire, &never), async {
        round.fake.until_tried(1).await;
        retire.cancel();
        round.fake.go_on.notify_one();
    });
    assert_eq!(ended.unwrap(), None);
    assert_eq!(round.fake.tried(), ["1"]);
    assert_eq!(round.bench.outcomes(), ["delivered"]);
    assert_eq!(round.bench.waiting().await[0].messages, 1);
}

#[tokio::test]
async fn a_courier_whose_destination_is_lost_sends_nothing_more_and_changes_nothing() {
    let mut round = Round::new([Act::Obeys]).await;
    round.courier.pace = Pace {
        lease: Duration::ZERO,
        beat: Duration::from_millis(20),
        ..CALM
    };
    round.bench.post(TO, &["1"]).await;
    let never = CancellationToken::new();
    let office = round.bench.office.clone();
    let mut other = Courier::new(office, round.fake.clone()).at_pace(CALM);
    let (mine, theirs) = tokio::join!(round.courier.deliver_due(&never, &never), async {
        round.fake.until_tried(1).await;
        other.deliver_due(&never, &never).await
    });
    assert_eq!((mine.unwrap(), theirs.unwrap()), (None, None));
    assert!(round.bench.waiting().await.is_empty());
    let mut outcomes = round.bench.outcomes();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["delivered", "lost"]);
}

#[tokio::test]
async fn a_long_delivery_keeps_its_destination_by_signs_of_life() {
    let mut round = Round::new([Act::Obeys]).await;
    round.courier.pace = Pace {
        lease: Duration::from_secs(3600),
        beat: Duration::from_millis(5),
        ..CALM
    };
    round.bench.post(TO, &["1"]).await;
    let stop = CancellationToken::new();
    let never = CancellationToken::new();
    let office = round.bench.office.clone();
    let other = Fake::new(TO, []);
    let mut elsewhere = Courier::new(office, other.clone()).at_pace(CALM);
    let (ended, ()) = tokio::join!(round.courier.deliver_due(&never, &stop), async {
        round.fake.until_tried(1).await;
        elsewhere.deliver_due(&never, &never).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        elsewhere.deliver_due(&never, &never).await.unwrap();
        stop.cancel();
    });
    ended.unwrap();
    assert!(other.tried().is_empty());
    assert_eq!(round.bench.outcomes(), ["delivered"]);
}
