//! What is remembered of a group between deliveries: its tests, and what each was told.

use serde::{Deserialize, Serialize};

use super::group::Group;
use super::ledger::Ledger;
use super::names::{Names, digest};
use super::words::FirstWords;
use crate::config::Forward;
use crate::delivery::{Desk, DeskError};
use crate::store::{Store, StoreError};

/// Under which topics.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The group's names there, unlike those of every other group of the forward.
    pub(super) names: Names,
    owner: String,
    claim: String,
    topic: String,
}

/// What is remembered of the group as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Head {
    /// The ids of its tests, by part, as far as they are known.
    pub(super) tests: Vec<Option<u64>>,
    /// Something is open there that is resolved here.
    pub(super) unclosed: bool,
    /// DefectDojo's numbers did not fit what was sent.
    pub(super) doubted: bool,
}

impl Place {
    /// The place of a group: names that another group has already are told apart.
    pub(super) async fn of(
        store: &dyn Store,
        destination: &str,
        forward: &Forward,
        location: &str,
        group: &Group,
    ) -> Result<Self, StoreError> {
        let owner = group.topic();
        let mut names = Names::of(forward, group);
        let claim = |names: &Names| format!("names {}", names.key(location));
        let claimed = store.destination_state(destination, &claim(&names)).await?;
        if claimed.is_some_and(|by| by != owner) {
            names = names.told_apart_by(&owner);
        }
        Ok(Self {
            claim: claim(&names),
            topic: format!("{owner} {}", digest(&names.key(location))),
            names,
            owner,
        })
    }

    pub(super) async fn head(
        &self,
        store: &dyn Store,
        destination: &str,
    ) -> Result<Head, StoreError> {
        let head = store.destination_state(destination, &self.topic).await?;
        // One that cannot be read is as good as none: all is looked up again.
        let head = head.and_then(|text| serde_json::from_str(&text).ok());
        Ok(head.unwrap_or_default())
    }

    /// Remembers the head, and whose the names are.
    pub(super) async fn keep_head(&self, desk: &Desk<'_>, head: &Head) -> Result<(), DeskError> {
        desk.keep_state(&self.claim, &self.owner).await?;
        let head = serde_json::json!(head).to_string();
        desk.keep_state(&self.topic, &head).await
    }

    pub(super) async fn ledger(&self, desk: &Desk<'_>, part: usize) -> Result<Ledger, StoreError> {
        let text = desk.state(&self.topic_of(part)).await?;
        Ok(text
            .and_then(|text| Ledger::parse(&text))
            .unwrap_or_default())
    }

    pub(super) async fn keep_ledger(
        &self,
        desk: &Desk<'_>,
        part: usize,
        ledger: &Ledger,
    ) -> Result<(), DeskError> {
        desk.keep_state(&self.topic_of(part), &ledger.text()).await
    }

    pub(super) async fn first_words(
        &self,
        desk: &Desk<'_>,
        part: usize,
    ) -> Result<FirstWords, StoreError> {
        let text = desk.state(&self.topic_of_words(part)).await?;
        let words = text.and_then(|text| FirstWords::parse(&text));
        Ok(words.unwrap_or_default())
    }

    pub(super) async fn keep_first_words(
        &self,
        desk: &Desk<'_>,
        part: usize,
        words: &FirstWords,
    ) -> Result<(), DeskError> {
        desk.keep_state(&self.topic_of_words(part), &words.text())
            .await
    }

    fn topic_of_words(&self, part: usize) -> String {
        format!("{} words", self.topic_of(part))
    }

    fn topic_of(&self, part: usize) -> String {
        format!("{} {part}", self.topic)
    }
}
