//! What a deliverer has at hand while it delivers a message.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::store::{Message, Store, StoreError};

/// Under what a message was taken.
#[derive(Clone, Copy)]
pub struct Hold<'a> {
    /// The store.
    pub store: &'a Arc<dyn Store>,
    /// The message.
    pub message: &'a Message,
    /// Who holds its destination.
    pub holder: &'a str,
}

/// The desk at which one message is delivered.
pub struct Desk<'a> {
    hold: Hold<'a>,
    now: DateTime<Utc>,
    stop: CancellationToken,
}

/// Why something could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Another process delivers to the destination by now: send nothing more.
    #[error("another process has taken the delivery over")]
    Lost,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'a> Desk<'a> {
    /// A desk for one message; `stop` ends the attempt.
    #[must_use]
    pub fn new(hold: Hold<'a>, now: DateTime<Utc>, stop: CancellationToken) -> Self {
        Self { hold, now, stop }
    }

    /// The store, to read what is to be sent.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        self.hold.store
    }

    /// When the attempt began.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Until the attempt is to end: the daemon stops, or the destination is lost to another process.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the attempt is to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Notes what the next attempt has to know, before something is sent that cannot be taken back. It is kept when this
    /// returns, and is forgotten when the message is delivered. No secret: it stands in the store.
    ///
    /// # Errors
    /// It is not kept: do not send.
    pub async fn note(&self, note: &str) -> Result<(), DeskError> {
        let Hold {
            store,
            message,
            holder,
        } = self.hold;
        stands(store.note_message(message, holder, note).await?)
    }

    /// What an earlier delivery has remembered about this topic.
    ///
    /// # Errors
    /// The store failed.
    pub async fn state(&self, topic: &str) -> Result<Option<String>, StoreError> {
        let Hold { store, message, .. } = self.hold;
        store.destination_state(&message.destination, topic).await
    }

    /// Remembers something about this topic for later deliveries to the same destination.
    ///
    /// # Errors
    /// It is not kept.
    pub async fn keep_state(&self, topic: &str, state: &str) -> Result<(), DeskError> {
        let Hold {
            store,
            message,
            holder,
        } = self.hold;
        let kept = store.keep_destination_state(message, holder, topic, state);
        stands(kept.await?)
    }
}

fn stands(is_held: bool) -> Result<(), DeskError> {
    match is_held {
        true => Ok(()),
        false => Err(DeskError::Lost),
    }
}
