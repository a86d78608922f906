//! Who may ask.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::random::Random;

/// The tokens that were given out.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) lifetime: Duration,
    given: u64,
    live: Vec<(String, Instant)>,
}

impl Access {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            given: 0,
            live: Vec::new(),
        }
    }

    pub(super) fn revoke_tokens(&mut self) {
        self.live.clear();
    }

    pub(super) fn give(&mut self) -> String {
        self.given += 1;
        let token = format!("at.{}", Random::new(7, self.given).uuid());
        self.live
            .push((token.clone(), Instant::now() + self.lifetime));
        token
    }

    /// Whether a good token came along.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
        let token = sent.and_then(|value| value.strip_prefix("Bearer "));
        let now = Instant::now();
        self.live
            .iter()
            .any(|(live, until)| Some(live.as_str()) == token && now < *until)
    }
}
