//! A store, and short words for what imports do to it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secpull::finding::{
    Component, Content, Filing, Finding, Kind, Severity, Sighting, Status,
    canonical_vulnerability_id, fingerprint,
};
use secpull::store::{
    Before, Change, Claim, Closing, FindingFilter, HoldLimits, NewRun, Proof, Run, RunEnd,
    RunFilter, RunId, RunState, ScopeId, ScopeKey, StatusFilter, Store, Trigger, Unseen,
    WriteCounts,
};

use crate::place::{Place, make_place};

/// Nothing is ever held.
pub(crate) const NEVER: HoldLimits = HoldLimits {
    max_resolved_fraction: 1.0,
    min_held: u64::MAX,
};

/// More than half is held.
pub(crate) const HALF: HoldLimits = HoldLimits {
    max_resolved_fraction: 0.5,
    min_held: 1,
};

pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) store: Arc<dyn Store>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let place = make_place().await;
        let store = place.open().await;
        Self { place, store }
    }

    pub(crate) async fn enqueue(&self, api: &str) -> RunId {
        self.store.enqueue(new_run(api)).await.unwrap().unwrap()
    }

    /// A run that is under way.
    pub(crate) async fn begin(&self, api: &str) -> RunId {
        let run = self.enqueue(api).await;
        assert_eq!(self.store.start(run).await.unwrap(), Claim::Running);
        run
    }

    /// Starts a run once its predecessor, whose process has just ended, is known to be gone. A process's end is seen at
    /// once on this machine's file system, and a server sees it when the connection breaks.
    pub(crate) async fn start_after_an_end(&self, run: RunId) {
        for _ in 0..500 {
            if self.store.start(run).await.unwrap() == Claim::Running {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the end of a process was not noticed");
    }

    pub(crate) async fn finish(&self, run: RunId, state: RunState) {
        self.store.finish(run, end(state)).await.unwrap();
    }

    pub(crate) async fn run(&self, id: RunId) -> Run {
        let filter = RunFilter {
            id: Some(id),
            ..RunFilter::default()
        };
        self.store.runs(filter).await.unwrap().remove(0)
    }

    /// A whole import of one record, read to its proper end.
    pub(crate) async fn import(&self, api: &str, at: i64, sightings: &[Sighting]) -> Import {
        self.import_as(&Read::of(api, at), sightings).await
    }

    /// A whole import.
    pub(crate) async fn import_as(&self, read: &Read<'_>, sightings: &[Sighting]) -> Import {
        let run = self.begin(read.api).await;
        let (counts, proof) = self.read(run, read, sightings).await;
        let proofs = proof.into_iter().collect();
        let closing = self.store.close(run, proofs, read.limits).await.unwrap();
        let state = match closing {
            Closing::Held { .. } => RunState::Held,
            Closing::Resolved(_) if read.complete => RunState::Complete,
            Closing::Resolved(_) => RunState::Partial,
        };
        self.finish(run, state).await;
        Import {
            run,
            counts,
            closing,
        }
    }

    /// Reads one scope as the import does: what has not changed is not written.
    pub(crate) async fn read(
        &self,
        run: RunId,
        read: &Read<'_>,
        sightings: &[Sighting],
    ) -> (WriteCounts, Option<Proof>) {
        let scope = self.store.open_scope(run, read.scope()).await.unwrap();
        let salt = format!("{:?}", read.filing);
        let mut changes = Vec::new();
        let mut unchanged = 0;
        for sighting in sightings {
            let mut change = change(sighting, salt.as_bytes(), read.at);
            if scope.known.iter().any(|(key, _)| *key == change.key) {
                change.before = Before::Stored;
            }
            if scope.known.contains(&(change.key, change.digest)) {
                unchanged += 1;
            } else {
                changes.push(change);
            }
        }
        let mut counts = self.write(run, scope.id, changes).await;
        counts.unchanged += unchanged;
        let proof = read.complete.then(|| Proof {
            scope: scope.id,
            unseen: Unseen::These(
                scope
                    .known
                    .iter()
                    .map(|(key, _)| *key)
                    .filter(|key| sightings.iter().all(|seen| seen.source_key() != *key))
                    .collect(),
            ),
            resolve_after: read.resolve_after,
            at: day(read.at),
        });
        (counts, proof)
    }

    pub(crate) async fn write(
        &self,
        run: RunId,
        scope: ScopeId,
        changes: Vec<Change>,
    ) -> WriteCounts {
        self.store.write(run, scope, changes.into()).await.unwrap()
    }

    pub(crate) async fn all(&self) -> Vec<Finding> {
        self.list(FindingFilter {
            status: StatusFilter::All,
            ..FindingFilter::default()
        })
        .await
    }

    pub(crate) async fn list(&self, filter: FindingFilter) -> Vec<Finding> {
        let mut stream = self.store.findings(filter).await.unwrap();
        let mut findings = Vec::new();
        while let Some(finding) = stream.recv().await {
            findings.push(finding.unwrap());
        }
        findings
    }

    /// The only finding there is.
    pub(crate) async fn only(&self) -> Finding {
        let mut findings = self.all().await;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    /// What happened to a finding: event, old and new value.
    pub(crate) async fn history(&self, id: i64) -> Vec<String> {
        let finding = self.store.finding(id, false).await.unwrap().unwrap();
        let words = |event: secpull::finding::HistoryEvent| match (event.old, event.new) {
            (Some(old), Some(new)) => format!("{} {old} {new}", event.event),
            _ => event.event,
        };
        finding.history.unwrap().into_iter().map(words).collect()
    }

    pub(crate) async fn unresolved(&self, api: &str) -> u64 {
        self.state(api).await.unresolved
    }

    pub(crate) async fn state(&self, api: &str) -> secpull::store::ApiState {
        let states = self.store.api_states().await.unwrap();
        states
            .into_iter()
            .find(|state| state.api_configuration == api)
            .unwrap()
    }
}

/// How a scope is read.
#[derive(Clone)]
pub(crate) struct Read<'a> {
    pub(crate) api: &'a str,
    pub(crate) record: &'a str,
    pub(crate) filing: Filing,
    pub(crate) branch_is_label: bool,
    pub(crate) at: i64,
    pub(crate) complete: bool,
    pub(crate) resolve_after: u32,
    pub(crate) limits: HoldLimits,
}

impl<'a> Read<'a> {
    /// To its proper end, on that day.
    pub(crate) fn of(api: &'a str, at: i64) -> Self {
        Self {
            api,
            record: "r",
            filing: Filing {
                product: "Shop".to_owned(),
                branch: None,
                service: None,
            },
            branch_is_label: false,
            at,
            complete: true,
            resolve_after: 1,
            limits: NEVER,
        }
    }

    pub(crate) fn product(mut self, product: &str) -> Self {
        self.filing.product = product.to_owned();
        self
    }

    pub(crate) fn branch(mut self, branch: &str) -> Self {
        self.filing.branch = Some(branch.to_owned());
        self
    }

    /// A branch that the configuration names.
    pub(crate) fn label(mut self, branch: &str) -> Self {
        self.branch_is_label = true;
        self.branch(branch)
    }

    pub(crate) fn record(mut self, record: &'a str) -> Self {
        self.record = record;
        self
    }

    pub(crate) fn partly(mut self) -> Self {
        self.complete = false;
        self
    }

    pub(crate) fn resolve_after(mut self, imports: u32) -> Self {
        self.resolve_after = imports;
        self
    }

    pub(crate) fn limits(mut self, limits: HoldLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn scope(&self) -> ScopeKey {
        ScopeKey {
            record_id: self.record.to_owned(),
            record_name: format!("{} by name", self.record),
            part: None,
            filing: self.filing.clone(),
            branch_is_label: self.branch_is_label,
        }
    }
}

/// What an import did.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) run: RunId,
    pub(crate) counts: WriteCounts,
    pub(crate) closing: Closing,
}

pub(crate) fn new_run(api: &str) -> NewRun {
    NewRun {
        api_configuration: api.to_owned(),
        connector: "script".to_owned(),
        trigger: Trigger::Operator,
        slot: None,
        daemon: "host:1".to_owned(),
    }
}

pub(crate) fn end(state: RunState) -> RunEnd {
    RunEnd::unread(state, None)
}

pub(crate) fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_123).unwrap() + TimeDelta::days(day)
}

