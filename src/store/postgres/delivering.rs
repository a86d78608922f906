//! Messages on their way: who holds a destination, by the server's clock, and what becomes of a message.
//!
//! Who delivers locks the destination's row before its messages.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::{count, key, now, optional_time, text, time};
use crate::store::codes::time_code;
use crate::store::{Message, Waiting};

const ANY_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM outbox WHERE destination = $1 AND coalesce(not_before, 0) <= $2)";
const HOLD: &str = concat!(
    "INSERT INTO destinations (name, holder, held_until) VALUES ($1, $2, ",
    now!(),
    " + $3) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE destinations.holder IS NULL OR destinations.holder = excluded.holder OR destinations.held_until <= ",
    now!()
);
const OLDEST_DUE: &str = "
    SELECT id, topic, content, revision, since, attempts, note FROM outbox
    WHERE destination = $1 AND coalesce(not_before, 0) <= $2 ORDER BY since, id LIMIT 1 FOR NO KEY UPDATE";
const TRY: &str = "UPDATE outbox SET attempts = attempts + 1 WHERE id = $1";
const KEEP: &str = concat!(
    "UPDATE destinations SET held_until = ",
    now!(),
    " + $3 WHERE name = $1 AND holder = $2 AND held_until > ",
    now!()
);
/// The fence: until this transaction ends nobody can take the destination away.
const FENCE: &str = concat!(
    "SELECT 1 FROM destinations WHERE name = $1 AND holder = $2 AND held_until > ",
    now!(),
    " FOR NO KEY UPDATE"
);
const LET_GO: &str =
    "UPDATE destinations SET holder = NULL, held_until = NULL WHERE name = $1 AND holder = $2";
const NOTE: &str = "UPDATE outbox SET note = $2 WHERE id = $1";
const REMOVE: &str = "DELETE FROM outbox WHERE id = $1 AND revision = $2";
const BEGIN_ANEW: &str = "
    UPDATE outbox SET since = revised_at, attempts = 0, not_before = NULL, problem = NULL, note = NULL WHERE id = $1";
const PUT_BACK: &str = "
    UPDATE outbox SET problem = coalesce($2, problem), not_before = $3 WHERE id = $1";
const MAKE_DUE: &str =
    "UPDATE outbox SET not_before = NULL WHERE destination = $1 AND not_before IS NOT NULL";
/// One of each destination: the one that has a problem and was tried most often.
const WAITING: &str = "
    SELECT destination, messages, since, attempts, problem, not_before FROM (
        SELECT destination, attempts, problem, not_before,
            count(*) OVER of_destination AS messages, min(since) OVER of_destination AS since,
            row_number() OVER (PARTITION BY destination ORDER BY problem IS NULL, attempts DESC, id) AS place
        FROM outbox WINDOW of_destination AS (PARTITION BY destination)) w
    WHERE place = 1 ORDER BY destination COLLATE \"C\"";
const STATE: &str = "SELECT state FROM destination_state WHERE destination = $1 AND topic = $2";
const KEEP_STATE: &str = "
    INSERT INTO destination_state (destination, topic, state) VALUES ($1, $2, $3)
    ON CONFLICT (destination, topic) DO UPDATE SET state = excluded.state";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    ANY_DUE, OLDEST_DUE, TRY, KEEP, FENCE, LET_GO, NOTE, REMOVE, BEGIN_ANEW, PUT_BACK, MAKE_DUE,
    STATE,
];

/// Who delivers, and to where.
#[derive(Clone, Copy)]
pub(super) struct Hold<'a> {
    pub(super) destination: &'a str,
    pub(super) holder: &'a str,
}

impl<'a> Hold<'a> {
    /// The one under which a message was taken.
    pub(super) fn of(message: &'a Message, holder: &'a str) -> Self {
        Self {
            destination: &message.destination,
            holder,
        }
    }

