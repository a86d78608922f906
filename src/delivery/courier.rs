//! Takes the messages of one destination to it, one after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::pause;
use super::desk::Hold;
use super::said::Said;
use super::{Deliverer, Desk, Office, Outcome};
use crate::store::{Message, StoreError};

/// How long things take; shorter in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Nobody else delivers to the destination for so long after a sign of life.
    pub(super) lease: Duration,
    /// Between two signs of life.
    pub(super) beat: Duration,
    /// A delivery that takes longer hangs.
    pub(super) longest: Duration,
    /// How long a delivery may take to end by itself when the daemon stops.
    pub(super) last_words: Duration,
    /// What waits is looked at this often, whatever rings.
    pub(super) look_every: Duration,
}

const PACE: Pace = Pace {
    lease: Duration::from_secs(60),
    beat: Duration::from_secs(15),
    longest: Duration::from_secs(3600),
    last_words: Duration::from_secs(2),
    look_every: Duration::from_secs(60),
};

/// A problem's line is no longer, in characters.
const LONGEST_PROBLEM: usize = 1000;

/// The courier of one destination.
pub struct Courier {
    office: Office,
    deliverer: Arc<dyn Deliverer>,
    holder: String,
    pace: Pace,
    said: Said,
    /// Nothing is tried before: the destination takes nothing.
    closed_until: Option<DateTime<Utc>>,
    /// How often in a row it took nothing.
    closed: u32,
}

/// How an attempt ended.
enum Attempt {
    Ended(Outcome),
    /// The daemon stops.
    Stopped,
    /// Another process has the destination.
    Lost,
}

impl Courier {
    /// A courier that has delivered nothing yet.
    #[must_use]
    pub fn new(office: Office, deliverer: Arc<dyn Deliverer>) -> Self {
        Self {
            holder: office.holder(),
            office,
            deliverer,
            pace: PACE,
            said: Said::default(),
            closed_until: None,
            closed: 0,
        }
    }

