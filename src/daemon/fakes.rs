//! A store in memory that can be made to fail, and configurations, for the tests of this floor.
#![allow(clippy::unwrap_used)]

mod news;
mod outbox;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc};

use crate::config::{
    ApiConfiguration, Config, Control, ImportLimits, Labels, MissingRecords, ProxySetting,
    RecordFilter, ScheduleSetting, Settings, StoreUrl, Tool, Trust,
};
use crate::finding::{Finding, Kind, Severity, Status};
use crate::store::{
    Accepted, ApiState, Change, Claim, Closing, FindingFilter, HoldLimits, ListedRecord, NewRun,
    Prepared, Proof, RecordState, Run, RunEnd, RunFilter, RunId, RunState, ScopeId, ScopeKey,
    ScopeState, Store, StoreError, StoredDocument, Waiting, WriteCounts,
};

/// A store of runs in memory. What the daemon never calls is not there.
#[derive(Default)]
pub(crate) struct FakeStore {
    runs: Mutex<Vec<Run>>,
    slots: Mutex<HashSet<(String, DateTime<Utc>)>>,
    /// Every write fails, as on a full disk.
    pub(crate) full: AtomicBool,
    /// Every write waits for ever.
    pub(crate) writes_hang: AtomicBool,
    /// Every read and write waits for ever.
    pub(crate) hangs: AtomicBool,
    /// Tidying up takes for ever.
    pub(crate) settling_hangs: AtomicBool,
    /// These API configurations are being imported by somebody else.
    pub(crate) busy_elsewhere: Mutex<HashSet<String>>,
    /// So many findings are held, by API configuration.
    pub(crate) held: Mutex<BTreeMap<String, u64>>,
    pub(crate) findings: Mutex<Vec<Finding>>,
    /// Runs that were made known to the destinations.
    pub(crate) announced: Mutex<HashSet<RunId>>,
    /// What waits at destinations.
    pub(crate) waits: Mutex<Vec<Waiting>>,
    /// Told at every change.
    pub(crate) changed: Notify,
}

