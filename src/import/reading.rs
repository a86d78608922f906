//! A scope while it is read: what was known, what has been seen, what is to be written.

use chrono::{DateTime, Utc};

use super::batch::Batch;
use super::known::Known;
use super::normalise::normalise;
use crate::config::{ApiConfiguration, Labels};
use crate::connectors::{Completeness, Row, Scope};
use crate::finding::{
    Digest, Filing, RowDigest, Sighting, SourceKey, canonical_vulnerability_id, fingerprint,
};
use crate::store::{Before, Change, Proof, ScopeId, ScopeKey, ScopeState, Unseen};

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
        branch_is_label: api.labels.branch.is_some(),
    }
}

/// One scope of a run. Of each known sighting it keeps 24 bytes and a bit until the scope's end, then only what was not seen.
#[derive(Debug)]
pub(super) struct Reading {
    id: ScopeId,
    /// What the digest is salted with: a finding that is filed elsewhere has changed.
    salt: Vec<u8>,
    row_digest: RowDigest,
    known: Known,
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
    /// Rows that could not be mapped, and why not the first of them.
    pub(super) unreadable: u64,
    pub(super) unreadable_reason: Option<String>,
}

impl Reading {
    pub(super) fn new(state: ScopeState, filing: &Filing, labels: &Labels) -> Self {
        let salt = [
            Some(filing.product.as_str()),
            filing.branch.as_deref(),
            filing.service.as_deref(),
        ]
        .map(|part| part.map_or("-".to_owned(), |part| format!("+{part}\0")))
        .concat()
        .into_bytes();
        let row_digest = RowDigest::salted([
            // Another version may map the same row to something else.
            Some(env!("CARGO_PKG_VERSION")),
            Some(filing.product.as_str()),
            filing.branch.as_deref(),
            filing.service.as_deref(),
            labels.docker_image.as_deref(),
            labels.endpoint_url.as_deref(),
            labels.kubernetes_cluster.as_deref(),
        ]);
        Self {
            id: state.id,
            salt,
            row_digest,
            known: Known::new(state.known),
            unreadable: false,
            batch: Batch::default(),
            end: None,
        }
    }

    pub(super) fn id(&self) -> ScopeId {
        self.id
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
            normalise(&mut sighting, labels);
            let key = sighting.source_key();
            let digest = sighting.digest(&self.salt);
            if let Some(before) = self.look_up(&key, &digest, &mut counts) {
                self.add(sighting, key, digest, before, at);
            }
        }
        counts
    }

    /// Takes a page of rows in: those that are as they were when they were stored are not mapped.
    pub(super) fn take_rows(
        &mut self,
        rows: &[Row],
        labels: &Labels,
        at: DateTime<Utc>,
    ) -> PageCounts {
        let mut counts = PageCounts::default();
        for Row { key, json, map } in rows {
            let digest = self.row_digest.of(json);
            let Some(before) = self.look_up(key, &digest, &mut counts) else {
                continue;
            };
            match map(json) {
                Ok(mut sighting) => {
                    normalise(&mut sighting, labels);
                    self.add(sighting, *key, digest, before, at);
                }
                Err(reason) => {
                    counts.findings -= 1;
                    counts.unreadable += 1;
                    counts.unreadable_reason.get_or_insert(reason);
                }
            }
        }
        self.unreadable |= counts.unreadable > 0;
        counts
    }

    /// Counts a finding. If it is new or has changed: what was known of it.
    fn look_up(
        &mut self,
        key: &SourceKey,
        digest: &Digest,
        counts: &mut PageCounts,
    ) -> Option<Before> {
        counts.findings += 1;
        let Some(place) = self.known.place(key) else {
            return Some(Before::Nothing);
        };
        let again = self.known.see(place);
        if self.known.digest(place) == digest {
            counts.unchanged += u64::from(!again);
            return None;
        }
        Some(if again { Before::Seen } else { Before::Stored })
    }

    fn add(
        &mut self,
        sighting: Sighting,
        key: SourceKey,
        digest: Digest,
        before: Before,
        at: DateTime<Utc>,
    ) {
        self.batch.add(Change {
            key,
            digest,
            before,
            fingerprint: fingerprint(&sighting.content, sighting.weakness.as_deref()),
            canonical_id: canonical_vulnerability_id(&sighting.content),
            at,
            sighting: Box::new(sighting),
        });
    }

    /// These are there, and stay as they are where they are known.
    pub(super) fn leave(&mut self, keys: &[SourceKey]) {
        for key in keys {
            // After its end a scope has nothing to look up.
            if let Some(place) = self.known.place(key) {
                self.known.see(place);
            }
        }
    }

    /// Some row could not be read: nothing can be concluded from absence.
    pub(super) fn note_unreadable(&mut self) {
        self.unreadable = true;
    }

    /// The connector has read the scope to its end; `at` is when.
    pub(super) fn end(&mut self, completeness: &Completeness, at: DateTime<Utc>) {
        let known = std::mem::take(&mut self.known);
        self.end = Some(match completeness {
            Completeness::Complete if !self.unreadable => End::Complete {
                unseen: known.into_unseen(),
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
                scope: self.id,
                unseen: Unseen::These(unseen),
                resolve_after,
                at,
            }),
            _ => None,
        }
    }
}
