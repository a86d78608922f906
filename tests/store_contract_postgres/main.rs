//! The same contract on PostgreSQL: the tests of `tests/store_contract`, in databases of a server of their own.

#![allow(clippy::unwrap_used, missing_docs)]

mod place;

#[path = "../store_contract/announcing.rs"]
mod announcing;
#[path = "../store_contract/closing.rs"]
mod closing;
#[path = "../store_contract/delivering.rs"]
mod delivering;
#[path = "../store_contract/documents.rs"]
mod documents;
#[path = "../store_contract/listing.rs"]
mod listing;
#[path = "../store_contract/model.rs"]
mod model;
#[path = "../store_contract/news.rs"]
mod news;
#[path = "../store_contract/placing.rs"]
mod placing;
#[path = "../store_contract/runs.rs"]
mod runs;
#[path = "../store_contract/together.rs"]
mod together;
#[path = "../store_contract/world.rs"]
mod world;
#[path = "../store_contract/writing.rs"]
mod writing;
