//! Dictionaries in their table, and reading bodies back with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::PgConnection;
use zstd::dict::EncoderDictionary;

use super::fault::Fault;
use crate::store::dictionaries::{Dictionaries, Training};
use crate::store::pack::{self, Unpacked, dictionary_of};

const READ: &str = "SELECT id, bytes FROM dictionaries WHERE id = ANY($1)";
const READ_OF_CONNECTOR: &str = "SELECT bytes FROM dictionaries WHERE connector = $1";
const SAVE: &str =
    "INSERT INTO dictionaries (id, connector, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READ, READ_OF_CONNECTOR];

/// Reads the dictionaries that these bodies name, as far as they are not known yet.
pub(super) async fn learn<'a>(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    bodies: impl Iterator<Item = &'a [u8]> + Send,
) -> Result<(), Fault> {
    let unknown: BTreeSet<u32> = bodies
        .filter_map(dictionary_of)
        .filter(|id| dictionaries.decoder(*id).is_none())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = unknown.into_iter().map(i64::from).collect();
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(READ).bind(ids).fetch_all(connection).await?;
    for (id, bytes) in rows {
        let id =
            u32::try_from(id).map_err(|_| Fault::Damaged(format!("there is a dictionary {id}")))?;
        dictionaries.learn_decoder(id, &bytes);
    }
    Ok(())
}

/// The dictionary to pack a connector's rows with, if there is one yet.
pub(super) async fn encoder(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    connector: &str,
) -> Result<Option<Arc<EncoderDictionary<'static>>>, Fault> {
    if let Some(known) = dictionaries.encoder(connector) {
        return Ok(known);
    }
    let bytes: Option<Vec<u8>> = sqlx::query_scalar(READ_OF_CONNECTOR)
        .bind(connector)
        .fetch_optional(connection)
        .await?;
    Ok(dictionaries.learn_encoder(connector, bytes.as_deref()))
}

/// Stores a new dictionary; false if another process was first with one for this connector.
pub(super) async fn save(
    connection: &mut PgConnection,
    training: &Training,
) -> Result<bool, Fault> {
    let stored = sqlx::query(SAVE)
        .bind(i64::from(training.id))
        .bind(&training.connector)
        .bind(&training.bytes)
        .execute(connection)
        .await?;
    Ok(stored.rows_affected() == 1)
}

/// Uncompresses bodies whose dictionaries have been [learnt](learn).
pub(super) struct Reader<'a> {
    unpacker: pack::Unpacker,
    dictionaries: &'a Dictionaries,
}

impl<'a> Reader<'a> {
    pub(super) fn new(dictionaries: &'a Dictionaries) -> Result<Self, Fault> {
        Ok(Self {
            unpacker: pack::Unpacker::new()?,
            dictionaries,
        })
    }

    pub(super) fn unpack(&mut self, body: &[u8]) -> Result<Unpacked<'_>, Fault> {
        let dictionaries = self.dictionaries;
        self.unpacker.unpack(body, |id| {
            dictionaries
                .decoder(id)
                .ok_or_else(|| Fault::Damaged(format!("dictionary {id} is missing")))
        })
    }
}
