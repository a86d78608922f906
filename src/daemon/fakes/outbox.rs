//! The part of the store in memory from which findings leave: runs become known, and something may wait.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::FakeStore;
use crate::store::{EndedRun, KnownGroup, Message, NewMessage, Outbox, Run, StoreError, Waiting};

#[async_trait]
impl Outbox for FakeStore {
    async fn unannounced_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
        self.try_read().await;
        let announced = self.announced.lock().unwrap();
        let is_news = |run: &Run| run.status.is_over() && !announced.contains(&run.id);
        Ok(self
            .all()
            .into_iter()
            .filter(is_news)
            .take(limit as usize)
            .map(|run| EndedRun {
                run,
                connector: "dependency-track".to_owned(),
                credentials_refused: false,
                groups: Vec::new(),
            })
            .collect())
    }

    async fn announce(
        &self,
        run: &Run,
        _messages: Vec<NewMessage>,
        _at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.try_write().await?;
        let is_new = self.announced.lock().unwrap().insert(run.id);
        self.changed.notify_waiters();
        Ok(is_new)
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        self.try_read().await;
        Ok(self.waits.lock().unwrap().clone())
    }

    async fn announce_once(
        &self,
        _key: &str,
        _messages: Vec<NewMessage>,
        _at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn finding_groups(&self, _api: &str) -> Result<Vec<KnownGroup>, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn take_message(
        &self,
        _destination: &str,
        _holder: &str,
        _lease: Duration,
        _at: DateTime<Utc>,
    ) -> Result<Option<Message>, StoreError> {
        Ok(None)
    }

    async fn keep_message(
        &self,
        _message: &Message,
        _holder: &str,
        _lease: Duration,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn note_message(
        &self,
        _message: &Message,
        _holder: &str,
        _note: &str,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn delivered(&self, _message: &Message, _holder: &str) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn put_back(
        &self,
        _message: &Message,
        _holder: &str,
        _problem: Option<&str>,
        _not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn make_due(&self, _destination: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn destination_state(
        &self,
        _destination: &str,
        _topic: &str,
    ) -> Result<Option<String>, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn keep_destination_state(
        &self,
        _message: &Message,
        _holder: &str,
        _topic: &str,
        _state: &str,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }
}
