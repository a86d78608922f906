use std::fmt::Display;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout};

use super::HttpErrorKind;
use super::failure::{self, Failure, MAX_ERROR_BODY, Subject};
use super::gate::Leave;
use super::retry::{may_pass, retry_after};

/// How long an error's body is waited for: the status says most.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);

/// One attempt: an answer whose body is being read. Holds one of the tool's places for concurrent requests until the body is
/// read.
pub(super) struct Exchange {
    subject: Subject,
    response: Response,
    leave: Leave,
    /// The request's time limit.
    limit: Duration,
    /// What is left of it. Only waiting for the tool counts, not what an import does between two pieces of a body.
    left: Duration,
}

impl Exchange {
    /// Sends the request, and refuses every status but success.
    pub(super) async fn begin(
        subject: Subject,
        request: reqwest::Request,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let exchange = Self::send(subject, request, limit).await?;
        if exchange.status().is_success() {
            Ok(exchange)
        } else {
            Err(exchange.refused().await)
        }
    }

    /// Sends the request, and takes every status for an answer.
    pub(super) async fn send(
        subject: Subject,
        request: reqwest::Request,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let method = request.method().clone();
        // It may be a secret by itself.
        let path = subject.redactor.redact(request.url().path());
        let shared = &subject.shared;
        let leave = shared.gate.pass().await;
        let started = Instant::now();
        let result = timeout(limit, shared.connections.execute(request)).await;
        let elapsed = started.elapsed();
        let milliseconds = elapsed.as_millis();
        let tool = &shared.tool;
        let response = match result {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::debug!(%tool, %method, path, milliseconds, "no answer");
                return Err(subject.no_answer(&error));
            }
            Err(_) => {
                tracing::debug!(%tool, %method, path, milliseconds, "no answer in time");
                let limit = humantime::format_duration(limit);
                return Err(subject.fail(
                    HttpErrorKind::TimedOut,
                    format_args!(
                        "no answer within {limit}; the tool hangs, or needs a longer `timeout`"
                    ),
                ));
            }
        };
        let status = response.status().as_u16();
        tracing::debug!(%tool, %method, path, status, milliseconds, "answered");
        Ok(Self {
            subject,
            response,
            leave,
            limit,
            left: limit.saturating_sub(elapsed),
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Takes the tool's own credentials out of JSON that it delivers: it may echo what it was sent.
    pub(super) fn redact_json(&self, json: &[u8]) -> Option<Vec<u8>> {
        self.subject.redactor.redact_json(json)
    }

    pub(super) fn fail(&self, kind: HttpErrorKind, what: impl Display) -> Failure {
        self.subject.fail(kind, what)
    }

    /// Refuses what does not call itself JSON.
    pub(super) fn expect_json(&self) -> Result<(), Failure> {
        if failure::is_json(self.headers()) {
            return Ok(());
        }
        if self.response.status() == StatusCode::NO_CONTENT {
            return Err(self.fail(HttpErrorKind::NotJson, "an answer without a body"));
        }
        let kind = failure::content_type(self.headers());
        let kind = kind.as_deref().unwrap_or("no content type");
        let hint = if failure::is_html(self.headers()) {
            "that is a login page or the tool's frontend; check `location` and the credentials"
        } else {
            "that is not the tool's API; check `location`"
        };
        let path = self.response.url().path();
        Err(self.fail(
            HttpErrorKind::NotJson,
            format_args!("{kind} instead of JSON at {path}: {hint}"),
        ))
    }

    /// Refuses what neither calls itself JSON nor a file of unknown type.
    pub(super) fn expect_json_or_file(&self) -> Result<(), Failure> {
        match failure::content_type(self.headers()).as_deref() {
            Some("application/octet-stream") => Ok(()),
            _ => self.expect_json(),
        }
    }

    /// The next piece of the body, unpacked; none at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let stall = self.subject.shared.limits.stall;
        let started = Instant::now();
        let result = timeout(self.left.min(stall), self.response.chunk()).await;
        let waited = started.elapsed();
        let left = self.left.saturating_sub(waited);
        self.left = left;
        match result {
            Ok(Ok(Some(chunk))) => Ok(Some(chunk)),
            Ok(Ok(None)) => {
                self.leave = None;
                Ok(None)
            }
            Ok(Err(error)) => Err(self.subject.broken_body(&error)),
            Err(_) if left.is_zero() => {
                let limit = humantime::format_duration(self.limit);
                Err(self.fail(
                    HttpErrorKind::TimedOut,
                    format_args!("the answer was not complete within {limit}; the tool is slow, or needs a longer `timeout`"),
                ))
            }
            Err(_) => {
                let stall = humantime::format_duration(stall);
                Err(self.fail(
                    HttpErrorKind::TimedOut,
                    format_args!("the answer stopped in the middle, nothing came for {stall}"),
                ))
            }
        }
    }

    /// The whole body, unpacked.
    pub(super) async fn body(&mut self, most: usize) -> Result<Bytes, Failure> {
        // Known only of a body that is not packed.
        let announced = self.response.content_length().unwrap_or(0);
        if announced > most as u64 {
            return Err(self.too_large(most));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > most {
                return Err(self.too_large(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn too_large(&self, most: usize) -> Failure {
        let most = most >> 20;
        self.fail(
            HttpErrorKind::TooLarge,
            format_args!("the answer is larger than {most} MiB"),
        )
    }

    /// Reads the start of an error's body, as far as it comes quickly.
    async fn refused(mut self) -> Failure {
        let wait = retry_after(self.headers(), Utc::now());
        let longest = self.subject.shared.limits.retries.longest_retry_after;
        if let Some(wait) = wait.filter(|wait| *wait <= longest)
            && may_pass(self.response.status())
        {
            self.subject.shared.gate.pause(wait);
        }
        self.left = self.left.min(ERROR_BODY_WAIT);
        let enough = MAX_ERROR_BODY + self.subject.redactor.longest();
        let mut body = Vec::new();
        while body.len() < enough
            && let Ok(Some(chunk)) = self.chunk().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(enough - body.len())]);
        }
        let status = self.response.status();
        self.subject.refused(status, self.headers(), &body, wait)
    }
}
