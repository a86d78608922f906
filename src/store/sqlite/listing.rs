//! Listings: findings that pass a filter, at the pace of whoever listens.

use std::collections::HashSet;

use rusqlite::Connection;

use super::candidates::{Candidates, Wanted};
use super::codes::time_code;
use super::fault::Fault;
use super::names::search_name;
use super::printing::{self, FindingRow, Raw, ReadSighting};
use super::readers::Reader;
use crate::finding::Finding;
use crate::store::FindingFilter;

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
        let wanted = Wanted::read(&reader.connection, filter)?;
        let candidates = Candidates::new(&reader.connection, &wanted)?;
        Ok(Self {
            reader,
            wanted,
            candidates,
            raw: raw(filter.raw),
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
            let Some(row) = printing::finding_row(&transaction, id)? else {
                continue;
            };
            if !wanted.admits(&row) || !wanted.admits_scopes_of(&transaction, id)? {
                continue;
            }
            let sightings = printing::sightings(&transaction, &mut reader.unpacker, id, self.raw)?;
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

fn raw(wanted: bool) -> Raw {
    if wanted { Raw::Wanted } else { Raw::LeftOut }
}

impl Wanted {
    fn admits(&self, row: &FindingRow) -> bool {
        let within = |set: &Option<HashSet<i64>>, number| {
            set.as_ref().is_none_or(|set| set.contains(&number))
        };
        self.severities.contains(&row.severity)
            && self.statuses.contains(&row.status)
            && within(&self.filings, row.filing_id)
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && self
                .first_seen_since
                .is_none_or(|since| time_code(row.first_seen) >= since)
    }

    fn admits_scopes_of(&self, connection: &Connection, finding: i64) -> Result<bool, Fault> {
        let Some(scopes) = &self.scopes else {
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

    /// By the vulnerability's names: the canonical one, or those of the leading sighting.
    fn admits_words(&self, row: &FindingRow, sightings: &[ReadSighting]) -> bool {
        if self.vulnerabilities.is_empty() {
            return true;
        }
        let leading = sightings.first().map(ReadSighting::content);
        let names = leading
            .into_iter()
            .flat_map(|content| content.vulnerability_id.iter().chain(&content.aliases));
        names
            .chain(&row.canonical_id)
            .any(|name| self.vulnerabilities.contains(&search_name(name)))
    }
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
    let Some(row) = printing::finding_row(&transaction, id)? else {
        return Ok(None);
    };
    let sightings = printing::sightings(&transaction, unpacker, id, raw(raw_is_wanted))?;
    let mut finding = printing::finding(row, sightings)?;
    finding.history = Some(printing::history(&transaction, unpacker, &finding)?);
    Ok(Some(finding))
}
