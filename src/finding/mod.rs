//! What a finding is: severity, status, place, fingerprint.
//!
//! Belongs here: the words of the field as types, and pure rules over them. Does not belong here: I/O, SQL, vendors.

mod content;
mod fingerprint;
mod image;
mod place;
mod printed;
mod severity;
mod sighting;
mod status;

pub use content::Content;
pub use fingerprint::{Filing, Fingerprint, canonical_vulnerability_id, fingerprint};
pub use image::ImageReference;
pub use place::{
    Cloud, Component, Endpoint, Host, Image, Kind, Kubernetes, SourceLocation, UnknownWord,
};
pub use printed::{Finding, HistoryEvent, PrintedSighting};
pub use severity::Severity;
pub use sighting::{Cvss, Digest, Sighting, SourceKey};
pub use status::Status;
