//! What a finding is: severity, status, place, fingerprint.
//!
//! Belongs here: the words of the field as types, and pure rules over them. Does not belong here: I/O, SQL, vendors.

mod content;
mod cvss;
mod fingerprint;
mod image;
mod place;
mod printed;
mod severity;
mod sighting;
mod status;
mod whereabouts;
mod word;

pub use content::Content;
pub use cvss::Cvss;
pub use fingerprint::{Filing, Fingerprint, canonical_vulnerability_id, fingerprint};
pub use image::ImageReference;
pub use place::{Cloud, Component, Endpoint, Host, Image, Kind, Kubernetes, SourceLocation};
pub use printed::{Finding, HistoryEvent, PrintedSighting};
pub use severity::Severity;
pub use sighting::{Digest, RowDigest, Sighting, SourceKey, source_key};
pub use status::Status;
pub use whereabouts::{Places, filed};
pub use word::UnknownWord;
