//! Delivery by a process that is about to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Courier, Deliverer, Now, Office, announce_runs, look_round};
use crate::store::StoreError;

/// What a deliverer wishes to go on with within this time is gone on with.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Makes known what has happened, and tries each message that is due once, at all destinations at the same time, until
/// `limit` or `stop`. What cannot be delivered waits for the next process.
///
/// # Errors
/// The store failed.
pub async fn deliver_once(
    office: &Office,
    deliverers: Vec<Arc<dyn Deliverer>>,
    limit: Duration,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    announce_runs(office, &deliverers).await?;
    look_round(office, &deliverers).await?;
    let over = stop.child_token();
    let mut couriers = JoinSet::new();
    for deliverer in deliverers {
        let courier = Courier::new(office.clone(), deliverer);
        couriers.spawn(deliver_all(courier, office.now.clone(), over.clone()));
    }
    let watch = async {
        tokio::time::sleep(limit).await;
        over.cancel();
        // The couriers end by themselves, soon.
        std::future::pending().await
    };
    let deliver = async {
        let mut ended = Ok(());
        while let Some(courier) = couriers.join_next().await {
            // A courier that crashed has said so; its message's lease runs out.
            if let Ok(Err(error)) = courier {
                ended = Err(error);
            }
        }
        ended
    };
    tokio::select! {
        ended = deliver => ended,
        () = watch => Ok(()),
    }
}

/// Tries each message once, and again where its deliverer asks to go on at once.
async fn deliver_all(
    mut courier: Courier,
    now: Now,
    over: CancellationToken,
) -> Result<(), StoreError> {
    loop {
        let next = courier.deliver_due(&over, &over).await?;
        let wait = next.map(|next| (next - now()).to_std().unwrap_or_default());
        match wait.filter(|wait| *wait < AT_ONCE && !over.is_cancelled()) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::delivery::Outcome;
    use crate::delivery::fakes::{Act, Bench, Fake, later};
    use crate::store::RunState;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn what_has_happened_is_delivered_at_once_or_waits_without_an_error() {
        let bench = Bench::new().await;
        let run = bench.run("a", RunState::Complete).await.to_string();
        let up = Fake::new("forwards.up", []);
        let down = Fake::new("forwards.down", [later("refused")]);
        let deliverers: Vec<Arc<dyn Deliverer>> = vec![down.clone(), up.clone()];
        let stop = CancellationToken::new();
        deliver_once(&bench.office, deliverers, LONG, stop)
            .await
            .unwrap();
        assert_eq!((up.tried(), down.tried()), (vec![run.clone()], vec![run]));
        let waiting = bench.waiting().await;
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].problem.as_deref(), Some("refused"));
    }

    #[tokio::test]
    async fn a_delivery_in_several_parts_is_gone_on_with() {
        let bench = Bench::new().await;
        let run = bench.run("a", RunState::Complete).await.to_string();
        let next_part = || {
            Act::Ends(Outcome::Later {
                problem: "the next part follows".to_owned(),
                after: Some(Duration::ZERO),
            })
        };
        let fake = Fake::new("forwards.a", [next_part(), next_part()]);
        let office = Office {
            now: Arc::new(chrono::Utc::now),
            ..bench.office.clone()
        };
        deliver_once(&office, vec![fake.clone()], LONG, CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(fake.tried(), [run.clone(), run.clone(), run]);
        assert!(bench.waiting().await.is_empty());
    }

    #[tokio::test]
    async fn a_destination_that_hangs_holds_nobody_up_for_longer_than_the_limit() {
        let bench = Bench::new().await;
        bench.run("a", RunState::Complete).await;
        let hanging = Fake::new("forwards.a", [Act::Obeys, Act::Obeys]);
        for limit in [Duration::from_millis(50), LONG] {
            let stop = CancellationToken::new();
            if limit == LONG {
                stop.cancel();
            }
            let deliverers: Vec<Arc<dyn Deliverer>> = vec![hanging.clone()];
            deliver_once(&bench.office, deliverers, limit, stop)
                .await
                .unwrap();
        }
        assert_eq!(hanging.tried().len(), 1);
    }
}
