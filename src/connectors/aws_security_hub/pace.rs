//! AWS allows 3 GetFindings a second and account and Region, 6 at once, to all who ask together.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// A little slower than allowed, so that others of the account get their turn.
const EVERY: Duration = Duration::from_millis(400);

/// How many may go at once after a rest.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Lets the calls of one tool through; for ever, if the admin has set a rate, which the HTTP client keeps.
pub(super) struct Pace(Option<DefaultDirectRateLimiter>);

impl Pace {
    pub(super) fn new(max_requests_per_second: Option<f64>) -> Self {
        let quota = Quota::with_period(EVERY).filter(|_| max_requests_per_second.is_none());
        Self(quota.map(|quota| RateLimiter::direct(quota.allow_burst(AT_ONCE))))
    }

    /// Waits until a page may be asked for.
    pub(super) async fn pass(&self) {
        if let Some(limiter) = &self.0 {
            limiter.until_ready().await;
        }
    }
}
