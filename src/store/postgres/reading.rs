//! Rows to findings as they are printed.

use std::collections::HashMap;

use sqlx::{PgConnection, Row};

use super::bodies::{self, Reader};
use super::fault::Fault;
use super::rows::{bytes, kind, optional_time, severity, status, time};
use crate::finding::{Finding, Fingerprint, HistoryEvent};
use crate::store::dictionaries::Dictionaries;
use crate::store::printing::{
    FindingRow, Raw, ReadSighting, SightingRow, first_seen_event, leading_first, non_empty,
};

const FINDINGS: &str = "
    SELECT f.id, f.filing_id, g.product, g.branch, g.service, f.fingerprint, f.kind, f.severity, f.status,
        f.first_seen, f.resolved_at, f.canonical_id
    FROM findings f JOIN filings g ON g.id = f.filing_id WHERE f.id = ANY($1) ORDER BY f.id";
const SIGHTINGS: &str = "
    SELECT s.finding_id, s.id, s.severity, s.status, s.misses, s.first_seen, s.last_seen, s.resolved_at, s.body,
        c.last_complete_at, c.record_id, r.name, a.name, a.connector
    FROM sightings s JOIN scopes c ON c.id = s.scope_id
    JOIN api_configurations a ON a.id = c.api_configuration_id
    JOIN records r ON r.api_configuration_id = c.api_configuration_id AND r.record_id = c.record_id
    WHERE s.finding_id = ANY($1)";
const HISTORY: &str = "
    SELECT at, event, run_id, old, new, sighting_id FROM history WHERE finding_id = $1 ORDER BY at, id";
const SOURCES: &str = "
    SELECT s.id, a.name, s.body FROM sightings s JOIN scopes c ON c.id = s.scope_id
    JOIN api_configurations a ON a.id = c.api_configuration_id WHERE s.id = ANY($1)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FINDINGS, SIGHTINGS, HISTORY, SOURCES];

/// Reads findings' own rows, as far as they are still there, in the order of their ids.
pub(super) async fn findings(
    connection: &mut PgConnection,
    ids: &[i64],
) -> Result<Vec<FindingRow>, Fault> {
    let rows = sqlx::query(FINDINGS)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let fingerprint: &[u8] = row.try_get(5)?;
            Ok(FindingRow {
                id: row.try_get(0)?,
                filing_id: row.try_get(1)?,
                product: row.try_get(2)?,
                branch: non_empty(row.try_get(3)?),
                service: non_empty(row.try_get(4)?),
                fingerprint: Fingerprint(bytes(fingerprint)?),
                kind: kind(row.try_get(6)?)?,
                severity: severity(row.try_get(7)?)?,
                status: status(row.try_get(8)?)?,
                first_seen: time(row.try_get(9)?)?,
                resolved_at: optional_time(row.try_get(10)?)?,
                canonical_id: row.try_get(11)?,
            })
        })
        .collect()
}

/// Reads the sightings of findings, each finding's leading one first.
pub(super) async fn sightings(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    findings: &[i64],
    raw: Raw,
) -> Result<HashMap<i64, Vec<ReadSighting>>, Fault> {
    let rows = sqlx::query(SIGHTINGS)
        .bind(findings)
        .fetch_all(&mut *connection)
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        all.push(row.try_get::<&[u8], _>(8)?);
    }
    bodies::learn(connection, dictionaries, all.iter().copied()).await?;
    let mut reader = Reader::new(dictionaries)?;
    let mut sightings: HashMap<i64, Vec<ReadSighting>> = HashMap::new();
    for (row, body) in rows.iter().zip(all) {
        let unpacked = reader.unpack(body)?;
        let sighting = SightingRow {
            id: row.try_get(1)?,
            severity: severity(row.try_get(2)?)?,
            status: status(row.try_get(3)?)?,
            misses: row.try_get(4)?,
            first_seen: time(row.try_get(5)?)?,
            written: time(row.try_get(6)?)?,
            resolved_at: optional_time(row.try_get(7)?)?,
            scope_complete_at: optional_time(row.try_get(9)?)?,
            record_id: row.try_get(10)?,
            record_name: row.try_get(11)?,
            api_configuration: row.try_get(12)?,
            connector: row.try_get(13)?,
        };
        let of = sightings.entry(row.try_get(0)?).or_default();
        of.push(sighting.read(&unpacked, raw)?);
    }
    sightings.values_mut().for_each(|of| leading_first(of));
    Ok(sightings)
}

/// What happened to a finding, oldest first.
pub(super) async fn history(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    finding: &Finding,
) -> Result<Vec<HistoryEvent>, Fault> {
    type Columns = (
        i64,
        String,
        Option<i64>,
        Option<String>,
        Option<String>,
        Option<i64>,
    );
    let rows: Vec<Columns> = sqlx::query_as(HISTORY)
        .bind(finding.id)
        .fetch_all(&mut *connection)
        .await?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.5).collect();
    let sources = sources(connection, dictionaries, &ids).await?;
    let mut events = vec![first_seen_event(finding)];
    for (at, event, run, old, new, sighting) in rows {
        let source = sighting.and_then(|sighting| sources.get(&sighting).cloned());
        let (api_configuration, source_id) = source.unzip();
        events.push(HistoryEvent {
            at: time(at)?,
            event,
            run,
            api_configuration,
            source_id,
            old,
            new,
        });
    }
    Ok(events)
}

/// API configurations and source ids of sightings.
async fn sources(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    sightings: &[i64],
) -> Result<HashMap<i64, (String, String)>, Fault> {
    let rows: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(SOURCES)
        .bind(sightings)
        .fetch_all(&mut *connection)
        .await?;
    let all = rows.iter().map(|(.., body)| body.as_slice());
    bodies::learn(connection, dictionaries, all).await?;
    let mut reader = Reader::new(dictionaries)?;
    rows.into_iter()
        .map(|(id, api, body)| {
            let said = reader.unpack(&body)?.said()?;
            Ok((id, (api, said.source_id.into_owned())))
        })
        .collect()
}
