//! What has been logged of a destination: a problem is told when it comes and when it changes, not at each attempt.

use std::collections::BTreeMap;

use crate::store::Message;

#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of the destination as a whole.
    whole: Option<String>,
    /// Of messages, by number.
    messages: BTreeMap<i64, String>,
    /// Of the store.
    store: Option<String>,
}

impl Said {
    pub(super) fn later(&mut self, message: &Message, problem: &str) {
        let before = self.messages.insert(message.id, problem.to_owned());
        if before.as_deref() != Some(problem) {
            tracing::warn!(
                destination = %message.destination,
                topic = message.topic.as_deref(),
                "a message could not be delivered and is tried again: {problem}"
            );
        }
    }

    pub(super) fn unavailable(&mut self, destination: &str, problem: &str) {
        if self.whole.as_deref() != Some(problem) {
            tracing::warn!(%destination, "nothing can be delivered, everything waits: {problem}");
            self.whole = Some(problem.to_owned());
        }
    }

    pub(super) fn delivered(&mut self, message: &Message) {
        let had_waited = self.messages.remove(&message.id).is_some();
        if self.whole.take().is_some() || had_waited {
            tracing::info!(destination = %message.destination, "delivered after all");
        } else {
            tracing::debug!(destination = %message.destination, "delivered");
        }
    }

    pub(super) fn store_failed(&mut self, destination: &str, error: &str) {
        if self.store.as_deref() != Some(error) {
            tracing::warn!(%destination, "nothing can be delivered: {error}");
            self.store = Some(error.to_owned());
        }
    }

    pub(super) fn store_works(&mut self) {
        self.store = None;
    }
}
