//! The one HTTP client of all connectors: trust, authentication, retries, rate limits, size caps, redaction.
//!
//! Belongs here: whatever is the same for every vendor. Does not belong here: a vendor's paths, parameters, shapes.

mod client;
mod error;
mod meter;
mod request;

pub use client::{Authentication, Client};
pub use error::{HttpError, HttpErrorKind};
pub use meter::Meter;
pub use request::{Answer, Elements, Request};
