//! What of a run is told, by the runs before it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::audience::Audience;
use super::super::{news, overdue};
use super::config;
use crate::config::StoreUrl;
use crate::notice::{Event, Notice};
use crate::store::{Claim, EndedRun, NewRun, RunEnd, RunFilter, RunState, Store, Trigger, open};
const KEYS: &str = "kind = 'webhook'\nurl = 'http://127.0.0.1:9/'\n";

struct World {
    store: Arc<dyn Store>,
    audience: Audience,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("a.db"));
        let config = config(&format!("{KEYS}{keys}"));
        Self {
            store: open(&url).await.unwrap(),
            audience: Audience::of(&config.notifications["n"], &config),
            _folder: folder,
        }
    }

    /// What is told of a run that ends so.
    async fn ends(&self, state: RunState, error: Option<&str>) -> Option<Notice> {
        self.ends_with(state, error, false).await
    }

    async fn ends_with(
        &self,
        state: RunState,
        error: Option<&str>,
        refused: bool,
    ) -> Option<Notice> {
        let new = NewRun {
            api_configuration: "shop".into(),
            connector: "dependency-track".into(),
            trigger: Trigger::Schedule,
            slot: None,
            daemon: "host:1".into(),
        };
        let run = self.store.enqueue(new).await.unwrap().unwrap();
        assert_eq!(self.store.start(run).await.unwrap(), Claim::Running);
        let end = RunEnd {
            credentials_refused: refused,
            ..RunEnd::unread(state, error.map(str::to_owned))
        };
        self.store.finish(run, end).await.unwrap();
        let filter = RunFilter {
            id: Some(run),
            ..RunFilter::default()
        };
        let ended = EndedRun {
            run: self.store.runs(filter).await.unwrap().remove(0),
            connector: "dependency-track".into(),
            credentials_refused: refused,
            groups: Vec::new(),
        };
        let message = news::of_run(&self.audience, &ended, &*self.store)
            .await
            .unwrap()?;
        assert_eq!(message.destination, "notifications.n");
        assert_eq!(message.topic, None);
        Some(serde_json::from_str(&message.content).unwrap())
    }

    /// The keys of what is overdue at this time.
    async fn overdue(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<String> {
        let occasions = overdue::occasions(&self.audience, since, now, &*self.store);
        let occasions = occasions.await.unwrap();
        occasions.into_iter().map(|occasion| occasion.key).collect()
    }
}

fn events(notice: Option<Notice>) -> Vec<Event> {
    notice.map(|notice| notice.events).unwrap_or_default()
}

#[tokio::test]
async fn a_trouble_is_told_when_it_begins_when_it_changes_and_when_it_is_over() {
    use Event::{ImportFailed, ImportPartial, Recovered};
    use RunState::{Complete, Failed, Interrupted, Partial};
    let world = World::new("").await;
    let timed_out = Some("GET http://x/: no answer within 5m (tried 3 times)");
    let again = Some("GET http://x/: no answer within 5m (tried 5 times)");
    let full = Some("disk full");
    for (state, error, told) in [
        (Complete, None, vec![]),
        (Failed, timed_out, vec![ImportFailed]),
        (Failed, again, vec![]),
        (Interrupted, Some("stopped before its end"), vec![]),
        (Failed, again, vec![]),
        (Partial, again, vec![ImportPartial]),
        (Partial, full, vec![ImportPartial]),
        (Complete, None, vec![Recovered]),
        (Complete, None, vec![]),
    ] {
        assert_eq!(
            events(world.ends(state, error).await),
            told,
            "{state} {error:?}"
        );
    }
}

#[tokio::test]
async fn refused_credentials_are_told_with_what_to_do() {
    let world = World::new("events = ['credentials_refused']").await;
    assert_eq!(world.ends(RunState::Failed, Some("500")).await, None);
    let notice = world
        .ends_with(RunState::Failed, Some("401"), true)
        .await
        .unwrap();
    assert_eq!(notice.events, [Event::CredentialsRefused]);
    assert_eq!(notice.action.as_deref(), Some("secpull check dtrack"));
    assert_eq!(notice.product.as_deref(), Some("Shop"));
    let recovered = world
        .ends(RunState::Complete, None)
        .await
        .unwrap()
        .recovered
        .unwrap();
    assert_eq!(recovered.from, Event::CredentialsRefused);
    assert_eq!(recovered.error.as_deref(), Some("401"));
}

#[tokio::test]
async fn a_held_import_is_told_with_the_command_that_accepts_it() {
    let world = World::new("").await;
    let notice = world
        .ends(RunState::Held, Some("would resolve 30"))
        .await
        .unwrap();
    assert_eq!(notice.events, [Event::ImportHeld]);
    assert_eq!(notice.action.as_deref(), Some("secpull accept shop"));
}

#[tokio::test]
async fn who_does_not_want_to_know_is_not_told() {
    let world = World::new("events = ['new_findings']").await;
    assert_eq!(world.ends(RunState::Failed, Some("500")).await, None);
    assert_eq!(world.ends(RunState::Complete, None).await, None);
}

#[tokio::test]
async fn an_absence_is_told_once_per_outage_and_over_with_the_next_complete_import() {
    let world = World::new("not_imported_for = '26h'").await;
    let start = Utc::now();
    let hours = |hours| start + TimeDelta::hours(hours);
    // Never tried: counted from when it is watched.
    assert!(world.overdue(start, hours(25)).await.is_empty());
    assert_eq!(
        world.overdue(start, hours(27)).await,
        ["notifications.n/not_imported/shop/never"]
    );
    world.ends(RunState::Complete, None).await;
    assert!(world.overdue(start, hours(25)).await.is_empty());
    let first = world.overdue(start, hours(27)).await;
    assert_eq!(first.len(), 1);
    // Failing runs do not make another outage of it.
    world.ends(RunState::Failed, Some("500")).await;
    assert_eq!(world.overdue(start, hours(60)).await, first);
    world.ends(RunState::Complete, None).await;
    assert_ne!(world.overdue(start, hours(60)).await, first);

    for off in ["events = ['import_failed']", "from = ['other']"] {
        let world = World::new(off).await;
        assert!(world.overdue(start, hours(1000)).await.is_empty(), "{off}");
    }
}
