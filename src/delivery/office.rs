//! What everything of this floor works with.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::store::{Store, Waiting};

/// Tells the time, as the store has it.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Where deliveries are counted.
pub trait Ledger: Send + Sync {
    /// An attempt to deliver has ended: `delivered`, `later`, `unavailable`, `given_up`, `stopped` or `lost`.
    fn attempted(&self, destination: &str, outcome: &'static str);

    /// What waits just now.
    fn waiting(&self, waiting: &[Waiting]);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy)]
pub struct Uncounted;

impl Ledger for Uncounted {
    fn attempted(&self, _destination: &str, _outcome: &'static str) {}

    fn waiting(&self, _waiting: &[Waiting]) {}
}

/// What dispatch and couriers share.
#[derive(Clone)]
pub struct Office {
    /// Where messages wait.
    pub store: Arc<dyn Store>,
    /// The time.
    pub now: Now,
    /// Where deliveries are counted.
    pub ledger: Arc<dyn Ledger>,
    /// Host and process, for people who look into the store.
    pub name: String,
}

impl Office {
    /// A name that nobody else holds a destination under, in this process or another.
    pub(super) fn holder(&self) -> String {
        format!("{} {:016x}", self.name, random())
    }
}

/// Any number.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}
