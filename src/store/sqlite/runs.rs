//! Runs, their slots and their claims.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};

use super::claims::Claims;
use super::codes::{count, count_code, optional_time, time, time_code, word};
use super::fault::Fault;
use crate::store::{Claim, NewRun, Run, RunEnd, RunFilter, RunId, RunState, StoreError};

const ADD_API: &str = "
    INSERT INTO api_configurations (name, connector) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET connector = excluded.connector WHERE connector <> excluded.connector";
const API_BY_NAME: &str = "SELECT id FROM api_configurations WHERE name = ?1";
const CLAIM_SLOT: &str = "
    INSERT INTO slots (api_configuration_id, slot) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const ADD_RUN: &str = "
    INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon) VALUES (?1, ?2, 'queued', ?3)";
const RUN_STATE: &str = "SELECT api_configuration_id, state FROM runs WHERE id = ?1";
const NOT_OVER_OF_API: &str = "
    SELECT id, daemon, state FROM runs INDEXED BY runs_not_over
    WHERE api_configuration_id = ?1 AND state IN ('queued', 'running')";
const NOT_OVER: &str = "
    SELECT id, daemon FROM runs INDEXED BY runs_not_over WHERE state IN ('queued', 'running')";
const BEGIN: &str = "UPDATE runs SET state = 'running', started_at = ?2 WHERE id = ?1";
const INTERRUPT: &str = "
    UPDATE runs SET state = 'interrupted', finished_at = ?2, error = ?3 WHERE id = ?1";
const END: &str = "
    UPDATE runs SET state = :state, finished_at = :at, error = :error, unchanged = :unchanged,
        unreadable = :unreadable, already_fixed = :already_fixed, pages = :pages, requests = :requests, retries = :retries,
        credentials_refused = :credentials_refused
    WHERE id = :run AND state IN ('queued', 'running')";
const COMPLETED: &str = "
    UPDATE api_configurations SET last_complete_at = ?2
    WHERE id = (SELECT api_configuration_id FROM runs WHERE id = ?1)";
/// The newest claimed slot of each, one probe each.
const LATEST_SLOTS: &str = "
    SELECT name, latest FROM (
        SELECT name, (SELECT max(slot) FROM slots WHERE api_configuration_id = api_configurations.id) AS latest
        FROM api_configurations)
    WHERE latest IS NOT NULL";

/// The columns of [`run_of`], from `runs r` and `api_configurations a`.
macro_rules! run_columns {
    () => {
        "r.id, a.name, r.\"trigger\", r.state, r.started_at, r.finished_at, r.new, r.updated, r.unchanged,
        r.resolved, r.reopened, r.unreadable, r.pages, r.requests, r.retries, r.daemon, r.error"
    };
}
pub(super) use run_columns;

macro_rules! runs_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            run_columns!(),
            // CROSS JOIN keeps the order of the tables, and so the order of the rows.
            " FROM runs r CROSS JOIN api_configurations a ON a.id = r.api_configuration_id WHERE ",
            $condition,
            " ORDER BY r.id DESC LIMIT ?2"
        )
    };
}
const LIST: &str = runs_where!("?1 IS NULL");
const LIST_OF_API: &str =
    runs_where!("r.api_configuration_id = (SELECT id FROM api_configurations WHERE name = ?1)");
const LIST_ONE: &str = runs_where!("r.id = ?1");
pub(super) const NEWEST_OF_API: &str =
    runs_where!("r.api_configuration_id = ?1 AND r.state <> 'queued'");

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    API_BY_NAME,
    RUN_STATE,
    NOT_OVER_OF_API,
    BEGIN,
    INTERRUPT,
    END,
    COMPLETED,
    LIST_OF_API,
    LIST_ONE,
    NEWEST_OF_API,
];

/// Adds a queued run and claims it, before anybody else can see it.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    claims: &mut Claims,
    new: &NewRun,
) -> Result<Option<RunId>, Fault> {
    transaction.execute(ADD_API, [&new.api_configuration, &new.connector])?;
    let api: i64 =
        transaction.query_row(API_BY_NAME, [&new.api_configuration], |row| row.get(0))?;
    if let Some(slot) = new.slot
        && transaction.execute(CLAIM_SLOT, params![api, time_code(slot)])? == 0
    {
        return Ok(None);
    }
    transaction.execute(ADD_RUN, params![api, new.trigger.as_str(), new.daemon])?;
    let run = transaction.last_insert_rowid();
    claims.take(run)?;
    Ok(Some(run))
}

/// Makes a queued run `running`, unless another one of its API configuration is.
pub(super) fn start(
    transaction: &Transaction<'_>,
    claims: &Claims,
    run: RunId,
) -> Result<Claim, Fault> {
    let (api, state) = api_and_state(transaction, run)?;
    if state != RunState::Queued || !claims.holds(run) {
        return Err(StoreError::ClaimLost(run).into());
    }
    for other in not_over_of(transaction, api)? {
        if other.id == run || other.state != RunState::Running {
            continue;
        }
        if claims.is_alive(other.id)? {
            return Ok(Claim::Busy {
                run: other.id,
                daemon: other.daemon,
            });
        }
        interrupt(transaction, other.id, &other.daemon)?;
    }
    transaction.execute(BEGIN, params![run, time_code(Utc::now())])?;
    Ok(Claim::Running)
}