impl FakeStore {
    async fn try_write(&self) -> Result<(), StoreError> {
        self.try_read().await;
        if self.writes_hang.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Engine {
                place: "memory".to_owned(),
                reason: "disk full".to_owned(),
                passing: true,
            });
        }
        Ok(())
    }

    async fn try_read(&self) {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn all(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, api_configuration: &str) -> Vec<Run> {
        let mut runs = self.all();
        runs.retain(|run| run.api_configuration == api_configuration);
        runs
    }

    /// Waits until the runs are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Run]) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if wanted(&self.all()) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .is_err()
        {
            panic!("the runs did not become as wanted: {:?}", self.all());
        }
    }

    fn change(&self, run: RunId, change: impl FnOnce(&mut Run)) {
        let mut runs = self.runs.lock().unwrap();
        change(runs.iter_mut().find(|known| known.id == run).unwrap());
        drop(runs);
        self.changed.notify_waiters();
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn enqueue(&self, run: NewRun) -> Result<Option<RunId>, StoreError> {
        self.try_write().await?;
        if let Some(slot) = run.slot
            && !self
                .slots
                .lock()
                .unwrap()
                .insert((run.api_configuration.clone(), slot))
        {
            return Ok(None);
        }
        let mut runs = self.runs.lock().unwrap();
        let id = i64::try_from(runs.len()).unwrap() + 1;
        runs.push(Run {
            id,
            api_configuration: run.api_configuration,
            trigger: run.trigger,
            status: RunState::Queued,
            started_at: None,
            finished_at: None,
            new: 0,
            updated: 0,
            unchanged: 0,
            resolved: 0,
            reopened: 0,
            unreadable: 0,
            pages: 0,
            requests: 0,
            retries: 0,
            daemon: run.daemon,
            error: None,
        });
        drop(runs);
        self.changed.notify_waiters();
        Ok(Some(id))
    }

    async fn start(&self, run: RunId) -> Result<Claim, StoreError> {
        self.try_write().await?;
        let runs = self.all();
        let this = runs.iter().find(|known| known.id == run).unwrap();
        let busy = self.busy_elsewhere.lock().unwrap();
        if busy.contains(&this.api_configuration) {
            return Ok(Claim::Busy {
                run: 77,
                daemon: "elsewhere:9".to_owned(),
            });
        }
        drop(busy);
        let twice = runs.iter().any(|other| {
            other.api_configuration == this.api_configuration && other.status == RunState::Running
        });
        assert!(!twice, "{} is imported twice", this.api_configuration);
        self.change(run, |run| {
            run.status = RunState::Running;
            run.started_at = Some(DateTime::UNIX_EPOCH);
        });
        Ok(Claim::Running)
    }

    async fn finish(&self, run: RunId, end: RunEnd) -> Result<(), StoreError> {
        self.try_write().await?;
        self.change(run, |run| {
            run.status = end.state;
            run.error = end.error;
            run.finished_at = Some(DateTime::UNIX_EPOCH);
        });
        Ok(())
    }

    async fn interrupt_leftovers(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, StoreError> {
        self.try_read().await;
        let mut runs = self.all();
        runs.reverse();
        runs.retain(|run| filter.id.is_none_or(|id| id == run.id));
        runs.retain(|run| {
            let name = filter.api_configuration.as_ref();
            name.is_none_or(|name| *name == run.api_configuration)
        });
        runs.truncate(filter.limit.map_or(usize::MAX, |limit| limit as usize));
        Ok(runs)
    }

    async fn claimed_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        let mut latest = BTreeMap::new();
        for (name, slot) in self.slots.lock().unwrap().iter() {
            let known = latest.entry(name.clone()).or_insert(*slot);
            *known = (*known).max(*slot);
        }
        Ok(latest.into_iter().collect())
    }

    async fn accept(
        &self,
        api_configuration: &str,
        _at: DateTime<Utc>,
    ) -> Result<Option<Accepted>, StoreError> {
        let held = self.held.lock().unwrap().remove(api_configuration);
        Ok(held.map(|resolved| Accepted { run: 1, resolved }))
    }

    async fn api_states(&self) -> Result<Vec<ApiState>, StoreError> {
        let names: HashSet<_> = self
            .all()
            .into_iter()
            .map(|run| run.api_configuration)
            .collect();
        let state = |name: String| ApiState {
            unresolved: 5,
            records: Vec::new(),
            last_run: self.of(&name).pop(),
            last_complete_at: None,
            held: self
                .held
                .lock()
                .unwrap()
                .get(&name)
                .copied()
                .unwrap_or_default(),
            api_configuration: name,
        };
        Ok(names.into_iter().map(state).collect())
    }

    async fn findings(
        &self,
        filter: FindingFilter,
    ) -> Result<mpsc::Receiver<Result<Finding, StoreError>>, StoreError> {
        let (sender, receiver) = mpsc::channel(1);
        let mut findings = self.findings.lock().unwrap().clone();
        findings.retain(|finding| {
            filter.severities.is_empty() || filter.severities.contains(&finding.severity)
        });
        tokio::spawn(async move {
            for finding in findings {
                if sender.send(Ok(finding)).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }

    async fn finding(&self, id: i64, _raw: bool) -> Result<Option<Finding>, StoreError> {
        let findings = self.findings.lock().unwrap();
        Ok(findings.iter().find(|finding| finding.id == id).cloned())
    }

    async fn settle(&self) -> Result<(), StoreError> {
        if self.settling_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn documents(
        &self,
        _space: &str,
        _names: Vec<String>,
        _at: DateTime<Utc>,
    ) -> Result<Vec<StoredDocument>, StoreError> {
        unreachable!("an import's affair")
    }

    async fn keep_documents(
        &self,
        _space: &str,
        _documents: Vec<StoredDocument>,
        _at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        unreachable!("an import's affair")
    }

    async fn forget_documents(&self, _unused_since: DateTime<Utc>) -> Result<u64, StoreError> {
        unreachable!("an import's affair")
    }

    async fn open_scope(&self, _run: RunId, _scope: ScopeKey) -> Result<ScopeState, StoreError> {
        unreachable!("an import's affair")
    }

    async fn prepare(
        &self,
        _scope: ScopeId,
        _changes: Arc<[Change]>,
    ) -> Result<Prepared, StoreError> {
        unreachable!("an import's affair")
    }

    fn most_together(&self) -> usize {
        1000
    }

    async fn write_prepared(
        &self,
        _run: RunId,
        _scope: ScopeId,
        _batches: Arc<[Prepared]>,
    ) -> Result<WriteCounts, StoreError> {
        unreachable!("an import's affair")
    }

    async fn close(
        &self,
        _run: RunId,
        _proofs: Vec<Proof>,
        _limits: HoldLimits,
    ) -> Result<Closing, StoreError> {
        unreachable!("an import's affair")
    }

    async fn list_records(
        &self,
        _run: RunId,
        _records: Vec<ListedRecord>,
    ) -> Result<Vec<(RecordState, Vec<ScopeId>)>, StoreError> {
        unreachable!("an import's affair")
    }
}

/// A configuration of one tool and these API configurations, all daily at 02:00.
pub(crate) fn config(names: &[&str], max_concurrent: usize) -> Config {
    let tool = Tool {
        name: "dtrack".to_owned(),
        connector: "dependency-track".to_owned(),
        location: "http://127.0.0.1:9/".parse().unwrap(),
        secret: Some(crate::config::Secret::new("key")),
        trust: Trust::default(),
        proxy: ProxySetting::Direct,
        timeout: Duration::from_secs(1),
        max_requests_per_second: None,
        max_concurrent_requests: 1,
        settings: Settings::default(),
        revision: [0; 8],
    };
    Config {
        store: StoreUrl::Sqlite(PathBuf::from("/nowhere.db")),
        automatic_import: true,
        max_concurrent,
        catch_up_within: Duration::from_secs(12 * 3600),
        import: ImportLimits {
            max_resolved_fraction: 0.5,
            min_held: 20,
            run_timeout: Duration::from_secs(60),
        },
        control: Control {
            socket: PathBuf::from("/nowhere.sock"),
            group: None,
            metrics_listen: None,
        },
        tools: [("dtrack".to_owned(), Arc::new(tool))].into(),
        forwards: std::collections::BTreeMap::new(),
        notifications: BTreeMap::new(),
        api_configurations: names
            .iter()
            .map(|name| ((*name).to_owned(), Arc::new(api(name))))
            .collect(),
    }
}

/// An API configuration, daily at 02:00.
pub(crate) fn api(name: &str) -> ApiConfiguration {
    ApiConfiguration {
        name: name.to_owned(),
        tool: "dtrack".to_owned(),
        product: Some("Shop".to_owned()),
        labels: Labels::default(),
        records: RecordFilter::default(),
        missing_records: MissingRecords::Keep,
        resolve_after: 1,
        automatic_import: true,
        schedule: ScheduleSetting::Daily { hour: 2, minute: 0 },
        run_timeout: Duration::from_secs(60),
        settings: Settings::default(),
        revision: [0; 8],
    }
}

/// A finding of this number.
pub(crate) fn finding(id: i64, severity: Severity) -> Finding {
    Finding {
        id,
        product: "Shop".to_owned(),
        branch: None,
        service: None,
        fingerprint: format!("1:{id}"),
        kind: Kind::Component,
        title: "CVE-2026-0001 in lib".to_owned(),
        description: None,
        recommendation: None,
        severity,
        status: Status::Open,
        vulnerability_id: None,
        aliases: Vec::new(),
        cwes: Vec::new(),
        cvss3_vector: None,
        cvss3_score: None,
        cvss4_vector: None,
        cvss4_score: None,
        epss_score: None,
        component: None,
        image: None,
        endpoint: None,
        source_location: None,
        cloud: None,
        kubernetes: None,
        host: None,
        references: Vec::new(),
        tags: Vec::new(),
        first_seen: DateTime::UNIX_EPOCH,
        last_seen: DateTime::UNIX_EPOCH,
        resolved_at: None,
        sightings: Vec::new(),
        history: None,
    }
}
