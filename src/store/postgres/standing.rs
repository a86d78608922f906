//! Bringing findings' rows and history up to what their sightings say, many at a time.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::bodies::{self, Reader};
use super::fault::Fault;
use super::rows::{kind, name, severity, status};
use crate::finding::{Kind, canonical_vulnerability_id};
use crate::store::RunId;
use crate::store::codes::{kind_code, severity_code, status_code};
use crate::store::dictionaries::Dictionaries;
use crate::store::standing::{Cause, Event, Standing, Sum, Summing, Touched, events};

const SIGHTINGS: &str =
    "SELECT finding_id, id, status, severity, first_seen FROM sightings WHERE finding_id = ANY($1)";
const FINDINGS: &str =
    "SELECT id, severity, status, resolved_at, kind, canonical_id FROM findings WHERE id = ANY($1)";
const BODIES: &str = "SELECT id, body FROM sightings WHERE id = ANY($1)";
const UPDATE: &str = "
    UPDATE findings f SET severity = n.severity, status = n.status, resolved_at = n.resolved_at, kind = n.kind,
        canonical_id = n.canonical_id
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
        n(id, severity, status, resolved_at, kind, canonical_id)
    WHERE f.id = n.id";
const RECORD: &str = "
    INSERT INTO history (run_id, finding_id, at, event, sighting_id, old, new)
    SELECT $1, e.finding_id, e.at, e.event, e.sighting_id, e.old, e.new
    FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[]) WITH ORDINALITY
        e(finding_id, at, event, sighting_id, old, new, place) ORDER BY e.place";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SIGHTINGS, FINDINGS, BODIES, UPDATE];

/// Writes lines of history, in this order.
pub(super) async fn record(
    transaction: &mut PgConnection,
    run: Option<RunId>,
    events: &[Event],
) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Event) -> i64| -> Vec<i64> { events.iter().map(of).collect() };
    let words =
        |of: fn(&Event) -> Option<&str>| -> Vec<Option<&str>> { events.iter().map(of).collect() };
    sqlx::query(RECORD)
        .bind(run)
        .bind(column(|event| event.finding))
        .bind(column(|event| event.at))
        .bind(words(|event| Some(event.name)))
        .bind(events.iter().map(|e| e.sighting).collect::<Vec<_>>())
        .bind(words(|event| event.old.as_deref()))
        .bind(words(|event| event.new.as_deref()))
        .execute(transaction)
        .await?;
    Ok(())
}

/// Brings all touched findings up to what their sightings say. Their filings are locked.
pub(super) async fn settle(
    transaction: &mut PgConnection,
    dictionaries: &Dictionaries,
    run: Option<RunId>,
    touched: Touched,
) -> Result<(), Fault> {
    let causes: Vec<(i64, Cause)> = touched.into_iter().collect();
    if causes.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = causes.iter().map(|(finding, _)| *finding).collect();
    let old = standings(transaction, &ids).await?;
    let sums = sums(transaction, &ids).await?;
    let asked: Vec<i64> = causes
        .iter()
        .filter_map(|(finding, cause)| {
            let sum = sums.get(finding)?;
            sum.asks_for_words(cause).then_some(sum.leading)
        })
        .collect();
    let mut words = words(transaction, dictionaries, &asked).await?;
    let mut changed = Vec::new();
    let mut happened = Vec::new();
    for (finding, cause) in &causes {
        let (Some(old), Some(sum)) = (old.get(finding), sums.get(finding)) else {
            continue;
        };
        let (kind, canonical_id) = match words.remove(&sum.leading) {
            Some(words) => words,
            None => (old.kind, old.canonical_id.clone()),
        };
        let new = sum.standing(old, cause, kind, canonical_id);
        if new != *old {
            happened.extend(events(*finding, cause, old, &new));
            changed.push((*finding, new));
        }
    }
    update(transaction, &changed).await?;
    record(transaction, run, &happened).await
}

async fn standings(
    transaction: &mut PgConnection,
    findings: &[i64],
) -> Result<HashMap<i64, Standing>, Fault> {
    type Columns = (i64, i64, i64, Option<i64>, i64, Option<String>);
    let rows: Vec<Columns> = sqlx::query_as(FINDINGS)
        .bind(findings)
        .fetch_all(transaction)
        .await?;
    rows.into_iter()
        .map(
            |(id, its_severity, its_status, resolved_at, its_kind, canonical_id)| {
                let standing = Standing {
                    severity: severity(its_severity)?,
                    status: status(its_status)?,
                    resolved_at,
                    kind: kind(its_kind)?,
                    canonical_id,
                };
                Ok((id, standing))
            },
        )
        .collect()
}

async fn sums(
    transaction: &mut PgConnection,
    findings: &[i64],
) -> Result<HashMap<i64, Sum>, Fault> {
    let rows: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(SIGHTINGS)
        .bind(findings)
        .fetch_all(transaction)
        .await?;
    let mut sums: HashMap<i64, Summing> = HashMap::new();
    for (finding, id, its_status, its_severity, first_seen) in rows {
        sums.entry(finding).or_default().add(
            id,
            status(its_status)?,
            severity(its_severity)?,
            first_seen,
        );
    }
    Ok(sums
        .into_iter()
        .filter_map(|(finding, sum)| Some((finding, sum.end()?)))
        .collect())
}

/// What leading sightings contribute to their findings' rows.
async fn words(
    transaction: &mut PgConnection,
    dictionaries: &Dictionaries,
    sightings: &[i64],
) -> Result<HashMap<i64, (Kind, Option<String>)>, Fault> {
    /// Bodies that are in memory at the same time.
    const TOGETHER: usize = 500;
    let mut words = HashMap::new();
    for some in sightings.chunks(TOGETHER) {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(BODIES)
            .bind(some)
            .fetch_all(&mut *transaction)
            .await?;
        let all = rows.iter().map(|(_, body)| body.as_slice());
        bodies::learn(transaction, dictionaries, all).await?;
        let mut reader = Reader::new(dictionaries)?;
        for (id, body) in rows {
            let content = reader.unpack(&body)?.said()?.content;
            let canonical = canonical_vulnerability_id(&content);
            let canonical = canonical.map(|id| name(&id).into_owned());
            words.insert(id, (content.kind, canonical));
        }
    }
    Ok(words)
}

async fn update(transaction: &mut PgConnection, changed: &[(i64, Standing)]) -> Result<(), Fault> {
    if changed.is_empty() {
        return Ok(());
    }
    let column =
        |of: fn(&Standing) -> i64| -> Vec<i64> { changed.iter().map(|(_, new)| of(new)).collect() };
    sqlx::query(UPDATE)
        .bind(changed.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(column(|new| severity_code(new.severity)))
        .bind(column(|new| status_code(new.status)))
        .bind(
            changed
                .iter()
                .map(|(_, new)| new.resolved_at)
                .collect::<Vec<_>>(),
        )
        .bind(column(|new| kind_code(new.kind)))
        .bind(
            changed
                .iter()
                .map(|(_, new)| new.canonical_id.as_deref())
                .collect::<Vec<_>>(),
        )
        .execute(transaction)
        .await?;
    Ok(())
}
