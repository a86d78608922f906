//! What a destination has to be able to do.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Desk, DeskError};
use crate::store::{EndedRun, Message, NewMessage, Store, StoreError};

/// One configured destination: turns what has happened into messages, and delivers them.
///
/// A message is delivered at least once: whoever delivers may be killed at any instant, and another tries again. What cannot
/// be taken back is therefore preceded by a [`Desk::note`], which the next attempt reads in [`Message::note`].
#[async_trait]
pub trait Deliverer: Send + Sync {
    /// `forwards.NAME` or `notifications.NAME`; the same for as long as it is configured.
    fn destination(&self) -> &str;

    /// What is to be said about a run that is over; often nothing. Asked again if the process ends before the answer is kept.
    ///
    /// # Errors
    /// The store failed: asked again later.
    async fn on_run(
        &self,
        run: &EndedRun,
        store: &dyn Store,
    ) -> Result<Vec<NewMessage>, StoreError>;

    /// What is to be said although no run has ended: a new destination wants all that there is, an API configuration was not
    /// imported for too long. Asked once a minute at least.
    ///
    /// # Errors
    /// The store failed: asked again later.
    async fn on_round(
        &self,
        now: DateTime<Utc>,
        store: &dyn Store,
    ) -> Result<Vec<Occasion>, StoreError>;

    /// How long one attempt may take at most, where that is more than an hour.
    fn longest(&self) -> Option<Duration> {
        None
    }

    /// Delivers one message. Nobody else delivers to this destination meanwhile. Has to end soon once [`Desk::stopped`] does:
    /// it is dropped otherwise.
    async fn deliver(&self, message: &Message, desk: &Desk<'_>) -> Outcome;
}

/// Something that is said once for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// Names it, over all destinations, so begins with the destination's name.
    pub key: String,
    /// What is said.
    pub messages: Vec<NewMessage>,
}

/// How an attempt to deliver a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The destination has it, or it has become pointless.
    Delivered,
    /// This message has to wait; others of the destination are tried.
    Later {
        /// Why, in one line that an operator can act on, without a secret.
        problem: String,
        /// For how long at least, as the destination wishes. None: 30 s, doubled with each attempt up to an hour.
        after: Option<Duration>,
    },
    /// The destination takes nothing just now (down, credentials refused, rate limit): all its messages wait.
    Unavailable {
        /// Why, in one line that an operator can act on, without a secret.
        problem: String,
        /// For how long at least, as the destination wishes. None: as with [`Self::Later`].
        after: Option<Duration>,
    },
    /// It will never be delivered: too old, or beyond understanding. It is removed, counted, and logged as an error.
    GivenUp {
        /// Why, in one line, without a secret.
        problem: String,
    },
}

impl From<DeskError> for Outcome {
    fn from(error: DeskError) -> Self {
        Self::Later {
            problem: error.to_string(),
            after: None,
        }
    }
}
