//! Reading a whole store, for a move to another engine.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};
use tokio::sync::mpsc;

use super::fault::Fault;
use super::{open, runs};
use crate::store::tables::{Column, Piece, TABLES, Table};

/// So many bytes of rows, or so many rows, travel together.
const BYTES: usize = 4 << 20;
const ROWS: usize = 5000;

/// Why an export ends that nobody takes in any more.
pub(super) const GIVEN_UP: &str = "the move was given up";

const TABLES_THERE: &str = "
    SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
/// Tables that are this engine's way of writing quickly: the others say the same, or are read together with them.
pub(in crate::store) const OWN_TABLES: [&str; 2] = ["finding_keys", "sighting_keys"];
const LAST_NUMBER: &str = "SELECT seq FROM sqlite_sequence WHERE name = ?1";

/// Sends everything. Until it is done nobody else writes.
pub(super) fn export(path: &Path, pieces: &mpsc::Sender<Piece>) -> Result<(), Fault> {
    let (mut connection, claims) = open::for_writing(path)?;
    let transaction = connection.transaction()?;
    if runs::is_any_alive(&transaction, &claims)? {
        return Err(Fault::lasting(
            "an import is under way in it: stop the daemon first (systemctl stop secpull)",
        ));
    }
    let tables: i64 = transaction.query_row(TABLES_THERE, [], |row| row.get(0))?;
    if tables != (TABLES.len() + OWN_TABLES.len()) as i64 {
        return Err(Fault::lasting(format!(
            "it has {tables} tables, and {} can be moved",
            TABLES.len() + OWN_TABLES.len()
        )));
    }
    for table in TABLES {
        send_table(&transaction, table, pieces)?;
    }
    let last = |table: &str| -> Result<i64, Fault> {
        let number = transaction.query_row(LAST_NUMBER, [table], |row| row.get(0));
        Ok(number.optional()?.unwrap_or_default())
    };
    send(
        pieces,
        Piece::Numbers {
            run: last("runs")?,
            finding: last("findings")?,
        },
    )
}

fn send_table(
    connection: &Connection,
    table: &'static Table,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), Fault> {
    let (from, own) = match table.name {
        "sightings" => (
            "sightings t CROSS JOIN sighting_keys k ON k.scope_id = t.scope_id AND k.key = t.key"
                .to_owned(),
            "digest",
        ),
        name => (format!("{name} t"), ""),
    };
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|(name, _)| format!("{}.\"{name}\"", if *name == own { "k" } else { "t" }))
        .collect();
    let sql = format!("SELECT {} FROM {from}", names.join(", "));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let none = || -> Vec<Column> {
        let kinds = table.columns.iter().map(|(_, kind)| *kind);
        kinds.map(Column::of).collect()
    };
    let (mut columns, mut bytes, mut waiting, mut all) = (none(), 0, 0, 0);
    while let Some(row) = rows.next()? {
        bytes += take(row, &mut columns)?;
        waiting += 1;
        all += 1;
        if waiting == ROWS || bytes >= BYTES {
            let columns = std::mem::replace(&mut columns, none());
            send(pieces, Piece::Rows { table, columns })?;
            (bytes, waiting) = (0, 0);
        }
    }
    send(pieces, Piece::Rows { table, columns })?;
    send(pieces, Piece::End { table, rows: all })
}

/// Appends a row to its columns; how large it is.
fn take(row: &Row<'_>, columns: &mut [Column]) -> Result<usize, Fault> {
    let mut bytes = 0;
    for (place, column) in columns.iter_mut().enumerate() {
        match column {
            Column::Numbers(values) => values.push(row.get(place)?),
            Column::Texts(values) => {
                let text: Option<String> = row.get(place)?;
                bytes += text.as_ref().map_or(0, String::len);
                values.push(text);
            }
            Column::Bytes(values) => {
                let value: Option<Vec<u8>> = row.get(place)?;
                bytes += value.as_ref().map_or(0, Vec::len);
                values.push(value);
            }
        }
    }
    Ok(bytes)
}

fn send(pieces: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), Fault> {
    // Whoever took them in has failed, and says so.
    pieces
        .blocking_send(piece)
        .map_err(|_| Fault::lasting(GIVEN_UP))
}
