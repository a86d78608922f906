//! Whom to trust, and what is wrong with a certificate that is refused.
//!
//! Belongs here: what the HTTP client and the stores must agree upon. Does not belong here: connections.

mod client;
mod name;
mod system;
#[cfg(test)]
mod tests;
mod untrusted;
mod verifier;
mod words;

pub use client::{Authorities, ClientError, client_config};
pub use system::named_authorities_are_readable;
pub use words::{Vocabulary, in_words};
