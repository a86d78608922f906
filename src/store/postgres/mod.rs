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
mod route;
mod rows;
mod runs;
mod scopes;
mod sessions;
mod sharing;
mod standing;
mod states;
mod under_way;
mod write;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::Connection;
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
use route::{Route, Wish};
use sessions::Sessions;
use under_way::UnderWay;
use write::{Writing, Written};

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub(super) struct PostgresStore {
    /// For messages: without a password.
    place: String,
    sessions: Sessions,
    /// None: opened for listings only.
    holder: Option<Holder>,
    dictionaries: Arc<Dictionaries>,
    names: Mutex<KnownNames>,
    under_way: UnderWay,
}

/// Findings that wait for whoever listens.
const WAITING: usize = 64;

impl PostgresStore {
    /// Opens for reading and writing; migrates, and takes a lease.
    pub(super) async fn open(url: &PostgresUrl) -> Result<Self, StoreError> {
        let place = url.to_string();
        let opened = async {
            let (sessions, mut connection) = Sessions::open(url, Wish::Write).await?;
            connect::migrate(&mut connection, &place).await?;
            let holder = Holder::begin(url.lease, sessions.clone()).await?;
            Ok((sessions, holder))
        };
        match opened.await {
            Ok((sessions, holder)) => Ok(Self::over(place, sessions, Some(holder))),
            Err(fault) => Err(Fault::at(fault, &place)),
        }
    }

    /// Opens an existing one for listings.
    pub(super) async fn open_read_only(url: &PostgresUrl) -> Result<Self, StoreError> {
        let place = url.to_string();
        let opened = async {
            let (sessions, mut connection) = Sessions::open(url, Wish::Read).await?;
            connect::check(&mut connection, &place).await?;
            Ok(sessions)
        };
        match opened.await {
            Ok(sessions) => Ok(Self::over(place, sessions, None)),
            Err(fault) => Err(Fault::at(fault, &place)),
        }
    }

