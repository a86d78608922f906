mod upload;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::Retryable;
use bytes::Bytes;
use futures_util::FutureExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::elements::Elements;
use super::exchange::Exchange;
use super::failure::{Failure, Subject, bare};
use super::retry::Patience;
use super::shared::{Caller, sensitive};
use super::{HttpError, HttpErrorKind, decode};
use crate::config::Secret;

pub use upload::UploadedFile;

/// Largest JSON answer that is read as a whole, unpacked.
const MAX_JSON: usize = 64 << 20;

/// Largest text.
const MAX_TEXT: usize = 1 << 20;

/// A request to a tool, sent by one of the last three methods. Retries: connection errors, time-outs of the connection, 429,
/// 500, 502, 503, 504, with backoff, jitter and the tool's Retry-After, within limits; only if [`Self::idempotent`] (a GET
/// is).
#[must_use]
pub struct Request {
    caller: Caller,
    method: Method,
    url: Url,
    headers: HeaderMap,
    /// In place of the client's own, with its header.
    bearer: Option<(Secret, HeaderValue)>,
    body: Option<Bytes>,
    idempotent: bool,
    content: Content,
    limit: Duration,
    /// Why it cannot be sent.
    broken: Option<String>,
}

/// What an answer with JSON in it may call itself.
#[derive(Debug, Clone, Copy)]
enum Content {
    Json,
    JsonOrFile,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer<T> {
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: T,
}

impl Request {
    pub(super) fn new(caller: Caller, method: Method, url: Url, limit: Duration) -> Self {
        let idempotent = method == Method::GET;
        Self {
            caller,
            method,
            url,
            headers: HeaderMap::new(),
            bearer: None,
            body: None,
            idempotent,
            content: Content::Json,
            limit,
            broken: None,
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, key: &str, value: impl ToString) -> Self {
        self.url
            .query_pairs_mut()
            .append_pair(key, &value.to_string());
        self
    }

    /// The whole query, as it stands in a link that the tool has given: nothing in it is escaped once more.
    pub fn raw_query(mut self, query: &str) -> Self {
        self.url.set_query(Some(query));
        self
    }

    /// Adds a header that is no secret.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.broken = Some(format!("the header {name} cannot be sent with this value")),
        }
        self
    }

    /// Sends `Authorization: Bearer` with a token that was fetched at run time, in place of the client's own authorization. It
    /// is kept out of messages like the tool's own secrets, and never follows a redirect to another origin.
    pub fn bearer(mut self, token: &Secret) -> Self {
        match sensitive("Authorization", &format!("Bearer {}", token.expose())) {
            Ok(value) => self.bearer = Some((token.clone(), value)),
            Err(reason) => self.broken = Some(reason),
        }
        self
    }

