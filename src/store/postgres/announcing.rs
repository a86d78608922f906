//! Runs that are made known: what they changed, and the messages about it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};

use super::fault::Fault;
use super::rows::{key as fitting, text};
use super::runs::{run_columns, run_of};
use crate::store::codes::time_code;
use crate::store::{EndedRun, FindingGroup, KnownGroup, NewMessage, Run, RunId};

const UNANNOUNCED: &str = concat!(
    "SELECT ",
    run_columns!(),
    ", a.connector, r.credentials_refused
    FROM runs r JOIN api_configurations a ON a.id = r.api_configuration_id
    WHERE r.announced = 0 AND r.state NOT IN ('queued', 'running') ORDER BY r.id LIMIT $1"
);
/// By the order of bytes, as SQLite sorts.
const CHANGED_GROUPS: &str = "
    SELECT r.id, f.product, f.branch, f.service
    FROM runs r JOIN scopes s ON s.api_configuration_id = r.api_configuration_id AND s.changed_run = r.id
        JOIN filings f ON f.id = s.filing_id
    WHERE r.id = ANY($1) GROUP BY r.id, f.product, f.branch, f.service
    ORDER BY r.id, f.product COLLATE \"C\", f.branch COLLATE \"C\", f.service COLLATE \"C\"";
const ANNOUNCED: &str =
    "UPDATE runs SET announced = 1 WHERE id = $1 AND announced = 0 AND state = $2";
const USE_KEY: &str = "INSERT INTO announced_once (key, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const ADD: &str = "
    INSERT INTO outbox (destination, topic, content, since, revised_at) VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (destination, topic) WHERE topic IS NOT NULL
    DO UPDATE SET content = excluded.content, revision = outbox.revision + 1, revised_at = excluded.revised_at,
        not_before = NULL";
/// A group is read to its end if all its scopes were by the newest import that is over; a skipped run was none.
const GROUPS: &str = "
    SELECT f.product, f.branch, f.service, coalesce(bool_and(s.read_run = n.id), false)
    FROM api_configurations a JOIN scopes s ON s.api_configuration_id = a.id JOIN filings f ON f.id = s.filing_id
        LEFT JOIN LATERAL (
            SELECT id FROM runs
            WHERE api_configuration_id = a.id AND state NOT IN ('queued', 'running', 'skipped')
            ORDER BY id DESC LIMIT 1) n ON true
    WHERE a.name = $1 GROUP BY f.product, f.branch, f.service
    ORDER BY f.product COLLATE \"C\", f.branch COLLATE \"C\", f.service COLLATE \"C\"";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[UNANNOUNCED, CHANGED_GROUPS, ANNOUNCED, GROUPS];

pub(super) async fn unannounced(
    connection: &mut PgConnection,
    limit: u32,
) -> Result<Vec<EndedRun>, Fault> {
    let rows = sqlx::query(UNANNOUNCED)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let mut runs = rows
        .iter()
        .map(|row| {
            Ok(EndedRun {
                run: run_of(row)?,
                connector: row.try_get(17)?,
                credentials_refused: row.try_get::<i64, _>(18)? != 0,
                groups: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    let ids: Vec<RunId> = runs.iter().map(|run| run.run.id).collect();
    let mut groups = changed_groups(connection, &ids).await?;
    for run in &mut runs {
        run.groups = groups.remove(&run.run.id).unwrap_or_default();
    }
    Ok(runs)
}

async fn changed_groups(
    connection: &mut PgConnection,
    runs: &[RunId],
) -> Result<BTreeMap<RunId, Vec<FindingGroup>>, Fault> {
    let rows: Vec<(RunId, String, String, String)> = sqlx::query_as(CHANGED_GROUPS)
        .bind(runs)
        .fetch_all(connection)
        .await?;
    let mut groups: BTreeMap<RunId, Vec<FindingGroup>> = BTreeMap::new();
    for (run, product, branch, service) in rows {
        let group = group_of(product, branch, service);
        groups.entry(run).or_default().push(group);
    }
    Ok(groups)
}

fn group_of(product: String, branch: String, service: String) -> FindingGroup {
    FindingGroup {
        product,
        branch: Some(branch).filter(|branch| !branch.is_empty()),
        service: Some(service).filter(|service| !service.is_empty()),
    }
}

pub(super) async fn announce(
    transaction: &mut PgConnection,
    run: &Run,
    messages: Vec<NewMessage>,
    at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let announced = sqlx::query(ANNOUNCED)
        .bind(run.id)
        .bind(run.status.as_str())
        .execute(&mut *transaction)
        .await?;
    let is_new = announced.rows_affected() == 1;
    if is_new {
        add(transaction, messages, at).await?;
    }
    Ok(is_new)
}

pub(super) async fn announce_once(
    transaction: &mut PgConnection,
    key: &str,
    messages: Vec<NewMessage>,
    at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let used = sqlx::query(USE_KEY)
        .bind(fitting(key))
        .bind(time_code(at))
        .execute(&mut *transaction)
        .await?;
    let is_new = used.rows_affected() == 1;
    if is_new {
        add(transaction, messages, at).await?;
    }
    Ok(is_new)
}

/// In one order, so that two who replace some of the same never wait for each other.
async fn add(
    transaction: &mut PgConnection,
    mut messages: Vec<NewMessage>,
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    messages.sort_by(|a, b| (&a.destination, &a.topic).cmp(&(&b.destination, &b.topic)));
    for message in &messages {
        sqlx::query(ADD)
            .bind(text(&message.destination))
            .bind(message.topic.as_deref().map(fitting))
            .bind(text(&message.content))
            .bind(time_code(at))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

pub(super) async fn groups(
    connection: &mut PgConnection,
    api_configuration: &str,
) -> Result<Vec<KnownGroup>, Fault> {
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(GROUPS)
        .bind(text(api_configuration))
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(product, branch, service, is_complete)| KnownGroup {
            group: group_of(product, branch, service),
            is_complete,
        })
        .collect())
}
