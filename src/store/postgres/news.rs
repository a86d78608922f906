//! What is news.

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::{PgConnection, Row};

use super::fault::Fault;
use super::rows::{count, optional_time, severity};
use super::runs::{run_columns, run_of};
use super::{PostgresStore, session};
use crate::finding::Severity;
use crate::store::codes::{severity_code, time_code};
use crate::store::{BroughtFindings, LastImport, News, PastRun, Run, RunId, StoreError, WantedRun};

/// A run's times are the server's, a finding's what its host took the server's clock for.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(1);

/// A sighting of the run's own API configuration has to be what made the finding known. The run or a later one wrote it last: what
/// an earlier run saw within the second before this one is not its news.
macro_rules! brought {
    ($columns:literal, $end:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM findings f
            WHERE f.first_seen BETWEEN $2 AND $3 AND f.severity <= $4 AND f.status <= 1 AND EXISTS (
                SELECT 1 FROM sightings s JOIN scopes c ON c.id = s.scope_id
                WHERE s.finding_id = f.id AND s.first_seen = f.first_seen AND s.run_id >= $1 AND c.api_configuration_id =
                    (SELECT api_configuration_id FROM runs WHERE id = $1)) ",
            $end
        )
    };
}
const COUNTS: &str = brought!(
    "f.severity, count(*)",
    "GROUP BY f.severity ORDER BY f.severity"
);
const FIRST: &str = brought!("f.id", "ORDER BY f.severity, f.id LIMIT $5");

macro_rules! before {
    ($states:literal) => {
        concat!(
            "SELECT ",
            run_columns!(),
            ", r.credentials_refused
            FROM runs r JOIN api_configurations a ON a.id = r.api_configuration_id
            WHERE r.api_configuration_id = (SELECT api_configuration_id FROM runs WHERE id = $1) AND r.id < $1
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
    SELECT a.name, a.last_complete_at, (
        SELECT r.finished_at FROM runs r
        WHERE r.api_configuration_id = a.id AND r.finished_at IS NOT NULL ORDER BY r.id LIMIT 1)
    FROM api_configurations a ORDER BY a.name COLLATE \"C\"";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[COUNTS, FIRST, BEFORE, COMPLETE_BEFORE];

#[async_trait]
impl News for PostgresStore {
    async fn findings_of_run(
        &self,
        run: &Run,
        severity: Severity,
        most: u32,
    ) -> Result<BroughtFindings, StoreError> {
        session!(self, |connection| brought(connection, run, severity, most))
    }

    async fn run_before(
        &self,
        run: RunId,
        wanted: WantedRun,
    ) -> Result<Option<PastRun>, StoreError> {
        session!(self, |connection| before(connection, run, wanted))
    }

    async fn last_imports(&self) -> Result<Vec<LastImport>, StoreError> {
        session!(self, |connection| last_imports(connection))
    }
}

async fn brought(
    connection: &mut PgConnection,
    run: &Run,
    least: Severity,
    most: u32,
) -> Result<BroughtFindings, Fault> {
    let (Some(started), Some(finished)) = (run.started_at, run.finished_at) else {
        return Ok(BroughtFindings::default());
    };
    let from = time_code(started - CLOCKS_APART);
    let to = time_code(finished + CLOCKS_APART);
    let least = severity_code(least);
    let counts: Vec<(i64, i64)> = sqlx::query_as(COUNTS)
        .bind(run.id)
        .bind(from)
        .bind(to)
        .bind(least)
        .fetch_all(&mut *connection)
        .await?;
    let by_severity = counts
        .into_iter()
        .map(|(code, number)| Ok((severity(code)?, count(number)?)))
        .collect::<Result<_, Fault>>()?;
    let first = sqlx::query_scalar(FIRST)
        .bind(run.id)
        .bind(from)
        .bind(to)
        .bind(least)
        .bind(i64::from(most))
        .fetch_all(connection)
        .await?;
    Ok(BroughtFindings { by_severity, first })
}

async fn before(
    connection: &mut PgConnection,
    run: RunId,
    wanted: WantedRun,
) -> Result<Option<PastRun>, Fault> {
    let sql = match wanted {
        WantedRun::Any => BEFORE,
        WantedRun::Complete => COMPLETE_BEFORE,
    };
    let row = sqlx::query(sql)
        .bind(run)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(PastRun {
            run: run_of(&row)?,
            credentials_refused: row.try_get::<i64, _>(17)? != 0,
        })
    })
    .transpose()
}

async fn last_imports(connection: &mut PgConnection) -> Result<Vec<LastImport>, Fault> {
    let rows: Vec<(String, Option<i64>, Option<i64>)> =
        sqlx::query_as(LAST_IMPORTS).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(api_configuration, last_complete_at, first_run_at)| {
            Ok(LastImport {
                api_configuration,
                last_complete_at: optional_time(last_complete_at)?,
                first_run_at: optional_time(first_run_at)?,
            })
        })
        .collect()
}
