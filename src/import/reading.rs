//! A scope while it is read: what was known, what has been seen, what is to be written.

use chrono::{DateTime, Utc};

use super::batch::Batch;
use super::normalise::normalise;
use crate::config::{ApiConfiguration, Labels};
use crate::connectors::{Completeness, Scope};
use crate::finding::{Filing, Sighting, SourceKey, canonical_vulnerability_id, fingerprint};
use crate::store::{Change, Proof, ScopeId, ScopeKey, ScopeState, Unseen};

/// Where a scope's findings are filed: the product of the API configuration, else one of the record's own name; the label's
/// branch, else the tool's.
pub(super) fn scope_key(api: &ApiConfiguration, scope: &Scope) -> ScopeKey {
    let product = api.product.as_ref().unwrap_or(&scope.record.name);
    ScopeKey {
        record_id: scope.record.id.clone(),
        record_name: scope.record.name.clone(),
        part: scope.part.clone(),
        filing: Filing {
            product: product.clone(),
            branch: api.labels.branch.clone().or_else(|| scope.branch.clone()),
            service: api.labels.service.clone(),
        },
    }
}

/// One scope of a run. Of each known sighting it keeps 24 bytes and a bit until the scope's end, then only what was not seen.
#[derive(Debug)]
pub(super) struct Reading {
    state: ScopeState,
    /// What the digest is salted with: a finding that is filed elsewhere has changed.
    salt: Vec<u8>,
    seen: Vec<bool>,
    unreadable: bool,
    pub(super) batch: Batch,
    end: Option<End>,
}

#[derive(Debug)]
enum End {
    Complete {
        unseen: Vec<SourceKey>,
        at: DateTime<Utc>,
    },
    Incomplete,
}

/// What a page was, besides what is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageCounts {
    pub(super) findings: u64,
    pub(super) unchanged: u64,
}

impl Reading {
    pub(super) fn new(state: ScopeState, filing: &Filing) -> Self {
        let seen = vec![false; state.known.len()];
        let salt = [
            Some(filing.product.as_str()),
            filing.branch.as_deref(),
            filing.service.as_deref(),
        ]
        .map(|part| part.map_or("-".to_owned(), |part| format!("+{part}\0")))
        .concat()
        .into_bytes();
        Self {
            state,
            salt,
            seen,
            unreadable: false,
            batch: Batch::default(),
            end: None,
        }
    }

    pub(super) fn id(&self) -> ScopeId {
        self.state.id
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Takes a page in: what is new or changed goes into the batch.
    pub(super) fn take_page(
        &mut self,
        sightings: Vec<Sighting>,
        labels: &Labels,
        at: DateTime<Utc>,
    ) -> PageCounts {
        let mut counts = PageCounts::default();
        for mut sighting in sightings {
            counts.findings += 1;
            normalise(&mut sighting, labels);
            let key = sighting.source_key();
            let digest = sighting.digest(&self.salt);
            let known = self
                .state
                .known
                .binary_search_by_key(&key, |(known, _)| *known)
                .ok();
            let again = known.is_some_and(|place| std::mem::replace(&mut self.seen[place], true));
            if known.is_some_and(|place| self.state.known[place].1 == digest) {
                counts.unchanged += u64::from(!again);
                continue;
            }
            self.batch.add(Change {
                key,
                digest,
                again,
                fingerprint: fingerprint(&sighting.content, sighting.weakness.as_deref()),
                canonical_id: canonical_vulnerability_id(&sighting.content),
                at,
                sighting: Box::new(sighting),
            });
        }
        counts
    }

    /// These are there, and stay as they are where they are known.
    pub(super) fn leave(&mut self, keys: &[SourceKey]) {
        for key in keys {
            let place = self
                .state
                .known
                .binary_search_by_key(key, |(known, _)| *known);
            // After its end a scope has nothing to look up.
            if let Ok(place) = place {
                self.seen[place] = true;
            }
        }
    }

    /// Some row could not be read: nothing can be concluded from absence.
    pub(super) fn note_unreadable(&mut self) {
        self.unreadable = true;
    }

    /// The connector has read the scope to its end; `at` is when.
    pub(super) fn end(&mut self, completeness: &Completeness, at: DateTime<Utc>) {
        let known = std::mem::take(&mut self.state.known);
        let seen = std::mem::take(&mut self.seen);
        self.end = Some(match completeness {
            Completeness::Complete if !self.unreadable => End::Complete {
                unseen: known
                    .into_iter()
                    .zip(seen)
                    .filter(|(_, seen)| !seen)
                    .map(|((key, _), _)| key)
                    .collect(),
                at,
            },
            _ => End::Incomplete,
        });
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.end, Some(End::Complete { .. }))
    }

    /// The proof of what is gone, if the scope was read to its proper end.
    pub(super) fn into_proof(self, resolve_after: u32) -> Option<Proof> {
        match self.end {
            Some(End::Complete { unseen, at }) => Some(Proof {
                scope: self.state.id,
                unseen: Unseen::These(unseen),
                resolve_after,
                at,
            }),
            _ => None,
        }
    }
}
