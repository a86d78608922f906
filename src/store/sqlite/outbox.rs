//! How the outbox's statements are executed: what may find nothing to do reads first, beside the one that writes.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::delivering::{self, Hold};
use super::{SqliteStore, announcing};
use crate::store::{EndedRun, KnownGroup, Message, NewMessage, Outbox, Run, StoreError, Waiting};

#[async_trait]
impl Outbox for SqliteStore {
    async fn unannounced_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
        self.read(move |reader| announcing::unannounced(&reader.connection, limit))
            .await
    }

    async fn announce(
        &self,
        run: &Run,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let run = run.clone();
        self.writer()?
            .transaction(move |transaction, _| {
                announcing::announce(transaction, &run, &messages, at)
            })
            .await
    }

    async fn announce_once(
        &self,
        key: &str,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let asked = key.to_owned();
        let is_used = self
            .read(move |reader| announcing::is_used(&reader.connection, &asked))
            .await?;
        if is_used {
            return Ok(false);
        }
        let key = key.to_owned();
        self.writer()?
            .transaction(move |transaction, _| {
                announcing::announce_once(transaction, &key, &messages, at)
            })
            .await
    }

    async fn finding_groups(&self, api_configuration: &str) -> Result<Vec<KnownGroup>, StoreError> {
        let name = api_configuration.to_owned();
        self.read(move |reader| announcing::groups(&reader.connection, &name))
            .await
    }

    async fn take_message(
        &self,
        destination: &str,
        holder: &str,
        lease: Duration,
        at: DateTime<Utc>,
    ) -> Result<Option<Message>, StoreError> {
        let asked = destination.to_owned();
        let any_due = self
            .read(move |reader| delivering::any_due(&reader.connection, &asked, at))
            .await?;
        if !any_due {
            return Ok(None);
        }
        let (destination, holder) = (destination.to_owned(), holder.to_owned());
        self.writer()?
            .transaction(move |transaction, _| {
                let hold = Hold {
                    destination: &destination,
                    holder: &holder,
                };
                delivering::take(transaction, &hold, lease, at)
            })
            .await
    }

    async fn keep_message(
        &self,
        message: &Message,
        holder: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let (message, holder) = (message.clone(), holder.to_owned());
        self.writer()?
            .transaction(move |transaction, _| {
                delivering::keep(transaction, &Hold::of(&message, &holder), lease)
            })
            .await
    }

    async fn note_message(
        &self,
        message: &Message,
        holder: &str,
        note: &str,
    ) -> Result<bool, StoreError> {
        let (message, holder, note) = (message.clone(), holder.to_owned(), note.to_owned());
        self.writer()?
            .transaction(move |transaction, _| {
                Hold::of(&message, &holder).fenced(transaction, |transaction| {
                    delivering::note(transaction, message.id, &note)
                })
            })
            .await
    }

    async fn delivered(&self, message: &Message, holder: &str) -> Result<bool, StoreError> {
        let (message, holder) = (message.clone(), holder.to_owned());
        self.writer()?
            .transaction(move |transaction, _| {
                Hold::of(&message, &holder).finally(transaction, |transaction| {
                    delivering::remove(transaction, &message)
                })
            })
            .await
    }

    async fn put_back(
        &self,
        message: &Message,
        holder: &str,
        problem: Option<&str>,
        not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (message, holder) = (message.clone(), holder.to_owned());
        let problem = problem.map(str::to_owned);
        self.writer()?
            .transaction(move |transaction, _| {
                Hold::of(&message, &holder).finally(transaction, |transaction| {
                    delivering::put_back(transaction, message.id, problem.as_deref(), not_before)
                })
            })
            .await
    }

    async fn make_due(&self, destination: &str) -> Result<(), StoreError> {
        let destination = destination.to_owned();
        self.writer()?
            .transaction(move |transaction, _| delivering::make_due(transaction, &destination))
            .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        self.read(|reader| delivering::waiting(&reader.connection))
            .await
    }

    async fn destination_state(
        &self,
        destination: &str,
        topic: &str,
    ) -> Result<Option<String>, StoreError> {
        let (destination, topic) = (destination.to_owned(), topic.to_owned());
        self.read(move |reader| delivering::state(&reader.connection, &destination, &topic))
            .await
    }

    async fn keep_destination_state(
        &self,
        message: &Message,
        holder: &str,
        topic: &str,
        state: &str,
    ) -> Result<bool, StoreError> {
        let (message, holder) = (message.clone(), holder.to_owned());
        let (topic, state) = (topic.to_owned(), state.to_owned());
        self.writer()?
            .transaction(move |transaction, _| {
                Hold::of(&message, &holder).fenced(transaction, |transaction| {
                    delivering::keep_state(transaction, &message.destination, &topic, &state)
                })
            })
            .await
    }
}
