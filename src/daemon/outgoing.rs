//! The daemon's post office: what it works with, and what rings it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::delivery::{Office, Post};

/// An office over the engine's store, at the engine's clock.
pub(super) fn office(engine: &Engine) -> Office {
    let clock = engine.clone();
    Office {
        store: Arc::clone(engine.store()),
        now: Arc::new(move || clock.now()),
        ledger: engine.metrics().clone(),
        name: engine.name().to_owned(),
    }
}

/// Rings at the end of each run, until `stop`.
pub(super) async fn keep_ringing(engine: Engine, post: Post, stop: CancellationToken) {
    while stop.run_until_cancelled(engine.run_ended()).await.is_some() {
        post.ring();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::daemon::engine::tests::{Bench, count};
    use crate::daemon::fakes::config;
    use crate::store::RunState;

    #[tokio::test]
    async fn destinations_learn_of_each_run_when_it_ends_however_it_does() {
        let bench = Bench::new(config(&["a", "b"], 1));
        let stop = CancellationToken::new();
        let post = bench.post(Vec::new());
        tokio::spawn(keep_ringing(
            bench.engine.clone(),
            post.clone(),
            stop.clone(),
        ));
        bench.start(&["a", "b"]).await;
        let announced = async |number| {
            bench
                .store
                .until(|_| bench.store.announced.lock().unwrap().len() == number)
                .await;
        };
        announced(0).await;
        bench.may_end.add_permits(1);
        announced(1).await;
        let waiting = bench.store.all();
        assert_eq!(count(&waiting, RunState::Complete), 1);
        bench.engine.stop(std::time::Duration::from_secs(20)).await;
        announced(2).await;
        post.close(std::time::Duration::from_secs(20)).await;
        stop.cancel();
    }
}
