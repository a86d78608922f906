//! From what has happened to the messages about it.

use std::sync::Arc;

use super::{Deliverer, Office};
use crate::store::StoreError;

/// So many runs are looked at together.
const TOGETHER: u32 = 100;

/// Makes every run that is over and not announced yet known to all destinations. A kill in between loses nothing: what is
/// announced is marked together with the messages about it.
///
/// # Errors
/// The store failed: what was not announced is when this is called again.
pub async fn announce_runs(
    office: &Office,
    deliverers: &[Arc<dyn Deliverer>],
) -> Result<(), StoreError> {
    let store = &office.store;
    loop {
        let runs = store.unannounced_runs(TOGETHER).await?;
        if runs.is_empty() {
            return Ok(());
        }
        for run in runs {
            let mut messages = Vec::new();
            for deliverer in deliverers {
                messages.extend(deliverer.on_run(&run, &**store).await?);
            }
            // False: another process was quicker, or the run has changed and is read again.
            store.announce(&run.run, messages, (office.now)()).await?;
        }
    }
}

/// Asks every destination what is to be said although no run has ended.
///
/// # Errors
/// The store failed: the rest is asked when this is called again.
pub async fn look_round(
    office: &Office,
    deliverers: &[Arc<dyn Deliverer>],
) -> Result<(), StoreError> {
    let store = &office.store;
    let now = (office.now)();
    for deliverer in deliverers {
        for occasion in deliverer.on_round(now, &**store).await? {
            let said = store.announce_once(&occasion.key, occasion.messages, now);
            said.await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::delivery::Occasion;
    use crate::delivery::fakes::{Bench, Fake, message};
    use crate::store::RunState;

    fn all(fakes: &[&Arc<Fake>]) -> Vec<Arc<dyn Deliverer>> {
        let erase = |fake: &&Arc<Fake>| Arc::clone(fake) as Arc<dyn Deliverer>;
        fakes.iter().map(erase).collect()
    }

    async fn counts(bench: &Bench) -> Vec<(String, u64)> {
        let waiting = bench.waiting().await;
        waiting
            .into_iter()
            .map(|waiting| (waiting.destination, waiting.messages))
            .collect()
    }

    #[tokio::test]
    async fn every_run_becomes_known_to_every_destination_once_however_many_there_are() {
        let bench = Bench::new().await;
        for number in 0..TOGETHER + 1 {
            let api = format!("a{}", number % 7);
            bench.run(&api, RunState::Complete).await;
        }
        let fakes = [Fake::new("forwards.a", []), Fake::new("forwards.b", [])];
        let deliverers = all(&[&fakes[0], &fakes[1]]);
        for _ in 0..2 {
            announce_runs(&bench.office, &deliverers).await.unwrap();
            let every = u64::from(TOGETHER) + 1;
            let expected = ["forwards.a", "forwards.b"].map(|name| (name.to_owned(), every));
            assert_eq!(counts(&bench).await, expected);
        }
    }

    #[tokio::test]
    async fn a_run_stays_news_while_a_destination_cannot_say_what_it_wants() {
        let bench = Bench::new().await;
        let run = bench.run("a", RunState::Failed).await;
        let (one, other) = (Fake::new("forwards.a", []), Fake::new("forwards.b", []));
        let deliverers = all(&[&one, &other]);
        *other.fails.lock().unwrap() = true;
        assert!(announce_runs(&bench.office, &deliverers).await.is_err());
        // Not to one and not to the other.
        assert!(counts(&bench).await.is_empty());
        let news = bench.store().unannounced_runs(9).await.unwrap();
        assert_eq!(news[0].run.id, run);
        *other.fails.lock().unwrap() = false;
        announce_runs(&bench.office, &deliverers).await.unwrap();
        assert_eq!(counts(&bench).await.len(), 2);
    }

    #[tokio::test]
    async fn an_occasion_is_said_once_and_a_new_one_again() {
        let bench = Bench::new().await;
        let fake = Fake::new("notifications.a", []);
        let deliverers = all(&[&fake]);
        for (key, expected) in [("1", 1), ("1", 1), ("2", 2)] {
            *fake.occasions.lock().unwrap() = vec![Occasion {
                key: key.to_owned(),
                messages: vec![message("notifications.a", key)],
            }];
            look_round(&bench.office, &deliverers).await.unwrap();
            assert_eq!(counts(&bench).await[0].1, expected);
        }
    }
}
