//! What all requests to one tool share.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};

use super::Meter;
use super::gate::Gate;
use super::redact::Redactor;
use super::retry::Retries;
use super::way::Ways;

/// A tool, and the run for which it is asked.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) shared: Arc<Shared>,
    pub(super) meter: Arc<Meter>,
}

/// What all clones share.
pub(super) struct Shared {
    pub(super) connections: reqwest::Client,
    pub(super) tool: String,
    pub(super) connector: String,
    pub(super) location: Url,
    /// Limit for one whole request.
    pub(super) timeout: Duration,
    pub(super) limits: Limits,
    pub(super) ways: Arc<Ways>,
    pub(super) credentials: HeaderMap,
    pub(super) gate: Arc<Gate>,
    pub(super) redactor: Arc<Redactor>,
}

/// The limits that are the same for all tools.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// For a connection, TLS included.
    pub(super) connect: Duration,
    /// For the silence between two pieces of a body.
    pub(super) stall: Duration,
    pub(super) retries: Retries,
    pub(super) redirects: Redirects,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    SameOrigin,
    None,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            retries: Retries::default(),
            redirects: Redirects::SameOrigin,
        }
    }
}

/// The value of a header that proves who we are.
pub(super) fn sensitive(name: &str, value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        format!("the secret for the header {name} holds a line break or another character that no header may hold")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
