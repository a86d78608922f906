//! What is news, read beside the one that writes.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::codes::{count, optional_time, severity, severity_code, time_code};
use super::fault::Fault;
use super::runs::{run_columns, run_of};
use crate::finding::Severity;
use crate::store::{BroughtFindings, LastImport, News, PastRun, Run, RunId, StoreError, WantedRun};

/// A sighting of the run's own API configuration has to be what made the finding known.
macro_rules! brought {
    ($columns:literal, $end:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM findings f INDEXED BY findings_by_first_seen
            WHERE f.first_seen BETWEEN ?2 AND ?3 AND f.severity <= ?4 AND f.status <= 1 AND EXISTS (
                SELECT 1 FROM sightings s INDEXED BY sightings_by_finding CROSS JOIN scopes c ON c.id = s.scope_id
                WHERE s.finding_id = f.id AND s.first_seen = f.first_seen AND c.api_configuration_id =
                    (SELECT api_configuration_id FROM runs WHERE id = ?1)) ",
            $end
        )
    };
}
const COUNTS: &str = brought!(
    "f.severity, count(*)",
    "GROUP BY f.severity ORDER BY f.severity"
);
const FIRST: &str = brought!("f.id", "ORDER BY f.severity, f.id LIMIT ?5");

macro_rules! before {
    ($states:literal) => {
        concat!(
            "SELECT ",
            run_columns!(),
            ", r.credentials_refused
            FROM runs r INDEXED BY runs_by_api CROSS JOIN api_configurations a ON a.id = r.api_configuration_id
            WHERE r.api_configuration_id = (SELECT api_configuration_id FROM runs WHERE id = ?1) AND r.id < ?1
                AND r.state IN (",
            $states,
            ") ORDER BY r.id DESC LIMIT 1"
        )
    };
}
const BEFORE: &str = before!("'complete', 'partial', 'failed', 'held'");
const COMPLETE_BEFORE: &str = before!("'complete'");
/// There are few API configurations.
const LAST_IMPORTS: &str = "
    SELECT name, last_complete_at, (
        SELECT finished_at FROM runs INDEXED BY runs_by_api
        WHERE api_configuration_id = api_configurations.id AND finished_at IS NOT NULL ORDER BY id LIMIT 1)
    FROM api_configurations ORDER BY name";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[COUNTS, FIRST, BEFORE, COMPLETE_BEFORE];

#[async_trait]
impl News for SqliteStore {
    async fn findings_of_run(
        &self,
        run: &Run,
        severity: Severity,
        most: u32,
    ) -> Result<BroughtFindings, StoreError> {
        let run = run.clone();
        self.read(move |reader| brought(&reader.connection, &run, severity, most))
            .await
    }

    async fn run_before(
        &self,
        run: RunId,
        wanted: WantedRun,
    ) -> Result<Option<PastRun>, StoreError> {
        self.read(move |reader| before(&reader.connection, run, wanted))
            .await
    }

    async fn last_imports(&self) -> Result<Vec<LastImport>, StoreError> {
        self.read(|reader| last_imports(&reader.connection)).await
    }
}

fn brought(
    connection: &Connection,
    run: &Run,
    least: Severity,
    most: u32,
) -> Result<BroughtFindings, Fault> {
    let (Some(started), Some(finished)) = (run.started_at, run.finished_at) else {
        return Ok(BroughtFindings::default());
    };
    let (from, to) = (time_code(started), time_code(finished));
    let least = severity_code(least);
    let by_severity = connection
        .prepare_cached(COUNTS)?
        .query_map(params![run.id, from, to, least], |row| {
            Ok((severity(row, 0)?, count(row, 1)?))
        })?
        .collect::<Result<_, _>>()?;
    let first = connection
        .prepare_cached(FIRST)?
        .query_map(params![run.id, from, to, least, most], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(BroughtFindings { by_severity, first })
}

fn before(
    connection: &Connection,
    run: RunId,
    wanted: WantedRun,
) -> Result<Option<PastRun>, Fault> {
    let sql = match wanted {
        WantedRun::Any => BEFORE,
        WantedRun::Complete => COMPLETE_BEFORE,
    };
    let before = connection.prepare_cached(sql)?.query_row([run], |row| {
        Ok(PastRun {
            run: run_of(row)?,
            credentials_refused: row.get(17)?,
        })
    });
    Ok(before.optional()?)
}

fn last_imports(connection: &Connection) -> Result<Vec<LastImport>, Fault> {
    let mut statement = connection.prepare_cached(LAST_IMPORTS)?;
    let imports = statement.query_map([], |row| {
        Ok(LastImport {
            api_configuration: row.get(0)?,
            last_complete_at: optional_time(row, 1)?,
            first_run_at: optional_time(row, 2)?,
        })
    })?;
    Ok(imports.collect::<Result<_, _>>()?)
}
