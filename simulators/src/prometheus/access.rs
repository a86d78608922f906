//! Who may ask.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What a request must bring along.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    authorization: Option<String>,
    tenant: Option<String>,
}

impl Access {
    pub(super) fn basic(&mut self, user: &str, password: &str) {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.authorization = Some(format!("Basic {encoded}"));
    }

    pub(super) fn bearer(&mut self, token: &str) {
        self.authorization = Some(format!("Bearer {token}"));
    }

    pub(super) fn tenant(&mut self, tenant: &str) {
        self.tenant = Some(tenant.to_owned());
    }

    /// The refusal, if the request is refused.
    pub(super) fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let brings = |name: &str, wanted: &Option<String>| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        if !brings(AUTHORIZATION.as_str(), &self.authorization) {
            let challenge = [(WWW_AUTHENTICATE, "Basic")];
            return Some((StatusCode::UNAUTHORIZED, challenge, "Unauthorized\n").into_response());
        }
        if !brings("x-scope-orgid", &self.tenant) {
            return Some((StatusCode::UNAUTHORIZED, "no org id\n").into_response());
        }
        None
    }
}
