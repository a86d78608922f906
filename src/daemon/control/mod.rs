//! The control socket: HTTP/1.1 with JSON over a Unix socket.

pub mod api;
pub mod client;
mod sse;