    async fn take(self, transaction: &mut PgConnection, lease: Duration) -> Result<bool, Fault> {
        let taken = sqlx::query(HOLD)
            .bind(text(self.destination))
            .bind(self.holder)
            .bind(milliseconds(lease))
            .execute(transaction)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Whether the lease still runs; if so, it does until the end of the transaction.
    async fn stands(self, transaction: &mut PgConnection) -> Result<bool, Fault> {
        let held: Option<i32> = sqlx::query_scalar(FENCE)
            .bind(text(self.destination))
            .bind(self.holder)
            .fetch_optional(transaction)
            .await?;
        Ok(held.is_some())
    }

    async fn end(self, transaction: &mut PgConnection) -> Result<(), Fault> {
        sqlx::query(LET_GO)
            .bind(text(self.destination))
            .bind(self.holder)
            .execute(transaction)
            .await?;
        Ok(())
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

/// The oldest message that is due. Where there is none, nothing is written and nobody waited for.
pub(super) async fn take(
    transaction: &mut PgConnection,
    hold: Hold<'_>,
    lease: Duration,
    at: DateTime<Utc>,
) -> Result<Option<Message>, Fault> {
    let any_due: bool = sqlx::query_scalar(ANY_DUE)
        .bind(text(hold.destination))
        .bind(time_code(at))
        .fetch_one(&mut *transaction)
        .await?;
    if !any_due || !hold.take(transaction, lease).await? {
        return Ok(None);
    }
    type Columns = (i64, Option<String>, String, i64, i64, i64, Option<String>);
    let row: Option<Columns> = sqlx::query_as(OLDEST_DUE)
        .bind(text(hold.destination))
        .bind(time_code(at))
        .fetch_optional(&mut *transaction)
        .await?;
    let Some((id, topic, content, revision, since, attempts, note)) = row else {
        hold.end(transaction).await?;
        return Ok(None);
    };
    sqlx::query(TRY).bind(id).execute(transaction).await?;
    Ok(Some(Message {
        id,
        destination: hold.destination.to_owned(),
        topic,
        content,
        revision,
        since: time(since)?,
        attempts: few(attempts)?,
        note,
    }))
}

fn few(attempts: i64) -> Result<u32, Fault> {
    u32::try_from(attempts)
        .map_err(|_| Fault::Damaged(format!("a message was tried {attempts} times")))
}

pub(super) async fn keep(
    connection: &mut PgConnection,
    hold: Hold<'_>,
    lease: Duration,
) -> Result<bool, Fault> {
    let kept = sqlx::query(KEEP)
        .bind(text(hold.destination))
        .bind(hold.holder)
        .bind(milliseconds(lease))
        .execute(connection)
        .await?;
    Ok(kept.rows_affected() == 1)
}

pub(super) async fn note(
    transaction: &mut PgConnection,
    message: &Message,
    holder: &str,
    note: &str,
) -> Result<bool, Fault> {
    if !Hold::of(message, holder).stands(transaction).await? {
        return Ok(false);
    }
    sqlx::query(NOTE)
        .bind(message.id)
        .bind(text(note))
        .execute(transaction)
        .await?;
    Ok(true)
}

/// Removes it, unless another one has come in its place.
pub(super) async fn delivered(
    transaction: &mut PgConnection,
    message: &Message,
    holder: &str,
) -> Result<bool, Fault> {
    let hold = Hold::of(message, holder);
    if !hold.stands(transaction).await? {
        return Ok(false);
    }
    let removed = sqlx::query(REMOVE)
        .bind(message.id)
        .bind(message.revision)
        .execute(&mut *transaction)
        .await?;
    if removed.rows_affected() == 0 {
        sqlx::query(BEGIN_ANEW)
            .bind(message.id)
            .execute(&mut *transaction)
            .await?;
    }
    hold.end(transaction).await?;
    Ok(true)
}

pub(super) async fn put_back(
    transaction: &mut PgConnection,
    message: &Message,
    holder: &str,
    problem: Option<&str>,
    not_before: DateTime<Utc>,
) -> Result<bool, Fault> {
    let hold = Hold::of(message, holder);
    if !hold.stands(transaction).await? {
        return Ok(false);
    }
    sqlx::query(PUT_BACK)
        .bind(message.id)
        .bind(problem.map(text))
        .bind(time_code(not_before))
        .execute(&mut *transaction)
        .await?;
    hold.end(transaction).await?;
    Ok(true)
}

pub(super) async fn make_due(
    transaction: &mut PgConnection,
    destination: &str,
) -> Result<(), Fault> {
    sqlx::query(MAKE_DUE)
        .bind(text(destination))
        .execute(transaction)
        .await?;
    Ok(())
}

pub(super) async fn waiting(connection: &mut PgConnection) -> Result<Vec<Waiting>, Fault> {
    type Columns = (String, i64, i64, i64, Option<String>, Option<i64>);
    let rows: Vec<Columns> = sqlx::query_as(WAITING).fetch_all(connection).await?;
    rows.into_iter()
        .map(
            |(destination, messages, since, attempts, problem, not_before)| {
                Ok(Waiting {
                    destination,
                    messages: count(messages)?,
                    since: time(since)?,
                    attempts: few(attempts)?,
                    problem,
                    next_attempt_at: optional_time(not_before)?,
                })
            },
        )
        .collect()
}

pub(super) async fn state(
    connection: &mut PgConnection,
    destination: &str,
    topic: &str,
) -> Result<Option<String>, Fault> {
    Ok(sqlx::query_scalar(STATE)
        .bind(text(destination))
        .bind(key(topic))
        .fetch_optional(connection)
        .await?)
}

pub(super) async fn keep_state(
    transaction: &mut PgConnection,
    message: &Message,
    holder: &str,
    topic: &str,
    state: &str,
) -> Result<bool, Fault> {
    if !Hold::of(message, holder).stands(transaction).await? {
        return Ok(false);
    }
    sqlx::query(KEEP_STATE)
        .bind(text(&message.destination))
        .bind(key(topic))
        .bind(text(state))
        .execute(transaction)
        .await?;
    Ok(true)
}
