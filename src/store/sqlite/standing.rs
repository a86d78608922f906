//! Bringing findings' rows and history up to what their sightings say.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::codes::{kind, kind_code, severity, severity_code, status, status_code};
use super::fault::Fault;
use super::unpack::Unpacker;
use crate::finding::{Kind, canonical_vulnerability_id};
use crate::store::RunId;
use crate::store::standing::{Cause, Event, Standing, Sum, Summing, Touched, events};

const SIGHTINGS: &str = "
    SELECT id, status, severity, first_seen FROM sightings INDEXED BY sightings_by_finding WHERE finding_id = ?1";
const FINDING: &str = "
    SELECT severity, status, resolved_at, kind, canonical_id FROM findings WHERE id = ?1";
const BODY: &str = "SELECT body FROM sightings WHERE id = ?1";
const UPDATE: &str = "
    UPDATE findings SET severity = ?2, status = ?3, resolved_at = ?4, kind = ?5, canonical_id = ?6 WHERE id = ?1";
const RECORD: &str = "
    INSERT INTO history (finding_id, at, event, run_id, sighting_id, old, new) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SIGHTINGS, FINDING, BODY, UPDATE];

/// Writes a line of history.
pub(super) fn record(
    transaction: &Transaction<'_>,
    run: Option<RunId>,
    event: &Event,
) -> Result<(), Fault> {
    transaction.prepare_cached(RECORD)?.execute(params![
        event.finding,
        event.at,
        event.name,
        run,
        event.sighting,
        event.old,
        event.new
    ])?;
    Ok(())
}

/// Brings all touched findings up to what their sightings say.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    unpacker: &mut Unpacker,
    run: Option<RunId>,
    touched: Touched,
) -> Result<(), Fault> {
    for (finding, cause) in touched {
        settle_one(transaction, unpacker, run, finding, cause)?;
    }
    Ok(())
}

fn settle_one(
    transaction: &Transaction<'_>,
    unpacker: &mut Unpacker,
    run: Option<RunId>,
    finding: i64,
    cause: Cause,
) -> Result<(), Fault> {
    let Some(old) = standing_of(transaction, finding)? else {
        return Ok(());
    };
    let Some(sum) = sum_up(transaction, finding)? else {
        return Ok(());
    };
    let (kind, canonical_id) = if sum.asks_for_words(&cause) {
        leading_words(transaction, unpacker, sum.leading)?
    } else {
        (old.kind, old.canonical_id.clone())
    };
    let new = sum.standing(&old, &cause, kind, canonical_id);
    if new == old {
        return Ok(());
    }
    transaction.prepare_cached(UPDATE)?.execute(params![
        finding,
        severity_code(new.severity),
        status_code(new.status),
        new.resolved_at,
        kind_code(new.kind),
        new.canonical_id,
    ])?;
    for event in events(finding, &cause, &old, &new) {
        record(transaction, run, &event)?;
    }
    Ok(())
}

fn standing_of(connection: &Connection, finding: i64) -> Result<Option<Standing>, Fault> {
    let mut statement = connection.prepare_cached(FINDING)?;
    let standing = statement.query_row([finding], |row| {
        Ok(Standing {
            severity: severity(row, 0)?,
            status: status(row, 1)?,
            resolved_at: row.get(2)?,
            kind: kind(row, 3)?,
            canonical_id: row.get(4)?,
        })
    });
    Ok(standing.optional()?)
}

fn sum_up(connection: &Connection, finding: i64) -> Result<Option<Sum>, Fault> {
    let mut statement = connection.prepare_cached(SIGHTINGS)?;
    let mut rows = statement.query([finding])?;
    let mut sum = Summing::default();
    while let Some(row) = rows.next()? {
        sum.add(row.get(0)?, status(row, 1)?, severity(row, 2)?, row.get(3)?);
    }
    Ok(sum.end())
}

/// What the leading sighting contributes to the finding's row.
fn leading_words(
    connection: &Connection,
    unpacker: &mut Unpacker,
    sighting: i64,
) -> Result<(Kind, Option<String>), Fault> {
    let mut statement = connection.prepare_cached(BODY)?;
    let mut rows = statement.query([sighting])?;
    let row = rows
        .next()?
        .ok_or_else(|| Fault::Damaged(format!("sighting {sighting} is missing")))?;
    let said = unpacker
        .unpack(
            connection,
            row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?,
        )?
        .said()?;
    Ok((said.content.kind, canonical_vulnerability_id(&said.content)))
}
