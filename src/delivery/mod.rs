//! How findings leave: what is said about a run, to whom, and that it arrives.
//!
//! Belongs here: one room per kind of destination, and the messages' way from the outbox to it. Does not belong here: how a
//! message is kept, what an import does, when a round is due. An import never waits for anything of this floor and never
//! fails with it: what is to be said is derived from what the store says of runs that are over.

mod backoff;
mod courier;
mod defectdojo;
mod deliverer;
mod desk;
mod dispatch;
mod notify;
mod office;
mod once;
mod post;
mod registry;
mod said;

#[cfg(test)]
mod fakes;

pub use courier::Courier;
pub use deliverer::{Deliverer, Occasion, Outcome};
pub use desk::{Desk, DeskError, Hold};
pub use dispatch::{announce_runs, look_round};
pub use office::{Ledger, Now, Office, Uncounted};
pub use once::deliver_once;
pub use post::Post;
pub use registry::{deliverers, destinations};
