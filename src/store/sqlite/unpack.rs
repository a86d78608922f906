//! Reading bodies back, with the dictionaries of this database.

use std::sync::Arc;

use rusqlite::Connection;

use super::dictionary_rows;
use super::fault::Fault;
use crate::store::dictionaries::Dictionaries;
use crate::store::pack::{self, Unpacked};

/// Uncompresses, with whatever dictionary the frame names.
#[derive(Debug)]
pub(super) struct Unpacker {
    frames: pack::Unpacker,
    dictionaries: Arc<Dictionaries>,
}

impl Unpacker {
    pub(super) fn new(dictionaries: &Arc<Dictionaries>) -> Result<Self, Fault> {
        Ok(Self {
            frames: pack::Unpacker::new()?,
            dictionaries: Arc::clone(dictionaries),
        })
    }

    /// Uncompresses one body; its dictionary is read over `connection` if it is not known yet.
    pub(super) fn unpack(
        &mut self,
        connection: &Connection,
        body: &[u8],
    ) -> Result<Unpacked<'_>, Fault> {
        let dictionaries = &self.dictionaries;
        self.frames.unpack(body, |id| {
            dictionary_rows::decoder(dictionaries, connection, id)
        })
    }
}
