//! What an import and the store say to each other.

use chrono::{DateTime, Utc};

use super::RunId;
use crate::finding::{Digest, Filing, Fingerprint, Sighting, SourceKey};

/// The store's number of a scope.
pub type ScopeId = i64;

/// What is reconciled as a whole: one record of one API configuration on one branch, or one
/// part of that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScopeKey {
    /// The vendor's id of the record.
    pub record_id: String,
    /// The vendor's name of the record.
    pub record_name: String,
    /// The part of the record, where its connector reads parts.
    pub part: Option<String>,
    /// Where its findings are filed; its branch is the scope's.
    pub filing: Filing,
    /// The branch is a label of the API configuration: a record has one then, and under another label the scope is the same.
    pub branch_is_label: bool,
}

/// A scope as it stands before this run.
#[derive(Debug, Clone)]
pub struct ScopeState {
    /// Its number.
    pub id: ScopeId,
    /// Its sightings and their digests, sorted by key. A digest of zeroes: not seen lately, so seeing it is a change.
    pub known: Vec<(SourceKey, Digest)>,
}

/// What was known of a sighting when the run opened its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing: it is new, unless it is a further row of what this run has added.
    Nothing,
    /// It was stored.
    Stored,
    /// It was stored, and this run has seen another row of it, which was as stored: merge, do not replace.
    Seen,
}

/// A new or changed sighting.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its key.
    pub key: SourceKey,
    /// Its digest.
    pub digest: Digest,
    /// What was known of it when the run opened the scope.
    pub before: Before,
    /// Its own fingerprint.
    pub fingerprint: Fingerprint,
    /// Canonical vulnerability id, for searching.
    pub canonical_id: Option<String>,
    /// When it was read.
    pub at: DateTime<Utc>,
    /// What it says.
    pub sighting: Box<Sighting>,
}

/// What a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    /// Added.
    pub new: u64,
    /// Changed.
    pub updated: u64,
    /// As before after all: an earlier import has missed them, or another version of secpull has stored them, and they say
    /// what they said before. Further rows of a sighting that this run has counted already are not counted.
    pub unchanged: u64,
    /// Were resolved and are back.
    pub reopened: u64,
    /// Resolved by the tool's word.
    pub resolved: u64,
    /// Listed as fixed and never seen open here: not stored.
    pub already_fixed: u64,
}

impl WriteCounts {
    /// Whether anything is otherwise than before.
    pub(super) fn is_change(&self) -> bool {
        self.new + self.updated + self.reopened + self.resolved > 0
    }
}

impl std::ops::AddAssign for WriteCounts {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.reopened += other.reopened;
        self.resolved += other.resolved;
        self.already_fixed += other.already_fixed;
    }
}

/// That a scope was read to its proper end.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Which.
    pub scope: ScopeId,
    /// Its known sightings that were not seen.
    pub unseen: Unseen,
    /// After how many complete imports in a row without it a sighting is resolved.
    pub resolve_after: u32,
    /// When the scope's end was read.
    pub at: DateTime<Utc>,
}

/// Which sightings of a scope were not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// These.
    These(Vec<SourceKey>),
    /// All of them: the record itself is gone.
    All,
}

/// When an import is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HoldLimits {
    /// Largest share of the API configuration's open sightings that may resolve.
    pub max_resolved_fraction: f64,
    /// Fewer than this are never held.
    pub min_held: u64,
}

impl HoldLimits {
    /// Whether a run that would resolve `due` of `open` sightings is held.
    pub(super) fn holds(&self, due: u64, open: u64) -> bool {
        // Counts of findings are far below 2^52: the conversion is exact.
        due > 0 && due >= self.min_held && due as f64 > self.max_resolved_fraction * open as f64
    }
}

/// What the end of an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// So many were resolved by proof.
    Resolved(u64),
    /// Nothing was.
    Held {
        /// So many would have been resolved …
        would_resolve: u64,
        /// … of so many open ones.
        open: u64,
    },
}

/// What an `accept` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The held run.
    pub run: RunId,
    /// So many were resolved.
    pub resolved: u64,
}

/// A record that a complete discovery lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecord {
    /// The vendor's id.
    pub id: String,
    /// The vendor's name.
    pub name: String,
    /// Whether the API configuration's filter admits it.
    pub wanted: bool,
}
