//! The PostgreSQL engine.
//!
//! Belongs here: the statements, next to the functions that run them; leases and locks, since here several processes write
//! at the same time. Does not belong here: anything that another engine does the same way.
//!
//! Whoever writes locks the run's row first, then filings in the order of their ids, then the row of the API configuration:
//! nobody waits for somebody who waits for him.

mod announcing;
mod bodies;
mod candidates;
mod clock;
mod close;
mod connect;
mod delivering;
mod documents;
mod fault;
mod holder;
mod intake;
mod listing;
mod news;
mod outbox;
mod plan;
mod reading;
mod rows;
mod runs;
mod scopes;
mod sharing;
mod standing;
mod states;
mod write;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgPool, Postgres, Transaction};
use tokio::sync::mpsc;

use super::dictionaries::{Dictionaries, Training};
use super::names::KnownNames;
use super::tables::Piece;
use super::{
    Accepted, ApiState, Change, Claim, Closing, FindingFilter, HoldLimits, ListedRecord, NewRun,
    Prepared, Proof, RecordState, Run, RunEnd, RunFilter, RunId, ScopeId, ScopeKey, ScopeState,
    Store, StoreError, StoredDocument, TakeOver, Taken, WriteCounts,
};
use super::{pack, prepare};
use crate::config::PostgresUrl;
use crate::finding::Finding;
use close::Concluding;
use fault::Fault;
use holder::Holder;
use listing::Listing;
use write::Writing;

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub(super) struct PostgresStore {
    /// For messages: without a password.
    place: String,
    pool: PgPool,
    /// None: opened for listings only.
    holder: Option<Holder>,
    dictionaries: Arc<Dictionaries>,
    names: Mutex<KnownNames>,
}

/// Findings that wait for whoever listens.
const WAITING: usize = 64;

/// No transaction takes so long: the largest is the end of an import, which takes seconds for a million findings.
const PATIENCE: Duration = Duration::from_secs(600);

impl PostgresStore {
    /// Opens for reading and writing; migrates, and takes a lease.
    pub(super) async fn open(url: &PostgresUrl) -> Result<Self, StoreError> {
        let place = url.to_string();
        let opened = async {
            let options = connect::options(url);
            let mut connection = connect::connect(url, &options).await?;
            connect::migrate(&mut connection, &place).await?;
            let holder = Holder::begin(url.lease, options.clone()).await?;
            Ok((connect::pool(url, &options), holder))
        };
        match opened.await {
            Ok((pool, holder)) => Ok(Self::over(place, pool, Some(holder))),
            Err(fault) => Err(Fault::at(fault, &place)),
        }
    }

    /// Opens an existing one for listings.
    pub(super) async fn open_read_only(url: &PostgresUrl) -> Result<Self, StoreError> {
        let place = url.to_string();
        let opened = async {
            let options = connect::options(url);
            let mut connection = connect::connect(url, &options).await?;
            connect::check(&mut connection, &place).await?;
            Ok(connect::pool(url, &options))
        };
        match opened.await {
            Ok(pool) => Ok(Self::over(place, pool, None)),
            Err(fault) => Err(Fault::at(fault, &place)),
        }
    }

    fn over(place: String, pool: PgPool, holder: Option<Holder>) -> Self {
        Self {
            place,
            pool,
            holder,
            dictionaries: Arc::default(),
            names: Mutex::default(),
        }
    }

    fn at(&self) -> impl Fn(Fault) -> StoreError {
        |fault| fault.at(&self.place)
    }

