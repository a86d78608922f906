use std::fmt;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::failure::excerpt;
use super::gate::Gate;
use super::redact::Redactor;
use super::setup;
use super::shared::{Caller, Limits, Redirects, Shared, sensitive};
use super::way::Ways;
use super::{Authentication, HttpError, HttpErrorKind, Meter, Request};
use crate::config::Tool;

/// One per tool: connection pool, trust, rate limit and limit of concurrent requests are shared by all its clones.
#[derive(Clone)]
pub struct Client(pub(super) Caller);

impl Client {
    /// Builds the client of a tool.
    ///
    /// # Errors
    /// [`HttpErrorKind::Setup`] if the trust store, certificate, key or proxy is not usable.
    pub fn new(tool: &Tool, authentication: Authentication) -> Result<Self, HttpError> {
        Self::with_limits(tool, &authentication, Limits::default())
    }

    /// A client that follows no redirect, not even within the origin: what is sent must not arrive as something else (a POST
    /// as a GET without its body).
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn without_redirects(
        tool: &Tool,
        authentication: Authentication,
    ) -> Result<Self, HttpError> {
        let limits = Limits {
            redirects: Redirects::None,
            ..Limits::default()
        };
        Self::with_limits(tool, &authentication, limits)
    }

    pub(super) fn with_limits(
        tool: &Tool,
        authentication: &Authentication,
        limits: Limits,
    ) -> Result<Self, HttpError> {
        let ways = Ways::of(tool, |name| std::env::var(name).ok());
        Self::by(ways, tool, authentication, limits)
    }

    pub(super) fn by(
        ways: Result<Ways, String>,
        tool: &Tool,
        authentication: &Authentication,
        limits: Limits,
    ) -> Result<Self, HttpError> {
        let ways = Arc::new(ways.map_err(|reason| HttpError {
            kind: HttpErrorKind::Setup,
            message: format!("tool {}: {reason}", tool.name),
        })?);
        let mut redactor = Redactor::new(tool, authentication, &ways);
        let setup = |reason: String| HttpError {
            kind: HttpErrorKind::Setup,
            message: redactor.redact(&format!("tool {}: {reason}", tool.name)),
        };
        let connections = setup::connections(tool, &ways, &limits).map_err(setup)?;
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
            ways,
            credentials,
            gate: Arc::new(gate),
            redactor: Arc::new(redactor),
        };
        Ok(Self(Caller {
            shared: Arc::new(shared),
            meter: Arc::default(),
        }))
    }

    /// A client of another host that belongs to this client's tool, such as the one that gives out its tokens: trust, way out,
    /// limits and redaction are the tool's, and the rate limit is shared. The credentials of this client are not sent there.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn beside(&self, tool: &Tool, location: &Url) -> Result<Self, HttpError> {
        let Caller { shared, meter } = &self.0;
        let tool = Tool {
            location: location.clone(),
            ..tool.clone()
        };
        let connections =
            setup::connections(&tool, &shared.ways, &shared.limits).map_err(|reason| {
                HttpError {
                    kind: HttpErrorKind::Setup,
                    message: shared
                        .redactor
                        .redact(&format!("tool {}: {reason}", tool.name)),
                }
            })?;
        let beside = Shared {
            connections,
            ways: Arc::clone(&shared.ways),
            tool: tool.name,
            connector: tool.connector,
            location: tool.location,
            timeout: tool.timeout,
            limits: shared.limits.clone(),
            credentials: HeaderMap::new(),
            gate: Arc::clone(&shared.gate),
            redactor: Arc::clone(&shared.redactor),
        };
        Ok(Self(Caller {
            shared: Arc::new(beside),
            meter: Arc::clone(meter),
        }))
    }

    /// The same client, counting into this run's meter.
    #[must_use]
    pub fn metered(&self, meter: Arc<Meter>) -> Self {
        Self(Caller {
            shared: Arc::clone(&self.0.shared),
            meter,
        })
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

    /// A PATCH likewise.
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// Words of the tool, fit to be shown: secrets taken out, one line, cut.
    #[must_use]
    pub fn quote(&self, words: &str) -> String {
        excerpt(&self.0.shared.redactor.redact(words), false)
    }

    fn request(&self, method: Method, path: &str) -> Request {
        let mut url = self.0.shared.location.clone();
        let prefix = url.path().trim_end_matches('/');
        let path = format!("{prefix}/{}", path.trim_start_matches('/'));
        url.set_path(&path);
        Request::new(self.0.clone(), method, url, self.0.shared.timeout)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("tool", &self.0.shared.tool)
            .field("location", &self.0.shared.location.as_str())
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
