//! Requests that a vendor's own library has written and signed.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use reqwest::header::HeaderMap;

use super::exchange::Exchange;
use super::failure::{Failure, Subject};
use super::retry::{Retry, retry_after};
use super::{Client, HttpError};
use crate::config::Secret;

/// Largest answer that is relayed, unpacked.
const MAX_BODY: usize = 64 << 20;

/// An answer of any status.
#[derive(Debug)]
pub struct Relayed {
    /// HTTP status.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The whole body, unpacked.
    pub body: Bytes,
    /// The tool wants no request for longer than secpull waits: sending it again is pointless.
    pub wants_a_long_rest: bool,
}

/// No whole answer.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub error: HttpError,
    /// Whether sending it again can help.
    pub passing: bool,
}

impl Client {
    /// Sends a request that is complete, signature and all: nothing is added to it and nothing is retried, and every status is
    /// an answer. Headers that are marked sensitive are kept out of messages and data. Trust, proxy, limits and redaction are the tool's. `attempt` is its number, from 1, for the meter; `limit`,
    /// where one is given, stands in for the tool's time limit.
    ///
    /// # Errors
    /// [`Unanswered`], and whether to try again.
    pub async fn relay(
        &self,
        request: reqwest::Request,
        attempt: u32,
        limit: Option<Duration>,
    ) -> Result<Relayed, Unanswered> {
        let shared = &self.0.shared;
        self.0.meter.count_request();
        if attempt > 1 {
            self.0.meter.count_retry();
        }
        let mut subject = Subject::new(shared.clone(), request.method(), request.url());
        // What was fetched at run time, as a session's token.
        for value in request
            .headers()
            .values()
            .filter(|value| value.is_sensitive())
        {
            if let Ok(value) = value.to_str() {
                subject = subject.hiding(&Secret::new(value));
            }
        }
        let limit = limit.unwrap_or(shared.timeout);
        let mut exchange = Exchange::send(subject, request, limit).await?;
        let body = exchange.body(MAX_BODY).await?;
        let body = exchange.redact_json(&body).map_or(body, Bytes::from);
        let wait = retry_after(exchange.headers(), Utc::now());
        let longest = shared.limits.retries.longest_retry_after;
        if let Some(wait) = wait.filter(|wait| *wait <= longest) {
            shared.gate.pause(wait);
        }
        Ok(Relayed {
            status: exchange.status().as_u16(),
            headers: exchange.headers().clone(),
            body,
            wants_a_long_rest: wait.is_some_and(|wait| wait > longest),
        })
    }

    /// A text that the tool has a hand in, on one line and without the tool's secrets.
    #[must_use]
    pub fn presentable(&self, text: &str) -> String {
        super::failure::one_line(&self.0.shared.redactor.redact(text))
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self {
            error: failure.error,
            passing: failure.retry != Retry::Never,
        }
    }
}
