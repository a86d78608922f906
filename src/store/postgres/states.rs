//! What the store knows of each API configuration; from counters, never by counting sightings.

use std::collections::HashMap;

use sqlx::{PgConnection, Row};

use super::fault::Fault;
use super::rows::{count, optional_time};
use super::runs::{run_columns, run_of};
use super::scopes;
use crate::store::{ApiState, RecordState, Run};

/// By the order of bytes, as SQLite sorts.
const APIS: &str = "
    SELECT a.id, a.name, a.last_complete_at, a.held,
        (SELECT coalesce(sum(s.unresolved), 0)::bigint FROM scopes s WHERE s.api_configuration_id = a.id)
    FROM api_configurations a ORDER BY a.name COLLATE \"C\"";
const LAST_RUNS: &str = concat!(
    "SELECT ",
    run_columns!(),
    ", a.id FROM api_configurations a CROSS JOIN LATERAL (
        SELECT * FROM runs WHERE api_configuration_id = a.id AND state <> 'queued' ORDER BY id DESC LIMIT 1) r"
);

/// All API configurations by name.
pub(super) async fn api_states(connection: &mut PgConnection) -> Result<Vec<ApiState>, Fault> {
    type Columns = (i64, String, Option<i64>, i64, i64);
    let apis: Vec<Columns> = sqlx::query_as(APIS).fetch_all(&mut *connection).await?;
    let ids: Vec<i64> = apis.iter().map(|(id, ..)| *id).collect();
    let mut records: HashMap<i64, Vec<RecordState>> = HashMap::new();
    for (api, record) in scopes::records(connection, &ids).await? {
        records.entry(api).or_default().push(record);
    }
    let mut last_runs: HashMap<i64, Run> = HashMap::new();
    for row in sqlx::query(LAST_RUNS).fetch_all(connection).await? {
        last_runs.insert(row.try_get(17)?, run_of(&row)?);
    }
    apis.into_iter()
        .map(
            |(id, api_configuration, last_complete_at, held, unresolved)| {
                Ok(ApiState {
                    api_configuration,
                    unresolved: count(unresolved)?,
                    records: records.remove(&id).unwrap_or_default(),
                    last_run: last_runs.remove(&id),
                    last_complete_at: optional_time(last_complete_at)?,
                    held: count(held)?,
                })
            },
        )
        .collect()
}
