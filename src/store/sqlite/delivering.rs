//! Messages on their way: who holds a destination, and what becomes of a message.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::codes::{count, optional_time, time, time_code};
use super::fault::Fault;
use crate::store::{Message, Waiting};

/// A lease that ends later than this was taken before the clock was set back.
const LONGEST_LEASE: Duration = Duration::from_secs(3600);

const ANY_DUE: &str =
    "SELECT 1 FROM outbox WHERE destination = ?1 AND coalesce(not_before, 0) <= ?2";
const HOLD: &str = "
    INSERT INTO destinations (name, holder, held_until) VALUES (?1, ?2, ?4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE holder IS NULL OR holder = excluded.holder OR held_until <= ?3 OR held_until > ?5";
const OLDEST_DUE: &str = "
    SELECT id, destination, topic, content, revision, since, attempts, note FROM outbox
    WHERE destination = ?1 AND coalesce(not_before, 0) <= ?2 ORDER BY since, id LIMIT 1";
const TRY: &str = "UPDATE outbox SET attempts = attempts + 1 WHERE id = ?1";
/// The fence.
const KEEP: &str = "
    UPDATE destinations SET held_until = ?4 WHERE name = ?1 AND holder = ?2 AND held_until > ?3";
const IS_HELD: &str =
    "SELECT 1 FROM destinations WHERE name = ?1 AND holder = ?2 AND held_until > ?3";
const LET_GO: &str =
    "UPDATE destinations SET holder = NULL, held_until = NULL WHERE name = ?1 AND holder = ?2";
const NOTE: &str = "UPDATE outbox SET note = ?2 WHERE id = ?1";
const REMOVE: &str = "DELETE FROM outbox WHERE id = ?1 AND revision = ?2";
const BEGIN_ANEW: &str = "
    UPDATE outbox SET since = revised_at, attempts = 0, not_before = NULL, problem = NULL, note = NULL WHERE id = ?1";
const PUT_BACK: &str = "
    UPDATE outbox SET problem = coalesce(?2, problem), not_before = ?3 WHERE id = ?1";
const MAKE_DUE: &str =
    "UPDATE outbox SET not_before = NULL WHERE destination = ?1 AND not_before IS NOT NULL";
/// One of each destination: the one that has a problem and was tried most often.
const WAITING: &str = "
    SELECT destination, messages, since, attempts, problem, not_before FROM (
        SELECT destination, attempts, problem, not_before,
            count(*) OVER of_destination AS messages, min(since) OVER of_destination AS since,
            row_number() OVER (PARTITION BY destination ORDER BY problem IS NULL, attempts DESC, id) AS place
        FROM outbox WINDOW of_destination AS (PARTITION BY destination))
    WHERE place = 1 ORDER BY destination";
const STATE: &str = "SELECT state FROM destination_state WHERE destination = ?1 AND topic = ?2";
const KEEP_STATE: &str = "
    INSERT INTO destination_state (destination, topic, state) VALUES (?1, ?2, ?3)
    ON CONFLICT (destination, topic) DO UPDATE SET state = excluded.state";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    ANY_DUE, OLDEST_DUE, TRY, KEEP, IS_HELD, LET_GO, NOTE, REMOVE, BEGIN_ANEW, PUT_BACK, MAKE_DUE,
    STATE,
];

/// Who delivers, and to where.
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

    fn take(&self, transaction: &Transaction<'_>, lease: Duration) -> Result<bool, Fault> {
        let now = Utc::now();
        let taken = transaction.prepare_cached(HOLD)?.execute(params![
            self.destination,
            self.holder,
            time_code(now),
            time_code(now + lease),
            time_code(now + LONGEST_LEASE),
        ])?;
        Ok(taken == 1)
    }

    /// Whether the lease still runs.
    fn stands(&self, transaction: &Transaction<'_>) -> Result<bool, Fault> {
        let mut statement = transaction.prepare_cached(IS_HELD)?;
        let parameters = params![self.destination, self.holder, time_code(Utc::now())];
        Ok(statement.exists(parameters)?)
    }

    fn end(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        transaction
            .prepare_cached(LET_GO)?
            .execute([self.destination, self.holder])?;
        Ok(())
    }

    /// Does `work` if the lease still runs.
    pub(super) fn fenced(
        &self,
        transaction: &Transaction<'_>,
        work: impl FnOnce(&Transaction<'_>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let stands = self.stands(transaction)?;
        if stands {
            work(transaction)?;
        }
        Ok(stands)
    }

    /// Does `work` if the lease still runs, and ends it.
    pub(super) fn finally(
        &self,
        transaction: &Transaction<'_>,
        work: impl FnOnce(&Transaction<'_>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        self.fenced(transaction, |transaction| {
            work(transaction)?;
            self.end(transaction)
        })
    }
}

