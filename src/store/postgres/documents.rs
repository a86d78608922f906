//! Vendors' texts that imports keep for one another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::{name, text};
use crate::store::codes::time_code;
use crate::store::{StoredDocument, document};

const FIND: &str =
    "SELECT name, version, used_at, body FROM documents WHERE space = $1 AND name = ANY($2)";
const MARK: &str = "UPDATE documents SET used_at = $3 WHERE space = $1 AND name = ANY($2)";
/// In the order of names, so that two who keep some of the same never wait for each other.
const KEEP: &str = "
    INSERT INTO documents (space, name, version, used_at, body)
    SELECT $1, d.name, d.version, $2, d.body FROM unnest($3::text[], $4::text[], $5::bytea[]) d(name, version, body)
    ORDER BY d.name
    ON CONFLICT (space, name) DO UPDATE
    SET version = excluded.version, used_at = excluded.used_at, body = excluded.body";
const FORGET: &str = "DELETE FROM documents WHERE used_at < $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FIND, MARK, FORGET];

/// The documents that are kept, and marks them as used.
pub(super) async fn find(
    connection: &mut PgConnection,
    space: &str,
    names: &[String],
    at: DateTime<Utc>,
) -> Result<Vec<StoredDocument>, Fault> {
    let names: Vec<_> = names.iter().map(|wanted| name(wanted)).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let rows: Vec<(String, String, i64, Vec<u8>)> = sqlx::query_as(FIND)
        .bind(text(space))
        .bind(names)
        .fetch_all(&mut *connection)
        .await?;
    let marked_since = time_code(document::marked_since(at));
    let mut to_mark = Vec::new();
    let mut found = Vec::with_capacity(rows.len());
    for (name, version, used_at, body) in rows {
        // One that cannot be read is as good as none: it is fetched and replaced.
        let Some(text) = document::unpack(&body) else {
            continue;
        };
        if used_at < marked_since {
            to_mark.push(name.clone());
        }
        found.push(StoredDocument {
            name,
            version,
            text,
        });
    }
    if !to_mark.is_empty() {
        sqlx::query(MARK)
            .bind(text(space))
            .bind(to_mark)
            .bind(time_code(at))
            .execute(connection)
            .await?;
    }
    Ok(found)
}

/// Documents, compressed, by name.
pub(super) type Packed = BTreeMap<String, (String, Vec<u8>)>;

/// Compresses; blocking. Of two of one name the last one counts.
pub(super) fn pack(documents: Vec<StoredDocument>) -> Result<Packed, Fault> {
    let pack = |one: StoredDocument| {
        let body = document::pack(&one.text)
            .map_err(|error| Fault::Lasting(format!("zstd failed: {error}")))?;
        let version = text(&one.version).into_owned();
        Ok((name(&one.name).into_owned(), (version, body)))
    };
    documents.into_iter().map(pack).collect()
}

pub(super) async fn keep(
    connection: &mut PgConnection,
    space: &str,
    documents: &Packed,
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let names: Vec<&str> = documents.keys().map(String::as_str).collect();
    let (versions, bodies): (Vec<&str>, Vec<&[u8]>) = documents
        .values()
        .map(|(version, body)| (version.as_str(), body.as_slice()))
        .unzip();
    sqlx::query(KEEP)
        .bind(text(space))
        .bind(time_code(at))
        .bind(names)
        .bind(versions)
        .bind(bodies)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget(
    connection: &mut PgConnection,
    unused_since: DateTime<Utc>,
) -> Result<u64, Fault> {
    let forgotten = sqlx::query(FORGET)
        .bind(time_code(unused_since))
        .execute(connection)
        .await?;
    Ok(forgotten.rows_affected())
}
