//! Runs, their slots, and who may write for them.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::fault::Fault;
use super::holder::{CHANNEL, holder_lives};
use super::rows::{count, now, optional_time, text, time, word};
use crate::store::codes::{count_code, time_code};
use crate::store::{Claim, NewRun, Run, RunEnd, RunFilter, RunId, RunState, StoreError};

const ADD_API: &str = "
    INSERT INTO api_configurations (name, connector) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET connector = excluded.connector
    WHERE api_configurations.connector <> excluded.connector";
const API_BY_NAME: &str = "SELECT id FROM api_configurations WHERE name = $1";
const CLAIM_SLOT: &str = "
    INSERT INTO slots (api_configuration_id, slot) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const ADD_RUN: &str = concat!(
    "INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon, holder_id, queued_at)
    VALUES ($1, $2, 'queued', $3, $4, ",
    now!(),
    ") RETURNING id"
);
const RING: &str = "SELECT pg_notify($1, '')";
/// Running too: it began with an earlier try, whose answer was lost on the way.
const MINE: &str = "
    SELECT api_configuration_id, state FROM runs
    WHERE id = $1 AND holder_id = $2 AND state IN ('queued', 'running') FOR NO KEY UPDATE";
/// Who has taken it off the common queue.
const TAKEN: &str =
    "SELECT daemon FROM runs WHERE id = $1 AND holder_id <> $2 AND state <> 'interrupted'";
/// One run of an API configuration starts at a time.
const LOCK_API: &str = "SELECT 1 FROM api_configurations WHERE id = $1 FOR NO KEY UPDATE";
const RUNNING_OF_API: &str = concat!(
    "SELECT r.id, r.daemon, coalesce(",
    holder_lives!(),
    ", false) FROM runs r LEFT JOIN holders h ON h.id = r.holder_id
    WHERE r.api_configuration_id = $1 AND r.state = 'running'"
);
/// Not one that is being written for: its holder is not as dead as it looks.
const INTERRUPT_ONE: &str = concat!(
    "UPDATE runs SET state = 'interrupted', finished_at = ",
    now!(),
    ", error = daemon || ' ended without finishing this run' WHERE id =
    (SELECT id FROM runs WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE SKIP LOCKED)"
);
const INTERRUPT_LEFT: &str = concat!(
    "UPDATE runs SET state = 'interrupted', finished_at = ",
    now!(),
    ", error = daemon || ' ended without finishing this run' WHERE id IN (
        SELECT r.id FROM runs r LEFT JOIN holders h ON h.id = r.holder_id
        WHERE r.state IN ('queued', 'running') AND NOT coalesce(",
    holder_lives!(),
    ", false) ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED)"
);
const BEGIN: &str = concat!(
    "UPDATE runs SET state = 'running', started_at = ",
    now!(),
    " WHERE id = $1"
);
const END: &str = concat!(
    "UPDATE runs SET state = $3, finished_at = ",
    now!(),
    ", error = $4, unchanged = $5, unreadable = $6, already_fixed = $7, pages = $8, requests = $9, retries = $10,
    credentials_refused = $11, progress = NULL
    WHERE id = $1 AND holder_id = $2 AND state IN ('queued', 'running') RETURNING api_configuration_id"
);
/// A daemon that stops leaves what it was at to another one, or to itself when it is back.
const QUEUE_AGAIN: &str = concat!(
    "INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon, holder_id, deaths, queued_at)
    SELECT api_configuration_id, \"trigger\", 'queued', daemon, holder_id, deaths + (started_at IS NOT NULL)::int, ",
    now!(),
    " FROM runs WHERE id = $1 AND \"trigger\" <> 'standalone' AND deaths < 3"
);
const COMPLETED: &str = concat!(
    "UPDATE api_configurations SET last_complete_at = ",
    now!(),
    " WHERE id = $1"
);
/// The fence: who is no longer the holder of a run under way writes nothing for it, and until this transaction ends nobody
/// can take the run away.
const FENCE: &str = "
    SELECT api_configuration_id FROM runs WHERE id = $1 AND holder_id = $2 AND state = 'running' FOR NO KEY UPDATE";
const LATEST_SLOTS: &str = "
    SELECT a.name, s.slot FROM api_configurations a
    CROSS JOIN LATERAL (
        SELECT slot FROM slots WHERE api_configuration_id = a.id ORDER BY slot DESC LIMIT 1) s";

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
            " FROM runs r JOIN api_configurations a ON a.id = r.api_configuration_id WHERE ",
            $condition,
            " ORDER BY r.id DESC LIMIT $1"
        )
    };
}
const LIST: &str = runs_where!("true");
const LIST_OF_API: &str =
    runs_where!("r.api_configuration_id = (SELECT id FROM api_configurations WHERE name = $2)");