pub(super) fn any_due(
    connection: &Connection,
    destination: &str,
    at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(ANY_DUE)?;
    Ok(statement.exists(params![destination, time_code(at)])?)
}

pub(super) fn take(
    transaction: &Transaction<'_>,
    hold: &Hold<'_>,
    lease: Duration,
    at: DateTime<Utc>,
) -> Result<Option<Message>, Fault> {
    if !hold.take(transaction, lease)? {
        return Ok(None);
    }
    let message = transaction
        .prepare_cached(OLDEST_DUE)?
        .query_row(params![hold.destination, time_code(at)], |row| {
            Ok(Message {
                id: row.get(0)?,
                destination: row.get(1)?,
                topic: row.get(2)?,
                content: row.get(3)?,
                revision: row.get(4)?,
                since: time(row, 5)?,
                attempts: row.get(6)?,
                note: row.get(7)?,
            })
        })
        .optional()?;
    match &message {
        Some(message) => {
            transaction.prepare_cached(TRY)?.execute([message.id])?;
        }
        None => hold.end(transaction)?,
    }
    Ok(message)
}

pub(super) fn keep(
    transaction: &Transaction<'_>,
    hold: &Hold<'_>,
    lease: Duration,
) -> Result<bool, Fault> {
    let now = Utc::now();
    let kept = transaction.prepare_cached(KEEP)?.execute(params![
        hold.destination,
        hold.holder,
        time_code(now),
        time_code(now + lease),
    ])?;
    Ok(kept == 1)
}

pub(super) fn note(transaction: &Transaction<'_>, message: i64, note: &str) -> Result<(), Fault> {
    transaction
        .prepare_cached(NOTE)?
        .execute(params![message, note])?;
    Ok(())
}

/// Removes it, unless another one has come in its place.
pub(super) fn remove(transaction: &Transaction<'_>, message: &Message) -> Result<(), Fault> {
    let removed = transaction
        .prepare_cached(REMOVE)?
        .execute([message.id, message.revision])?;
    if removed == 0 {
        transaction
            .prepare_cached(BEGIN_ANEW)?
            .execute([message.id])?;
    }
    Ok(())
}

pub(super) fn put_back(
    transaction: &Transaction<'_>,
    message: i64,
    problem: Option<&str>,
    not_before: DateTime<Utc>,
) -> Result<(), Fault> {
    transaction.prepare_cached(PUT_BACK)?.execute(params![
        message,
        problem,
        time_code(not_before)
    ])?;
    Ok(())
}

pub(super) fn make_due(transaction: &Transaction<'_>, destination: &str) -> Result<(), Fault> {
    transaction
        .prepare_cached(MAKE_DUE)?
        .execute([destination])?;
    Ok(())
}

pub(super) fn waiting(connection: &Connection) -> Result<Vec<Waiting>, Fault> {
    let mut statement = connection.prepare_cached(WAITING)?;
    let waiting = statement.query_map([], |row| {
        Ok(Waiting {
            destination: row.get(0)?,
            messages: count(row, 1)?,
            since: time(row, 2)?,
            attempts: row.get(3)?,
            problem: row.get(4)?,
            next_attempt_at: optional_time(row, 5)?,
        })
    })?;
    Ok(waiting.collect::<Result<_, _>>()?)
}

pub(super) fn state(
    connection: &Connection,
    destination: &str,
    topic: &str,
) -> Result<Option<String>, Fault> {
    Ok(connection
        .prepare_cached(STATE)?
        .query_row([destination, topic], |row| row.get(0))
        .optional()?)
}

pub(super) fn keep_state(
    transaction: &Transaction<'_>,
    destination: &str,
    topic: &str,
    state: &str,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(KEEP_STATE)?
        .execute([destination, topic, state])?;
    Ok(())
}
