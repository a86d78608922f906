//! Runs that are made known: what they changed, and the messages about it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::codes::time_code;
use super::fault::Fault;
use super::runs::{run_columns, run_of};
use crate::store::{EndedRun, FindingGroup, KnownGroup, NewMessage, Run, RunId};

const UNANNOUNCED: &str = concat!(
    "SELECT ",
    run_columns!(),
    ", a.connector, r.credentials_refused
    FROM runs r INDEXED BY runs_unannounced CROSS JOIN api_configurations a ON a.id = r.api_configuration_id
    WHERE r.announced = 0 AND r.state NOT IN ('queued', 'running') ORDER BY r.id LIMIT ?1"
);
const CHANGED_GROUPS: &str = "
    SELECT DISTINCT f.product, f.branch, f.service
    FROM runs r CROSS JOIN scopes s ON s.api_configuration_id = r.api_configuration_id AND s.changed_run = r.id
        CROSS JOIN filings f ON f.id = s.filing_id
    WHERE r.id = ?1 ORDER BY f.product, f.branch, f.service";
const ANNOUNCED: &str =
    "UPDATE runs SET announced = 1 WHERE id = ?1 AND announced = 0 AND state = ?2";
const USED_KEY: &str = "SELECT 1 FROM announced_once WHERE key = ?1";
const USE_KEY: &str = "INSERT INTO announced_once (key, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const ADD: &str = "
    INSERT INTO outbox (destination, topic, content, since, revised_at) VALUES (?1, ?2, ?3, ?4, ?4)
    ON CONFLICT (destination, topic) WHERE topic IS NOT NULL
    DO UPDATE SET content = excluded.content, revision = revision + 1, revised_at = excluded.revised_at,
        not_before = NULL";
const API_BY_NAME: &str = "SELECT id FROM api_configurations WHERE name = ?1";
/// The newest import that is over; a skipped run was none.
const NEWEST: &str = "
    SELECT id FROM runs WHERE api_configuration_id = ?1 AND state NOT IN ('queued', 'running', 'skipped')
    ORDER BY id DESC LIMIT 1";
const GROUPS: &str = "
    SELECT f.product, f.branch, f.service, min(s.read_run IS ?2)
    FROM scopes s CROSS JOIN filings f ON f.id = s.filing_id
    WHERE s.api_configuration_id = ?1
    GROUP BY f.product, f.branch, f.service ORDER BY f.product, f.branch, f.service";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    CHANGED_GROUPS,
    ANNOUNCED,
    USED_KEY,
    API_BY_NAME,
    NEWEST,
    GROUPS,
];

pub(super) fn unannounced(connection: &Connection, limit: u32) -> Result<Vec<EndedRun>, Fault> {
    let mut statement = connection.prepare_cached(UNANNOUNCED)?;
    let runs = statement.query_map([limit], |row| {
        Ok(EndedRun {
            run: run_of(row)?,
            connector: row.get(17)?,
            credentials_refused: row.get(18)?,
            groups: Vec::new(),
        })
    })?;
    let runs: Vec<EndedRun> = runs.collect::<Result<_, _>>()?;
    runs.into_iter()
        .map(|run| {
            Ok(EndedRun {
                groups: changed_groups(connection, run.run.id)?,
                ..run
            })
        })
        .collect()
}

fn changed_groups(connection: &Connection, run: RunId) -> Result<Vec<FindingGroup>, Fault> {
    let mut statement = connection.prepare_cached(CHANGED_GROUPS)?;
    let groups = statement.query_map([run], group_of)?;
    Ok(groups.collect::<Result<_, _>>()?)
}

fn group_of(row: &Row<'_>) -> rusqlite::Result<FindingGroup> {
    let [branch, service]: [String; 2] = [row.get(1)?, row.get(2)?];
    Ok(FindingGroup {
        product: row.get(0)?,
        branch: Some(branch).filter(|branch| !branch.is_empty()),
        service: Some(service).filter(|service| !service.is_empty()),
    })
}

pub(super) fn announce(
    transaction: &Transaction<'_>,
    run: &Run,
    messages: &[NewMessage],
    at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let is_new = transaction
        .prepare_cached(ANNOUNCED)?
        .execute(params![run.id, run.status.as_str()])?
        == 1;
    if is_new {
        add(transaction, messages, at)?;
    }
    Ok(is_new)
}

pub(super) fn is_used(connection: &Connection, key: &str) -> Result<bool, Fault> {
    Ok(connection.prepare_cached(USED_KEY)?.exists([key])?)
}

pub(super) fn announce_once(
    transaction: &Transaction<'_>,
    key: &str,
    messages: &[NewMessage],
    at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let is_new = transaction
        .prepare_cached(USE_KEY)?
        .execute(params![key, time_code(at)])?
        == 1;
    if is_new {
        add(transaction, messages, at)?;
    }
    Ok(is_new)
}

fn add(
    transaction: &Transaction<'_>,
    messages: &[NewMessage],
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut statement = transaction.prepare_cached(ADD)?;
    for message in messages {
        statement.execute(params![
            message.destination,
            message.topic,
            message.content,
            time_code(at)
        ])?;
    }
    Ok(())
}

pub(super) fn groups(
    connection: &Connection,
    api_configuration: &str,
) -> Result<Vec<KnownGroup>, Fault> {
    let api: Option<i64> = connection
        .prepare_cached(API_BY_NAME)?
        .query_row([api_configuration], |row| row.get(0))
        .optional()?;
    let Some(api) = api else {
        return Ok(Vec::new());
    };
    let newest: Option<RunId> = connection
        .prepare_cached(NEWEST)?
        .query_row([api], |row| row.get(0))
        .optional()?;
    let mut statement = connection.prepare_cached(GROUPS)?;
    let groups = statement.query_map(params![api, newest], |row| {
        let was_read: bool = row.get(3)?;
        Ok(KnownGroup {
            group: group_of(row)?,
            is_complete: was_read && newest.is_some(),
        })
    })?;
    Ok(groups.collect::<Result<_, _>>()?)
}
