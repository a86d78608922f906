//! Where findings are kept: SQLite or PostgreSQL behind one interface.
//!
//! Belongs here: SQL, transactions, claims, and the rules that must hold inside one transaction (which finding a sighting
//! belongs to, what resolves). Does not belong here: vendors, schedules, what a person may see.

mod codes;
mod dictionaries;
mod document;
mod import;
mod names;
mod news;
mod outbox;
mod pack;
mod postgres;
mod prepare;
mod prepared;
mod printing;
mod query;
mod run;
mod sqlite;
mod standing;
mod tables;
mod wanted;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::config::StoreUrl;
use crate::finding::Finding;

pub use document::StoredDocument;
pub use import::{
    Accepted, Before, Change, Closing, HoldLimits, ListedRecord, Proof, ScopeId, ScopeKey,
    ScopeState, Unseen, WriteCounts,
};
pub use news::{BroughtFindings, LastImport, News, PastRun, WantedRun};
pub use outbox::{EndedRun, FindingGroup, KnownGroup, Message, NewMessage, Outbox, Waiting};
pub use prepared::Prepared;
pub use query::{ApiState, FindingFilter, RecordState, StatusFilter};
pub use run::{Claim, NewRun, Run, RunEnd, RunFilter, RunId, RunState, TakeOver, Taken, Trigger};

/// The interface of all engines. Every call is one transaction: done whole or not at all.
#[async_trait]
pub trait Store: Outbox + News {
    /// Adds a run in state `queued`. With a slot: only if nobody has claimed that slot of that API configuration before,
    /// else `None` (exactly once, over all daemons and restarts).
    async fn enqueue(&self, run: NewRun) -> Result<Option<RunId>, StoreError>;

    /// Makes a queued run `running`. Only one run of an API configuration runs at a time, over all processes that share the
    /// store: [`Claim::Busy`] otherwise; the run then stays queued. The claim dies with this process.
    async fn start(&self, run: RunId) -> Result<Claim, StoreError>;

    /// Ends a run and lets its claim go. May be called from `queued` too (`skipped`, `interrupted`). Where daemons share the
    /// store, a run that ends as `interrupted` is queued again, but not one that was run by hand, and not for ever.
    async fn finish(&self, run: RunId, end: RunEnd) -> Result<(), StoreError>;

    /// Marks every queued or running run whose process is gone as `interrupted`; how many.
    async fn interrupt_leftovers(&self) -> Result<u64, StoreError>;

    /// Runs, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, StoreError>;

    /// The latest claimed slot of each API configuration.
    async fn claimed_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError>;

    /// Opens a scope for this run, adding it if it is new, and loads what is known of it: 24 bytes a sighting.
    async fn open_scope(&self, run: RunId, scope: ScopeKey) -> Result<ScopeState, StoreError>;

    /// Makes a batch of new and changed sightings ready to be written, beside whatever is written meanwhile; each
    /// `source_id` at most once in a batch.
    async fn prepare(&self, scope: ScopeId, changes: Arc<[Change]>)
    -> Result<Prepared, StoreError>;

    /// How many changes should be written together at most. Each takes less than 1 KB of memory, and as many again gather while
    /// these are written.
    fn most_together(&self) -> usize;

    /// Writes batches of one scope in the order in which they were read. A sighting that this run has written before is
    /// merged into what it wrote.
    async fn write_prepared(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: Arc<[Prepared]>,
    ) -> Result<WriteCounts, StoreError>;

