//! One run from its start to its report.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Progress;
use super::documents::InStore;
use super::ending::{Ending, Stop, conclude, finish};
use super::persist::{Writing, patiently};
use super::reading::{PageCounts, Reading, scope_key};
use crate::config::{ApiConfiguration, ImportLimits, MissingRecords};
use crate::connectors::{
    Completeness, Connector, ConnectorError, Pulled, Record, Row, Scope, Sink,
};
use crate::finding::Sighting;
use crate::http::Meter;
use crate::store::{
    Change, ListedRecord, Proof, RunEnd, RunId, ScopeId, Store, StoreError, Unseen,
};

/// How many messages of a connector may wait. With pages of some hundred findings this bounds a run's memory.
const WAITING_PAGES: usize = 2;

/// How many changes may wait in the batches of all scopes together. Tools that list the findings of thousands of records in any
/// order would else have all of them in memory.
const WAITING_CHANGES: usize = 4000;

/// A run that has been started in the store, and all that it needs.
pub struct Job {
    /// Its number.
    pub run: RunId,
    /// What to import.
    pub api: Arc<ApiConfiguration>,
    /// Who reads it; an error makes the run fail with it.
    pub connector: Result<Arc<dyn Connector>, ConnectorError>,
    /// When it is held.
    pub limits: ImportLimits,
    /// What is known before it begins, and everybody should know who reads of it.
    pub warnings: Vec<String>,
}

/// Imports, and ends the run in the store. Cancelled: ends it as `interrupted`, soon. What is returned is what the store was
/// told.
pub async fn run(
    store: &Arc<dyn Store>,
    job: Job,
    progress: &Progress,
    cancel: CancellationToken,
) -> RunEnd {
    let run = job.run;
    tracing::info!(run, api_configuration = %job.api.name, "import started");
    for warning in &job.warnings {
        warn(&job, progress, warning.clone());
    }
    let api = Arc::clone(&job.api);
    let end = match &job.connector {
        Ok(connector) => {
            let mut import = Import::new(store, &job, progress);
            let stop = import.read(connector, &cancel).await;
            conclude(import.into_ending(stop)).await
        }
        Err(error) => Ending::could_not_begin(error),
    };
    finish(store, run, &end).await;
    tracing::info!(
        run,
        api_configuration = %api.name,
        status = %end.state,
        error = end.error.as_deref(),
        "import ended"
    );
    end
}

/// In the log and with the run.
fn warn(job: &Job, progress: &Progress, warning: String) {
    tracing::warn!(run = job.run, api_configuration = %job.api.name, "{warning}");
    progress.send_modify(|p| p.warnings.push(warning));
}

/// The state of a run under way.
struct Import<'a> {
    store: &'a Arc<dyn Store>,
    job: &'a Job,
    progress: &'a Progress,
    meter: Arc<Meter>,
    readings: HashMap<Scope, Reading>,
    /// Ids of records of which a scope has ended; a record may have several.
    records: HashSet<String>,
    proofs: Vec<Proof>,
    writing: Writing,
    /// Changes in the batches of all scopes.
    waiting: usize,
    /// Why scopes are not complete, in the order in which it was found out.
    troubles: Vec<String>,
    complete_scopes: u64,
    unchanged: u64,
    already_fixed: u64,
}

impl<'a> Import<'a> {
    fn new(store: &'a Arc<dyn Store>, job: &'a Job, progress: &'a Progress) -> Self {
        Self {
            store,
            job,
            progress,
            meter: Arc::default(),
            readings: HashMap::new(),
            records: HashSet::new(),
            proofs: Vec::new(),
            writing: Writing::new(store, job.run),
            waiting: 0,
            troubles: Vec::new(),
            complete_scopes: 0,
            unchanged: 0,
            already_fixed: 0,
        }
    }

    /// Reads all that the connector gives, until it has no more, fails, or is stopped.
    async fn read(&mut self, connector: &Arc<dyn Connector>, cancel: &CancellationToken) -> Stop {
        let api = &self.job.api;
        let (sink, receiver) = Sink::new(WAITING_PAGES, api.records.clone());
        let documents = InStore::new(self.store, self.job.run);
        let sink = sink.with_documents(Arc::new(documents));
        self.meter = sink.meter();
        let pull = spawn_pull(Arc::clone(connector), Arc::clone(api), sink);
        let stop = tokio::select! {
            stop = self.take_all(receiver) => stop,
            () = cancel.cancelled() => Some(Stop::Cancelled),
            () = tokio::time::sleep(api.run_timeout) => Some(Stop::OutOfTime(api.run_timeout)),
        };
        match stop {
            Some(stop) => {
                pull.abort();
                stop
            }
            // The sink is closed, so the connector has returned or is about to.
            None => match pull.await {
                Ok(Ok(())) => Stop::ReadAll,
                Ok(Err(error)) => Stop::Failed(error),
                Err(panic) => Stop::Crashed(if panic.is_panic() { "panic" } else { "aborted" }),
            },
        }
    }

