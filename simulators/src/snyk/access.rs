//! Who may ask for what.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::answer::Refusal;
use super::{ACCESS_TOKEN, API_KEY, ORGANIZATION_KEY};

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A service account of the group.
    Group,
    /// A service account of one organization.
    Organization,
}

/// Keys of the API come with `token`, whatever its case, access tokens with `Bearer`, and neither with the other's word.
pub(super) fn caller(headers: &HeaderMap) -> Result<Caller, Refusal> {
    let sent = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let (scheme, key) = sent
        .and_then(|value| value.split_once(' '))
        .ok_or(Refusal::NoKey)?;
    match (scheme.to_ascii_lowercase().as_str(), key) {
        ("token", API_KEY) | ("bearer", ACCESS_TOKEN) => Ok(Caller::Group),
        ("token", ORGANIZATION_KEY) => Ok(Caller::Organization),
        _ => Err(Refusal::WrongKey),
    }
}