const LIST_ONE: &str = runs_where!("r.id = $2");

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    API_BY_NAME,
    MINE,
    RUNNING_OF_API,
    BEGIN,
    END,
    FENCE,
    LIST_OF_API,
    LIST_ONE,
];

/// Adds a queued run, held by this process from the first moment.
pub(super) async fn enqueue(
    transaction: &mut PgConnection,
    holder: i64,
    new: &NewRun,
) -> Result<Option<RunId>, Fault> {
    sqlx::query(ADD_API)
        .bind(text(&new.api_configuration))
        .bind(&new.connector)
        .execute(&mut *transaction)
        .await?;
    let api: i64 = sqlx::query_scalar(API_BY_NAME)
        .bind(text(&new.api_configuration))
        .fetch_one(&mut *transaction)
        .await?;
    if let Some(slot) = new.slot {
        let claimed = sqlx::query(CLAIM_SLOT)
            .bind(api)
            .bind(time_code(slot))
            .execute(&mut *transaction)
            .await?;
        if claimed.rows_affected() == 0 {
            return Ok(None);
        }
    }
    let run = sqlx::query_scalar(ADD_RUN)
        .bind(api)
        .bind(new.trigger.as_str())
        .bind(text(&new.daemon))
        .bind(holder)
        .fetch_one(&mut *transaction)
        .await?;
    ring(transaction).await?;
    Ok(Some(run))
}

/// Makes a queued run `running`, unless another one of its API configuration is.
pub(super) async fn start(
    transaction: &mut PgConnection,
    holder: i64,
    run: RunId,
) -> Result<Claim, Fault> {
    let mine: Option<(i64, String)> = sqlx::query_as(MINE)
        .bind(run)
        .bind(holder)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some((api, state)) = mine else {
        let taken: Option<String> = sqlx::query_scalar(TAKEN)
            .bind(run)
            .bind(holder)
            .fetch_optional(transaction)
            .await?;
        return match taken {
            Some(daemon) => Ok(Claim::Taken { daemon }),
            None => Err(StoreError::ClaimLost(run).into()),
        };
    };
    if word::<RunState>(&state)? == RunState::Running {
        return Ok(Claim::Running);
    }
    sqlx::query(LOCK_API)
        .bind(api)
        .execute(&mut *transaction)
        .await?;
    let others: Vec<(RunId, String, bool)> = sqlx::query_as(RUNNING_OF_API)
        .bind(api)
        .fetch_all(&mut *transaction)
        .await?;
    for (other, daemon, is_alive) in others {
        let gone = !is_alive && interrupt(transaction, other).await?;
        if !gone {
            return Ok(Claim::Busy { run: other, daemon });
        }
    }
    sqlx::query(BEGIN)
        .bind(run)
        .execute(&mut *transaction)
        .await?;
    Ok(Claim::Running)
}