    /// `None` when the connector has closed its end.
    async fn take_all(&mut self, mut receiver: mpsc::Receiver<Pulled>) -> Option<Stop> {
        while let Some(pulled) = receiver.recv().await {
            if let Err(error) = self.take(pulled).await {
                return Some(Stop::Store(error));
            }
            self.report();
        }
        match self.write_rest().await {
            Ok(()) => None,
            Err(error) => Some(Stop::Store(error)),
        }
    }

    async fn take(&mut self, pulled: Pulled) -> Result<(), StoreError> {
        match pulled {
            Pulled::Records(records) => self.take_records(records).await,
            Pulled::Expected(findings) => {
                self.progress.send_modify(|p| {
                    p.findings_expected = Some(p.findings_expected.unwrap_or(0) + findings);
                });
                Ok(())
            }
            Pulled::Page {
                scope,
                sightings,
                unreadable,
                unreadable_reason,
            } => {
                if unreadable > 0 {
                    self.note_unreadable(&scope, unreadable, unreadable_reason);
                }
                self.take_page(scope, sightings, unreadable).await
            }
            Pulled::Rows { scope, rows } => self.take_rows(scope, &rows).await,
            Pulled::LeftOut { scope, keys } => {
                self.open(&scope).await?;
                if let Some(reading) = self.readings.get_mut(&scope) {
                    reading.leave(&keys);
                }
                Ok(())
            }
            Pulled::End {
                scope,
                completeness,
            } => self.take_end(scope, completeness).await,
            Pulled::Warning(warning) => {
                warn(self.job, self.progress, warning);
                Ok(())
            }
        }
    }

    async fn take_records(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        let api = &self.job.api;
        let listed: Vec<_> = records
            .into_iter()
            .map(|record| ListedRecord {
                wanted: api.records.admits(&record.id, &record.name),
                id: record.id,
                name: record.name,
            })
            .collect();
        let wanted = listed.iter().filter(|record| record.wanted).count() as u64;
        self.progress
            .send_modify(|p| p.records_expected = Some(wanted));
        let (store, run) = (&self.store, self.job.run);
        let missing = patiently(run, || store.list_records(run, listed.clone())).await?;
        for (record, scopes) in missing {
            tracing::warn!(
                run = self.job.run,
                api_configuration = %api.name,
                record = %record.name,
                "the tool no longer lists this record"
            );
            if api.missing_records == MissingRecords::Resolve {
                self.proofs.extend(scopes.into_iter().map(|scope| Proof {
                    scope,
                    unseen: Unseen::All,
                    resolve_after: api.resolve_after,
                    at: self.store.now(),
                }));
            }
        }
        Ok(())
    }

    fn note_unreadable(&mut self, scope: &Scope, rows: u64, reason: Option<String>) {
        let record = &scope.record.name;
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        self.troubles
            .push(format!("{record}: {rows} rows could not be read{reason}"));
        self.progress.send_modify(|p| p.unreadable += rows);
    }

    async fn take_page(
        &mut self,
        scope: Scope,
        sightings: Vec<Sighting>,
        unreadable: u64,
    ) -> Result<(), StoreError> {
        let labels = &self.job.api.labels;
        self.open(&scope).await?;
        let Some(reading) = self.readings.get_mut(&scope) else {
            return Ok(());
        };
        if unreadable > 0 {
            reading.note_unreadable();
        }
        if reading.has_ended() {
            return Ok(());
        }
        let waiting = reading.batch.len();
        let counts = reading.take_page(sightings, labels, self.store.now());
        self.waiting += reading.batch.len() - waiting;
        self.took(scope, counts).await
    }

    async fn take_rows(&mut self, scope: Scope, rows: &[Row]) -> Result<(), StoreError> {
        let labels = &self.job.api.labels;
        self.open(&scope).await?;
        let Some(reading) = self.readings.get_mut(&scope) else {
            return Ok(());
        };
        if reading.has_ended() {
            return Ok(());
        }
        let waiting = reading.batch.len();
        let mut counts = reading.take_rows(rows, labels, self.store.now());
        self.waiting += reading.batch.len() - waiting;
        if counts.unreadable > 0 {
            let reason = counts.unreadable_reason.take();
            self.note_unreadable(&scope, counts.unreadable, reason);
        }
        self.took(scope, counts).await
    }

