//! Tells one state of a table from another without keeping, or giving away, what stands in it.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use config::{Map, Value, ValueKind};

/// A digest that is put together piece by piece.
pub(super) struct Digest(blake3::Hasher);

impl Digest {
    /// Starts with all that is written in a table.
    pub(super) fn of(table: &Map<String, Value>) -> Self {
        let mut digest = Self(blake3::Hasher::new_keyed(process_key()));
        digest.table(table);
        digest
    }

    /// Adds a piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.0.update(&(piece.len() as u64).to_le_bytes());
        self.0.update(piece);
    }

    pub(super) fn finish(self) -> [u8; 8] {
        let mut revision = [0; 8];
        self.0.finalize_xof().fill(&mut revision);
        revision
    }

    fn table(&mut self, table: &Map<String, Value>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        self.add(b"table");
        for (key, value) in entries {
            self.add(key.as_bytes());
            self.value(&value.kind);
        }
        self.add(b"end");
    }

    fn value(&mut self, value: &ValueKind) {
        match value {
            ValueKind::Table(table) => self.table(table),
            ValueKind::Array(items) => {
                self.add(b"list");
                for item in items {
                    self.value(&item.kind);
                }
                self.add(b"end");
            }
            other => self.add(format!("{other:?}").as_bytes()),
        }
    }
}

/// Secrets go into revisions: without a key of this process alone, a printed revision would let one test guesses.
fn process_key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = [0; 32];
        for (index, piece) in key.chunks_exact_mut(8).enumerate() {
            piece.copy_from_slice(&RandomState::new().hash_one(index).to_le_bytes());
        }
        key
    })
}
