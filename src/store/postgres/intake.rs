//! Taking a whole store in, for a move from another engine.

use sqlx::{AssertSqlSafe, PgConnection, Postgres, query::Query};
use tokio::sync::mpsc;

use super::fault::Fault;
use super::rows::{name, text};
use crate::store::tables::{Column, Kind, Piece, TABLES, Table};

const IS_EMPTY: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM api_configurations) AND NOT EXISTS (SELECT 1 FROM findings)
        AND NOT EXISTS (SELECT 1 FROM filings)";
/// No process holds what was begun elsewhere.
const END_RUNS: &str = "
    UPDATE runs SET state = 'interrupted', error = daemon || ' ended without finishing this run'
    WHERE state IN ('queued', 'running')";
const SET_RUNS: &str =
    "SELECT setval(pg_get_serial_sequence('runs', 'id'), greatest($1, 1), $1 > 0)";
const SET_FINDINGS: &str = "SELECT setval('finding_numbers', greatest($1, 1), $1 > 0)";
const SET_SIGHTINGS: &str =
    "SELECT setval('sighting_numbers', coalesce(max(id), 1), count(*) > 0) FROM sightings";
/// Those whose numbers nobody sees.
const COUNTED: [&str; 5] = [
    "api_configurations",
    "filings",
    "scopes",
    "history",
    "outbox",
];

/// Writes all pieces into an empty store; how many rows.
pub(super) async fn intake(
    transaction: &mut PgConnection,
    pieces: &mut mpsc::Receiver<Piece>,
) -> Result<u64, Fault> {
    let is_empty: bool = sqlx::query_scalar(IS_EMPTY)
        .fetch_one(&mut *transaction)
        .await?;
    if !is_empty {
        return Err(Fault::Lasting(
            "something has been imported into it already: a store is moved into an empty database"
                .to_owned(),
        ));
    }
    let mut moved = 0;
    let mut tables = 0;
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Rows { table, columns } => write(transaction, table, &columns).await?,
            Piece::End { table, rows } => {
                compare(transaction, table, rows).await?;
                moved += rows;
                tables += 1;
            }
            Piece::Numbers { run, finding } => {
                number(transaction, run, finding).await?;
                sqlx::query(END_RUNS).execute(&mut *transaction).await?;
                if tables == TABLES.len() {
                    return Ok(moved);
                }
            }
        }
    }
    // The other side has failed, and says so.
    Err(Fault::Lasting(
        "what was to be moved came to no end".to_owned(),
    ))
}

async fn write(
    transaction: &mut PgConnection,
    table: &Table,
    columns: &[Column],
) -> Result<(), Fault> {
    let mut query = sqlx::query(AssertSqlSafe(statement(table)));
    for ((column, _), values) in table.columns.iter().zip(columns) {
        query = bind(query, column, values);
    }
    query.execute(transaction).await?;
    Ok(())
}

/// Made of the names in [`TABLES`] alone.
fn statement(table: &Table) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let arrays: Vec<String> = (1..)
        .zip(table.columns)
        .map(|(number, (_, kind))| {
            let kind = match kind {
                Kind::Number => "bigint",
                Kind::Text => "text",
                Kind::Bytes => "bytea",
            };
            format!("${number}::{kind}[]")
        })
        .collect();
    let (more, values) = match table.name {
        "runs" => (
            ", holder_id, queued_at",
            ", 0, coalesce(n.started_at, n.finished_at, 0)",
        ),
        _ => ("", ""),
    };
    let (names, arrays) = (names.join(", "), arrays.join(", "));
    format!(
        "INSERT INTO {} ({names}{more}) OVERRIDING SYSTEM VALUE SELECT n.*{values} FROM unnest({arrays}) n({names})",
        table.name
    )
}

type Statement<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

fn bind<'q>(query: Statement<'q>, column: &str, values: &Column) -> Statement<'q> {
    match values {
        Column::Numbers(values) => query.bind(values.clone()),
        Column::Bytes(values) => {
            query.bind(values.iter().map(Option::as_deref).collect::<Vec<_>>())
        }
        Column::Texts(values) => {
            let is_name = column == "canonical_id";
            let fit = |value: &Option<String>| -> Option<String> {
                let value = value.as_deref()?;
                Some(if is_name { name(value) } else { text(value) }.into_owned())
            };
            query.bind(values.iter().map(fit).collect::<Vec<_>>())
        }
    }
}

async fn compare(transaction: &mut PgConnection, table: &Table, sent: u64) -> Result<(), Fault> {
    let sql = format!("SELECT count(*) FROM {}", table.name);
    let stored: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(transaction)
        .await?;
    if u64::try_from(stored) != Ok(sent) {
        return Err(Fault::Lasting(format!(
            "{} has {stored} rows in place of {sent}: nothing was moved",
            table.name
        )));
    }
    Ok(())
}

async fn number(transaction: &mut PgConnection, run: i64, finding: i64) -> Result<(), Fault> {
    for (sql, last) in [(SET_RUNS, run), (SET_FINDINGS, finding)] {
        sqlx::query(sql)
            .bind(last)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(SET_SIGHTINGS)
        .execute(&mut *transaction)
        .await?;
    for table in COUNTED {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1), count(*) > 0) FROM {table}"
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