    /// Counts a page, and writes what has gathered if it is enough.
    async fn took(&mut self, scope: Scope, counts: PageCounts) -> Result<(), StoreError> {
        let batch = self.readings.get_mut(&scope).and_then(|reading| {
            let is_full = reading.batch.is_full();
            is_full.then(|| (reading.id(), reading.batch.take()))
        });
        self.unchanged += counts.unchanged;
        self.progress.send_modify(|p| {
            p.record = Some(scope.record.name);
            p.pages += 1;
            p.findings += counts.findings;
            p.unchanged += counts.unchanged;
        });
        if let Some((id, changes)) = batch {
            self.write(id, changes).await?;
        }
        if self.waiting > WAITING_CHANGES {
            self.write_all().await?;
        }
        Ok(())
    }

    async fn take_end(
        &mut self,
        scope: Scope,
        completeness: Completeness,
    ) -> Result<(), StoreError> {
        self.open(&scope).await?;
        let Some(mut reading) = self.readings.remove(&scope) else {
            return Ok(());
        };
        if let Completeness::Incomplete(reason) = &completeness {
            self.troubles.push(reason.clone());
        }
        let changes = reading.batch.take();
        if !changes.is_empty() {
            self.write(reading.id(), changes).await?;
        }
        reading.end(&completeness, self.store.now());
        if reading.is_complete() {
            self.complete_scopes += 1;
        }
        self.proofs
            .extend(reading.into_proof(self.job.api.resolve_after));
        self.records.insert(scope.record.id);
        let records = self.records.len() as u64;
        self.progress.send_modify(|p| p.records = records);
        Ok(())
    }

    /// Loads what is known of a scope when it is first spoken of.
    async fn open(&mut self, scope: &Scope) -> Result<(), StoreError> {
        if self.readings.contains_key(scope) {
            return Ok(());
        }
        let key = scope_key(&self.job.api, scope);
        let filing = key.filing.clone();
        let labels = &self.job.api.labels;
        let (store, run) = (&self.store, self.job.run);
        let state = patiently(run, || store.open_scope(run, key.clone())).await?;
        self.readings
            .insert(scope.clone(), Reading::new(state, &filing, labels));
        Ok(())
    }

    /// What was read of scopes that never came to their end is kept all the same.
    async fn write_rest(&mut self) -> Result<(), StoreError> {
        for scope in self.readings.keys() {
            let trouble = format!("{}: not read to its end", scope.record.name);
            self.troubles.push(trouble);
        }
        self.write_all().await?;
        self.writing.settle().await?;
        self.count_written();
        Ok(())
    }

    /// Writes what waits in the batches of all scopes.
    async fn write_all(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<_> = self
            .readings
            .values_mut()
            .map(|reading| (reading.id(), reading.batch.take()))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        for (id, changes) in waiting {
            self.write(id, changes).await?;
        }
        Ok(())
    }

    async fn write(&mut self, scope: ScopeId, changes: Vec<Change>) -> Result<(), StoreError> {
        self.waiting = self.waiting.saturating_sub(changes.len());
        self.writing.add(scope, changes).await?;
        self.count_written();
        Ok(())
    }

    fn count_written(&mut self) {
        let counts = self.writing.take_counts();
        self.unchanged += counts.unchanged;
        self.already_fixed += counts.already_fixed;
        self.progress.send_modify(|p| {
            p.new += counts.new;
            p.updated += counts.updated;
            p.unchanged += counts.unchanged;
            p.resolved += counts.resolved;
            p.reopened += counts.reopened;
        });
    }

    fn report(&self) {
        self.progress.send_modify(|p| {
            p.requests = self.meter.requests();
            p.retries = self.meter.retries();
        });
    }

    fn into_ending(self, stop: Stop) -> Ending<'a> {
        self.report();
        let progress = self.progress.borrow().clone();
        Ending {
            store: self.store,
            run: self.job.run,
            api: &self.job.api,
            limits: &self.job.limits,
            progress: self.progress,
            stop,
            proofs: self.proofs,
            troubles: self.troubles,
            complete_scopes: self.complete_scopes,
            unchanged: self.unchanged,
            already_fixed: self.already_fixed,
            findings: progress.findings,
            pages: progress.pages,
            unreadable: progress.unreadable,
            requests: progress.requests,
            retries: progress.retries,
        }
    }
}

fn spawn_pull(
    connector: Arc<dyn Connector>,
    api: Arc<ApiConfiguration>,
    mut sink: Sink,
) -> JoinHandle<Result<(), ConnectorError>> {
    tokio::spawn(async move { connector.pull(&api, &mut sink).await })
}
