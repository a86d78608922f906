//! Adding new sightings, many together.
//!
//! Rows are written in the order in which they came, so that their tables only grow at the end. What comes in no order (keys
//! are hashes, names are names) is written sorted, in one sweep each: of an index with many pages each page is then touched
//! once a transaction, however many rows there are.

use rusqlite::{OptionalExtension, Transaction, params};

use super::codes::{kind_code, severity_code, status_code, time_code};
use super::fault::Fault;
use super::placing::FINDING_BY_KEY;
use super::scopes::Scope;
use crate::finding::Status;
use crate::store::prepared::PreparedRow;
use crate::store::{Before, RunId};

const LAST_SIGHTING: &str = "SELECT coalesce(max(id), 0) FROM sightings";
/// The largest number ever given, which a deleted finding may have had.
const LAST_FINDING: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'findings'";
const TAKE_KEY: &str = "
    INSERT INTO sighting_keys (scope_id, key, digest, sighting_id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
const TAKE_FINDING_KEY: &str = "
    INSERT INTO finding_keys (filing_id, fingerprint, finding_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const ADD_FINDING: &str = "
    INSERT INTO findings (id, fingerprint, filing_id, kind, severity, status, first_seen, canonical_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const ADD_SIGHTING: &str = "
    INSERT INTO sightings (id, scope_id, key, finding_id, fingerprint, severity, status, run_id, first_seen, last_seen, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)";
const ADD_NAME: &str = "
    INSERT INTO vulnerability_names (name, canonical_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LAST_SIGHTING];

/// Which of a transaction's rows are new sightings: their keys have been taken for them.
pub(super) struct KeySweep {
    is_new: Vec<bool>,
    /// The id of the first row; the others follow.
    first_id: i64,
}

impl KeySweep {
    /// Takes the keys of all rows that are new. Not for what is only listed as fixed, nor for a second row of a key: what
    /// they are depends on what is written before them.
    pub(super) fn over(
        transaction: &Transaction<'_>,
        scope: &Scope,
        rows: &[PreparedRow<'_>],
    ) -> Result<Self, Fault> {
        let first_id = next_sighting(transaction)?;
        let mut is_new = vec![false; rows.len()];
        let mut sorted: Vec<_> = (first_id..).zip(rows).zip(&mut is_new).collect();
        sorted.sort_by_key(|((_, row), _)| row.key);
        let mut take = transaction.prepare_cached(TAKE_KEY)?;
        let mut last = None;
        for ((id, row), is_new) in sorted {
            let is_first = last.replace(row.key) != Some(row.key);
            if is_first && row.before != Before::Seen && row.status != Status::Resolved {
                *is_new = take.execute(params![scope.id, row.key, row.digest, id])? == 1;
            }
        }
        Ok(Self { is_new, first_id })
    }

    /// How many rows from this place on are new.
    pub(super) fn new_from(&self, place: usize) -> usize {
        let rest = self.is_new[place..].iter();
        rest.take_while(|is_new| **is_new).count()
    }

    /// The id of the sighting at this place, if it is one that is added. No other row has it.
    pub(super) fn id_of(&self, place: usize) -> i64 {
        (self.first_id..).nth(place).unwrap_or(i64::MAX)
    }
}

/// Takes the key of one row that is new.
pub(super) fn take_key(
    transaction: &Transaction<'_>,
    scope: &Scope,
    row: &PreparedRow<'_>,
    id: i64,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(TAKE_KEY)?
        .execute(params![scope.id, row.key, row.digest, id])?;
    Ok(())
}

/// The finding of a new sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// Was added for it.
    New(i64),
    /// Was there, or another sighting of the same batch has brought it.
    Joined(i64),
}

impl Added {
    fn id(self) -> i64 {
        match self {
            Self::New(id) | Self::Joined(id) => id,
        }
    }
}

/// The finding of each row; those that are not there yet are added.
pub(super) fn findings(
    transaction: &Transaction<'_>,
    filing: i64,
    rows: &[PreparedRow<'_>],
) -> Result<Vec<Added>, Fault> {
    let places = take_places(transaction, filing, rows)?;
    let mut add = transaction.prepare_cached(ADD_FINDING)?;
    for (row, place) in rows.iter().zip(&places) {
        if let Added::New(id) = place {
            add.execute(params![
                id,
                row.fingerprint.0,
                filing,
                kind_code(row.kind),
                severity_code(row.severity),
                status_code(row.status),
                time_code(row.at),
                row.canonical_id,
            ])?;
        }
    }
    Ok(places)
}

/// The finding of one row.
pub(super) fn finding(
    transaction: &Transaction<'_>,
    filing: i64,
    row: &PreparedRow<'_>,
) -> Result<i64, Fault> {
    match findings(transaction, filing, &[*row])?.as_slice() {
        [added] => Ok(added.id()),
        _ => Err(Fault::lasting("one row gave several findings")),
    }
}

/// In the order of fingerprints, the first row of each before the others. Numbers go up in the order of the rows.
fn take_places(
    transaction: &Transaction<'_>,
    filing: i64,
    rows: &[PreparedRow<'_>],
) -> Result<Vec<Added>, Fault> {
    let next = next_finding(transaction)?;
    let mut sorted: Vec<_> = (next..).zip(rows).enumerate().collect();
    sorted.sort_by_key(|(_, (_, row))| row.fingerprint.0);
    let mut take = transaction.prepare_cached(TAKE_FINDING_KEY)?;
    let mut find = transaction.prepare_cached(FINDING_BY_KEY)?;
    let mut places = vec![Added::Joined(0); rows.len()];
    let mut last: Option<([u8; 16], i64)> = None;
    for (place, (id, row)) in sorted {
        let key = row.fingerprint.0;
        places[place] = match last {
            Some((known, finding)) if known == key => Added::Joined(finding),
            _ if take.execute(params![filing, key, id])? == 1 => Added::New(id),
            _ => Added::Joined(find.query_row(params![filing, key], |row| row.get(0))?),
        };
        last = Some((key, places[place].id()));
    }
    Ok(places)
}

/// Adds the sightings of the rows to their findings.
pub(super) fn sightings<'a>(
    transaction: &Transaction<'_>,
    scope: &Scope,
    run: RunId,
    first_id: i64,
    rows: impl Iterator<Item = (&'a PreparedRow<'a>, &'a Added)>,
) -> Result<(), Fault> {
    let mut add = transaction.prepare_cached(ADD_SIGHTING)?;
    for (id, (row, finding)) in (first_id..).zip(rows) {
        add.execute(params![
            id,
            scope.id,
            row.key,
            finding.id(),
            row.fingerprint.0,
            severity_code(row.severity),
            status_code(row.status),
            run,
            time_code(row.at),
            row.body,
        ])?;
    }
    Ok(())
}

/// Adds the names that are not known to be stored; what they are to be remembered by.
pub(super) fn names(
    transaction: &Transaction<'_>,
    rows: &[PreparedRow<'_>],
    is_known: impl Fn(&[u8; 16]) -> bool,
) -> Result<Vec<[u8; 16]>, Fault> {
    let names = rows
        .iter()
        .flat_map(|row| row.names().map(|name| (name, row.canonical_id)));
    let mut names: Vec<_> = names.filter(|(name, _)| !is_known(name.pair)).collect();
    names.sort_unstable_by_key(|(name, _)| (name.name, name.pair));
    names.dedup_by_key(|(name, _)| name.pair);
    let mut add = transaction.prepare_cached(ADD_NAME)?;
    for (name, canonical_id) in &names {
        add.execute(params![name.name, canonical_id])?;
    }
    Ok(names.iter().map(|(name, _)| *name.pair).collect())
}

fn next_sighting(transaction: &Transaction<'_>) -> Result<i64, Fault> {
    let last: i64 = transaction
        .prepare_cached(LAST_SIGHTING)?
        .query_row([], |row| row.get(0))?;
    Ok(last + 1)
}

fn next_finding(transaction: &Transaction<'_>) -> Result<i64, Fault> {
    let last: Option<i64> = transaction
        .prepare_cached(LAST_FINDING)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0) + 1)
}
