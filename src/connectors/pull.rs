//! What passes from a connector to an import.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::documents::{Documents, Nowhere};
use crate::config::RecordFilter;
use crate::finding::{Sighting, SourceKey};
use crate::http::Meter;

/// The vendor's own project, site, target or app that findings belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Record {
    /// The vendor's stable id.
    pub id: String,
    /// The vendor's name of it; it may change.
    pub name: String,
    /// What else helps people to recognise it, if anything: version, namespaces, URL.
    pub detail: Option<String>,
}

/// What is complete or not as a whole: one record, one branch of it where the connector reads branches by itself, one part of
/// that where the connector reads parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The record.
    pub record: Record,
    /// The branch as the tool names it; none where the tool has none or the API configuration's label decides.
    pub branch: Option<String>,
    /// What of the record and branch is read, where the tool proves its parts one by one (the engines of a scanner, say): each
    /// part is a scope of its own. None where there is one whole.
    pub part: Option<String>,
}

/// How the reading of a scope ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Read to its proper end, and the source was healthy: what was not seen is gone.
    Complete,
    /// Not so, for this reason (one line for an operator). Nothing may be concluded from absence.
    Incomplete(String),
    /// Read to its end, and all is well, but absence proves nothing here: the tool has stopped to watch the record, say. What
    /// was not seen stays as it is, and the rest of the run is none the worse for it.
    Unproven,
}

/// One thing that a connector says.
#[derive(Debug)]
pub enum Pulled {
    /// A complete discovery: these are all the records that there are, filtered by nothing.
    Records(Vec<Record>),
    /// How many findings are to be expected, as far as the tool says; added up for progress.
    Expected(u64),
    /// A page of a scope's findings.
    Page {
        /// Whose.
        scope: Scope,
        /// What was read. Several rows of one `source_id` are merged by the import.
        sightings: Vec<Sighting>,
        /// Rows that could not be read; the scope is then not complete.
        unreadable: u64,
        /// The first reason for that, for people.
        unreadable_reason: Option<String>,
    },
    /// A page of a scope's findings as the vendor wrote them. They are mapped only where they are new or have changed, so
    /// that an import which brings nothing new costs little more than its download.
    Rows {
        /// Whose.
        scope: Scope,
        /// What was read. Several rows of one `source_id` are merged by the import; those that cannot be mapped count as
        /// rows that could not be read.
        rows: Vec<Row>,
    },
    /// Findings of a scope that the tool still lists and that the API configuration leaves out: those that are known stay as
    /// they are, others are not taken in. So a setting that is narrowed resolves nothing.
    LeftOut {
        /// Whose.
        scope: Scope,
        /// [`Sighting::source_key`] of each.
        keys: Vec<SourceKey>,
    },
    /// The end of a scope. Without it a scope is not complete.
    End {
        /// Which.
        scope: Scope,
        /// How.
        completeness: Completeness,
    },
    /// Something that an operator should know although the import goes on; kept in the run's history.
    Warning(String),
}

/// One element of a vendor's answer, not yet mapped: for tools whose findings hold nothing that changes without news.
#[derive(Clone)]
pub struct Row {
    /// [`Sighting::source_key`] of what it is mapped to.
    pub key: SourceKey,
    /// The vendor's JSON.
    pub json: Bytes,
    /// Maps it.
    pub map: MapRow,
}

/// Maps a vendor's JSON, or tells why it cannot be read. Nothing but the JSON and the key may count: equal rows of a key are
/// not mapped again before the next version of secpull.
pub type MapRow = Arc<dyn Fn(&[u8]) -> Result<Sighting, String> + Send + Sync>;

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Nobody reads the sink any more.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the import was ended")]
pub struct SinkClosed;

/// Where a connector puts what it reads. Bounded: it waits while the import is busy.
#[derive(Debug)]
pub struct Sink {
    sender: mpsc::Sender<Pulled>,
    filter: RecordFilter,
    meter: Arc<Meter>,
    documents: Arc<dyn Documents>,
}

impl Sink {
    /// A sink and the end to read from; `depth` pages may wait in between. Documents are kept nowhere.
    #[must_use]
    pub fn new(depth: usize, filter: RecordFilter) -> (Self, mpsc::Receiver<Pulled>) {
        let (sender, receiver) = mpsc::channel(depth);
        let meter = Arc::default();
        (
            Self {
                sender,
                filter,
                meter,
                documents: Arc::new(Nowhere),
            },
            receiver,
        )
    }

    /// With a place for the vendor's documents.
    #[must_use]
    pub fn with_documents(self, documents: Arc<dyn Documents>) -> Self {
        Self { documents, ..self }
    }

    /// Where the vendor's documents are kept between imports.
    #[must_use]
    pub fn documents(&self) -> Arc<dyn Documents> {
        Arc::clone(&self.documents)
    }

    /// Counts this run's requests; for [`crate::http::Client::metered`].
    #[must_use]
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Whether the API configuration wants this record.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        self.filter.admits(&record.id, &record.name)
    }

    /// Hands something over.
    ///
    /// # Errors
    /// [`SinkClosed`] if the run is over: return at once.
    pub async fn put(&mut self, pulled: Pulled) -> Result<(), SinkClosed> {
        self.sender.send(pulled).await.map_err(|_| SinkClosed)
    }
}
