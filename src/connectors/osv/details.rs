//! The records of vulnerabilities, each fetched once and kept for the next import.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::api::Api;
use super::record::Record;
use super::row::time;
use crate::connectors::{ConnectorError, Document, Documents};
use crate::http::{HttpError, HttpErrorKind};

/// So many are fetched at the same time, if the tool's own limit allows it.
const AT_ONCE: usize = 8;

/// After so many failures in a row because of the service or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

/// What there is of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detail {
    /// As it is now.
    Now(String),
    /// It was not given, for this reason.
    Not {
        reason: String,
        /// As it was in an earlier import.
        earlier: Option<String>,
        /// OSV says that there is none, though it named it.
        gone: bool,
    },
}

/// Fetches and remembers.
pub(super) struct Details<'a> {
    api: &'a Api,
    documents: Arc<dyn Documents>,
    /// Ids mean the same in one service only.
    space: String,
    failures: u32,
}

impl<'a> Details<'a> {
    pub(super) fn new(api: &'a Api, documents: Arc<dyn Documents>, location: &str) -> Self {
        Self {
            api,
            documents,
            space: format!("osv {location}"),
            failures: 0,
        }
    }

    /// The records of these ids, which were last changed at these times.
    ///
    /// # Errors
    /// What makes going on pointless.
    pub(super) async fn of(
        &mut self,
        hits: &BTreeMap<&str, &str>,
    ) -> Result<HashMap<String, Detail>, ConnectorError> {
        let ids = hits.keys().map(|id| (*id).to_owned()).collect();
        let kept = self.documents.find(&self.space, ids).await;
        let mut earlier: HashMap<String, String> = HashMap::new();
        let mut details = HashMap::new();
        for document in kept {
            let now = hits
                .get(document.name.as_str())
                .and_then(|modified| version(modified));
            if now.as_ref() == Some(&document.version) {
                details.insert(document.name, Detail::Now(document.text));
            } else {
                earlier.insert(document.name, document.text);
            }
        }
        let missing: Vec<String> = hits
            .keys()
            .filter(|id| !details.contains_key(**id))
            .map(|id| (*id).to_owned())
            .collect();
        let (fetched, failure) = self.fetch(missing).await;
        let mut new = Vec::new();
        for (id, outcome) in fetched {
            let detail = match outcome {
                Ok(text) => {
                    new.extend(document(&id, &text));
                    Detail::Now(text)
                }
                Err(NotGiven { reason, gone }) => Detail::Not {
                    reason,
                    gone,
                    earlier: earlier.remove(&id),
                },
            };
            details.insert(id, detail);
        }
        if !new.is_empty() {
            self.documents.keep(&self.space, new).await;
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(details),
        }
    }

    /// What was fetched, and what made it end before its time, if anything did.
    async fn fetch(&mut self, ids: Vec<String>) -> (Vec<Fetched>, Option<ConnectorError>) {
        let api = self.api;
        let fetch = |id: String| async move {
            let record = api.record(&id).await;
            (id, record)
        };
        let mut answers = stream::iter(ids.into_iter().map(fetch)).buffer_unordered(AT_ONCE);
        let mut fetched = Vec::new();
        while let Some((id, answer)) = answers.next().await {
            let outcome = match answer {
                Ok(record) => {
                    self.failures = 0;
                    checked(&id, record.get())
                }
                Err(error) => {
                    self.failures += u32::from(error.concerns_all());
                    if is_pointless(&error) || self.failures >= FAILURES_IN_A_ROW {
                        return (fetched, Some(error.into()));
                    }
                    Err(NotGiven {
                        gone: error.status() == Some(404),
                        reason: error.to_string(),
                    })
                }
            };
            fetched.push((id, outcome));
        }
        (fetched, None)
    }
}

type Fetched = (String, Result<String, NotGiven>);

struct NotGiven {
    reason: String,
    gone: bool,
}

/// The text, if it is the record that was asked for.
fn checked(id: &str, text: &str) -> Result<String, NotGiven> {
    let other = |reason| {
        Err(NotGiven {
            reason,
            gone: false,
        })
    };
    match Record::parse(text) {
        Ok(record) if record.id.as_str() == Some(id) => Ok(text.to_owned()),
        Ok(_) => other(format!("the record of {id} came with another id")),
        Err(reason) => other(format!("{id}: {reason}")),
    }
}

/// The record as it is kept: under its own time of change, which is not always the one that the batch told. Then it is fetched
/// again, until the two agree.
fn document(id: &str, text: &str) -> Option<Document> {
    let record = Record::parse(text).ok()?;
    Some(Document {
        name: id.to_owned(),
        version: version(record.modified.as_str()?)?,
        text: text.to_owned(),
    })
}

/// A time of change, however many digits it is written with.
fn version(modified: &str) -> Option<String> {
    Some(time(modified)?.to_rfc3339())
}

/// Whether every other record would fail likewise.
pub(super) fn is_pointless(error: &HttpError) -> bool {
    matches!(
        &error.kind,
        HttpErrorKind::Status {
            status: 401 | 403,
            ..
        } | HttpErrorKind::Redirected
            | HttpErrorKind::Setup
    )
}
