//! Vendors' texts that imports keep for one another.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::text;
use crate::store::StoredDocument;
use crate::store::document::{self, Packed};

const FIND: &str =
    "SELECT name, version, used_at, body FROM documents WHERE space = $1 AND name = ANY($2)";
const MARK: &str = "UPDATE documents SET used_at = $3 WHERE space = $1 AND name = ANY($2)";
const KEEP: &str = "
    INSERT INTO documents (space, name, version, used_at, body)
    SELECT $1, n.name, n.version, $2, n.body FROM unnest($3::text[], $4::text[], $5::bytea[]) n(name, version, body)
    ON CONFLICT (space, name) DO UPDATE SET version = excluded.version, used_at = excluded.used_at, body = excluded.body";
const FORGET: &str = "DELETE FROM documents WHERE used_at < $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FIND, MARK, KEEP, FORGET];

/// What is kept of these names, and the names of which the mark of use is old.
pub(super) async fn find(
    connection: &mut PgConnection,
    space: &str,
    names: &[String],
    at: DateTime<Utc>,
) -> Result<(Vec<StoredDocument>, Vec<String>), Fault> {
    let rows: Vec<(String, String, i64, Vec<u8>)> = sqlx::query_as(FIND)
        .bind(space)
        .bind(names)
        .fetch_all(connection)
        .await?;
    let marked_since = document::marked_since(at);
    let (mut found, mut to_mark) = (Vec::new(), Vec::new());
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
    Ok((found, to_mark))
}

/// Marks documents as used.
pub(super) async fn mark(
    transaction: &mut PgConnection,
    space: &str,
    names: &[String],
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    sqlx::query(MARK)
        .bind(space)
        .bind(names)
        .bind(at.timestamp_millis())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Each name at most once: the last one counts.
pub(super) async fn keep(
    transaction: &mut PgConnection,
    space: &str,
    documents: &[Packed],
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut latest = std::collections::BTreeMap::new();
    for document in documents {
        latest.insert(text(&document.name), document);
    }
    let names: Vec<&str> = latest.keys().map(AsRef::as_ref).collect();
    let versions: Vec<_> = latest.values().map(|one| text(&one.version)).collect();
    let versions: Vec<&str> = versions.iter().map(AsRef::as_ref).collect();
    let bodies: Vec<&[u8]> = latest.values().map(|one| one.body.as_slice()).collect();
    sqlx::query(KEEP)
        .bind(space)
        .bind(at.timestamp_millis())
        .bind(names)
        .bind(versions)
        .bind(bodies)
        .execute(transaction)
        .await?;
    Ok(())
}

/// How many were forgotten.
pub(super) async fn forget(
    transaction: &mut PgConnection,
    unused_since: DateTime<Utc>,
) -> Result<u64, Fault> {
    let forgotten = sqlx::query(FORGET)
        .bind(unused_since.timestamp_millis())
        .execute(transaction)
        .await?;
    Ok(forgotten.rows_affected())
}
