//! The control socket: HTTP/1.1 with JSON over a Unix socket.
//!
//! Belongs here: who may ask what, and how it is said in HTTP. Does not belong here: doing it, which is the engine's and
//! the reloader's part.

pub mod api;
pub mod client;
mod document;
mod filter;
mod peer;
mod refusal;
mod routes;
mod server;
mod socket;
mod sse;
mod state;
mod statuses;

#[cfg(test)]
mod tests;

pub use peer::{Authority, Peer, Right};
pub use server::{document, serve, serve_metrics};
pub use socket::{Socket, SocketError};
pub use state::Control;
pub use statuses::{api_statuses, waiting_statuses};
