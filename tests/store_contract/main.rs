//! What every engine behind `trait Store` must do. Only `place.rs` knows which engines there are.

#![allow(clippy::unwrap_used, missing_docs)]

mod closing;
mod documents;
mod listing;
mod model;
mod place;
mod placing;
mod runs;
mod world;
mod writing;
