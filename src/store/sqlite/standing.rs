//! A finding's standing: status, severity and what else follows from its sightings; and its history.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::codes::{kind, kind_code, severity, severity_code, status, status_code};
use super::fault::Fault;
use super::pack::Unpacker;
use crate::finding::{Kind, Severity, Status, canonical_vulnerability_id};
use crate::store::RunId;

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

/// Findings whose sightings have changed, each with the first change. Worked off together, so that a finding with
/// thousands of sightings is looked at once a batch.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeMap<i64, Cause>);

/// Why a finding has to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    sighting: i64,
    at: i64,
    /// What the sighting is and where, not only how it stands.
    is_content: bool,
}

impl Cause {
    /// Status or severity of a sighting changed.
    pub(super) fn standing(sighting: i64, at: i64) -> Self {
        Self {
            sighting,
            at,
            is_content: false,
        }
    }

    /// A sighting came, went, or is about something else now.
    pub(super) fn content(sighting: i64, at: i64) -> Self {
        Self {
            sighting,
            at,
            is_content: true,
        }
    }
}

impl Touched {
    pub(super) fn note(&mut self, finding: i64, cause: Cause) {
        self.0
            .entry(finding)
            .and_modify(|first| first.is_content |= cause.is_content)
            .or_insert(cause);
    }

    pub(super) fn forget(&mut self, finding: i64) {
        self.0.remove(&finding);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A line of history.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) finding: i64,
    pub(super) at: i64,
    pub(super) sighting: Option<i64>,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

impl Event {
    pub(super) fn of_sighting(name: &'static str, finding: i64, at: i64, sighting: i64) -> Self {
        Self {
            name,
            finding,
            at,
            sighting: Some(sighting),
            old: None,
            new: None,
        }
    }
}

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
    for (finding, cause) in touched.0 {
        settle_one(transaction, unpacker, run, finding, cause)?;
    }
    Ok(())
}

/// What a finding's row says of it.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    severity: Severity,
    status: Status,
    resolved_at: Option<i64>,
    kind: Kind,
    canonical_id: Option<String>,
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
    let (kind, canonical_id) = if cause.is_content || sum.sightings > 1 {
        leading_words(transaction, unpacker, sum.leading)?
    } else {
        (old.kind, old.canonical_id.clone())
    };
    let new = Standing {
        severity: sum.severity,
        status: sum.status,
        resolved_at: match sum.status {
            Status::Resolved => old.resolved_at.or(Some(cause.at)),
            _ => None,
        },
        kind,
        canonical_id,
    };
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
    let event = |name, old: &str, new: &str| Event {
        name,
        finding,
        at: cause.at,
        sighting: Some(cause.sighting),
        old: Some(old.to_owned()),
        new: Some(new.to_owned()),
    };
    if new.status != old.status {
        let name = match (old.status, new.status) {
            (_, Status::Resolved) => "resolved",
            (Status::Resolved, _) => "reopened",
            _ => "status",
        };
        let event = event(name, old.status.as_str(), new.status.as_str());
        record(transaction, run, &event)?;
    }
    if new.severity != old.severity {
        let event = event("severity", old.severity.as_str(), new.severity.as_str());
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

struct Sum {
    sightings: u64,
    severity: Severity,
    status: Status,
    leading: i64,
}

/// Status of the most urgent sighting, the highest severity among the unresolved ones (all resolved: the leading one's),
/// and which one leads: the most urgent, then the oldest.
fn sum_up(connection: &Connection, finding: i64) -> Result<Option<Sum>, Fault> {
    let mut statement = connection.prepare_cached(SIGHTINGS)?;
    let mut rows = statement.query([finding])?;
    let mut sightings = 0;
    let mut leading: Option<((u8, i64, i64), Severity)> = None;
    let mut most_urgent: Option<Status> = None;
    let mut highest: Option<Severity> = None;
    while let Some(row) = rows.next()? {
        sightings += 1;
        let (id, status, severity) = (row.get(0)?, status(row, 1)?, severity(row, 2)?);
        let rank = (status.urgency(), row.get(3)?, id);
        if leading.is_none_or(|(best, _)| rank < best) {
            leading = Some((rank, severity));
        }
        most_urgent = Some(most_urgent.map_or(status, |best| best.min(status)));
        if status != Status::Resolved {
            highest = Some(highest.map_or(severity, |best| best.min(severity)));
        }
    }
    Ok(match (leading, most_urgent) {
        (Some(((_, _, leading), its_severity)), Some(status)) => Some(Sum {
            sightings,
            severity: highest.unwrap_or(its_severity),
            status,
            leading,
        }),
        _ => None,
    })
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
