//! The promises of an import, against a real SQLite store and a connector that follows a script.

#![allow(clippy::unwrap_used)]

mod concluding;
mod credentials;
mod model;
mod rows;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Job, ProgressSnapshot, run};
use crate::config::{
    ApiConfiguration, ImportLimits, Labels, MissingRecords, RecordFilter, ScheduleSetting,
    Settings, StoreUrl,
};
use crate::connectors::{Completeness, Connector, ConnectorError, Pulled, Record, Scope, Sink};
use crate::finding::{Component, Content, Finding, Kind, Severity, Sighting, Status};
use crate::store::{
    Claim, FindingFilter, NewRun, Run, RunFilter, RunId, RunState, StatusFilter, Store, Trigger,
    open,
};

/// Says what it is told to say, once a run.
struct Script(Mutex<Vec<Act>>);

enum Act {
    Say(Pulled),
    Fail(&'static str),
    Break(ConnectorError),
    Wait,
}

#[async_trait]
impl Connector for Script {
    async fn check(&self, _: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        Ok("script".to_owned())
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn pull(&self, _: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let acts = std::mem::take(&mut *self.0.lock().unwrap());
        for act in acts {
            match act {
                Act::Say(pulled) => sink.put(pulled).await?,
                Act::Fail(reason) => return Err(ConnectorError::Refused(reason.to_owned())),
                Act::Break(error) => return Err(error),
                Act::Wait => std::future::pending().await,
            }
        }
        Ok(())
    }
}

struct House {
    store: Arc<dyn Store>,
    api: ApiConfiguration,
    limits: ImportLimits,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("secpull.db"));
        Self {
            store: open(&url).await.unwrap(),
            api: api("shop"),
            limits: ImportLimits {
                max_resolved_fraction: 0.5,
                min_held: 20,
                run_timeout: Duration::from_secs(60),
            },
            _folder: folder,
        }
    }

    async fn import(&self, acts: Vec<Act>) -> Run {
        self.import_until(acts, CancellationToken::new()).await
    }

    async fn import_until(&self, acts: Vec<Act>, cancel: CancellationToken) -> Run {
        let id = self.start().await;
        let (progress, _) = watch::channel(ProgressSnapshot::default());
        run(&self.store, self.job(id, acts), &progress, cancel).await;
        let filter = RunFilter {
            id: Some(id),
            ..RunFilter::default()
        };
        self.store.runs(filter).await.unwrap().remove(0)
    }

