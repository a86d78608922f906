//! Listings: findings that pass a filter, at the pace of whoever listens.

use std::collections::HashSet;

use rusqlite::Connection;

use super::candidates::{self, Candidates};
use super::fault::Fault;
use super::readers::Reader;
use super::reading;
use crate::finding::Finding;
use crate::store::FindingFilter;
use crate::store::printing::{self, Raw};
use crate::store::wanted::Wanted;

const SCOPES_OF_FINDING: &str = "
    SELECT scope_id FROM sightings INDEXED BY sightings_by_finding WHERE finding_id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SCOPES_OF_FINDING];

/// A listing under way. It holds no transaction between two chunks, so that the write-ahead log can be emptied while
/// somebody reads slowly; each finding is read whole in one.
#[derive(Debug)]
pub(super) struct Listing {
    reader: Reader,
    wanted: Wanted,
    candidates: Candidates,
    raw: Raw,
    left: u64,
    next_chunk: usize,
}

/// The next findings.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) findings: Vec<Finding>,
    pub(super) is_last: bool,
}

impl Listing {
    /// The first is small, so that the first line is there soon.
    const FIRST_CHUNK: usize = 16;
    const MOST_IN_CHUNK: usize = 256;
    /// After so many candidates a chunk ends, full or not: somebody may have stopped listening.
    const MOST_TRIED: usize = 10_000;

    pub(super) fn begin(reader: Reader, filter: &FindingFilter) -> Result<Self, Fault> {
        let wanted = candidates::wanted(&reader.connection, filter)?;
        let candidates = Candidates::new(&reader.connection, &wanted)?;
        Ok(Self {
            reader,
            wanted,
            candidates,
            raw: Raw::of(filter.raw),
            left: filter.limit.unwrap_or(u64::MAX),
            next_chunk: Self::FIRST_CHUNK,
        })
    }

    /// Reads on; blocking.
    pub(super) fn next_chunk(&mut self) -> Result<Chunk, Fault> {
        let Self {
            reader,
            wanted,
            candidates,
            ..
        } = self;
        let transaction = reader.connection.unchecked_transaction()?;
        let mut findings = Vec::new();
        let mut is_last = self.left == 0;
        for _ in 0..Self::MOST_TRIED {
            if is_last || findings.len() == self.next_chunk {
                break;
            }
            let Some(id) = candidates.next(&transaction)? else {
                is_last = true;
                break;
            };
            let Some(row) = reading::finding_row(&transaction, id)? else {
                continue;
            };
            let scopes = wanted.scopes.as_ref();
            if !wanted.admits(&row) || !has_sighting_in(&transaction, scopes, id)? {
                continue;
            }
            let sightings = reading::sightings(&transaction, &mut reader.unpacker, id, self.raw)?;
            if !wanted.admits_words(&row, &sightings) {
                continue;
            }
            findings.push(printing::finding(row, sightings)?);
            self.left -= 1;
            is_last = self.left == 0;
        }
        self.next_chunk = (self.next_chunk * 2).min(Self::MOST_IN_CHUNK);
        Ok(Chunk { findings, is_last })
    }
}

fn has_sighting_in(
    connection: &Connection,
    scopes: Option<&HashSet<i64>>,
    finding: i64,
) -> Result<bool, Fault> {
    let Some(scopes) = scopes else {
        return Ok(true);
    };
    let mut statement = connection.prepare_cached(SCOPES_OF_FINDING)?;
    let mut rows = statement.query([finding])?;
    while let Some(row) = rows.next()? {
        if scopes.contains(&row.get(0)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One finding with its history.
pub(super) fn finding(
    reader: &mut Reader,
    id: i64,
    raw_is_wanted: bool,
) -> Result<Option<Finding>, Fault> {
    let Reader {
        connection,
        unpacker,
    } = reader;
    let transaction = connection.unchecked_transaction()?;
    let Some(row) = reading::finding_row(&transaction, id)? else {
        return Ok(None);
    };
    let sightings = reading::sightings(&transaction, unpacker, id, Raw::of(raw_is_wanted))?;
    let mut finding = printing::finding(row, sightings)?;
    finding.history = Some(reading::history(&transaction, unpacker, &finding)?);
    Ok(Some(finding))
}
