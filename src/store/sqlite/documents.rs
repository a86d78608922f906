//! Vendors' texts that imports keep for one another.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::fault::Fault;
use crate::store::{StoredDocument, document};

/// What was found, and of which the mark of use is old.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) documents: Vec<StoredDocument>,
    pub(super) to_mark: Vec<String>,
}

/// A document as it is stored.
#[derive(Debug)]
pub(super) struct Packed {
    name: String,
    version: String,
    body: Vec<u8>,
}

pub(super) fn find(
    connection: &Connection,
    space: &str,
    names: Vec<String>,
    at: DateTime<Utc>,
) -> Result<Found, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT version, used_at, body FROM documents WHERE space = ?1 AND name = ?2",
    )?;
    let marked_since = document::marked_since(at).timestamp_millis();
    let mut found = Found::default();
    for name in names {
        let row = select
            .query_row(params![space, name], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((version, used_at, body)): Option<(String, i64, Vec<u8>)> = row else {
            continue;
        };
        // One that cannot be read is as good as none: it is fetched and replaced.
        let Some(text) = document::unpack(&body) else {
            continue;
        };
        if used_at < marked_since {
            found.to_mark.push(name.clone());
        }
        found.documents.push(StoredDocument {
            name,
            version,
            text,
        });
    }
    Ok(found)
}

/// Marks documents as used.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    space: &str,
    names: &[String],
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut update = transaction
        .prepare_cached("UPDATE documents SET used_at = ?3 WHERE space = ?1 AND name = ?2")?;
    for name in names {
        update.execute(params![space, name, at.timestamp_millis()])?;
    }
    Ok(())
}

/// Compresses, which the writer need not do.
pub(super) fn pack(documents: Vec<StoredDocument>) -> Result<Vec<Packed>, Fault> {
    let pack = |one: StoredDocument| {
        let body = document::pack(&one.text);
        Ok(Packed {
            body: body.map_err(|error| Fault::lasting(format!("zstd failed: {error}")))?,
            name: one.name,
            version: one.version,
        })
    };
    documents.into_iter().map(pack).collect()
}

pub(super) fn keep(
    transaction: &Transaction<'_>,
    space: &str,
    documents: &[Packed],
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO documents (space, name, version, used_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (space, name) DO UPDATE SET version = excluded.version, used_at = excluded.used_at,
             body = excluded.body",
    )?;
    for Packed {
        name,
        version,
        body,
    } in documents
    {
        insert.execute(params![space, name, version, at.timestamp_millis(), body])?;
    }
    Ok(())
}

/// Whether there is anything to forget: most often there is not, and then nothing has to be locked.
pub(super) fn any_unused(
    connection: &Connection,
    unused_since: DateTime<Utc>,
) -> Result<bool, Fault> {
    let any = "SELECT EXISTS (SELECT 1 FROM documents WHERE used_at < ?1)";
    Ok(connection.query_row(any, [unused_since.timestamp_millis()], |row| row.get(0))?)
}

pub(super) fn forget(
    transaction: &Transaction<'_>,
    unused_since: DateTime<Utc>,
) -> Result<u64, Fault> {
    let forgotten = transaction.execute(
        "DELETE FROM documents WHERE used_at < ?1",
        [unused_since.timestamp_millis()],
    )?;
    Ok(forgotten as u64)
}
