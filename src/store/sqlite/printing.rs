//! Rows to findings as they are printed.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::codes::{kind, optional_time, severity, status, time};
use super::fault::Fault;
use super::pack::{Said, Unpacker};
use super::scopes::non_empty;
use crate::finding::{
    Content, Finding, Fingerprint, HistoryEvent, Kind, PrintedSighting, Severity, Status,
};
use chrono::{DateTime, Utc};

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

/// A finding's own row.
#[derive(Debug)]
pub(super) struct FindingRow {
    pub(super) id: i64,
    pub(super) filing_id: i64,
    product: String,
    branch: Option<String>,
    service: Option<String>,
    fingerprint: Fingerprint,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) first_seen: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    pub(super) canonical_id: Option<String>,
}

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

/// A sighting, read and unpacked.
#[derive(Debug)]
pub(super) struct ReadSighting {
    id: i64,
    said: Said<'static>,
    printed: PrintedSighting,
}

/// Whether the vendor's JSON is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    Wanted,
    LeftOut,
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
    sightings.sort_by_key(|sighting| {
        let printed = &sighting.printed;
        (printed.status.urgency(), printed.first_seen, sighting.id)
    });
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
    let mut said = unpacked.said()?;
    let raw = match raw {
        Raw::Wanted => printed_raw(unpacked.raw()?)?,
        Raw::LeftOut => None,
    };
    let (status, misses): (Status, i64) = (status(row, 2)?, row.get(3)?);
    let written = time(row, 5)?;
    let last_seen = match optional_time(row, 8)? {
        // It is written when it changes only, but every complete import since has seen it.
        Some(complete) if status != Status::Resolved && misses == 0 => written.max(complete),
        _ => written,
    };
    let (record_id, record_name): (String, String) = (row.get(9)?, row.get(10)?);
    let printed = PrintedSighting {
        api_configuration: row.get(11)?,
        connector: row.get(12)?,
        record: non_empty(record_name).or(non_empty(record_id)),
        source_id: std::mem::take(&mut said.source_id).into_owned(),
        source_severity: said.source_severity.take().map(Into::into),
        source_status: said.source_status.take().map(Into::into),
        severity: severity(row, 1)?,
        status,
        found_at: said.found_at,
        source_updated_at: said.source_updated_at,
        first_seen: time(row, 4)?,
        last_seen,
        resolved_at: optional_time(row, 6)?,
        raw,
        differing: Map::new(),
    };
    Ok(ReadSighting {
        id: row.get(0)?,
        said,
        printed,
    })
}

/// The vendor's JSON as it is; what is no JSON becomes a text.
fn printed_raw(raw: String) -> Result<Option<Box<RawValue>>, Fault> {
    if raw.is_empty() {
        return Ok(None);
    }
    let printed = match serde_json::from_str::<Box<RawValue>>(&raw) {
        Ok(json) => Ok(json),
        Err(_) => serde_json::value::to_raw_value(&raw),
    };
    printed
        .map(Some)
        .map_err(|error| Fault::Damaged(format!("a vendor's JSON cannot be printed: {error}")))
}

/// Puts a finding together. The first sighting leads: the finding's words are its words.
pub(super) fn finding(row: FindingRow, sightings: Vec<ReadSighting>) -> Result<Finding, Fault> {
    let id = row.id;
    let mut sightings = sightings.into_iter();
    let leading = sightings
        .next()
        .ok_or_else(|| Fault::Damaged(format!("finding {id} has no sighting")))?;
    let content = leading.said.content.into_owned();
    let mut printed = vec![leading.printed];
    let words = match sightings.len() {
        0 => Map::new(),
        _ => fields(&content)?,
    };
    for other in sightings {
        let differing = differing(&words, fields(&other.said.content)?);
        printed.push(PrintedSighting {
            differing,
            ..other.printed
        });
    }
    let last_seen = printed
        .iter()
        .map(|sighting| sighting.last_seen)
        .fold(row.first_seen, DateTime::max);
    Ok(Finding {
        id,
        product: row.product,
        branch: row.branch,
        service: row.service,
        fingerprint: row.fingerprint.to_string(),
        kind: content.kind,
        title: content.title,
        description: content.description,
        recommendation: content.recommendation,
        severity: row.severity,
        status: row.status,
        vulnerability_id: content.vulnerability_id,
        aliases: content.aliases,
        cwes: content.cwes,
        cvss3_vector: content.cvss3_vector,
        cvss3_score: content.cvss3_score,
        cvss4_vector: content.cvss4_vector,
        cvss4_score: content.cvss4_score,
        epss_score: content.epss_score,
        component: content.component,
        image: content.image,
        endpoint: content.endpoint,
        source_location: content.source_location,
        cloud: content.cloud,
        kubernetes: content.kubernetes,
        host: content.host,
        references: content.references,
        tags: content.tags,
        first_seen: row.first_seen,
        last_seen,
        resolved_at: row.resolved_at,
        sightings: printed,
        history: None,
    })
}

impl ReadSighting {
    pub(super) fn content(&self) -> &Content {
        &self.said.content
    }
}

fn fields(content: &Content) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(content) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(Fault::Damaged(format!(
            "a stored finding cannot be printed: {error}"
        ))),
    }
}

/// The fields in which `own` is not what `leading` is. What only the leading one has is said to be absent.
fn differing(leading: &Map<String, Value>, mut own: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in leading {
        if !own.contains_key(name) {
            let absent = match value {
                Value::Array(_) => Value::Array(Vec::new()),
                _ => Value::Null,
            };
            own.insert(name.clone(), absent);
        }
    }
    own.retain(|name, value| leading.get(name) != Some(value));
    own
}

/// What happened to a finding, oldest first.
pub(super) fn history(
    connection: &Connection,
    unpacker: &mut Unpacker,
    finding: &Finding,
) -> Result<Vec<HistoryEvent>, Fault> {
    let oldest = finding
        .sightings
        .iter()
        .min_by_key(|sighting| sighting.first_seen);
    let mut events = vec![HistoryEvent {
        at: finding.first_seen,
        event: "first_seen".to_owned(),
        run: None,
        api_configuration: oldest.map(|sighting| sighting.api_configuration.clone()),
        source_id: oldest.map(|sighting| sighting.source_id.clone()),
        old: None,
        new: None,
    }];
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
