use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::gate::Gate;
use super::redact::Redactor;
use super::retry::Retries;
use super::setup;
use super::{HttpError, HttpErrorKind, Meter, Request};
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
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) meter: Arc<Meter>,
}

/// What all clones share.
pub(super) struct Shared {
    pub(super) connections: reqwest::Client,
    pub(super) tool: String,
    pub(super) connector: String,
    location: Url,
    /// Limit for one whole request.
    timeout: Duration,
    pub(super) limits: Limits,
    /// The proxy on the way, for messages.
    pub(super) route: String,
    pub(super) credentials: HeaderMap,
    pub(super) gate: Gate,
    pub(super) redactor: Redactor,
}

/// The limits that are the same for all tools.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// For a connection, TLS included.
    pub(super) connect: Duration,
    /// For the silence between two pieces of a body.
    pub(super) stall: Duration,
    pub(super) retries: Retries,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            retries: Retries::default(),
        }
    }
}

impl Client {
    /// Builds the client of a tool.
    ///
    /// # Errors
    /// [`HttpErrorKind::Setup`] if the trust store, certificate, key or proxy is not usable.
    pub fn new(tool: &Tool, authentication: Authentication) -> Result<Self, HttpError> {
        Self::with_limits(tool, &authentication, Limits::default())
    }

    pub(super) fn with_limits(
        tool: &Tool,
        authentication: &Authentication,
        limits: Limits,
    ) -> Result<Self, HttpError> {
        let mut redactor = Redactor::new(tool, authentication);
        let setup = |reason: String| HttpError {
            kind: HttpErrorKind::Setup,
            message: redactor.redact(&format!("tool {}: {reason}", tool.name)),
        };
        let connections = setup::connections(tool, limits.connect).map_err(setup)?;
        let credentials =
            credentials(authentication, &connections, &tool.location).map_err(setup)?;
        let gate =
            Gate::new(tool.max_concurrent_requests, tool.max_requests_per_second).map_err(setup)?;
        if let Some(Ok(sent)) = credentials.get(AUTHORIZATION).map(HeaderValue::to_str) {
            // User name and password are sent as one word that does not show them, and gives them away all the same.
            let word = sent.trim_start_matches("Basic ");
            redactor.add(word);
            redactor.add_to_data(word);
        }
        let shared = Shared {
            connections,
            tool: tool.name.clone(),
            connector: tool.connector.clone(),
            location: tool.location.clone(),
            timeout: tool.timeout,
            limits,
            route: setup::route(tool),
            credentials,
            gate,
            redactor,
        };
        Ok(Self {
            shared: Arc::new(shared),
            meter: Arc::default(),
        })
    }

    /// The same client, counting into this run's meter.
    #[must_use]
    pub fn metered(&self, meter: Arc<Meter>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            meter,
        }
    }

    /// A GET of a path below the tool's location (`/api/version`); a prefix in the location is kept. What is no path
    /// character is escaped, `?` and `#` too; a `/` or `%` in a segment must be by the caller.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A POST likewise. Not retried unless [`Request::idempotent`].
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let mut url = self.shared.location.clone();
        let prefix = url.path().trim_end_matches('/');
        let path = format!("{prefix}/{}", path.trim_start_matches('/'));
        url.set_path(&path);
        Request::new(self.clone(), method, url, self.shared.timeout)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("tool", &self.shared.tool)
            .field("location", &self.shared.location.as_str())
            .finish_non_exhaustive()
    }
}

/// The headers that prove who we are, marked sensitive.
fn credentials(
    authentication: &Authentication,
    connections: &reqwest::Client,
    location: &Url,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    if let Some((user, password)) = &authentication.basic {
        // Only a request can write it.
        let request = connections
            .get(location.clone())
            .basic_auth(user, Some(password.expose()))
            .build()
            .map_err(|_| "user name and password cannot be sent".to_owned())?;
        headers.extend(request.headers().clone());
    }
    if let Some(token) = &authentication.bearer {
        let value = sensitive("Authorization", &format!("Bearer {}", token.expose()))?;
        headers.insert(AUTHORIZATION, value);
    }
    for (name, secret) in &authentication.headers {
        let value = sensitive(name, secret.expose())?;
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn sensitive(name: &str, value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        format!("the secret for the header {name} holds a line break or another character that no header may hold")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
