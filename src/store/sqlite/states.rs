//! What the store knows of each API configuration; from counters, never by counting sightings.

use rusqlite::{Connection, params};

use super::codes::{count, optional_time};
use super::fault::Fault;
use super::{runs, scopes};
use crate::store::ApiState;

const APIS: &str = "
    SELECT a.id, a.name, a.last_complete_at, a.held,
        (SELECT coalesce(sum(s.unresolved), 0) FROM scopes s WHERE s.api_configuration_id = a.id)
    FROM api_configurations a ORDER BY a.name";

/// All API configurations by name.
pub(super) fn api_states(connection: &Connection) -> Result<Vec<ApiState>, Fault> {
    let mut statement = connection.prepare_cached(APIS)?;
    let apis: Vec<(i64, ApiState)> = statement
        .query_map([], |row| {
            let state = ApiState {
                api_configuration: row.get(1)?,
                unresolved: count(row, 4)?,
                records: Vec::new(),
                last_run: None,
                last_complete_at: optional_time(row, 2)?,
                held: count(row, 3)?,
            };
            Ok((row.get(0)?, state))
        })?
        .collect::<Result<_, _>>()?;
    apis.into_iter()
        .map(|(id, state)| {
            Ok(ApiState {
                records: scopes::records(connection, id)?,
                last_run: runs::runs_of(connection, runs::NEWEST_OF_API, params![id, 1])?.pop(),
                ..state
            })
        })
        .collect()
}
