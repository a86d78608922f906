//! Records, scopes, and the locks of filings.

use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::{bytes, now, optional_time, text};
use super::runs::must_be_running;
use crate::finding::{Digest, Filing, SourceKey};
use crate::store::{ListedRecord, RecordState, RunId, ScopeId, ScopeKey};

const ADD_FILING: &str = "
    INSERT INTO filings (product, branch, service) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const FILING_BY_NAMES: &str =
    "SELECT id FROM filings WHERE product = $1 AND branch = $2 AND service = $3";
const ADD_SCOPE: &str = "
    INSERT INTO scopes (api_configuration_id, record_id, branch, part, filing_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (api_configuration_id, record_id, branch, part)
    DO UPDATE SET filing_id = excluded.filing_id RETURNING id";
/// A scope whose label was changed is the one that its record has. Of several it cannot be told which: those of a connector
/// that read several branches.
const RELABEL: &str = "
    UPDATE scopes SET branch = $3
    WHERE api_configuration_id = $1 AND record_id = $2 AND part = $4 AND branch <> $3 AND 1 = (
        SELECT count(*) FROM scopes o
        WHERE o.api_configuration_id = $1 AND o.record_id = $2 AND o.part = $4)";
const ADD_SCOPE_FILING: &str = "
    INSERT INTO scope_filings (scope_id, filing_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SCOPE: &str = "
    SELECT filing_id FROM scopes WHERE id = $1 AND api_configuration_id = $2";
const FOREIGN_SCOPES: &str = "
    SELECT p.id FROM unnest($1::bigint[]) p(id) LEFT JOIN scopes s ON s.id = p.id AND s.api_configuration_id = $2
    WHERE s.id IS NULL LIMIT 1";
/// In the order of ids, so that two who lock several never wait for each other.
const LOCK_FILINGS: &str = "
    SELECT 1 FROM filings WHERE id IN (SELECT filing_id FROM scope_filings WHERE scope_id = ANY($1))
    ORDER BY id FOR NO KEY UPDATE";
const CONNECTOR: &str = "
    SELECT a.connector FROM scopes s JOIN api_configurations a ON a.id = s.api_configuration_id WHERE s.id = $1";
const NOTE_CHANGE: &str =
    "UPDATE scopes SET unresolved = unresolved + $2, changed_run = $3 WHERE id = $1";
pub(super) const KNOWN: &str = "SELECT key, digest FROM sightings WHERE scope_id = $1 ORDER BY key";
const PUT_RECORDS: &str = "
    INSERT INTO records (api_configuration_id, record_id, name)
    SELECT $1, r.id, r.name FROM unnest($2::text[], $3::text[]) r(id, name) ORDER BY r.id
    ON CONFLICT (api_configuration_id, record_id)
    DO UPDATE SET name = excluded.name, state = 'present', missing_since = NULL
    WHERE records.name <> excluded.name OR records.state <> 'present'";
const EXCLUDE_RECORDS: &str = "
    UPDATE records SET name = l.name, state = 'excluded', missing_since = NULL
    FROM unnest($2::text[], $3::text[]) l(id, name)
    WHERE api_configuration_id = $1 AND record_id = l.id AND (records.name <> l.name OR state <> 'excluded')";
const MISS_RECORDS: &str = concat!(
    "UPDATE records SET state = 'missing', missing_since = ",
    now!(),
    " WHERE api_configuration_id = $1 AND record_id <> ALL($2) AND state <> 'missing'"
);
/// In the order of bytes, as SQLite sorts, whatever the database's collation is.
const RECORDS: &str = "
    SELECT r.api_configuration_id, r.record_id, r.name, r.state, r.missing_since,
        (SELECT max(s.last_complete_at) FROM scopes s
         WHERE s.api_configuration_id = r.api_configuration_id AND s.record_id = r.record_id)
    FROM records r WHERE r.api_configuration_id = ANY($1)
    ORDER BY r.api_configuration_id, r.name COLLATE \"C\", r.record_id COLLATE \"C\"";
const SCOPES_OF_RECORDS: &str =
    "SELECT record_id, id FROM scopes WHERE api_configuration_id = $1 AND record_id = ANY($2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    FILING_BY_NAMES,
    RELABEL,
    SCOPE,
    LOCK_FILINGS,
    CONNECTOR,
    NOTE_CHANGE,
    KNOWN,
    EXCLUDE_RECORDS,
    RECORDS,
    SCOPES_OF_RECORDS,
];

/// A scope that a run writes to.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) filing_id: i64,
}