    fn over(place: String, sessions: Sessions, holder: Option<Holder>) -> Self {
        Self {
            place,
            sessions,
            holder,
            dictionaries: Arc::default(),
            names: Mutex::default(),
            under_way: UnderWay::default(),
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

    /// What a scope's batch is to be packed with. The first batches of a connector may make its dictionary.
    async fn encoder(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Option<Arc<zstd::dict::EncoderDictionary<'static>>>, Fault> {
        if let Some(encoder) = self.dictionaries.of_scope(scope) {
            return Ok(Some(encoder));
        }
        let mut session = self.sessions.session().await?;
        let connector = scopes::connector(&mut session, scope).await?;
        let encoder = bodies::encoder(&mut session, &self.dictionaries, &connector).await?;
        if let Some(encoder) = encoder {
            self.dictionaries.remember(scope, &encoder);
            session.give_back();
            return Ok(Some(encoder));
        }
        let dictionaries = Arc::clone(&self.dictionaries);
        let training = blocking(move || {
            let rows = changes.iter().map(|change| pack::plain(&change.sighting));
            Ok(dictionaries.gather(&connector, rows)?)
        });
        let training: Option<Training> = training.await?;
        let is_saved = match &training {
            Some(training) => bodies::save(&mut session, training).await?,
            None => false,
        };
        session.give_back();
        Ok(training
            .filter(|_| is_saved)
            .map(|training| training.announce()))
    }

    async fn try_write(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: &[Prepared],
    ) -> Result<WriteCounts, Fault> {
        let mut session = self.sessions.session().await?;
        let mut transaction = session.begin().await?;
        let writing = Writing {
            holder: self.holder()?,
            run,
            so_far: self.under_way.of(run),
            scope,
            batches,
            dictionaries: &self.dictionaries,
            names: &self.names,
        };
        let Written {
            counts,
            before,
            names,
        } = writing.write(&mut transaction).await?;
        transaction.commit().await?;
        session.give_back();
        self.under_way.confirm(run, before, counts);
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
        let mut connection = Route::new(url).connect(Wish::Write).await?;
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

/// Runs `$work` in a transaction `$transaction` of the holder `$holder`. Dropped before its commit: nothing has happened.
macro_rules! transaction {
    ($store:ident, |$transaction:ident, $holder:ident| $work:expr) => {{
        let done = $store.sessions.in_time(async {
            let $holder = $store.holder()?;
            let mut session = $store.sessions.session().await?;
            let mut transaction = sqlx::Connection::begin(&mut *session).await?;
            let $transaction = &mut *transaction;
            let done = $work.await?;
            transaction.commit().await?;
            session.give_back();
            Ok(done)
        });
        done.await.map_err($store.at())
    }};
}

/// Runs `$work`, a statement or several that need not be one, over a connection `$connection`.
macro_rules! session {
    ($store:ident, |$connection:ident| $work:expr) => {{
        let done = $store.sessions.in_time(async {
            let mut session = $store.sessions.session().await?;
            let $connection = &mut *session;
            let done = $work.await?;
            session.give_back();
            Ok(done)
        });
        done.await.map_err($store.at())
    }};
}
use {session, transaction};

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
        self.under_way.forget(run);
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
        session!(self, |connection| runs::list(connection, &filter))
    }

    async fn claimed_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        session!(self, |connection| runs::claimed_slots(connection))
    }

    async fn open_scope(&self, run: RunId, scope: ScopeKey) -> Result<ScopeState, StoreError> {
        let id = transaction!(self, |transaction, holder| scopes::open(
            transaction,
            holder,
            run,
            &scope
        ))?;
        // Nobody but this run writes to the scope: what is read now is what it was at the commit.
        let known = session!(self, |connection| scopes::known(connection, id))?;
        Ok(ScopeState { id, known })
    }

    async fn prepare(
        &self,
        scope: ScopeId,
        changes: Arc<[Change]>,
    ) -> Result<Prepared, StoreError> {
        let encoder = self.encoder(scope, Arc::clone(&changes));
        let encoder = self.sessions.in_time(encoder).await.map_err(self.at())?;
        let prepared = blocking(move || Ok(prepare::prepare(&changes, encoder)?));
        prepared.await.map_err(self.at())
    }

    /// The server keeps pages that were written: more together is no quicker, and here they are in memory besides as the plan
    /// and as the driver's.
    fn most_together(&self) -> usize {
        8000
    }

    async fn write_prepared(
        &self,
        run: RunId,
        scope: ScopeId,
        batches: Arc<[Prepared]>,
    ) -> Result<WriteCounts, StoreError> {
        let written = async {
            match self.try_write(run, scope, &batches).await {
                Err(fault) if write::is_repeat(&fault) && !self.under_way.of(run).repeats => {
                    self.under_way.note_repeat(run);
                    self.try_write(run, scope, &batches).await
                }
                written => written,
            }
        };
        self.sessions.in_time(written).await.map_err(self.at())
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
                confirmed: self.under_way.of(run).confirmed,
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
        session!(self, |connection| states::api_states(connection))
    }

    async fn findings(
        &self,
        filter: FindingFilter,
    ) -> Result<mpsc::Receiver<Result<Finding, StoreError>>, StoreError> {
        let dictionaries = Arc::clone(&self.dictionaries);
        let listing = Listing::begin(self.sessions.clone(), dictionaries, &filter);
        let listing = listing.await.map_err(self.at())?;
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(list(listing, sender, self.place.clone()));
        Ok(receiver)
    }

    async fn finding(&self, id: i64, raw: bool) -> Result<Option<Finding>, StoreError> {
        session!(self, |connection| listing::finding(
            connection,
            &self.dictionaries,
            id,
            raw
        ))
    }

    async fn documents(
        &self,
        space: &str,
        names: Vec<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<StoredDocument>, StoreError> {
        session!(self, |connection| documents::find(
            connection, space, &names, at
        ))
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
        let holder = self.holder().map_err(self.at())?;
        session!(self, |connection| sharing::note_progress(
            connection, holder, run, progress
        ))
    }

    async fn progress_of(&self, run: RunId) -> Result<Option<String>, StoreError> {
        session!(self, |connection| sharing::progress_of(connection, run))
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
