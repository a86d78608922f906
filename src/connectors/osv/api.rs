//! The calls, and what their failures mean.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{page, refusal};
use super::batch::Page;
use super::package::Query;
use crate::connectors::ConnectorError;
use crate::http::{Client, HttpError, HttpErrorKind};

/// What is not encoded in an id that becomes part of a path.
const ID: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A package that everybody knows.
const HARMLESS: &str = "pkg:pypi/jinja2@2.4.1";

/// The service, and one run's meter.
pub(super) struct Api {
    client: Client,
}

/// A query with the token of its next page.
#[derive(Serialize)]
pub(super) struct Asked<'a> {
    #[serde(flatten)]
    pub(super) query: &'a Query,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page_token: Option<&'a str>,
}

/// What became of a batch.
pub(super) enum Batch {
    /// One page for each query.
    Pages(Vec<Page>),
    /// One of the queries is wrong: which, if that is said, and why.
    Refused {
        index: Option<usize>,
        reason: String,
    },
}

#[derive(Serialize)]
struct Queries<'a, Q> {
    queries: &'a [Q],
}

#[derive(serde::Deserialize)]
struct Results {
    results: Option<Vec<Box<RawValue>>>,
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Proves that the service is there and answers.
    pub(super) async fn prove(&self) -> Result<(), ConnectorError> {
        let query = serde_json::json!({"package": {"purl": HARMLESS}});
        match self.ask(&[query]).await? {
            Batch::Pages(_) => Ok(()),
            Batch::Refused { reason, .. } => Err(ConnectorError::Refused(format!(
                "OSV refuses a query that it should know ({reason}); is location that of OSV.dev or of its mirror?"
            ))),
        }
    }

    /// Asks for up to 1,000 packages.
    pub(super) async fn ask<Q: Serialize + Sync>(
        &self,
        queries: &[Q],
    ) -> Result<Batch, ConnectorError> {
        let request = self
            .client
            .post("/v1/querybatch")
            .body(&Queries { queries });
        // It only asks.
        let answer = match request.idempotent().json::<Results>().await {
            Ok(answer) => answer,
            Err(error) => return self.refused(error),
        };
        let results = answer.body.results.ok_or_else(|| {
            ConnectorError::Refused(
                "the answer to /v1/querybatch has no results; is location that of OSV.dev or of its mirror?".to_owned(),
            )
        })?;
        if results.len() != queries.len() {
            return Err(ConnectorError::Refused(format!(
                "OSV gave {} results for {} packages; nothing is concluded from that",
                results.len(),
                queries.len()
            )));
        }
        Ok(Batch::Pages(
            results.iter().map(|entry| page(entry)).collect(),
        ))
    }

    fn refused(&self, error: HttpError) -> Result<Batch, ConnectorError> {
        let refused = match &error.kind {
            HttpErrorKind::Status {
                status: 400, body, ..
            } => refusal(body),
            _ => None,
        };
        match refused {
            Some((index, reason)) => Ok(Batch::Refused {
                index,
                reason: self.client.quote(&reason),
            }),
            None => Err(explain(error)),
        }
    }

    /// The record of an id, as the service writes it.
    pub(super) async fn record(&self, id: &str) -> Result<Box<RawValue>, HttpError> {
        let path = format!("/v1/vulns/{}", utf8_percent_encode(id, ID));
        Ok(self.client.get(&path).json::<Box<RawValue>>().await?.body)
    }
}

/// Adds to a failure what only OSV's own facts explain.
fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 404, .. } | HttpErrorKind::NotJson => {
            "location must be that of OSV.dev's API (https://api.osv.dev) or of its mirror"
        }
        HttpErrorKind::Status { status: 429, .. } => "set max_requests_per_second",
        _ => return ConnectorError::Http(error),
    };
    ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    })
}
