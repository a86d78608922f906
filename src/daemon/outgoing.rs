//! The daemon's post office: what it works with, and what rings it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::delivery::{Office, Post};

/// An office over the engine's store, at the engine's clock.
#[must_use]
pub fn office(engine: &Engine) -> Office {
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
