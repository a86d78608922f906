//! What is due when: slots, catch-up, and the bell that says "look now".
//!
//! Belongs here: pure rules over times, and the one place that knows the scheduler crate. Does not belong here: the
//! store, runs, or how many of them fit at once. A slot is a moment at which an API configuration is to be imported; which
//! one is due is decided by [`due`] alone and claimed in the store, so that a bell that rings twice, late or not at all
//! does no harm.

mod bell;
mod clock;
mod cut_short;
mod due;
mod slot;

pub use bell::{Bell, BellError};
pub use clock::Clock;
#[cfg(test)]
pub(crate) use clock::ManualClock;
pub use cut_short::was_cut_short;
pub use due::{Due, GRACE, Horizon, due};
pub use slot::{latest_slot, next_slot};
