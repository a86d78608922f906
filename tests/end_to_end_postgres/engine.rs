//! The engine that these tests run on: PostgreSQL, a database for each installation.

use std::path::Path;

use super::support::place::Place;
use super::support::postgres::{self, Database};

/// Where the store of an installation is, if its test does not say.
pub(crate) fn place(_folder: &Path) -> Place {
    Place::Database(Database::on(postgres::server()))
}
