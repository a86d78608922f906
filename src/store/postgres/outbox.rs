//! How the outbox's statements are executed.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::delivering::{self, Hold};
use super::{PostgresStore, announcing, in_time, transaction};
use crate::store::{EndedRun, KnownGroup, Message, NewMessage, Outbox, Run, StoreError, Waiting};

#[async_trait]
impl Outbox for PostgresStore {
    async fn unannounced_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
        let runs = async { announcing::unannounced(&mut *self.connection().await?, limit).await };
        runs.await.map_err(self.at())
    }

    async fn announce(
        &self,
        run: &Run,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| announcing::announce(
            transaction,
            run,
            messages,
            at
        ))
    }

    async fn announce_once(
        &self,
        key: &str,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| announcing::announce_once(
            transaction,
            key,
            messages,
            at
        ))
    }

    async fn finding_groups(&self, api_configuration: &str) -> Result<Vec<KnownGroup>, StoreError> {
        let groups =
            async { announcing::groups(&mut *self.connection().await?, api_configuration).await };
        groups.await.map_err(self.at())
    }

    async fn take_message(
        &self,
        destination: &str,
        holder: &str,
        lease: Duration,
        at: DateTime<Utc>,
    ) -> Result<Option<Message>, StoreError> {
        let hold = Hold {
            destination,
            holder,
        };
        transaction!(self, |transaction, _holder| delivering::take(
            transaction,
            hold,
            lease,
            at
        ))
    }

    async fn keep_message(
        &self,
        message: &Message,
        holder: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let hold = Hold::of(message, holder);
        transaction!(self, |transaction, _holder| delivering::keep(
            transaction,
            hold,
            lease
        ))
    }

    async fn note_message(
        &self,
        message: &Message,
        holder: &str,
        note: &str,
    ) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| delivering::note(
            transaction,
            message,
            holder,
            note
        ))
    }

    async fn delivered(&self, message: &Message, holder: &str) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| delivering::delivered(
            transaction,
            message,
            holder
        ))
    }

    async fn put_back(
        &self,
        message: &Message,
        holder: &str,
        problem: Option<&str>,
        not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| delivering::put_back(
            transaction,
            message,
            holder,
            problem,
            not_before
        ))
    }

    async fn make_due(&self, destination: &str) -> Result<(), StoreError> {
        transaction!(self, |transaction, _holder| delivering::make_due(
            transaction,
            destination
        ))
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let waiting = async { delivering::waiting(&mut *self.connection().await?).await };
        waiting.await.map_err(self.at())
    }

    async fn destination_state(
        &self,
        destination: &str,
        topic: &str,
    ) -> Result<Option<String>, StoreError> {
        let state =
            async { delivering::state(&mut *self.connection().await?, destination, topic).await };
        state.await.map_err(self.at())
    }

    async fn keep_destination_state(
        &self,
        message: &Message,
        holder: &str,
        topic: &str,
        state: &str,
    ) -> Result<bool, StoreError> {
        transaction!(self, |transaction, _holder| delivering::keep_state(
            transaction,
            message,
            holder,
            topic,
            state
        ))
    }
}
