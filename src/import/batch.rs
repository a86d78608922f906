//! Sightings on their way to the store: at most one of each key, a few pages at a time.

use std::collections::HashMap;

use crate::finding::SourceKey;
use crate::store::Change;

/// How many changes are prepared together. Until then each is in memory with all that it says.
const FULL: usize = 500;

/// Changes of one scope that wait to be written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    changes: Vec<Change>,
    places: HashMap<SourceKey, usize>,
}

impl Batch {
    /// Adds a change; a second one of the same sighting is merged into the first.
    pub(super) fn add(&mut self, change: Change) {
        match self.places.get(&change.key) {
            Some(&place) => self.changes[place].sighting.merge(*change.sighting),
            None => {
                self.places.insert(change.key, self.changes.len());
                self.changes.push(change);
            }
        }
    }

    /// How many changes wait in it.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it should be written now.
    pub(super) fn is_full(&self) -> bool {
        self.changes.len() >= FULL
    }

    /// What is to be written; the batch is empty afterwards.
    pub(super) fn take(&mut self) -> Vec<Change> {
        self.places.clear();
        std::mem::take(&mut self.changes)
    }
}
