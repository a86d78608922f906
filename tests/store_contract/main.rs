//! What every engine behind `trait Store` must do, here on SQLite. `tests/store_contract_postgres` runs the same on PostgreSQL;
//! only their `place.rs` knows which engine it is.

#![allow(clippy::unwrap_used, missing_docs)]

mod announcing;
mod closing;
mod delivering;
mod documents;
mod listing;
mod model;
mod news;
mod place;
mod placing;
mod runs;
mod together;
mod world;
mod writing;
