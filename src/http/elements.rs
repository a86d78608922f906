use std::fmt;

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::exchange::Exchange;
use super::splitter::{SplitError, Splitter};
use super::{HttpError, HttpErrorKind};

/// The elements of an array, as they arrive. Memory: one element and one chunk.
pub struct Elements {
    /// The answer's headers.
    pub headers: HeaderMap,
    exchange: Exchange,
    splitter: Splitter,
    /// The document around the array, once it was read.
    envelope: String,
    /// Read, but not yet split.
    pending: Option<Bytes>,
    /// How it ended.
    end: Option<Result<(), HttpError>>,
}

impl Elements {
    pub(super) fn new(
        exchange: Exchange,
        first: Option<Bytes>,
        path: &'static [&'static str],
    ) -> Self {
        Self {
            headers: exchange.headers().clone(),
            exchange,
            splitter: Splitter::new(path),
            envelope: String::new(),
            pending: first,
            end: None,
        }
    }

    /// The next elements, each one whole JSON value; an empty list is never given. `None` after the array's proper end,
    /// when the rest of the body was read and found to be well-formed.
    ///
    /// # Errors
    /// Cut body, time-out, an element over 8 MiB, not JSON; if the body has no array at the path, it is
    /// [`HttpErrorKind::UnexpectedShape`], at the end and with the envelope readable. Once it failed, it always fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Bytes>>, HttpError> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| None);
        }
        match self.advance().await {
            Ok(Some(elements)) => Ok(Some(elements)),
            Ok(None) => {
                self.end = Some(Ok(()));
                Ok(None)
            }
            Err(error) => {
                self.end = Some(Err(error.clone()));
                Err(error)
            }
        }
    }

    /// The document around the array, with the array emptied (`{"status":"success","data":{…,"result":[]}}`), after
    /// [`Self::next`] gave `None` or [`HttpErrorKind::UnexpectedShape`]; empty before. At most 1 MiB.
    #[must_use]
    pub fn envelope(&self) -> &str {
        &self.envelope
    }

    async fn advance(&mut self) -> Result<Option<Vec<Bytes>>, HttpError> {
        let mut elements = Vec::new();
        loop {
            let chunk = match self.pending.take() {
                Some(chunk) => Some(chunk),
                None => self
                    .exchange
                    .chunk()
                    .await
                    .map_err(|failure| failure.error)?,
            };
            let Some(chunk) = chunk else {
                let finished = self.splitter.finish();
                self.envelope = self.redacted_envelope();
                finished.map_err(|error| self.refuse(&error))?;
                return Ok(None);
            };
            self.splitter
                .feed(&chunk, &mut elements)
                .map_err(|error| self.refuse(&error))?;
            if !elements.is_empty() {
                for element in &mut elements {
                    if let Some(redacted) = self.exchange.redact_json(element) {
                        *element = redacted.into();
                    }
                }
                return Ok(Some(elements));
            }
        }
    }

    fn redacted_envelope(&self) -> String {
        let envelope = self.splitter.envelope();
        self.exchange
            .redact_json(envelope.as_bytes())
            .and_then(|redacted| String::from_utf8(redacted).ok())
            .unwrap_or_else(|| envelope.to_owned())
    }

    fn refuse(&self, error: &SplitError) -> HttpError {
        let kind = match error {
            SplitError::Truncated(_) | SplitError::Trailing(_) => HttpErrorKind::Truncated,
            SplitError::Malformed(_) => HttpErrorKind::NotJson,
            SplitError::NoArray(_) => HttpErrorKind::UnexpectedShape,
            SplitError::ElementTooLarge { .. }
            | SplitError::TooBlank(_)
            | SplitError::EnvelopeTooLarge => HttpErrorKind::TooLarge,
        };
        self.exchange.fail(kind, error).error
    }
}

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elements").finish_non_exhaustive()
    }
}