async fn interrupt(transaction: &mut PgConnection, run: RunId) -> Result<bool, Fault> {
    let done = sqlx::query(INTERRUPT_ONE)
        .bind(run)
        .execute(transaction)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a run.
pub(super) async fn finish(
    transaction: &mut PgConnection,
    holder: i64,
    run: RunId,
    end: &RunEnd,
) -> Result<(), Fault> {
    let api: i64 = sqlx::query_scalar(END)
        .bind(run)
        .bind(holder)
        .bind(end.state.as_str())
        .bind(end.error.as_deref().map(text))
        .bind(count_code(end.unchanged))
        .bind(count_code(end.unreadable))
        .bind(count_code(end.already_fixed))
        .bind(count_code(end.pages))
        .bind(count_code(end.requests))
        .bind(count_code(end.retries))
        .bind(i64::from(end.credentials_refused))
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(StoreError::ClaimLost(run))?;
    match end.state {
        RunState::Complete => {
            sqlx::query(COMPLETED)
                .bind(api)
                .execute(transaction)
                .await?;
        }
        RunState::Interrupted => {
            sqlx::query(QUEUE_AGAIN)
                .bind(run)
                .execute(&mut *transaction)
                .await?;
            ring(transaction).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Wakes those who may have a place for what was queued.
async fn ring(transaction: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(RING).bind(CHANNEL).execute(transaction).await?;
    Ok(())
}

/// Interrupts all runs whose holder is gone.
pub(super) async fn interrupt_leftovers(transaction: &mut PgConnection) -> Result<u64, Fault> {
    let done = sqlx::query(INTERRUPT_LEFT).execute(transaction).await?;
    Ok(done.rows_affected())
}

/// The API configuration of a run that this process may write for.
pub(super) async fn must_be_running(
    transaction: &mut PgConnection,
    holder: i64,
    run: RunId,
) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(FENCE)
        .bind(run)
        .bind(holder)
        .fetch_optional(transaction)
        .await?
        .ok_or(StoreError::ClaimLost(run))?)
}

/// Runs, newest first.
pub(super) async fn list(
    connection: &mut PgConnection,
    filter: &RunFilter,
) -> Result<Vec<Run>, Fault> {
    let limit = filter.limit.map(i64::from);
    let rows = match (filter.id, &filter.api_configuration) {
        (Some(id), _) => sqlx::query(LIST_ONE).bind(limit).bind(id),
        (None, Some(name)) => sqlx::query(LIST_OF_API).bind(limit).bind(text(name)),
        (None, None) => sqlx::query(LIST).bind(limit),
    };
    let runs: Vec<Run> = rows
        .fetch_all(connection)
        .await?
        .iter()
        .map(run_of)
        .collect::<Result<_, _>>()?;
    let wanted = |run: &Run| {
        filter
            .api_configuration
            .as_ref()
            .is_none_or(|name| *name == run.api_configuration)
    };
    Ok(runs.into_iter().filter(wanted).collect())
}

pub(super) fn run_of(row: &PgRow) -> Result<Run, Fault> {
    let number = |column: usize| -> Result<u64, Fault> { count(row.try_get(column)?) };
    Ok(Run {
        id: row.try_get(0)?,
        api_configuration: row.try_get(1)?,
        trigger: word(row.try_get(2)?)?,
        status: word(row.try_get(3)?)?,
        started_at: optional_time(row.try_get(4)?)?,
        finished_at: optional_time(row.try_get(5)?)?,
        new: number(6)?,
        updated: number(7)?,
        unchanged: number(8)?,
        resolved: number(9)?,
        reopened: number(10)?,
        unreadable: number(11)?,
        pages: number(12)?,
        requests: number(13)?,
        retries: number(14)?,
        daemon: row.try_get(15)?,
        error: row.try_get(16)?,
    })
}

/// The latest claimed slot of each API configuration.
pub(super) async fn claimed_slots(
    connection: &mut PgConnection,
) -> Result<Vec<(String, DateTime<Utc>)>, Fault> {
    let slots: Vec<(String, i64)> = sqlx::query_as(LATEST_SLOTS).fetch_all(connection).await?;
    slots
        .into_iter()
        .map(|(name, slot)| Ok((name, time(slot)?)))
        .collect()
}