    async fn start(&self) -> RunId {
        let id = self
            .store
            .enqueue(NewRun {
                api_configuration: self.api.name.clone(),
                connector: "script".to_owned(),
                trigger: Trigger::Operator,
                slot: None,
                daemon: "test".to_owned(),
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(self.store.start(id).await.unwrap(), Claim::Running);
        id
    }

    fn job(&self, run: RunId, acts: Vec<Act>) -> Job {
        Job {
            run,
            api: Arc::new(self.api.clone()),
            connector: Ok(Arc::new(Script(Mutex::new(acts)))),
            limits: self.limits.clone(),
            warnings: Vec::new(),
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        let filter = FindingFilter {
            status: StatusFilter::All,
            ..FindingFilter::default()
        };
        let mut stream = self.store.findings(filter).await.unwrap();
        let mut findings = Vec::new();
        while let Some(finding) = stream.recv().await {
            findings.push(finding.unwrap());
        }
        findings
    }

    async fn statuses(&self) -> Vec<(String, Status)> {
        let mut statuses: Vec<_> = self
            .findings()
            .await
            .into_iter()
            .map(|finding| (finding.title, finding.status))
            .collect();
        statuses.sort();
        statuses
    }
}

fn api(name: &str) -> ApiConfiguration {
    ApiConfiguration {
        name: name.to_owned(),
        tool: "tool".to_owned(),
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

fn record(name: &str) -> Record {
    Record {
        id: name.to_owned(),
        name: name.to_owned(),
        detail: None,
    }
}

fn scope(name: &str) -> Scope {
    Scope {
        record: record(name),
        branch: None,
        part: None,
    }
}

fn sighting(name: &str) -> Sighting {
    Sighting {
        source_id: name.to_owned(),
        severity: Severity::High,
        content: Content {
            kind: Kind::Component,
            title: name.to_owned(),
            component: Some(Component {
                name: Some(name.to_owned()),
                ..Component::default()
            }),
            ..Content::default()
        },
        raw: format!("{{\"id\":\"{name}\"}}"),
        ..Sighting::default()
    }
}

fn page(record: &str, names: &[&str]) -> Act {
    page_of(record, names.iter().map(|name| sighting(name)).collect())
}

fn page_of(record: &str, sightings: Vec<Sighting>) -> Act {
    Act::Say(Pulled::Page {
        scope: scope(record),
        sightings,
        unreadable: 0,
        unreadable_reason: None,
    })
}

fn complete(record: &str) -> Act {
    Act::Say(Pulled::End {
        scope: scope(record),
        completeness: Completeness::Complete,
    })
}

fn incomplete(record: &str) -> Act {
    Act::Say(Pulled::End {
        scope: scope(record),
        completeness: Completeness::Incomplete(format!("{record}: page 2 answered 500")),
    })
}

fn unproven(record: &str) -> Act {
    Act::Say(Pulled::End {
        scope: scope(record),
        completeness: Completeness::Unproven,
    })
}

fn status(title: &str, status: Status) -> (String, Status) {
    (title.to_owned(), status)
}

#[tokio::test]
async fn what_a_complete_import_no_longer_sees_is_resolved_and_comes_back_reopened() {
    let house = House::new().await;
    let first = house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    assert_eq!((first.status, first.new), (RunState::Complete, 2));

    let second = house.import(vec![page("r", &["a"]), complete("r")]).await;
    assert_eq!(
        (second.status, second.new, second.unchanged, second.resolved),
        (RunState::Complete, 0, 1, 1)
    );
    assert_eq!(
        house.statuses().await,
        [status("a", Status::Open), status("b", Status::Resolved)]
    );

    let third = house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    assert_eq!((third.reopened, third.unchanged), (1, 1));
    assert_eq!(
        house.statuses().await,
        [status("a", Status::Open), status("b", Status::Open)]
    );
}

#[tokio::test]
async fn findings_follow_a_changed_label_of_their_branch() {
    let mut house = House::new().await;
    for (label, names) in [
        (None, &["a", "b"][..]),
        (Some("main"), &["a", "b"]),
        (Some("trunk"), &["a"]),
    ] {
        house.api.labels.branch = label.map(str::to_owned);
        house.import(vec![page("r", names), complete("r")]).await;
        let findings = house.findings().await;
        let branches: Vec<_> = findings.iter().map(|f| f.branch.as_deref()).collect();
        assert_eq!(findings.len(), 2, "{branches:?}");
        assert_eq!(findings[0].branch.as_deref(), label);
    }
    // Not two of each, one of which nobody would ever close.
    assert_eq!(
        house.statuses().await,
        [status("a", Status::Open), status("b", Status::Resolved)]
    );
}

#[tokio::test]
async fn what_is_known_before_a_run_is_among_its_warnings() {
    let house = House::new().await;
    let id = house.start().await;
    let (progress, seen) = watch::channel(ProgressSnapshot::default());
    let mut job = house.job(id, vec![page("r", &["a"]), complete("r")]);
    job.warnings = vec!["nobody was checked".to_owned()];
    run(&house.store, job, &progress, CancellationToken::new()).await;
    assert_eq!(seen.borrow().warnings, ["nobody was checked"]);
}

#[tokio::test]
async fn a_partial_import_keeps_what_it_read_and_resolves_nothing() {
    let house = House::new().await;
    house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    let run = house
        .import(vec![
            page("r", &["c"]),
            incomplete("r"),
            page("s", &["d"]),
            complete("s"),
        ])
        .await;
    assert_eq!(
        (run.status, run.new, run.resolved),
        (RunState::Partial, 2, 0)
    );
    assert_eq!(run.error.as_deref(), Some("r: page 2 answered 500"));
    assert!(
        house
            .statuses()
            .await
            .iter()
            .all(|(_, status)| *status == Status::Open)
    );
}

#[tokio::test]
async fn a_scope_of_which_absence_proves_nothing_keeps_its_findings_and_others_conclude() {
    let house = House::new().await;
    house
        .import(vec![
            page("r", &["a", "b"]),
            complete("r"),
            page("s", &["c", "d"]),
            complete("s"),
        ])
        .await;
    let run = house
        .import(vec![
            page("r", &["a"]),
            unproven("r"),
            page("s", &["c"]),
            complete("s"),
        ])
        .await;
    assert_eq!((run.status, run.resolved), (RunState::Complete, 1));
    let statuses = house.statuses().await;
    assert_eq!(statuses[1], status("b", Status::Open));
    assert_eq!(statuses[3], status("d", Status::Resolved));
}

#[tokio::test]
async fn the_findings_of_thousands_of_records_do_not_wait_in_memory_for_each_records_end() {
    let house = House::new().await;
    // More than may wait, spread thinly, and the connector says no more for a while.
    let names: Vec<_> = (0..5000)
        .map(|number| format!("r{}", number % 50))
        .collect();
    let mut acts: Vec<_> = (0..names.len())
        .map(|number| page(&names[number], &[&number.to_string()]))
        .collect();
    acts.push(Act::Wait);
    let cancel = CancellationToken::new();
    let (progress, mut watched) = watch::channel(ProgressSnapshot::default());
    let id = house.start().await;
    let job = house.job(id, acts);
    let import = run(&house.store, job, &progress, cancel.clone());
    let written = async {
        let seen = watched.wait_for(|snapshot| snapshot.new > 0).await;
        assert!(seen.is_ok(), "nothing was written before the end");
        cancel.cancel();
    };
    let (end, ()) = tokio::join!(import, written);
    assert_eq!(end.state, RunState::Interrupted);
}

#[tokio::test]
async fn a_scope_without_its_end_is_not_complete() {
    let house = House::new().await;
    house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    let run = house.import(vec![page("r", &["a"])]).await;
    assert_eq!((run.status, run.resolved), (RunState::Partial, 0));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_makes_its_scope_incomplete() {
    let house = House::new().await;
    house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    let unreadable = Act::Say(Pulled::Page {
        scope: scope("r"),
        sightings: vec![sighting("a")],
        unreadable: 1,
        unreadable_reason: Some("no id".to_owned()),
    });
    let run = house.import(vec![unreadable, complete("r")]).await;
    assert_eq!(
        (run.status, run.unreadable, run.resolved),
        (RunState::Partial, 1, 0)
    );
    assert_eq!(
        run.error.as_deref(),
        Some("r: 1 rows could not be read: no id")
    );
}

#[tokio::test]
async fn an_import_that_cannot_begin_is_failed_and_one_that_breaks_later_is_partial() {
    let house = House::new().await;
    let run = house.import(vec![Act::Fail("401: key refused")]).await;
    assert_eq!(run.status, RunState::Failed);
    assert_eq!(run.error.as_deref(), Some("401: key refused"));
    let run = house
        .import(vec![page("r", &["a"]), Act::Fail("reset")])
        .await;
    assert_eq!((run.status, run.new), (RunState::Partial, 1));
}

#[tokio::test]
async fn a_cancelled_import_is_interrupted_and_the_next_one_converges() {
    let house = House::new().await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let run = house
        .import_until(vec![page("r", &["a"]), Act::Wait], cancel)
        .await;
    assert_eq!(run.status, RunState::Interrupted);
    let run = house.import(vec![page("r", &["a"]), complete("r")]).await;
    assert_eq!(run.status, RunState::Complete);
    assert_eq!(house.statuses().await, [status("a", Status::Open)]);
}

#[tokio::test]
async fn an_import_out_of_time_says_so_and_resolves_nothing() {
    let mut house = House::new().await;
    house.api.run_timeout = Duration::from_millis(50);
    let run = house.import(vec![Act::Wait]).await;
    assert_eq!(run.status, RunState::Failed);
    assert!(run.error.unwrap().contains("time limit of 50ms"));
}