/// Adds the scope if it is new, and files it where the run says.
pub(super) async fn open(
    transaction: &mut PgConnection,
    holder: i64,
    run: RunId,
    scope: &ScopeKey,
) -> Result<ScopeId, Fault> {
    let api = must_be_running(transaction, holder, run).await?;
    let record = text(&scope.record_id);
    put_records(transaction, api, &[&record], &[&text(&scope.record_name)]).await?;
    let filing = filing_id(transaction, &scope.filing).await?;
    let branch = text(scope.filing.branch.as_deref().unwrap_or_default());
    let part = text(scope.part.as_deref().unwrap_or_default());
    if scope.branch_is_label {
        sqlx::query(RELABEL)
            .bind(api)
            .bind(&*record)
            .bind(&branch)
            .bind(&part)
            .execute(&mut *transaction)
            .await?;
    }
    let id: ScopeId = sqlx::query_scalar(ADD_SCOPE)
        .bind(api)
        .bind(&*record)
        .bind(&branch)
        .bind(&part)
        .bind(filing)
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query(ADD_SCOPE_FILING)
        .bind(id)
        .bind(filing)
        .execute(transaction)
        .await?;
    Ok(id)
}

async fn filing_id(transaction: &mut PgConnection, filing: &Filing) -> Result<i64, Fault> {
    let names = [
        text(&filing.product),
        text(filing.branch.as_deref().unwrap_or_default()),
        text(filing.service.as_deref().unwrap_or_default()),
    ];
    let [product, branch, service] = &names;
    sqlx::query(ADD_FILING)
        .bind(product)
        .bind(branch)
        .bind(service)
        .execute(&mut *transaction)
        .await?;
    Ok(sqlx::query_scalar(FILING_BY_NAMES)
        .bind(product)
        .bind(branch)
        .bind(service)
        .fetch_one(transaction)
        .await?)
}

/// The scope, if it is one of this run's API configuration, with its filings locked: from here on nobody else changes the
/// findings that its sightings belong to.
pub(super) async fn lock(
    transaction: &mut PgConnection,
    api: i64,
    scope: ScopeId,
) -> Result<Scope, Fault> {
    lock_filings(transaction, &[scope]).await?;
    let filing_id: Option<i64> = sqlx::query_scalar(SCOPE)
        .bind(scope)
        .bind(api)
        .fetch_optional(transaction)
        .await?;
    let filing_id = filing_id.ok_or_else(|| unknown(scope))?;
    Ok(Scope { filing_id })
}

/// Locks the filings of all these scopes, which have to be of this API configuration.
pub(super) async fn lock_all(
    transaction: &mut PgConnection,
    api: i64,
    scopes: &[ScopeId],
) -> Result<(), Fault> {
    let foreign: Option<ScopeId> = sqlx::query_scalar(FOREIGN_SCOPES)
        .bind(scopes)
        .bind(api)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(scope) = foreign {
        return Err(unknown(scope));
    }
    lock_filings(transaction, scopes).await
}

pub(super) async fn lock_filings(
    transaction: &mut PgConnection,
    scopes: &[ScopeId],
) -> Result<(), Fault> {
    sqlx::query(LOCK_FILINGS)
        .bind(scopes)
        .execute(transaction)
        .await?;
    Ok(())
}

fn unknown(scope: ScopeId) -> Fault {
    Fault::Lasting(format!(
        "scope {scope} does not belong to this run's API configuration"
    ))
}

/// The connector that reads a scope.
pub(super) async fn connector(
    connection: &mut PgConnection,
    scope: ScopeId,
) -> Result<String, Fault> {
    sqlx::query_scalar(CONNECTOR)
        .bind(scope)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| unknown(scope))
}

