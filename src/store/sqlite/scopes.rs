//! Records and scopes.

use std::collections::HashSet;

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::codes::{optional_time, time_code};
use super::fault::Fault;
use super::runs::must_be_running;
use crate::finding::{Digest, Filing, SourceKey};
use crate::store::{ListedRecord, RecordState, RunId, ScopeId, ScopeKey};

const ADD_FILING: &str = "
    INSERT INTO filings (product, branch, service) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const FILING_BY_NAMES: &str =
    "SELECT id FROM filings WHERE product = ?1 AND branch = ?2 AND service = ?3";
const ADD_SCOPE: &str = "
    INSERT INTO scopes (api_configuration_id, record_id, branch, part, filing_id) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (api_configuration_id, record_id, branch, part)
    DO UPDATE SET filing_id = excluded.filing_id WHERE filing_id <> excluded.filing_id";
const SCOPE_BY_NAMES: &str = "
    SELECT id FROM scopes
    WHERE api_configuration_id = ?1 AND record_id = ?2 AND branch = ?3 AND part = ?4";
/// A scope whose label was changed is the one that its record has. Of several it cannot be told which: those of a connector
/// that read several branches.
const RELABEL: &str = "
    UPDATE scopes SET branch = ?3
    WHERE api_configuration_id = ?1 AND record_id = ?2 AND part = ?4 AND branch <> ?3 AND 1 = (
        SELECT count(*) FROM scopes o
        WHERE o.api_configuration_id = ?1 AND o.record_id = ?2 AND o.part = ?4)";
const ADD_SCOPE_FILING: &str = "
    INSERT INTO scope_filings (scope_id, filing_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const SCOPE: &str = "SELECT filing_id FROM scopes WHERE id = ?1 AND api_configuration_id = ?2";
const CONNECTOR: &str = "
    SELECT a.connector FROM scopes s CROSS JOIN api_configurations a ON a.id = s.api_configuration_id
    WHERE s.id = ?1";
const NOTE_CHANGE: &str =
    "UPDATE scopes SET unresolved = unresolved + ?2, changed_run = ?3 WHERE id = ?1";
pub(super) const KNOWN: &str = "
    SELECT key, digest FROM sighting_keys WHERE scope_id = ?1 ORDER BY key";
const PUT_RECORD: &str = "
    INSERT INTO records (api_configuration_id, record_id, name) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET name = excluded.name, state = 'present', missing_since = NULL
    WHERE name <> excluded.name OR state <> 'present'";
const EXCLUDE_RECORD: &str = "
    UPDATE records SET name = ?3, state = 'excluded', missing_since = NULL
    WHERE api_configuration_id = ?1 AND record_id = ?2 AND (name <> ?3 OR state <> 'excluded')";
const MISS_RECORD: &str = "
    UPDATE records SET state = 'missing', missing_since = ?3
    WHERE api_configuration_id = ?1 AND record_id = ?2 AND state <> 'missing'";
const RECORDS: &str = "
    SELECT r.record_id, r.name, r.state, r.missing_since,
        (SELECT max(s.last_complete_at) FROM scopes s
         WHERE s.api_configuration_id = r.api_configuration_id AND s.record_id = r.record_id)
    FROM records r WHERE r.api_configuration_id = ?1 ORDER BY r.name, r.record_id";
const SCOPES_OF_RECORD: &str =
    "SELECT id FROM scopes WHERE api_configuration_id = ?1 AND record_id = ?2";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    FILING_BY_NAMES,
    SCOPE_BY_NAMES,
    RELABEL,
    SCOPE,
    CONNECTOR,
    NOTE_CHANGE,
    KNOWN,
    EXCLUDE_RECORD,
    MISS_RECORD,
    RECORDS,
    SCOPES_OF_RECORD,
];

/// A scope that a run writes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) id: ScopeId,
    pub(super) filing_id: i64,
}

/// Adds the scope if it is new, and files it where the run says.
pub(super) fn open(
    transaction: &Transaction<'_>,
    run: RunId,
    scope: &ScopeKey,
) -> Result<ScopeId, Fault> {
    let api = must_be_running(transaction, run)?;
    put_record(transaction, api, &scope.record_id, &scope.record_name)?;
    let filing = filing_id(transaction, &scope.filing)?;
    let branch = scope.filing.branch.as_deref().unwrap_or_default();
    let part = scope.part.as_deref().unwrap_or_default();
    if scope.branch_is_label {
        transaction.prepare_cached(RELABEL)?.execute(params![
            api,
            scope.record_id,
            branch,
            part
        ])?;
    }
    transaction.prepare_cached(ADD_SCOPE)?.execute(params![
        api,
        scope.record_id,
        branch,
        part,
        filing
    ])?;
    let id = transaction
        .prepare_cached(SCOPE_BY_NAMES)?
        .query_row(params![api, scope.record_id, branch, part], |row| {
            row.get(0)
        })?;
    transaction
        .prepare_cached(ADD_SCOPE_FILING)?
        .execute([id, filing])?;
    Ok(id)
}