    /// Sends pairs as a form.
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        self.body = Some(form.into());
        self.header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")
    }

    /// Sends JSON.
    pub fn body(mut self, json: &impl Serialize) -> Self {
        match serde_json::to_vec(json) {
            Ok(json) => self.body = Some(json.into()),
            Err(error) => {
                self.broken = Some(format!("the body cannot be written as JSON: {error}"))
            }
        }
        self.header(CONTENT_TYPE.as_str(), "application/json")
    }

    /// May be sent again although it is a POST.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Is not sent again although it is a GET: for a caller that has something better to do than to ask the same once more.
    pub fn once(mut self) -> Self {
        self.idempotent = false;
        self
    }

    /// JSON that is offered as a file: what [`Self::elements`] reads may call itself `application/octet-stream` too.
    pub fn file(mut self) -> Self {
        self.content = Content::JsonOrFile;
        self
    }

    /// Another limit for the whole request than the tool's. For each attempt; waiting between attempts, and for the tool's
    /// rate limit, does not count.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The body as JSON, at most 64 MiB unpacked. The content type must be JSON.
    ///
    /// # Errors
    /// Any [`HttpError`]; retried where it may be, the body's reading included.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Answer<T>, HttpError> {
        let request = self.accepting("application/json");
        let (headers, body) = request
            .retrying(|mut exchange| async move {
                exchange.expect_json()?;
                let body = exchange.body(MAX_JSON).await?;
                let body = exchange.redact_json(&body).map_or(body, Bytes::from);
                Ok((exchange.headers().clone(), body))
            })
            .await?;
        match decode::json(&body) {
            Ok(body) => Ok(Answer { headers, body }),
            Err((kind, what)) => Err(request.subject().error(kind, what)),
        }
    }

    /// The body as text, whatever its type, at most 1 MiB.
    ///
    /// # Errors
    /// Any [`HttpError`].
    pub async fn text(self) -> Result<Answer<String>, HttpError> {
        let (headers, body) = self
            .retrying(|mut exchange| async move {
                let body = exchange.body(MAX_TEXT).await?;
                Ok((exchange.headers().clone(), body))
            })
            .await?;
        match String::from_utf8(body.into()) {
            Ok(body) => Ok(Answer {
                headers,
                body: self.subject().redactor.redact(&body),
            }),
            Err(_) => Err(self.subject().error(
                HttpErrorKind::UnexpectedShape,
                "the answer is not UTF-8 text",
            )),
        }
    }

    /// Streams the elements of one big array: the body itself with an empty `path`, else the array at these keys
    /// (`["data", "result"]`). Retried only until the first byte of the body.
    ///
    /// One of the tool's `max_concurrent_requests` is taken until the end, or until the elements are dropped: with a limit of
    /// 1, another request in between would wait for ever. Time spent between two calls of [`Elements::next`] is not counted
    /// against the limits.
    ///
    /// # Errors
    /// Any [`HttpError`] up to the first byte.
    pub async fn elements(self, path: &'static [&'static str]) -> Result<Elements, HttpError> {
        let content = self.content;
        self.accepting("application/json")
            .retrying(|mut exchange| async move {
                match content {
                    Content::Json => exchange.expect_json()?,
                    Content::JsonOrFile => exchange.expect_json_or_file()?,
                }
                let first = exchange.chunk().await?;
                Ok(Elements::new(exchange, first, path))
            })
            .await
    }

    fn accepting(mut self, kind: &'static str) -> Self {
        self.headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static(kind));
        self
    }

    fn subject(&self) -> Subject {
        let subject = Subject::new(self.caller.shared.clone(), &self.method, &self.url);
        match &self.bearer {
            Some((token, _)) => subject.hiding(token),
            None => subject,
        }
    }

    /// Sends the request and reads its answer, as often as it takes and may.
    async fn retrying<T, F>(&self, read: impl Fn(Exchange) -> F + Sync) -> Result<T, HttpError>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let subject = self.subject();
        if let Some(reason) = &self.broken {
            return Err(subject.error(HttpErrorKind::Setup, reason));
        }
        let retries = &self.caller.shared.limits.retries;
        let sent = AtomicU32::new(0);
        let mut patience = Patience::new(retries);
        // Boxed, because the compiler does not find futures that borrow from one another fit for other threads.
        let attempt = || {
            async {
                let exchange = self.send(&subject, &sent).await?;
                read(exchange).await
            }
            .boxed()
        };
        let result = attempt
            .retry(retries.backoff())
            .when(|_| self.idempotent)
            .adjust(|failure: &Failure, backoff| patience.wait(failure.retry, backoff))
            .notify(|failure: &Failure, wait| {
                let milliseconds = wait.as_millis();
                tracing::debug!(milliseconds, "{}; sent again after a wait", failure.error);
            })
            .await;
        result.map_err(|failure| {
            let mut error = failure.error;
            match sent.into_inner() {
                0 | 1 => {}
                times => error.message.push_str(&format!(" (tried {times} times)")),
            }
            error
        })
    }

    async fn send(&self, subject: &Subject, sent: &AtomicU32) -> Result<Exchange, Failure> {
        let request = self.build();
        self.caller.meter.count_request();
        if sent.fetch_add(1, Ordering::Relaxed) > 0 {
            self.caller.meter.count_retry();
        }
        Exchange::begin(subject.clone(), request, self.limit).await
    }

    fn build(&self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.extend(self.caller.shared.credentials.clone());
        if let Some((_, value)) = &self.bearer {
            headers.insert(AUTHORIZATION, value.clone());
        }
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &bare(&self.url))
            .finish_non_exhaustive()
    }
}
