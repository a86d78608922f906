//! DefectDojo: each API configuration's findings of a product, branch and service in a test of their own, by
//! `POST /api/v2/reimport-scan/` as Generic Findings Import.
//!
//! A group is always sent whole, as it stands in the store when it is delivered. DefectDojo matches by title, CWE, line, file
//! and description, which are therefore unique and stable (`export::generic_findings`), and leaves what it matches as it was:
//! changes of severity and status are carried by PATCH. What is no longer in a file it closes if it is told to, and it is
//! told only when everything was read to its proper end.

mod answer;
mod api;
mod attempt;
mod file;
mod gather;
mod group;
mod ledger;
mod looking;
mod memory;
mod names;
mod note;
mod standing;
mod verdict;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use self::api::Api;
use self::attempt::{Attempt, Ended};
use self::gather::Room;
use self::group::Group;
use self::memory::Place;
use super::{Deliverer, Desk, Occasion, Outcome};
use crate::config::{CloseOld, Forward, Tool};
use crate::store::{EndedRun, Message, NewMessage, RunState, Store, StoreError};

/// The connector of tools that are DefectDojo.
pub(super) const CONNECTOR: &str = "defectdojo";

/// The first sending of a new forward is asked for again after this time: whoever was told may have failed to keep it.
const OFFERED_AGAIN: TimeDelta = TimeDelta::hours(1);

/// What an attempt may take beside its uploads.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// A forward to an instance of DefectDojo.
pub(super) struct DefectDojo {
    destination: String,
    forward: Arc<Forward>,
    location: String,
    /// Or why it cannot be reached.
    api: Result<Api, String>,
    room: Room,
    /// When each occasion was last offered.
    offered: Mutex<HashMap<String, DateTime<Utc>>>,
}

impl DefectDojo {
    pub(super) fn new(forward: Arc<Forward>, tool: &Tool) -> Self {
        let api = Api::open(tool, forward.request_timeout);
        Self {
            destination: format!("forwards.{}", forward.name),
            location: tool.location.as_str().trim_end_matches('/').to_owned(),
            api: api.map_err(|error| error.to_string()),
            forward,
            room: Room::default(),
            offered: Mutex::default(),
        }
    }

    async fn place(&self, store: &dyn Store, group: &Group) -> Result<Place, StoreError> {
        Place::of(
            store,
            &self.destination,
            &self.forward,
            &self.location,
            group,
        )
        .await
    }

    /// Groups in which something is open there that can be closed now.
    async fn to_be_closed(
        &self,
        api_configuration: &str,
        store: &dyn Store,
    ) -> Result<Vec<Group>, StoreError> {
        let mut due = Vec::new();
        for known in store.finding_groups(api_configuration).await? {
            let group = Group::new(api_configuration, known.group);
            let place = self.place(store, &group).await?;
            let head = place.head(store, &self.destination).await?;
            if known.is_complete && head.unclosed {
                due.push(group);
            }
        }
        Ok(due)
    }

    /// Names the first sending of an API configuration's findings to this place by these rules: when one of them changes, all
    /// is sent anew.
    fn first_sending(&self, api_configuration: &str) -> String {
        let Forward {
            product,
            engagement,
            test_title,
            close_old,
            minimum_severity,
            test_type,
            tags,
            ..
        } = &*self.forward;
        let rules = format!(
            "{} {product:?} {engagement:?} {test_title:?} {close_old:?} {minimum_severity} {test_type:?} {tags:?}",
            self.location
        );
        let rules = blake3::hash(rules.as_bytes()).to_hex();
        format!("{} {api_configuration} {rules}", self.destination)
    }

    fn is_to_be_offered(&self, key: &str, now: DateTime<Utc>) -> bool {
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered
            .get(key)
            .is_none_or(|last| now - *last >= OFFERED_AGAIN)
    }

    fn note_offer(&self, key: &str, now: DateTime<Utc>) {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.insert(key.to_owned(), now);
    }

    async fn attempt(&self, message: &Message, desk: &Desk<'_>) -> Result<(), Ended> {
        let api = self.api.as_ref().map_err(|problem| {
            Ended(Outcome::Unavailable {
                problem: problem.clone(),
                after: None,
            })
        })?;
        let group = Group::of_message(&message.content).map_err(|error| {
            Ended(Outcome::GivenUp {
                problem: format!("a message of another version is not understood: {error}"),
            })
        })?;
        if !self
            .forward
            .api_configurations
            .contains(&group.api_configuration)
        {
            // The configuration has changed since.
            return Ok(());
        }
        let begun = Instant::now();
        let store = desk.store().as_ref();
        let closes = self.forward.close_old == CloseOld::CompleteOnly
            && store
                .finding_groups(&group.api_configuration)
                .await?
                .iter()
                .any(|known| known.is_complete && group.is(&known.group));
        let place = self.place(store, &group).await?;
        let attempt = Attempt {
            api,
            forward: &self.forward,
            room: self.room,
            message,
            desk,
            group,
            place,
            closes,
            begun,
        };
        attempt.run().await
    }
}

#[async_trait]
impl Deliverer for DefectDojo {
    fn destination(&self) -> &str {
        &self.destination
    }

    async fn on_run(
        &self,
        run: &EndedRun,
        store: &dyn Store,
    ) -> Result<Vec<NewMessage>, StoreError> {
        let name = &run.run.api_configuration;
        if !self.forward.api_configurations.contains(name) {
            return Ok(Vec::new());
        }
        let changed = run.groups.iter().cloned();
        let mut groups: Vec<_> = changed.map(|group| Group::new(name, group)).collect();
        let is_complete = run.run.status == RunState::Complete;
        if is_complete && self.forward.close_old == CloseOld::CompleteOnly {
            for group in self.to_be_closed(name, store).await? {
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
        }
        let messages = groups.iter().map(|group| group.message(&self.destination));
        Ok(messages.collect())
    }

    async fn on_round(
        &self,
        now: DateTime<Utc>,
        store: &dyn Store,
    ) -> Result<Vec<Occasion>, StoreError> {
        let mut occasions = Vec::new();
        for name in &self.forward.api_configurations {
            let key = self.first_sending(name);
            if !self.is_to_be_offered(&key, now) {
                continue;
            }
            let groups = store.finding_groups(name).await?.into_iter();
            let messages: Vec<_> = groups
                .map(|known| Group::new(name, known.group).message(&self.destination))
                .collect();
            // What is imported later is sent as that run's news.
            if !messages.is_empty() {
                self.note_offer(&key, now);
                occasions.push(Occasion { key, messages });
            }
        }
        Ok(occasions)
    }

    /// An upload, what comes before and after it, and time to spare.
    fn longest(&self) -> Option<Duration> {
        Some(self.forward.request_timeout * 2 + LONGEST_REST)
    }

    async fn deliver(&self, message: &Message, desk: &Desk<'_>) -> Outcome {
        tokio::select! {
            biased;
            () = desk.stopped() => Outcome::Later {
                problem: "interrupted".to_owned(),
                after: Some(Duration::ZERO),
            },
            ended = self.attempt(message, desk) => match ended {
                Ok(()) => Outcome::Delivered,
                Err(Ended(outcome)) => outcome,
            },
        }
    }
}

#[cfg(test)]
mod tests;
