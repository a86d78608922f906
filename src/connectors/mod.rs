//! One room per tool, and the trait that they share: check, discover, pull.
//!
//! Belongs here: a vendor's paths, parameters, tables, and the mapping of its JSON to a [`crate::finding::Sighting`]. Does
//! not belong here: the store, the schedule, deduplication. A connector never sees the store.

#[cfg(feature = "aws")]
mod aws_security_hub;
mod burp;
mod checkmarx_one;
mod cwe;
mod defectdojo;
mod dependency_track;
mod documents;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzzed;
mod html;
mod lenient;
mod markdown;
mod members;
mod message;
mod osv;
mod pages;
mod probely;
mod pull;
mod rating;
mod registry;
mod semgrep;
mod snyk;
mod sonarqube;
mod tenable;
mod trivy_prometheus;

use async_trait::async_trait;

use crate::config::ApiConfiguration;
use crate::http::HttpError;

pub use documents::{Document, Documents};
pub use pull::{Completeness, MapRow, Pulled, Record, Row, Scope, Sink, SinkClosed};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use registry::page_targets;
pub use registry::{Connectors, spec_of, specs};

/// Speaks one tool's API. One value per configured tool, shared by all its API configurations and runs.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Connects and authenticates, cheaply; where an API configuration is given, proves also that its record can be read.
    /// The answer is one line for people: product, version, what was proven.
    ///
    /// # Errors
    /// What is wrong and what to do.
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError>;

    /// All records that the credentials can see, unfiltered.
    ///
    /// # Errors
    /// Any failure; a partial list is never given.
    async fn discover(&self) -> Result<Vec<Record>, ConnectorError>;

    /// Whether the connector's own settings of the API configuration (a project's key, say) select this record. The common
    /// `records` filter comes on top. Override it where there are such settings.
    fn selects(&self, _api: &ApiConfiguration, _record: &Record) -> bool {
        true
    }

    /// Reads everything that the API configuration asks for into the sink: records where it discovers them, then for each
    /// scope its pages and its end. A scope that fails while others can go on is ended as
    /// [`Completeness::Incomplete`]; an error returned ends the run as failed.
    ///
    /// # Errors
    /// What made going on pointless (credentials refused, host unknown, …).
    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError>;
}

/// What went wrong with a tool, in one line that an operator can act on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Whoever signs in for the tool does not accept the credentials, whatever status it says so with.
    #[error(transparent)]
    Credentials(HttpError),
    /// The tool answered, but what it says makes no import possible.
    #[error("{0}")]
    Refused(String),
    /// The run is over (cancelled, out of time, the store failed): stop reading.
    #[error(transparent)]
    Closed(#[from] SinkClosed),
}

impl ConnectorError {
    /// Whether the tool did not accept the credentials, or not for what was asked.
    #[must_use]
    pub fn is_refusal_of_credentials(&self) -> bool {
        match self {
            Self::Credentials(_) => true,
            Self::Http(error) => matches!(error.status(), Some(401 | 403)),
            Self::Refused(_) | Self::Closed(_) => false,
        }
    }

    /// Whether the failure is the server's or the network's rather than one record's.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        matches!(self, Self::Http(error) if error.concerns_all())
    }
}