fn filing_id(transaction: &Transaction<'_>, filing: &Filing) -> Result<i64, Fault> {
    let names = [
        filing.product.as_str(),
        filing.branch.as_deref().unwrap_or_default(),
        filing.service.as_deref().unwrap_or_default(),
    ];
    transaction.prepare_cached(ADD_FILING)?.execute(names)?;
    Ok(transaction
        .prepare_cached(FILING_BY_NAMES)?
        .query_row(names, |row| row.get(0))?)
}

/// The scope, if it is one of this run's API configuration.
pub(super) fn load(
    transaction: &Transaction<'_>,
    api: i64,
    scope: ScopeId,
) -> Result<Scope, Fault> {
    transaction
        .prepare_cached(SCOPE)?
        .query_row([scope, api], |row| {
            Ok(Scope {
                id: scope,
                filing_id: row.get(0)?,
            })
        })
        .optional()?
        .ok_or_else(|| unknown(scope))
}

fn unknown(scope: ScopeId) -> Fault {
    Fault::lasting(format!(
        "scope {scope} does not belong to this run's API configuration"
    ))
}

/// The connector that reads a scope.
pub(super) fn connector(connection: &Connection, scope: ScopeId) -> Result<String, Fault> {
    connection
        .prepare_cached(CONNECTOR)?
        .query_row([scope], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unknown(scope))
}

/// Notes that a run has changed something, and counts so many more (or fewer) unresolved sightings.
pub(super) fn note_change(
    transaction: &Transaction<'_>,
    scope: ScopeId,
    run: RunId,
    more: i64,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(NOTE_CHANGE)?
        .execute([scope, more, run])?;
    Ok(())
}

/// Keys and digests of a scope's sightings, sorted by key.
pub(super) fn known(
    connection: &Connection,
    scope: ScopeId,
) -> Result<Vec<(SourceKey, Digest)>, Fault> {
    let mut statement = connection.prepare_cached(KNOWN)?;
    let rows = statement.query_map([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put_record(transaction: &Transaction<'_>, api: i64, id: &str, name: &str) -> Result<(), Fault> {
    transaction
        .prepare_cached(PUT_RECORD)?
        .execute(params![api, id, name])?;
    Ok(())
}

/// Marks every record that is not listed as missing, and those that are no longer wanted; what is missing now, with its
/// scopes.
pub(super) fn list_records(
    transaction: &Transaction<'_>,
    run: RunId,
    listed: &[ListedRecord],
) -> Result<Vec<(RecordState, Vec<ScopeId>)>, Fault> {
    let api = must_be_running(transaction, run)?;
    for record in listed {
        if record.wanted {
            put_record(transaction, api, &record.id, &record.name)?;
        } else {
            transaction
                .prepare_cached(EXCLUDE_RECORD)?
                .execute(params![api, record.id, record.name])?;
        }
    }
    let listed: HashSet<&str> = listed.iter().map(|record| record.id.as_str()).collect();
    let now = time_code(Utc::now());
    for record in records(transaction, api)? {
        if !listed.contains(record.id.as_str()) {
            transaction
                .prepare_cached(MISS_RECORD)?
                .execute(params![api, record.id, now])?;
        }
    }
    records(transaction, api)?
        .into_iter()
        .filter(|record| record.missing_since.is_some())
        .map(|record| {
            let scopes = transaction
                .prepare_cached(SCOPES_OF_RECORD)?
                .query_map(params![api, record.id], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok((record, scopes))
        })
        .collect()
}

/// The records of an API configuration, by name.
pub(super) fn records(connection: &Connection, api: i64) -> Result<Vec<RecordState>, Fault> {
    let mut statement = connection.prepare_cached(RECORDS)?;
    let records = statement.query_map([api], |row| {
        Ok(RecordState {
            id: row.get(0)?,
            name: row.get(1)?,
            state: row.get(2)?,
            missing_since: optional_time(row, 3)?,
            last_complete_at: optional_time(row, 4)?,
        })
    })?;
    Ok(records.collect::<Result<_, _>>()?)
}
