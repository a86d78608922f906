use std::time::Duration;

/// Why a request failed. `Display` is one line that an operator can act on: method, URL without query, what happened, what
/// the tool answered (first line, cut), what to do. It never holds a credential, a query string or a header.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What sort of failure; connectors decide by it.
    pub kind: HttpErrorKind,
    /// The whole line.
    pub message: String,
}

/// The sorts of failure that connectors tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The tool answered this status (after retries, where it may be retried), with this much of its body as text (at most
    /// 4 KiB, may be empty).
    Status {
        /// HTTP status.
        status: u16,
        /// Start of the body.
        body: String,
        /// Retry-After, where the tool sent one.
        retry_after: Option<Duration>,
    },
    /// No answer: DNS, connection, reset, TLS, proxy.
    Connection,
    /// The time limit of the whole request was reached.
    TimedOut,
    /// Redirected to another origin; refused.
    Redirected,
    /// Content type or body is not JSON (an HTML login page, say).
    NotJson,
    /// The body ended early or holds bytes after its end.
    Truncated,
    /// JSON, but not of the expected shape.
    UnexpectedShape,
    /// Body, or one element, larger than the cap.
    TooLarge,
    /// The client cannot be built: no trust store, bad certificate, bad key, bad proxy.
    Setup,
}

impl HttpError {
    /// The HTTP status, if the tool answered one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.kind {
            HttpErrorKind::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the failure is the server's or the network's rather than that of what was asked for: other requests would
    /// most likely fail too.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        match &self.kind {
            HttpErrorKind::Connection | HttpErrorKind::TimedOut | HttpErrorKind::NotJson => true,
            HttpErrorKind::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
