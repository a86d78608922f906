use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

/// Lets a tool's requests through: so many at once, so many a second, and none while the tool has asked for a pause.
pub(super) struct Gate {
    slots: Arc<Semaphore>,
    rate: Option<Rate>,
    quiet_until: Mutex<Option<Instant>>,
}

type Rate = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

/// A request's leave to be under way; given back when dropped.
pub(super) type Leave = Option<OwnedSemaphorePermit>;

impl Gate {
    /// # Errors
    /// The rate is no positive number, or nearly none at all.
    pub(super) fn new(max_concurrent: usize, max_per_second: Option<f64>) -> Result<Self, String> {
        let rate = match max_per_second {
            None => None,
            Some(rate) => {
                quota(rate)?.map(|quota| Rate::direct_with_clock(quota, TokioClock(Instant::now())))
            }
        };
        let slots = max_concurrent.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            slots: Arc::new(Semaphore::new(slots)),
            rate,
            quiet_until: Mutex::new(None),
        })
    }

    /// Waits until a request may be sent.
    pub(super) async fn pass(&self) -> Leave {
        // The semaphore is never closed.
        let leave = Arc::clone(&self.slots).acquire_owned().await.ok();
        loop {
            let quiet_until = *self
                .quiet_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match quiet_until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => break,
            }
        }
        // governor's own waiting goes by the machine's clock, not by tokio's.
        if let Some(rate) = &self.rate {
            while let Err(early) = rate.check() {
                sleep(early.wait_time_from(rate.clock().now())).await;
            }
        }
        leave
    }

    /// The tool wants to be left alone for so long, by whomever.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut quiet = self
            .quiet_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if quiet.is_none_or(|known| known < until) {
            *quiet = Some(until);
        }
    }
}

/// Evenly spaced requests, no bursts: a tool's limit is rarely ours alone. None if the rate is beyond measuring.
fn quota(rate: f64) -> Result<Option<Quota>, String> {
    const LONGEST: f64 = 24.0 * 3600.0;
    let seconds = 1.0 / rate;
    if rate.is_nan() || rate <= 0.0 || seconds > LONGEST {
        return Err(format!(
            "max_requests_per_second = {rate} is not possible: it must be above 0, and not less than one request a day"
        ));
    }
    Ok(Quota::with_period(Duration::from_secs_f64(seconds)))
}

/// Time since the gate was made.
#[derive(Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
