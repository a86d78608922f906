use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::HttpError;

/// A request to a tool, sent by one of the last four methods. Retries: connection errors, time-outs of the connection, 429,
/// 500, 502, 503, 504, with backoff, jitter and the tool's Retry-After, within limits; only if [`Self::idempotent`] (a GET
/// is).
#[must_use]
#[derive(Debug)]
pub struct Request {}

/// A whole answer.
#[derive(Debug)]
pub struct Answer<T> {
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: T,
}

impl Request {
    /// Adds a query parameter.
    pub fn query(self, _key: &str, _value: impl ToString) -> Self {
        todo!()
    }

    /// Adds a header that is no secret.
    pub fn header(self, _name: &'static str, _value: &str) -> Self {
        todo!()
    }

    /// Sends pairs as a form.
    pub fn form(self, _pairs: &[(&str, &str)]) -> Self {
        todo!()
    }

    /// Sends JSON.
    pub fn body(self, _json: &impl Serialize) -> Self {
        todo!()
    }

    /// May be sent again although it is a POST.
    pub fn idempotent(self) -> Self {
        todo!()
    }

    /// Another limit for the whole request than the tool's.
    pub fn timeout(self, _limit: Duration) -> Self {
        todo!()
    }

    /// The body as JSON, at most 64 MiB unpacked. The content type must be JSON.
    ///
    /// # Errors
    /// Any [`HttpError`]; retried where it may be, the body's reading included.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Answer<T>, HttpError> {
        todo!()
    }

    /// The body as text, whatever its type, at most 1 MiB.
    ///
    /// # Errors
    /// Any [`HttpError`].
    pub async fn text(self) -> Result<Answer<String>, HttpError> {
        todo!()
    }

    /// Streams the elements of one big array: the body itself with an empty `path`, else the array at these keys
    /// (`["data", "result"]`). Retried only until the first byte of the body.
    ///
    /// # Errors
    /// Any [`HttpError`] up to the first byte.
    pub async fn elements(self, _path: &'static [&'static str]) -> Result<Elements, HttpError> {
        todo!()
    }
}

/// The elements of an array, as they arrive. Memory: one element and one chunk.
#[derive(Debug)]
pub struct Elements {
    /// The answer's headers.
    pub headers: HeaderMap,
}

impl Elements {
    /// The next elements, each one whole JSON value; an empty list is never given. `None` after the array's proper end,
    /// when the rest of the body was read and found to be well-formed.
    ///
    /// # Errors
    /// Cut body, time-out, an element over 8 MiB, not JSON; if the body has no array at the path, it is
    /// [`super::HttpErrorKind::UnexpectedShape`].
    pub async fn next(&mut self) -> Result<Option<Vec<Bytes>>, HttpError> {
        todo!()
    }

    /// The document around the array, with the array emptied (`{"status":"success","data":{…,"result":[]}}`); complete only
    /// after [`Self::next`] gave `None`. At most 1 MiB.
    #[must_use]
    pub fn envelope(&self) -> &str {
        todo!()
    }
}