    /// This process, as the owner of runs.
    fn holder(&self) -> Result<i64, Fault> {
        match &self.holder {
            Some(holder) => Ok(holder.id),
            None => Err(Fault::Lasting("it was opened for listings only".to_owned())),
        }
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>, Fault> {
        Ok(self.pool.acquire().await?)
    }

    /// A transaction that writes. Dropped before its commit: nothing has happened.
    async fn begin(&self) -> Result<(i64, Transaction<'static, Postgres>), Fault> {
        Ok((self.holder()?, self.pool.begin().await?))
    }

    /// What a scope's batch is to be packed with. The first batches of a connector may make its dictionary.
    async fn encoder(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Option<Arc<zstd::dict::EncoderDictionary<'static>>>, Fault> {
        if let Some(encoder) = self.dictionaries.of_scope(scope) {
            return Ok(Some(encoder));
        }
        let mut connection = self.connection().await?;
        let connector = scopes::connector(&mut connection, scope).await?;
        let encoder = bodies::encoder(&mut connection, &self.dictionaries, &connector).await?;
        if let Some(encoder) = encoder {
            self.dictionaries.remember(scope, &encoder);
            return Ok(Some(encoder));
        }
        let dictionaries = Arc::clone(&self.dictionaries);
        let training = blocking(move || {
            let rows = changes.iter().map(|change| pack::plain(&change.sighting));
            Ok(dictionaries.gather(&connector, rows)?)
        });
        let Some(training) = training.await? else {
            return Ok(None);
        };
        let training: Training = training;
        let is_saved = bodies::save(&mut connection, &training).await?;
        Ok(is_saved.then(|| training.announce()))
    }

    async fn try_write(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: &[Prepared],
    ) -> Result<WriteCounts, Fault> {
        let (holder, mut transaction) = self.begin().await?;
        let writing = Writing {
            holder,
            run,
            scope,
            batches,
            dictionaries: &self.dictionaries,
            names: &self.names,
        };
        let (counts, names) = writing.write(&mut transaction).await?;
        transaction.commit().await?;
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        known.remember(names);
        Ok(counts)
    }
}

/// Takes in all that another store holds, into an empty one; how many rows.
pub(super) async fn intake(
    url: &PostgresUrl,
    pieces: &mut mpsc::Receiver<Piece>,
) -> Result<u64, StoreError> {
    let place = url.to_string();
    let taken_in = async {
        let mut connection = connect::connect(url, &connect::options(url)).await?;
        connect::migrate(&mut connection, &place).await?;
        let mut transaction = connection.begin().await?;
        // The other side may be slow.
        sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0")
            .execute(&mut *transaction)
            .await?;
        let rows = intake::intake(&mut transaction, pieces).await?;
        transaction.commit().await?;
        Ok(rows)
    };
    taken_in.await.map_err(|fault: Fault| fault.at(&place))
}

/// Does `job` on a thread that may block.
async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done,
        Err(error) => Err(Fault::Lasting(format!(
            "packing findings stopped after a fault of secpull: {error}"
        ))),
    }
}

/// A connection that is cut off on the way says nothing for ever.
async fn in_time<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::Passing(format!(
            "the server did not answer within {} minutes",
            PATIENCE.as_secs() / 60
        ))),
    }
}

/// Runs `$work` in a transaction `$transaction` of the holder `$holder`.
macro_rules! transaction {
    ($store:ident, |$transaction:ident, $holder:ident| $work:expr) => {{
        let done = in_time(async {
            let ($holder, mut transaction) = $store.begin().await?;
            let $transaction = &mut *transaction;
            let done = $work.await?;
            transaction.commit().await?;
            Ok(done)
        });
        done.await.map_err($store.at())
    }};
}
use transaction;

#[async_trait]
impl Store for PostgresStore {
    async fn enqueue(&self, run: NewRun) -> Result<Option<RunId>, StoreError> {
        transaction!(self, |transaction, holder| runs::enqueue(
            transaction,
            holder,
            &run
        ))
    }

    async fn start(&self, run: RunId) -> Result<Claim, StoreError> {
        transaction!(self, |transaction, holder| runs::start(
            transaction,
            holder,
            run
        ))
    }

    async fn finish(&self, run: RunId, end: RunEnd) -> Result<(), StoreError> {
        transaction!(self, |transaction, holder| runs::finish(
            transaction,
            holder,
            run,
            &end
        ))
    }

    async fn interrupt_leftovers(&self) -> Result<u64, StoreError> {
        transaction!(self, |transaction, _holder| runs::interrupt_leftovers(
            transaction
        ))
    }

    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, StoreError> {
        let listed = async { runs::list(&mut *self.connection().await?, &filter).await };
        listed.await.map_err(self.at())
    }