    /// At another pace.
    #[cfg(test)]
    pub(super) fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Delivers what is due whenever the bell rings, and once a minute at least. After `retire` no other message is taken;
    /// `stop` also ends the delivery under way.
    pub async fn keep_delivering(
        mut self,
        bell: Arc<Notify>,
        retire: CancellationToken,
        stop: CancellationToken,
    ) {
        // It is new, or set up anew: what it waited for may be over.
        if let Err(error) = self.office.store.make_due(self.destination()).await {
            tracing::debug!(destination = self.destination(), "{error}");
        }
        while !retire.is_cancelled() && !stop.is_cancelled() {
            let wait = match self.deliver_due(&retire, &stop).await {
                Ok(next) => {
                    self.said.store_works();
                    self.until(next)
                }
                Err(error) => {
                    let destination = self.deliverer.destination();
                    self.said.store_failed(destination, &error.to_string());
                    self.pace.look_every
                }
            };
            tokio::select! {
                () = retire.cancelled() => {}
                () = stop.cancelled() => {}
                () = bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn destination(&self) -> &str {
        self.deliverer.destination()
    }

    fn until(&self, next: Option<DateTime<Utc>>) -> Duration {
        let wait = next.map(|next| (next - (self.office.now)()).to_std().unwrap_or_default());
        wait.map_or(self.pace.look_every, |wait| wait.min(self.pace.look_every))
    }

    /// Tries each message that is due once, until the destination takes none, or `retire` or `stop`. When the first of them
    /// is to be tried again, if any is.
    ///
    /// # Errors
    /// The store failed. What was delivered and could not be marked is delivered again.
    pub async fn deliver_due(
        &mut self,
        retire: &CancellationToken,
        stop: &CancellationToken,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        // What is put back from here on is not due again in this round.
        let at = (self.office.now)();
        if self.closed_until.is_some_and(|until| at < until) {
            return Ok(self.closed_until);
        }
        self.closed_until = None;
        let mut next: Option<DateTime<Utc>> = None;
        let mut any = false;
        while self.closed_until.is_none() && !retire.is_cancelled() && !stop.is_cancelled() {
            let store = &self.office.store;
            let destination = self.deliverer.destination();
            let taken = store.take_message(destination, &self.holder, self.pace.lease, at);
            let Some(message) = taken.await? else {
                break;
            };
            any = true;
            let again = self.carry(&message, stop).await?;
            next = next.into_iter().chain(again).min();
        }
        if any {
            let waiting = self.office.store.waiting().await?;
            self.office.ledger.waiting(&waiting);
        }
        Ok(next)
    }

    /// One attempt, and what becomes of the message. When it is to be tried again.
    async fn carry(
        &mut self,
        message: &Message,
        stop: &CancellationToken,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let attempt = self.attempt(message, stop).await;
        let now = (self.office.now)();
        let (outcome, is_ours, again) = match attempt {
            Attempt::Ended(Outcome::Delivered) => {
                let is_ours = self.mark_delivered(message).await?;
                if is_ours {
                    self.closed = 0;
                    self.said.delivered(message);
                }
                ("delivered", is_ours, None)
            }
            Attempt::Ended(Outcome::GivenUp { problem }) => {
                let is_ours = self.mark_delivered(message).await?;
                if is_ours {
                    self.said.given_up(message, &in_a_line(&problem));
                }
                ("given_up", is_ours, None)
            }
            Attempt::Ended(Outcome::Later { problem, after }) => {
                let problem = in_a_line(&problem);
                self.said.later(message, &problem);
                let again = now + pause(message.attempts, after);
                let is_ours = self.put_back(message, Some(&problem), again).await?;
                ("later", is_ours, Some(again))
            }
            Attempt::Ended(Outcome::Unavailable { problem, after }) => {
                let problem = in_a_line(&problem);
                self.said.unavailable(&message.destination, &problem);
                let again = now + pause(message.attempts.max(self.closed), after);
                self.closed = self.closed.saturating_add(1);
                self.closed_until = Some(again);
                let is_ours = self.put_back(message, Some(&problem), again).await?;
                ("unavailable", is_ours, Some(again))
            }
            Attempt::Stopped => {
                tracing::info!(
                    destination = %message.destination,
                    "a delivery was interrupted; the next start goes on with it"
                );
                ("stopped", self.put_back(message, None, now).await?, None)
            }
            Attempt::Lost => ("lost", false, None),
        };
        let outcome = if is_ours { outcome } else { "lost" };
        if !is_ours {
            tracing::warn!(
                destination = %message.destination,
                "another process has taken a delivery over that took too long here"
            );
        }
        self.office.ledger.attempted(&message.destination, outcome);
        Ok(again)
    }

    /// Delivers, with signs of life, until it has ended or has to end.
    async fn attempt(&self, message: &Message, stop: &CancellationToken) -> Attempt {
        let hold = Hold {
            store: &self.office.store,
            message,
            holder: &self.holder,
        };
        let desk = Desk::new(hold, (self.office.now)(), stop.child_token());
        let work = AssertUnwindSafe(self.deliverer.deliver(message, &desk)).catch_unwind();
        let longest = self.deliverer.longest().unwrap_or(self.pace.longest);
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(self.pace.last_words).await;
        };
        tokio::select! {
            // What has ended has ended, whatever else has.
            biased;
            ended = work => Attempt::Ended(ended.unwrap_or_else(|_| Outcome::Later {
                problem: "delivering crashed: a fault of secpull, its log tells where; please report it".to_owned(),
                after: None,
            })),
            () = self.lost(message) => Attempt::Lost,
            () = stopped => Attempt::Stopped,
            () = tokio::time::sleep(longest) => Attempt::Ended(Outcome::Later {
                problem: format!(
                    "not delivered within {}, the attempt was broken off",
                    humantime::format_duration(longest)
                ),
                after: None,
            }),
        }
    }

    /// Shows signs of life until the destination is somebody else's, or may be.
    async fn lost(&self, message: &Message) {
        let mut shown = Instant::now();
        loop {
            tokio::time::sleep(self.pace.beat).await;
            let beat = Instant::now();
            let kept = self
                .office
                .store
                .keep_message(message, &self.holder, self.pace.lease);
            match tokio::time::timeout(self.pace.beat, kept).await {
                Ok(Ok(true)) => shown = beat,
                Ok(Ok(false)) => return,
                Ok(Err(_)) | Err(_) if shown.elapsed() >= self.pace.lease => return,
                Ok(Err(error)) => tracing::debug!("a delivery's lease was not renewed: {error}"),
                Err(_) => tracing::debug!("a delivery's lease was not renewed in time"),
            }
        }
    }

    /// A store that fails for a moment must not make it be delivered twice.
    async fn mark_delivered(&self, message: &Message) -> Result<bool, StoreError> {
        let mark = || self.office.store.delivered(message, &self.holder);
        mark.retry(patience()).when(is_passing).await
    }

    async fn put_back(
        &self,
        message: &Message,
        problem: Option<&str>,
        not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let store = &self.office.store;
        let put = || store.put_back(message, &self.holder, problem, not_before);
        put.retry(patience()).when(is_passing).await
    }
}

/// Five tries within a second and a half: a daemon that stops has no more.
fn patience() -> ConstantBuilder {
    ConstantBuilder::default()
        .with_delay(Duration::from_millis(300))
        .with_max_times(4)
}

fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Engine { passing: true, .. })
}

/// White space and control characters as single spaces, and cut: it goes into logs and tables.
fn in_a_line(problem: &str) -> String {
    let line: Vec<&str> = problem
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    line.join(" ").chars().take(LONGEST_PROBLEM).collect()
}

#[cfg(test)]
mod tests;
