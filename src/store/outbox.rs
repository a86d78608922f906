//! What leaves: runs that are to be made known, and the messages that wait for their destinations.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Run, StoreError};

/// The part of a store from which findings leave. A message stays until its destination has it: delivered at least once,
/// whatever is killed in between.
///
/// Who delivers holds the destination for a lease, by the store's clock: one process at a time delivers to it, and one whose
/// lease has run out can change nothing any more. Each call is one transaction.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Runs that are over and not announced yet, oldest first, at most so many.
    async fn unannounced_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StoreError>;

    /// Marks a run as announced, and adds the messages about it. False, and nothing is added, if another process has done it,
    /// or something has happened to the run since it was read (`accept`): it is then announced as it is now.
    async fn announce(
        &self,
        run: &Run,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Adds messages under a key that has never been used before, else nothing: false.
    async fn announce_once(
        &self,
        key: &str,
        messages: Vec<NewMessage>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Where the findings of an API configuration are filed.
    async fn finding_groups(&self, api_configuration: &str) -> Result<Vec<KnownGroup>, StoreError>;

    /// The oldest message of a destination that is due, for which the destination is now held. None if nothing is due, or
    /// somebody else delivers to it. To be ended with [`Self::delivered`] or [`Self::put_back`].
    async fn take_message(
        &self,
        destination: &str,
        holder: &str,
        lease: Duration,
        at: DateTime<Utc>,
    ) -> Result<Option<Message>, StoreError>;

    /// Holds the message's destination for another lease from now on. False: it is lost, deliver no further.
    async fn keep_message(
        &self,
        message: &Message,
        holder: &str,
        lease: Duration,
    ) -> Result<bool, StoreError>;

    /// Notes what whoever delivers the message next has to know, in place of an earlier note. False: it is lost.
    async fn note_message(
        &self,
        message: &Message,
        holder: &str,
        note: &str,
    ) -> Result<bool, StoreError>;

    /// Removes a message, and lets its destination go. If the message was replaced while it was delivered, the new one waits
    /// as if it had come alone. False: it is lost, and will be delivered again.
    async fn delivered(&self, message: &Message, holder: &str) -> Result<bool, StoreError>;

    /// Lets a message wait until a time, and its destination go. Without a problem the one known before stays. False: it is
    /// lost.
    async fn put_back(
        &self,
        message: &Message,
        holder: &str,
        problem: Option<&str>,
        not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Makes all messages of a destination due, whatever they were waiting for: the destination is set up anew.
    async fn make_due(&self, destination: &str) -> Result<(), StoreError>;

    /// What waits at each destination that anything waits for, by name.
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError>;

    /// What a deliverer remembers about a topic of its own.
    async fn destination_state(
        &self,
        destination: &str,
        topic: &str,
    ) -> Result<Option<String>, StoreError>;

    /// Remembers something while the message's destination is held, in place of what was remembered. False: it is lost.
    async fn keep_destination_state(
        &self,
        message: &Message,
        holder: &str,
        topic: &str,
        state: &str,
    ) -> Result<bool, StoreError>;
}

/// A message to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// `forwards.NAME` or `notifications.NAME`.
    pub destination: String,
    /// Waiting messages of one destination and topic replace each other. What replaces one is due at once.
    pub topic: Option<String>,
    /// The deliverer's own words to itself, as JSON.
    pub content: String,
}

/// A message that has been taken to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// `forwards.NAME` or `notifications.NAME`.
    pub destination: String,
    /// What it is about, if later messages replace it.
    pub topic: Option<String>,
    /// The deliverer's own words to itself, as JSON.
    pub content: String,
    /// Grows when a waiting message is replaced.
    pub revision: i64,
    /// Since when it waits; a message that replaces a waiting one waits as long as that.
    pub since: DateTime<Utc>,
    /// How often it was taken before.
    pub attempts: u32,
    /// What an earlier attempt has noted.
    pub note: Option<String>,
}

/// What waits at one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// `forwards.NAME` or `notifications.NAME`.
    pub destination: String,
    /// So many messages.
    pub messages: u64,
    /// The oldest since then.
    pub since: DateTime<Utc>,
    /// How often the one that fares worst was tried.
    pub attempts: u32,
    /// Why that one waits still, if it has been tried.
    pub problem: Option<String>,
    /// When that one is tried again; none: as soon as possible.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A run that is over.
#[derive(Debug, Clone)]
pub struct EndedRun {
    /// The run.
    pub run: Run,
    /// Name of its connector.
    pub connector: String,
    /// Whether the tool did not accept its credentials.
    pub credentials_refused: bool,
    /// Where it changed something: findings that came, changed, went or came back. What a later run of the same API
    /// configuration has changed again is in that run's groups only.
    pub groups: Vec<FindingGroup>,
}

/// Where findings of an API configuration are filed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingGroup {
    /// Product.
    pub product: String,
    /// Branch.
    pub branch: Option<String>,
    /// Service.
    pub service: Option<String>,
}

/// A group of an API configuration as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroup {
    /// Where.
    pub group: FindingGroup,
    /// Every scope of it was read to its proper end by the newest import of the API configuration that is over.
    pub is_complete: bool,
}
