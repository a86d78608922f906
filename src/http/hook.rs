//! Messages that are posted to whoever has given a URL for it. The URL may be all that keeps others from posting there, so it
//! is shown nowhere.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::exchange::Exchange;
use super::failure::{MAX_ERROR_BODY, Subject, excerpt, is_html};
use super::retry::retry_after;
use super::shared::sensitive;
use super::{Client, HttpError, HttpErrorKind};
use crate::config::Secret;

/// JSON for a receiver.
#[derive(Debug)]
pub struct Post<'a> {
    /// The whole URL.
    pub url: &'a Secret,
    /// Headers, with values of any worth.
    pub headers: &'a [(String, Secret)],
    /// The JSON.
    pub body: String,
}

/// What the receiver answered, whatever its status.
#[derive(Debug)]
pub struct Taken {
    /// HTTP status.
    pub status: u16,
    /// Start of the body: one line, secrets taken out.
    pub words: String,
    /// How long it wants to be left alone, if it says so.
    pub retry_after: Option<Duration>,
}

impl Client {
    /// Posts once. Every status is an answer.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn post_once(&self, post: Post<'_>) -> Result<Taken, HttpError> {
        let shared = &self.0.shared;
        let unsound = |what: String| {
            Subject::new(shared.clone(), &Method::POST, &shared.location)
                .error(HttpErrorKind::Setup, what)
        };
        let url = Url::parse(post.url.expose()).map_err(|error| unsound(error.to_string()))?;
        let subject = Subject::new(shared.clone(), &Method::POST, &url);
        let mut request = reqwest::Request::new(Method::POST, url);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in post.headers {
            let value = sensitive(name, value.expose()).map_err(unsound)?;
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| unsound(format!("{name:?} cannot be the name of a header")))?;
            headers.insert(name, value);
        }
        *request.body_mut() = Some(Bytes::from(post.body).into());
        let exchange = Exchange::send(subject, request, shared.timeout).await;
        let mut exchange = exchange.map_err(|failure| failure.error)?;
        let enough = MAX_ERROR_BODY + shared.redactor.longest();
        let mut body = Vec::new();
        // The status is what counts: an answer that breaks off has been given all the same.
        while body.len() < enough
            && let Ok(Some(chunk)) = exchange.chunk().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(enough - body.len())]);
        }
        let headers = exchange.headers();
        let body = shared.redactor.redact(&String::from_utf8_lossy(&body));
        Ok(Taken {
            status: exchange.status().as_u16(),
            words: excerpt(&body, is_html(headers)),
            retry_after: retry_after(headers, Utc::now()),
        })
    }
}
