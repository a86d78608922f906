//! The engine that these tests run on: SQLite.

use std::path::Path;

use super::support::place::Place;

/// Where the store of an installation in this folder is, if its test does not say.
pub(crate) fn place(folder: &Path) -> Place {
    Place::File(folder.join("secpull.db"))
}