/// Ends a run.
pub(super) fn finish(transaction: &Transaction<'_>, run: RunId, end: &RunEnd) -> Result<(), Fault> {
    let at = time_code(Utc::now());
    let ended = transaction.execute(
        END,
        named_params! {
            ":run": run,
            ":state": end.state.as_str(),
            ":at": at,
            ":error": end.error,
            ":unchanged": count_code(end.unchanged),
            ":unreadable": count_code(end.unreadable),
            ":already_fixed": count_code(end.already_fixed),
            ":pages": count_code(end.pages),
            ":requests": count_code(end.requests),
            ":retries": count_code(end.retries),
            ":credentials_refused": end.credentials_refused,
        },
    )?;
    if ended == 0 {
        return Err(StoreError::ClaimLost(run).into());
    }
    if end.state == RunState::Complete {
        transaction.execute(COMPLETED, params![run, at])?;
    }
    Ok(())
}

/// Interrupts all runs whose process is gone.
pub(super) fn interrupt_leftovers(
    transaction: &Transaction<'_>,
    claims: &Claims,
) -> Result<u64, Fault> {
    let runs: Vec<(RunId, String)> = transaction
        .prepare_cached(NOT_OVER)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut interrupted = 0;
    for (run, daemon) in runs {
        if !claims.is_alive(run)? {
            interrupt(transaction, run, &daemon)?;
            interrupted += 1;
        }
    }
    Ok(interrupted)
}

/// Whether any run has a living process.
pub(super) fn is_any_alive(transaction: &Transaction<'_>, claims: &Claims) -> Result<bool, Fault> {
    let mut statement = transaction.prepare_cached(NOT_OVER)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if claims.is_alive(row.get(0)?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn interrupt(transaction: &Transaction<'_>, run: RunId, daemon: &str) -> Result<(), Fault> {
    let why = format!("{daemon} ended without finishing this run");
    transaction.execute(INTERRUPT, params![run, time_code(Utc::now()), why])?;
    Ok(())
}

/// The API configuration of a run that may write.
pub(super) fn must_be_running(transaction: &Transaction<'_>, run: RunId) -> Result<i64, Fault> {
    match api_and_state(transaction, run)? {
        (api, RunState::Running) => Ok(api),
        _ => Err(StoreError::ClaimLost(run).into()),
    }
}

fn api_and_state(transaction: &Transaction<'_>, run: RunId) -> Result<(i64, RunState), Fault> {
    let found = transaction
        .prepare_cached(RUN_STATE)?
        .query_row([run], |row| Ok((row.get(0)?, word(row, 1)?)))
        .optional()?;
    Ok(found.ok_or(StoreError::ClaimLost(run))?)
}

struct NotOver {
    id: RunId,
    daemon: String,
    state: RunState,
}

fn not_over_of(transaction: &Transaction<'_>, api: i64) -> Result<Vec<NotOver>, Fault> {
    let mut statement = transaction.prepare_cached(NOT_OVER_OF_API)?;
    let runs = statement.query_map([api], |row| {
        Ok(NotOver {
            id: row.get(0)?,
            daemon: row.get(1)?,
            state: word(row, 2)?,
        })
    })?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// Runs, newest first.
pub(super) fn list(connection: &Connection, filter: &RunFilter) -> Result<Vec<Run>, Fault> {
    let limit = filter.limit.map_or(-1, i64::from);
    let runs = match (filter.id, &filter.api_configuration) {
        (Some(id), _) => runs_of(connection, LIST_ONE, params![id, limit])?,
        (None, Some(name)) => runs_of(connection, LIST_OF_API, params![name, limit])?,
        (None, None) => runs_of(connection, LIST, params![None::<i64>, limit])?,
    };
    let wanted = |run: &Run| {
        filter
            .api_configuration
            .as_ref()
            .is_none_or(|name| *name == run.api_configuration)
    };
    Ok(runs.into_iter().filter(wanted).collect())
}

pub(super) fn runs_of(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Run>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let runs = statement.query_map(parameters, run_of)?;
    Ok(runs.collect::<Result<_, _>>()?)
}

pub(super) fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        api_configuration: row.get(1)?,
        trigger: word(row, 2)?,
        status: word(row, 3)?,
        started_at: optional_time(row, 4)?,
        finished_at: optional_time(row, 5)?,
        new: count(row, 6)?,
        updated: count(row, 7)?,
        unchanged: count(row, 8)?,
        resolved: count(row, 9)?,
        reopened: count(row, 10)?,
        unreadable: count(row, 11)?,
        pages: count(row, 12)?,
        requests: count(row, 13)?,
        retries: count(row, 14)?,
        daemon: row.get(15)?,
        error: row.get(16)?,
    })
}

/// The latest claimed slot of each API configuration.
pub(super) fn claimed_slots(
    connection: &Connection,
) -> Result<Vec<(String, DateTime<Utc>)>, Fault> {
    let mut statement = connection.prepare_cached(LATEST_SLOTS)?;
    let slots = statement.query_map([], |row| Ok((row.get(0)?, time(row, 1)?)))?;
    Ok(slots.collect::<Result<_, _>>()?)
}