/// A sighting of `CVE-2026-…` in a component; the weakness and the component make the fingerprint.
pub(crate) fn sighting(source_id: &str, cve: &str) -> Sighting {
    Sighting {
        source_id: source_id.to_owned(),
        severity: Severity::High,
        status: Status::Open,
        content: Content {
            kind: Kind::Component,
            title: format!("{cve} in lib"),
            vulnerability_id: Some(cve.to_owned()),
            component: Some(Component {
                name: Some("lib".to_owned()),
                version: Some("1".to_owned()),
                ..Component::default()
            }),
            ..Content::default()
        },
        raw: format!("{{\"id\":\"{source_id}\"}}"),
        ..Sighting::default()
    }
}

pub(crate) fn with_status(mut sighting: Sighting, status: Status) -> Sighting {
    sighting.status = status;
    sighting
}

pub(crate) fn with_severity(mut sighting: Sighting, severity: Severity) -> Sighting {
    sighting.severity = severity;
    sighting
}

pub(crate) fn change(sighting: &Sighting, salt: &[u8], at: i64) -> Change {
    Change {
        key: sighting.source_key(),
        digest: sighting.digest(salt),
        before: Before::Nothing,
        fingerprint: fingerprint(&sighting.content, sighting.weakness.as_deref()),
        canonical_id: canonical_vulnerability_id(&sighting.content),
        at: day(at),
        sighting: Box::new(sighting.clone()),
    }
}
