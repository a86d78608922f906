//! The one HTTP client of all connectors: trust, authentication, retries, rate limits, size caps, redaction.
//!
//! Belongs here: whatever is the same for every vendor. Does not belong here: a vendor's paths, parameters, shapes.

mod authentication;
mod cause;
mod client;
mod decode;
mod elements;
mod error;
mod exceptions;
mod exchange;
mod failure;
mod gate;
mod hook;
mod meter;
mod redact;
mod redirect;
mod relay;
mod request;
mod retry;
mod setup;
mod shared;
mod splitter;
#[cfg(test)]
mod tests;
mod way;

pub use authentication::Authentication;
pub use client::Client;
pub use elements::Elements;
pub use error::{HttpError, HttpErrorKind};
pub use hook::{Post, Taken};
pub use meter::Meter;
pub use relay::{Relayed, Unanswered};
pub use request::{Answer, Request, UploadedFile};
pub use splitter::{MAX_ELEMENT, MAX_ENVELOPE, SplitError, Splitter};
