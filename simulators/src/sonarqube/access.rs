//! Who may ask.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::TOKEN;

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// With the user token.
    User,
    /// With something that opens nothing.
    Stranger,
    /// With nothing.
    Nobody,
}

/// Bearer tokens are not known to servers before 10.4; the token as the name of a user without password is known to all.
pub(super) fn caller(headers: &HeaderMap, knows_bearer: bool) -> Caller {
    let Some(sent) = headers.get(AUTHORIZATION) else {
        return Caller::Nobody;
    };
    let sent = sent.to_str().unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(format!("{TOKEN}:")));
    let bearer = format!("Bearer {TOKEN}");
    match sent == basic || (knows_bearer && sent == bearer) {
        true => Caller::User,
        false => Caller::Stranger,
    }
}
