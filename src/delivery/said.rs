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

    pub(super) fn given_up(&mut self, message: &Message, problem: &str) {
        self.messages.remove(&message.id);
        tracing::error!(
            destination = %message.destination,
            topic = message.topic.as_deref(),
            "a message was given up, it will never be delivered: {problem}"
        );
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are logged meanwhile, without their fields.
    fn logged(act: impl FnOnce(&mut Said)) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || act(&mut Said::default()));
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .map(|line| line.split(" destination=").next().unwrap().to_owned())
            .collect()
    }

    fn message(id: i64) -> Message {
        Message {
            id,
            destination: "forwards.dojo".to_owned(),
            topic: None,
            content: "{}".to_owned(),
            revision: 1,
            since: chrono::DateTime::UNIX_EPOCH,
            attempts: 0,
            note: None,
        }
    }

    #[test]
    fn a_problem_is_logged_when_it_comes_and_when_it_changes_and_when_it_is_over() {
        let lines = logged(|said| {
            for problem in ["400", "400", "422"] {
                said.later(&message(1), problem);
                said.later(&message(2), "400");
            }
            said.delivered(&message(3));
            said.delivered(&message(1));
            said.delivered(&message(1));
        });
        let waits = "a message could not be delivered and is tried again";
        let expected = [
            format!("{waits}: 400"),
            format!("{waits}: 400"),
            format!("{waits}: 422"),
            "delivered after all".to_owned(),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_destination_that_is_down_for_a_day_is_two_lines() {
        let lines = logged(|said| {
            for _ in 0..24 {
                said.unavailable("forwards.dojo", "502");
            }
            said.delivered(&message(1));
            said.store_failed("forwards.dojo", "locked");
            said.store_failed("forwards.dojo", "locked");
            said.store_works();
            said.store_failed("forwards.dojo", "locked");
        });
        let expected = [
            "nothing can be delivered, everything waits: 502",
            "delivered after all",
            "nothing can be delivered: locked",
            "nothing can be delivered: locked",
        ];
        assert_eq!(lines, expected);
    }
}
