//! The service's life cycle: signals, reload, sd_notify, watchdog; `control` has the socket's server and client.
//!
//! Belongs here: what makes a process of the parts below. Does not belong here: what is due (`schedule`), what an import
//! does (`import`), tables and words for people (`cli`).

pub mod control;
pub mod engine;
#[cfg(test)]
mod fakes;
pub mod health;
mod life;
pub mod logging;
pub mod metrics;
mod notify;
mod outgoing;
pub mod reload;
pub mod rounds;

pub use life::{DaemonError, run, serve};