    /// Prepares and writes one batch.
    async fn write(
        &self,
        run: RunId,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<WriteCounts, StoreError> {
        let batch = self.prepare(scope, changes).await?;
        self.write_prepared(run, scope, Arc::new([batch])).await
    }

    /// The end of an import: counts a complete import for each proven scope, resolves what was proven gone, or holds it all.
    /// Scopes without proof are left as they are.
    async fn close(
        &self,
        run: RunId,
        proofs: Vec<Proof>,
        limits: HoldLimits,
    ) -> Result<Closing, StoreError>;

    /// Resolves what the last held import of the API configuration would have resolved, and makes that run `complete`.
    /// `None` if nothing is held.
    async fn accept(
        &self,
        api_configuration: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<Accepted>, StoreError>;

    /// After a complete discovery: these records exist, all others of the API configuration are `missing`. Records that the
    /// API configuration does not want are not added; where they are known already, they become `excluded`. The answer is
    /// what is missing, each with its scopes, for `missing_records = "resolve"`.
    async fn list_records(
        &self,
        run: RunId,
        records: Vec<ListedRecord>,
    ) -> Result<Vec<(RecordState, Vec<ScopeId>)>, StoreError>;

    /// Records, counts, last runs of every API configuration that the store knows.
    async fn api_states(&self) -> Result<Vec<ApiState>, StoreError>;

    /// Findings that pass the filter, in order of their ids, streamed: the first is there before the last is read.
    async fn findings(
        &self,
        filter: FindingFilter,
    ) -> Result<mpsc::Receiver<Result<Finding, StoreError>>, StoreError>;

    /// One finding with its history.
    async fn finding(&self, id: i64, raw: bool) -> Result<Option<Finding>, StoreError>;

    /// The documents of these names that are kept in this space, in any order, and marks them as used at this time. The mark
    /// may be days old, so that reading is seldom writing.
    async fn documents(
        &self,
        space: &str,
        names: Vec<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<StoredDocument>, StoreError>;

    /// Keeps documents, used at this time, each in place of one of the same space and name.
    async fn keep_documents(
        &self,
        space: &str,
        documents: Vec<StoredDocument>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Forgets the documents that were not used since this time; how many.
    async fn forget_documents(&self, unused_since: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Tidies up after a run (write-ahead log); cheap.
    async fn settle(&self) -> Result<(), StoreError>;

    /// Whether daemons on several hosts can share this store; the methods below are for them.
    fn is_shared(&self) -> bool {
        false
    }

    /// The time. Where hosts share a store, its clock says what is due and when something was seen, whatever theirs say.
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// Until somebody has added a run.
    async fn run_added(&self) {
        std::future::pending().await
    }

    /// Takes runs off the common queue: those that wait at a daemon that has no place for them, and those of daemons that
    /// are gone. What such a daemon has begun ends as `interrupted`, and a run is queued in its place; not for ever.
    async fn take_over(&self, _wish: TakeOver<'_>) -> Result<Vec<Taken>, StoreError> {
        Ok(Vec::new())
    }

    /// Tells watchers on other hosts how far a run of this process is.
    async fn note_progress(&self, _run: RunId, _progress: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// What was last noted of a run under way.
    async fn progress_of(&self, _run: RunId) -> Result<Option<String>, StoreError> {
        Ok(None)
    }
}

/// Opens the store for reading and writing, migrating it to this version's schema first.
///
/// # Errors
/// The place cannot be written, or its schema is newer than this program.
pub async fn open(url: &StoreUrl) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open(path).await?)),
        StoreUrl::Postgres(url) => Ok(Arc::new(postgres::PostgresStore::open(url).await?)),
    }
}

/// Opens an existing store for listings only: nothing is created, migrated or locked.
///
/// # Errors
/// There is none, it cannot be read, or its schema is not this program's.
pub async fn open_read_only(url: &StoreUrl) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open_read_only(path).await?)),
        StoreUrl::Postgres(url) => Ok(Arc::new(
            postgres::PostgresStore::open_read_only(url).await?,
        )),
    }
}

/// Moves everything from one store into another, empty one; how many rows. The first is left as it is.
///
/// # Errors
/// Other than from SQLite to PostgreSQL; the first is being written, the second is not empty, or one of them fails. Then
/// nothing has been moved.
pub async fn migrate(from: &StoreUrl, to: &StoreUrl) -> Result<u64, StoreError> {
    match (from, to) {
        (StoreUrl::Sqlite(path), StoreUrl::Postgres(url)) => {
            // As much as is under way while the other side is busy.
            let (sender, mut receiver) = mpsc::channel(2);
            let export = tokio::spawn(sqlite::export(path.clone(), sender));
            let taken_in = postgres::intake(url, &mut receiver).await;
            // It may wait for somebody to take its next piece.
            drop(receiver);
            let exported = export.await.map_err(|error| StoreError::Engine {
                place: path.display().to_string(),
                reason: format!("reading it stopped after a fault of secpull: {error}"),
                passing: false,
            })?;
            match (exported, taken_in) {
                (_, Ok(rows)) => Ok(rows),
                // What came to no end says less than why.
                (Err(error), Err(_)) if !sqlite::was_given_up(&error) => Err(error),
                (_, Err(error)) => Err(error),
            }
        }
        _ => Err(StoreError::Engine {
            place: "of these two URLs".to_owned(),
            reason: "only a SQLite store can be moved, and only into PostgreSQL".to_owned(),
            passing: false,
        }),
    }
}

/// Why the store did not do it, in one line that an admin can act on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store at this place.
    #[error("there is no store at {0}: has anything been imported yet?")]
    Absent(String),
    /// A newer secpull has migrated it.
    #[error(
        "the store {place} has schema version {found}, this secpull knows up to {known}: use the newer secpull that wrote it"
    )]
    TooNew {
        /// Where.
        place: String,
        /// Its version.
        found: u64,
        /// The newest that this program knows.
        known: u64,
    },
    /// The engine failed: disk full, locked, read-only, corrupt, …
    #[error("the store {place} failed: {reason}")]
    Engine {
        /// Where.
        place: String,
        /// The engine's words, and what to do where that is clear.
        reason: String,
        /// Whether trying again later can help (locked, disk full).
        passing: bool,
    },
    /// The run was ended from outside (`interrupted` by another process): it may write nothing more.
    #[error("run {0} has lost its claim")]
    ClaimLost(RunId),
}
