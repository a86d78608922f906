//! What is stored, put together to findings as they are printed.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::pack::{BodyFault, Said, Unpacked};
use crate::finding::{
    Content, Finding, Fingerprint, HistoryEvent, Kind, PrintedSighting, Severity, Status,
};

/// A finding's own row.
#[derive(Debug)]
pub(super) struct FindingRow {
    pub(super) id: i64,
    pub(super) filing_id: i64,
    pub(super) product: String,
    pub(super) branch: Option<String>,
    pub(super) service: Option<String>,
    pub(super) fingerprint: Fingerprint,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) first_seen: DateTime<Utc>,
    pub(super) resolved_at: Option<DateTime<Utc>>,
    pub(super) canonical_id: Option<String>,
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

impl Raw {
    pub(super) fn of(wanted: bool) -> Self {
        if wanted { Self::Wanted } else { Self::LeftOut }
    }
}

/// A sighting's own row, with what its scope and API configuration say.
#[derive(Debug)]
pub(super) struct SightingRow {
    pub(super) id: i64,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) misses: i64,
    pub(super) first_seen: DateTime<Utc>,
    /// When it was last written as seen.
    pub(super) written: DateTime<Utc>,
    pub(super) resolved_at: Option<DateTime<Utc>>,
    pub(super) scope_complete_at: Option<DateTime<Utc>>,
    pub(super) record_id: String,
    pub(super) record_name: String,
    pub(super) api_configuration: String,
    pub(super) connector: String,
}

impl SightingRow {
    /// With what its body says.
    pub(super) fn read(self, body: &Unpacked<'_>, raw: Raw) -> Result<ReadSighting, BodyFault> {
        let mut said = body.said()?;
        let raw = match raw {
            Raw::Wanted => printed_raw(body.raw()?)?,
            Raw::LeftOut => None,
        };
        let last_seen = match self.scope_complete_at {
            // It is written when it changes only, but every complete import since has seen it.
            Some(complete) if self.status != Status::Resolved && self.misses == 0 => {
                self.written.max(complete)
            }
            _ => self.written,
        };
        let printed = PrintedSighting {
            api_configuration: self.api_configuration,
            connector: self.connector,
            record: non_empty(self.record_name).or(non_empty(self.record_id)),
            source_id: std::mem::take(&mut said.source_id).into_owned(),
            source_severity: said.source_severity.take().map(Into::into),
            source_status: said.source_status.take().map(Into::into),
            severity: self.severity,
            status: self.status,
            found_at: said.found_at,
            source_updated_at: said.source_updated_at,
            first_seen: self.first_seen,
            last_seen,
            resolved_at: self.resolved_at,
            raw,
            differing: Map::new(),
        };
        Ok(ReadSighting {
            id: self.id,
            said,
            printed,
        })
    }
}

/// An empty text stands for none in columns that are part of a key.
pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Puts the leading sighting first: the most urgent, then the oldest.
pub(super) fn leading_first(sightings: &mut [ReadSighting]) {
    sightings.sort_by_key(|sighting| {
        let printed = &sighting.printed;
        (printed.status.urgency(), printed.first_seen, sighting.id)
    });
}

/// The event with which a finding's history begins; it is not stored.
pub(super) fn first_seen_event(finding: &Finding) -> HistoryEvent {
    let oldest = finding
        .sightings
        .iter()
        .min_by_key(|sighting| sighting.first_seen);
    HistoryEvent {
        at: finding.first_seen,
        event: "first_seen".to_owned(),
        run: None,
        api_configuration: oldest.map(|sighting| sighting.api_configuration.clone()),
        source_id: oldest.map(|sighting| sighting.source_id.clone()),
        old: None,
        new: None,
    }
}

/// The vendor's JSON as it is; what is no JSON becomes a text.
fn printed_raw(raw: String) -> Result<Option<Box<RawValue>>, BodyFault> {
    if raw.is_empty() {
        return Ok(None);
    }
    let printed = match serde_json::from_str::<Box<RawValue>>(&raw) {
        Ok(json) => Ok(json),
        Err(_) => serde_json::value::to_raw_value(&raw),
    };
    printed
        .map(Some)
        .map_err(|error| BodyFault::Damaged(format!("a vendor's JSON cannot be printed: {error}")))
}

/// Puts a finding together. The first sighting leads: the finding's words are its words.
pub(super) fn finding(row: FindingRow, sightings: Vec<ReadSighting>) -> Result<Finding, BodyFault> {
    let id = row.id;
    let mut sightings = sightings.into_iter();
    let leading = sightings
        .next()
        .ok_or_else(|| BodyFault::Damaged(format!("finding {id} has no sighting")))?;
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

fn fields(content: &Content) -> Result<Map<String, Value>, BodyFault> {
    match serde_json::to_value(content) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(BodyFault::Damaged(format!(
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
