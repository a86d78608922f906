//! Which finding a changed sighting belongs to.
//!
//! A sighting stays with its finding when its title, line or description changes: a moved line is no new finding. It moves
//! only to a finding that already has its new fingerprint, or to another filing.

use rusqlite::{OptionalExtension, Transaction, params};

use super::fault::Fault;
use super::standing;
use crate::finding::Fingerprint;
use crate::store::RunId;
use crate::store::standing::Event;

const FINDING: &str = "SELECT fingerprint, filing_id FROM findings WHERE id = ?1";
pub(super) const FINDING_BY_KEY: &str =
    "SELECT finding_id FROM finding_keys WHERE filing_id = ?1 AND fingerprint = ?2";
/// The leading sighting: the most urgent, then the oldest. Judged statuses are equally urgent.
const LEADING: &str = "
    SELECT id FROM sightings INDEXED BY sightings_by_finding WHERE finding_id = ?1
    ORDER BY CASE status WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 6 THEN 3 ELSE 2 END, first_seen, id LIMIT 1";
const OTHER_SIGHTING: &str = "
    SELECT 1 FROM sightings INDEXED BY sightings_by_finding WHERE finding_id = ?1 AND id <> ?2 LIMIT 1";
const REKEY: &str = "UPDATE findings SET fingerprint = ?2, filing_id = ?3 WHERE id = ?1";
const PUT_KEY: &str =
    "INSERT INTO finding_keys (finding_id, fingerprint, filing_id) VALUES (?1, ?2, ?3)";
const DROP_KEY: &str = "
    DELETE FROM finding_keys
    WHERE (filing_id, fingerprint) = (SELECT filing_id, fingerprint FROM findings WHERE id = ?1)";
const OLDER: &str = "UPDATE findings SET first_seen = min(first_seen, ?2) WHERE id = ?1";
const MOVE_HISTORY: &str = "UPDATE history SET finding_id = ?2 WHERE finding_id = ?1";
const DELETE: &str = "DELETE FROM findings WHERE id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    FINDING,
    FINDING_BY_KEY,
    LEADING,
    OTHER_SIGHTING,
    REKEY,
    DROP_KEY,
    OLDER,
    MOVE_HISTORY,
    DELETE,
];

/// Where a sighting says it is: one finding is there at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) fingerprint: Fingerprint,
    pub(super) filing_id: i64,
}

/// Where a changed sighting belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// To this finding; to a new one, if there is none.
    pub(super) finding: Option<i64>,
    /// It was filed elsewhere before.
    pub(super) is_refiled: bool,
}

/// The finding that a sighting belongs to, now that it says to be at `place`. Its finding may be moved there for its sake.
pub(super) fn place(
    transaction: &Transaction<'_>,
    sighting: i64,
    finding: i64,
    place: Place,
) -> Result<Placed, Fault> {
    let now = transaction
        .prepare_cached(FINDING)?
        .query_row([finding], |row| {
            Ok(Place {
                fingerprint: Fingerprint(row.get(0)?),
                filing_id: row.get(1)?,
            })
        })?;
    Ok(Placed {
        finding: finding_at(transaction, sighting, finding, now, place)?,
        is_refiled: now.filing_id != place.filing_id,
    })
}

fn finding_at(
    transaction: &Transaction<'_>,
    sighting: i64,
    finding: i64,
    now: Place,
    place: Place,
) -> Result<Option<i64>, Fault> {
    if now == place {
        return Ok(Some(finding));
    }
    let there: Option<i64> = transaction
        .prepare_cached(FINDING_BY_KEY)?
        .query_row(params![place.filing_id, place.fingerprint.0], |row| {
            row.get(0)
        })
        .optional()?;
    if there.is_some() {
        return Ok(there);
    }
    if now.filing_id == place.filing_id {
        if leading(transaction, finding)? == Some(sighting) {
            rekey(transaction, finding, place)?;
        }
        return Ok(Some(finding));
    }
    if has_other_sighting(transaction, finding, sighting)? {
        return Ok(None);
    }
    rekey(transaction, finding, place)?;
    Ok(Some(finding))
}

fn leading(transaction: &Transaction<'_>, finding: i64) -> Result<Option<i64>, Fault> {
    Ok(transaction
        .prepare_cached(LEADING)?
        .query_row([finding], |row| row.get(0))
        .optional()?)
}

fn has_other_sighting(
    transaction: &Transaction<'_>,
    finding: i64,
    sighting: i64,
) -> Result<bool, Fault> {
    Ok(transaction
        .prepare_cached(OTHER_SIGHTING)?
        .exists([finding, sighting])?)
}

fn rekey(transaction: &Transaction<'_>, finding: i64, place: Place) -> Result<(), Fault> {
    transaction.prepare_cached(DROP_KEY)?.execute([finding])?;
    let placed = params![finding, place.fingerprint.0, place.filing_id];
    transaction.prepare_cached(PUT_KEY)?.execute(placed)?;
    transaction.prepare_cached(REKEY)?.execute(placed)?;
    Ok(())
}

/// A sighting that has been written into another finding.
pub(super) struct Move {
    pub(super) sighting: i64,
    pub(super) first_seen: i64,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) at: i64,
}

/// What became of the finding that a sighting has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It was the last one: the finding is gone, its history went along.
    Deleted,
    HasOthers,
}

/// Notes a move in both histories.
pub(super) fn leave(transaction: &Transaction<'_>, run: RunId, moved: Move) -> Result<Left, Fault> {
    transaction
        .prepare_cached(OLDER)?
        .execute([moved.to, moved.first_seen])?;
    let event = |finding| Event {
        old: Some(moved.from.to_string()),
        new: Some(moved.to.to_string()),
        ..Event::of_sighting("sighting_moved", finding, moved.at, moved.sighting)
    };
    if has_other_sighting(transaction, moved.from, moved.sighting)? {
        standing::record(transaction, Some(run), &event(moved.from))?;
        standing::record(transaction, Some(run), &event(moved.to))?;
        return Ok(Left::HasOthers);
    }
    transaction
        .prepare_cached(MOVE_HISTORY)?
        .execute([moved.from, moved.to])?;
    standing::record(transaction, Some(run), &event(moved.to))?;
    transaction
        .prepare_cached(DROP_KEY)?
        .execute([moved.from])?;
    transaction.prepare_cached(DELETE)?.execute([moved.from])?;
    Ok(Left::Deleted)
}
