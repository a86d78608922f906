//! What a test was told, finding by finding: fourteen bytes each.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::standing::Standing;

/// The first 8 bytes of a hash over a finding's name.
pub(super) type Key = u64;

/// The first 4 bytes of a hash over the words of a finding.
pub(super) type Words = u32;

/// The key of a name as it stands in a description.
pub(super) fn key(name: &str) -> Key {
    let name: Vec<_> = name.split_whitespace().collect();
    let mut key = [0; 8];
    key.copy_from_slice(&blake3::hash(name.join(" ").as_bytes()).as_bytes()[..8]);
    Key::from_le_bytes(key)
}

/// What is known of one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// How it stood when DefectDojo was last told, and what it said did arrive.
    pub(super) told: Option<Standing>,
    /// How it stands in the file that is sent now, or was last sent. None if it is in no file any more.
    pub(super) sent: Option<Standing>,
    /// Four bytes that stand for the vendor's words when it was last sent.
    pub(super) words: Words,
}

/// A finding in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) standing: Standing,
    pub(super) words: Words,
}

/// The findings of one test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ledger(HashMap<Key, Entry>);

/// A byte that stands for no standing: all its flags cannot be set at a time.
const NONE: u8 = 0xff;
const WIDTH: usize = 14;

impl Ledger {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let (rows, rest) = bytes.as_chunks::<WIDTH>();
        let standing = |code: u8| (code != NONE).then(|| Standing::of_code(code));
        let row = |row: &[u8; WIDTH]| {
            let [k0, k1, k2, k3, k4, k5, k6, k7, words @ .., told, sent] = *row;
            let entry = Entry {
                told: standing(told),
                sent: standing(sent),
                words: Words::from_le_bytes(words),
            };
            (Key::from_le_bytes([k0, k1, k2, k3, k4, k5, k6, k7]), entry)
        };
        rest.is_empty()
            .then(|| Self(rows.iter().map(row).collect()))
    }

    /// The same ledger gives the same text.
    pub(super) fn text(&self) -> String {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| **key);
        let mut bytes = Vec::with_capacity(rows.len() * WIDTH);
        let code = |standing: Option<Standing>| standing.map_or(NONE, Standing::code);
        for (key, entry) in rows {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&entry.words.to_le_bytes());
            bytes.extend_from_slice(&[code(entry.told), code(entry.sent)]);
        }
        STANDARD_NO_PAD.encode(bytes)
    }

    pub(super) fn get(&self, key: Key) -> Option<Entry> {
        self.0.get(&key).copied()
    }

    pub(super) fn holds(&self, key: Key) -> bool {
        self.0.contains_key(&key)
    }

    /// How many are in the file.
    pub(super) fn sent(&self) -> usize {
        self.0.values().filter(|entry| entry.sent.is_some()).count()
    }

    /// The ledger while a file with these findings is under way. What is no longer in it is remembered, so that it is told
    /// from a person's decision how it stands when it comes back.
    pub(super) fn sending(&self, file: &HashMap<Key, Line>) -> Self {
        let mut next = self.clone();
        for entry in next.0.values_mut() {
            entry.sent = None;
        }
        for (key, line) in file {
            let entry = next.0.entry(*key).or_default();
            entry.sent = Some(line.standing);
            entry.words = line.words;
        }
        next
    }

    /// The ledger when all has arrived. Of those that are in no file any more, only as many are kept as a test has at most.
    pub(super) fn arrived(&self, most_gone: usize) -> Self {
        let mut next = self.clone();
        for entry in next.0.values_mut() {
            entry.told = entry.sent.or(entry.told);
        }
        if next.0.len() - next.sent() > most_gone {
            next.0.retain(|_, entry| entry.sent.is_some());
        }
        next
    }

    /// Whether a finding was in the last file and is not in this one.
    pub(super) fn dropped(&self, file: &HashMap<Key, Line>) -> bool {
        let last = self.0.iter().filter(|(_, entry)| entry.sent.is_some());
        last.into_iter().any(|(key, _)| !file.contains_key(key))
    }

    /// Whether a finding stands otherwise than DefectDojo was told.
    pub(super) fn has_changes(&self) -> bool {
        self.0.values().any(Entry::has_changed)
    }
}

impl Entry {
    pub(super) fn has_changed(&self) -> bool {
        matches!((self.told, self.sent), (Some(told), Some(sent)) if told != sent)
    }
}
