use std::sync::Arc;

use super::{HttpError, Meter, Request};
use crate::config::{Secret, Tool};

/// How a tool's requests prove who they are. Headers are marked sensitive and never follow a redirect to another origin.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Header names and values; the values are secrets.
    pub headers: Vec<(String, Secret)>,
    /// User name and password.
    pub basic: Option<(String, Secret)>,
    /// `Authorization: Bearer`.
    pub bearer: Option<Secret>,
}

/// One per tool: connection pool, trust, rate limit and limit of concurrent requests are shared by all its clones.
#[derive(Debug, Clone)]
pub struct Client {}

impl Client {
    /// Builds the client of a tool.
    ///
    /// # Errors
    /// [`super::HttpErrorKind::Setup`] if the trust store, certificate, key or proxy is not usable.
    pub fn new(_tool: &Tool, _authentication: Authentication) -> Result<Self, HttpError> {
        todo!()
    }

    /// The same client, counting into this run's meter.
    #[must_use]
    pub fn metered(&self, _meter: Arc<Meter>) -> Self {
        todo!()
    }

    /// A GET of a path below the tool's location (`/api/version`); a prefix in the location is kept.
    pub fn get(&self, _path: &str) -> Request {
        todo!()
    }

    /// A POST likewise. Not retried unless [`Request::idempotent`].
    pub fn post(&self, _path: &str) -> Request {
        todo!()
    }
}
