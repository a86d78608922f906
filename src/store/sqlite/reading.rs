//! Rows to findings as they are printed.

use rusqlite::{Connection, OptionalExtension, Row};

use super::codes::{kind, optional_time, severity, status, time};
use super::fault::Fault;
use super::unpack::Unpacker;
use crate::finding::{Finding, Fingerprint, HistoryEvent};
use crate::store::printing::{
    FindingRow, Raw, ReadSighting, SightingRow, first_seen_event, leading_first, non_empty,
};

const FINDING: &str = "
    SELECT f.id, f.filing_id, g.product, g.branch, g.service, f.fingerprint, f.kind, f.severity, f.status,
        f.first_seen, f.resolved_at, f.canonical_id
    FROM findings f CROSS JOIN filings g ON g.id = f.filing_id WHERE f.id = ?1";
const SIGHTINGS: &str = "
    SELECT s.id, s.severity, s.status, s.misses, s.first_seen, s.last_seen, s.resolved_at, s.body,
        c.last_complete_at, c.record_id, r.name, a.name, a.connector
    FROM sightings s INDEXED BY sightings_by_finding
    CROSS JOIN scopes c ON c.id = s.scope_id
    CROSS JOIN api_configurations a ON a.id = c.api_configuration_id
    CROSS JOIN records r ON r.api_configuration_id = c.api_configuration_id AND r.record_id = c.record_id
    WHERE s.finding_id = ?1";
const HISTORY: &str = "
    SELECT at, event, run_id, old, new, sighting_id FROM history INDEXED BY history_by_finding
    WHERE finding_id = ?1 ORDER BY at, id";
const SOURCE: &str = "
    SELECT a.name, s.body FROM sightings s
    CROSS JOIN scopes c ON c.id = s.scope_id
    CROSS JOIN api_configurations a ON a.id = c.api_configuration_id
    WHERE s.id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FINDING, SIGHTINGS, HISTORY, SOURCE];

/// Reads a finding's own row, if it is still there.
pub(super) fn finding_row(connection: &Connection, id: i64) -> Result<Option<FindingRow>, Fault> {
    let mut statement = connection.prepare_cached(FINDING)?;
    let row = statement.query_row([id], |row| {
        Ok(FindingRow {
            id: row.get(0)?,
            filing_id: row.get(1)?,
            product: row.get(2)?,
            branch: non_empty(row.get(3)?),
            service: non_empty(row.get(4)?),
            fingerprint: Fingerprint(row.get(5)?),
            kind: kind(row, 6)?,
            severity: severity(row, 7)?,
            status: status(row, 8)?,
            first_seen: time(row, 9)?,
            resolved_at: optional_time(row, 10)?,
            canonical_id: row.get(11)?,
        })
    });
    Ok(row.optional()?)
}

/// Reads a finding's sightings, the leading one first.
pub(super) fn sightings(
    connection: &Connection,
    unpacker: &mut Unpacker,
    finding: i64,
    raw: Raw,
) -> Result<Vec<ReadSighting>, Fault> {
    let mut statement = connection.prepare_cached(SIGHTINGS)?;
    let mut rows = statement.query([finding])?;
    let mut sightings = Vec::new();
    while let Some(row) = rows.next()? {
        sightings.push(sighting(connection, unpacker, row, raw)?);
    }
    leading_first(&mut sightings);
    Ok(sightings)
}

fn sighting(
    connection: &Connection,
    unpacker: &mut Unpacker,
    row: &Row<'_>,
    raw: Raw,
) -> Result<ReadSighting, Fault> {
    let body = row.get_ref(7)?.as_blob().map_err(rusqlite::Error::from)?;
    let unpacked = unpacker.unpack(connection, body)?;
    let row = SightingRow {
        id: row.get(0)?,
        severity: severity(row, 1)?,
        status: status(row, 2)?,
        misses: row.get(3)?,
        first_seen: time(row, 4)?,
        written: time(row, 5)?,
        resolved_at: optional_time(row, 6)?,
        scope_complete_at: optional_time(row, 8)?,
        record_id: row.get(9)?,
        record_name: row.get(10)?,
        api_configuration: row.get(11)?,
        connector: row.get(12)?,
    };
    Ok(row.read(&unpacked, raw)?)
}

/// What happened to a finding, oldest first.
pub(super) fn history(
    connection: &Connection,
    unpacker: &mut Unpacker,
    finding: &Finding,
) -> Result<Vec<HistoryEvent>, Fault> {
    let mut events = vec![first_seen_event(finding)];
    let mut statement = connection.prepare_cached(HISTORY)?;
    let mut rows = statement.query([finding.id])?;
    while let Some(row) = rows.next()? {
        let source = match row.get(5)? {
            Some(sighting) => source(connection, unpacker, sighting)?,
            None => None,
        };
        let (api_configuration, source_id) = source.unzip();
        events.push(HistoryEvent {
            at: time(row, 0)?,
            event: row.get(1)?,
            run: row.get(2)?,
            api_configuration,
            source_id,
            old: row.get(3)?,
            new: row.get(4)?,
        });
    }
    Ok(events)
}

/// API configuration and source id of a sighting.
fn source(
    connection: &Connection,
    unpacker: &mut Unpacker,
    sighting: i64,
) -> Result<Option<(String, String)>, Fault> {
    let mut statement = connection.prepare_cached(SOURCE)?;
    let found: Option<(String, Vec<u8>)> = statement
        .query_row([sighting], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(api, body)| {
            let said = unpacker.unpack(connection, &body)?.said()?;
            Ok((api, said.source_id.into_owned()))
        })
        .transpose()
}