/// Notes that a run has changed something, and counts so many more (or fewer) unresolved sightings.
pub(super) async fn note_change(
    transaction: &mut PgConnection,
    scope: ScopeId,
    run: RunId,
    more: i64,
) -> Result<(), Fault> {
    sqlx::query(NOTE_CHANGE)
        .bind(scope)
        .bind(more)
        .bind(run)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Keys and digests of a scope's sightings, sorted by key.
pub(super) async fn known(
    connection: &mut PgConnection,
    scope: ScopeId,
) -> Result<Vec<(SourceKey, Digest)>, Fault> {
    use futures_util::TryStreamExt;
    let mut rows = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(KNOWN)
        .bind(scope)
        .fetch(connection);
    let mut known = Vec::new();
    while let Some((key, digest)) = rows.try_next().await? {
        known.push((bytes(&key)?, bytes(&digest)?));
    }
    Ok(known)
}

async fn put_records(
    transaction: &mut PgConnection,
    api: i64,
    ids: &[&str],
    names: &[&str],
) -> Result<(), Fault> {
    sqlx::query(PUT_RECORDS)
        .bind(api)
        .bind(ids)
        .bind(names)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Marks every record that is not listed as missing, and those that are no longer wanted; what is missing now, with its
/// scopes.
pub(super) async fn list_records(
    transaction: &mut PgConnection,
    holder: i64,
    run: RunId,
    listed: &[ListedRecord],
) -> Result<Vec<(RecordState, Vec<ScopeId>)>, Fault> {
    let api = must_be_running(transaction, holder, run).await?;
    let mut texts: Vec<_> = listed
        .iter()
        .map(|record| (text(&record.id), text(&record.name), record.wanted))
        .collect();
    // The last word on a record that is listed twice, as row by row.
    texts.reverse();
    texts.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    texts.dedup_by(|(a, ..), (b, ..)| a == b);
    let of = |wanted: bool| -> (Vec<&str>, Vec<&str>) {
        texts
            .iter()
            .filter(|(.., w)| *w == wanted)
            .map(|(id, name, _)| (&**id, &**name))
            .unzip()
    };
    let (ids, names) = of(true);
    put_records(transaction, api, &ids, &names).await?;
    let (ids, names) = of(false);
    sqlx::query(EXCLUDE_RECORDS)
        .bind(api)
        .bind(ids)
        .bind(names)
        .execute(&mut *transaction)
        .await?;
    let all: Vec<&str> = texts.iter().map(|(id, ..)| &**id).collect();
    sqlx::query(MISS_RECORDS)
        .bind(api)
        .bind(all)
        .execute(&mut *transaction)
        .await?;
    let missing: Vec<RecordState> = records(transaction, &[api])
        .await?
        .into_iter()
        .map(|(_, record)| record)
        .filter(|record| record.missing_since.is_some())
        .collect();
    let ids: Vec<&str> = missing.iter().map(|record| record.id.as_str()).collect();
    let scopes: Vec<(String, ScopeId)> = sqlx::query_as(SCOPES_OF_RECORDS)
        .bind(api)
        .bind(ids)
        .fetch_all(transaction)
        .await?;
    let scopes_of = |record: &RecordState| {
        scopes
            .iter()
            .filter(|(id, _)| *id == record.id)
            .map(|(_, scope)| *scope)
            .collect()
    };
    Ok(missing
        .into_iter()
        .map(|record| {
            let scopes = scopes_of(&record);
            (record, scopes)
        })
        .collect())
}

/// The records of API configurations, by name, each with its API configuration.
pub(super) async fn records(
    connection: &mut PgConnection,
    apis: &[i64],
) -> Result<Vec<(i64, RecordState)>, Fault> {
    type Columns = (i64, String, String, String, Option<i64>, Option<i64>);
    let rows: Vec<Columns> = sqlx::query_as(RECORDS)
        .bind(apis)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|(api, id, name, state, missing_since, last_complete_at)| {
            let record = RecordState {
                id,
                name,
                state,
                missing_since: optional_time(missing_since)?,
                last_complete_at: optional_time(last_complete_at)?,
            };
            Ok((api, record))
        })
        .collect()
}
