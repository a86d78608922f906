//! Dictionaries in their table.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::fault::Fault;
use crate::store::dictionaries::{Dictionaries, Training};

const READ: &str = "SELECT bytes FROM dictionaries WHERE id = ?1";
const READ_OF_CONNECTOR: &str = "SELECT bytes FROM dictionaries WHERE connector = ?1";
const SAVE: &str =
    "INSERT INTO dictionaries (id, connector, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READ, READ_OF_CONNECTOR];

/// The dictionary that a frame names.
pub(super) fn decoder(
    dictionaries: &Dictionaries,
    connection: &Connection,
    id: u32,
) -> Result<Arc<DecoderDictionary<'static>>, Fault> {
    if let Some(decoder) = dictionaries.decoder(id) {
        return Ok(decoder);
    }
    let bytes: Vec<u8> = connection
        .prepare_cached(READ)?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Fault::Damaged(format!("dictionary {id} is missing")))?;
    Ok(dictionaries.learn_decoder(id, &bytes))
}

/// The dictionary to pack a connector's rows with, if there is one yet.
pub(super) fn encoder(
    dictionaries: &Dictionaries,
    connection: &Connection,
    connector: &str,
) -> Result<Option<Arc<EncoderDictionary<'static>>>, Fault> {
    if let Some(known) = dictionaries.encoder(connector) {
        return Ok(known);
    }
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached(READ_OF_CONNECTOR)?
        .query_row([connector], |row| row.get(0))
        .optional()?;
    Ok(dictionaries.learn_encoder(connector, bytes.as_deref()))
}

/// Stores a new dictionary, in a transaction of its own; false if another process was first with one for this connector.
pub(super) fn save(transaction: &Transaction<'_>, training: &Training) -> Result<bool, Fault> {
    let stored = transaction.execute(
        SAVE,
        params![training.id, training.connector, training.bytes],
    )?;
    Ok(stored == 1)
}