    async fn claimed_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        let slots = async { runs::claimed_slots(&mut *self.connection().await?).await };
        slots.await.map_err(self.at())
    }

    async fn open_scope(&self, run: RunId, scope: ScopeKey) -> Result<ScopeState, StoreError> {
        let id = transaction!(self, |transaction, holder| scopes::open(
            transaction,
            holder,
            run,
            &scope
        ))?;
        // Nobody but this run writes to the scope: what is read now is what it was at the commit.
        let known = async { scopes::known(&mut *self.connection().await?, id).await };
        Ok(ScopeState {
            id,
            known: known.await.map_err(self.at())?,
        })
    }

    async fn prepare(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Prepared, StoreError> {
        let prepared = async {
            let encoder = self.encoder(scope, Arc::clone(&changes)).await?;
            blocking(move || Ok(prepare::prepare(&changes, encoder)?)).await
        };
        prepared.await.map_err(self.at())
    }

    async fn write_prepared(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: Arc<[Prepared]>,
    ) -> Result<WriteCounts, StoreError> {
        let written = in_time(self.try_write(run, scope, &batches));
        written.await.map_err(self.at())
    }

    async fn close(
        &self,
        run: RunId,
        proofs: Vec<Proof>,
        limits: HoldLimits,
    ) -> Result<Closing, StoreError> {
        transaction!(self, |transaction, holder| {
            let concluding = Concluding {
                holder,
                run,
                dictionaries: &self.dictionaries,
            };
            async move { concluding.close(transaction, &proofs, limits).await }
        })
    }

    async fn accept(
        &self,
        api_configuration: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<Accepted>, StoreError> {
        transaction!(self, |transaction, _holder| close::accept(
            transaction,
            &self.dictionaries,
            api_configuration,
            at
        ))
    }

    async fn list_records(
        &self,
        run: RunId,
        records: Vec<ListedRecord>,
    ) -> Result<Vec<(RecordState, Vec<ScopeId>)>, StoreError> {
        transaction!(self, |transaction, holder| scopes::list_records(
            transaction,
            holder,
            run,
            &records
        ))
    }

    async fn api_states(&self) -> Result<Vec<ApiState>, StoreError> {
        let states = async { states::api_states(&mut *self.connection().await?).await };
        states.await.map_err(self.at())
    }

    async fn findings(
        &self,
        filter: FindingFilter,
    ) -> Result<mpsc::Receiver<Result<Finding, StoreError>>, StoreError> {
        let listing = Listing::begin(self.pool.clone(), Arc::clone(&self.dictionaries), &filter);
        let listing = listing.await.map_err(self.at())?;
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(list(listing, sender, self.place.clone()));
        Ok(receiver)
    }

    async fn finding(&self, id: i64, raw: bool) -> Result<Option<Finding>, StoreError> {
        let found = async {
            let mut connection = self.connection().await?;
            listing::finding(&mut connection, &self.dictionaries, id, raw).await
        };
        found.await.map_err(self.at())
    }

    async fn documents(
        &self,
        space: &str,
        names: Vec<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<StoredDocument>, StoreError> {
        let found =
            async { documents::find(&mut *self.connection().await?, space, &names, at).await };
        found.await.map_err(self.at())
    }

    async fn keep_documents(
        &self,
        space: &str,
        documents: Vec<StoredDocument>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let packed = blocking(move || documents::pack(documents));
        let packed = packed.await.map_err(self.at())?;
        transaction!(self, |transaction, _holder| documents::keep(
            transaction,
            space,
            &packed,
            at
        ))
    }

    async fn forget_documents(&self, unused_since: DateTime<Utc>) -> Result<u64, StoreError> {
        transaction!(self, |transaction, _holder| documents::forget(
            transaction,
            unused_since
        ))
    }

    /// Nothing: the server tidies up by itself.
    async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn now(&self) -> DateTime<Utc> {
        self.holder.as_ref().map_or_else(Utc::now, Holder::now)
    }

    async fn run_added(&self) {
        match &self.holder {
            Some(holder) => holder.added().await,
            None => std::future::pending().await,
        }
    }

    async fn take_over(&self, wish: TakeOver<'_>) -> Result<Vec<Taken>, StoreError> {
        transaction!(self, |transaction, holder| sharing::take_over(
            transaction,
            holder,
            wish
        ))
    }

    async fn note_progress(&self, run: RunId, progress: &str) -> Result<(), StoreError> {
        let noted = async {
            let holder = self.holder()?;
            let mut connection = self.connection().await?;
            sharing::note_progress(&mut connection, holder, run, progress).await
        };
        noted.await.map_err(self.at())
    }

    async fn progress_of(&self, run: RunId) -> Result<Option<String>, StoreError> {
        let progress = async { sharing::progress_of(&mut *self.connection().await?, run).await };
        progress.await.map_err(self.at())
    }
}

/// Sends a listing until its end, or until nobody listens any more.
async fn list(
    mut listing: Listing,
    sender: mpsc::Sender<Result<Finding, StoreError>>,
    place: String,
) {
    loop {
        let chunk = match listing.next_chunk().await {
            Ok(chunk) => chunk,
            Err(fault) => {
                // Nobody listens any more: nobody is to be told.
                drop(sender.send(Err(fault.at(&place))).await);
                return;
            }
        };
        for finding in chunk.findings {
            if sender.send(Ok(finding)).await.is_err() {
                return;
            }
        }
        if chunk.is_last || sender.is_closed() {
            return;
        }
    }
}
