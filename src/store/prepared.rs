//! Changes that are ready to be written.

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::finding::{Digest, Fingerprint, Kind, Severity, SourceKey, Status};
use crate::store::Before;

/// A batch that is ready to be written: what it says is compressed, so it takes a fraction of the memory.
///
/// All texts of a batch lie one behind the other: as tens of thousands of small pieces that live long among many that live
/// short they would keep the allocator from giving memory back.
#[derive(Debug, Default)]
pub struct Prepared {
    rows: Vec<Packed>,
    names: Vec<(Range<u32>, [u8; 16])>,
    texts: String,
    bodies: Vec<u8>,
}

/// A change as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreparedRow<'a> {
    pub(super) key: SourceKey,
    pub(super) digest: Digest,
    pub(super) before: Before,
    pub(super) fingerprint: Fingerprint,
    pub(super) canonical_id: Option<&'a str>,
    pub(super) at: DateTime<Utc>,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) status: Status,
    /// All that the sighting says.
    pub(super) body: &'a [u8],
    names: Names<'a>,
}

/// A name of a vulnerability besides the canonical one, as it is searched for.
#[derive(Debug, Clone, Copy)]
pub(super) struct OtherName<'a> {
    pub(super) name: &'a str,
    /// A hash over it and the canonical one.
    pub(super) pair: &'a [u8; 16],
}

#[derive(Debug, Clone, Copy)]
struct Names<'a> {
    names: &'a [(Range<u32>, [u8; 16])],
    texts: &'a str,
}

#[derive(Debug)]
struct Packed {
    key: SourceKey,
    digest: Digest,
    before: Before,
    fingerprint: Fingerprint,
    canonical_id: Option<Range<u32>>,
    at: DateTime<Utc>,
    kind: Kind,
    severity: Severity,
    status: Status,
    body: Range<u32>,
    names: Range<u32>,
}

/// The batch has more than 4 GiB of texts.
#[derive(Debug)]
pub(super) struct TooMuch;

impl Prepared {
    /// How many changes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = PreparedRow<'_>> {
        self.rows.iter().map(|row| PreparedRow {
            key: row.key,
            digest: row.digest,
            before: row.before,
            fingerprint: row.fingerprint,
            canonical_id: row.canonical_id.as_ref().map(|id| &self.texts[wide(id)]),
            at: row.at,
            kind: row.kind,
            severity: row.severity,
            status: row.status,
            body: &self.bodies[wide(&row.body)],
            names: Names {
                names: &self.names[wide(&row.names)],
                texts: &self.texts,
            },
        })
    }

    /// Adds a row, and the names of its vulnerability.
    pub(super) fn push<'n>(
        &mut self,
        row: PreparedRow<'_>,
        names: impl IntoIterator<Item = (&'n str, [u8; 16])>,
    ) -> Result<(), TooMuch> {
        let canonical_id = match row.canonical_id {
            Some(id) => Some(put(&mut self.texts, id)?),
            None => None,
        };
        let first_name = place(self.names.len())?;
        for (name, pair) in names {
            let name = put(&mut self.texts, name)?;
            self.names.push((name, pair));
        }
        let body = place(self.bodies.len())?;
        self.bodies.extend_from_slice(row.body);
        self.rows.push(Packed {
            key: row.key,
            digest: row.digest,
            before: row.before,
            fingerprint: row.fingerprint,
            canonical_id,
            at: row.at,
            kind: row.kind,
            severity: row.severity,
            status: row.status,
            body: body..place(self.bodies.len())?,
            names: first_name..place(self.names.len())?,
        });
        Ok(())
    }

    /// No more rows will come.
    pub(super) fn finish(mut self) -> Self {
        self.texts.shrink_to_fit();
        self.names.shrink_to_fit();
        self.bodies.shrink_to_fit();
        self
    }
}

impl<'a> PreparedRow<'a> {
    /// The vulnerability's names besides the canonical one.
    pub(super) fn names(&self) -> impl Iterator<Item = OtherName<'a>> + use<'a> {
        let Names { names, texts } = self.names;
        names.iter().map(move |(name, pair)| OtherName {
            name: &texts[wide(name)],
            pair,
        })
    }

    /// A row without names of its vulnerability, to be put into a batch.
    pub(super) fn of(change: &'a super::Change, body: &'a [u8]) -> Self {
        Self {
            key: change.key,
            digest: change.digest,
            before: change.before,
            fingerprint: change.fingerprint,
            canonical_id: change.canonical_id.as_deref(),
            at: change.at,
            kind: change.sighting.content.kind,
            severity: change.sighting.severity,
            status: change.sighting.status,
            body,
            names: Names {
                names: &[],
                texts: "",
            },
        }
    }
}

fn put(texts: &mut String, text: &str) -> Result<Range<u32>, TooMuch> {
    let begin = place(texts.len())?;
    texts.push_str(text);
    Ok(begin..place(texts.len())?)
}

fn place(length: usize) -> Result<u32, TooMuch> {
    u32::try_from(length).map_err(|_| TooMuch)
}

/// Lengths that fitted once fit again.
fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
