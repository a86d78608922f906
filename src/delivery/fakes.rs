//! A destination that does as the test says, and an office over a real store.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::{Deliverer, Desk, Ledger, Occasion, Office, Outcome};
use crate::config::StoreUrl;
use crate::store::{
    self, Claim, EndedRun, Message, NewMessage, NewRun, RunEnd, RunId, RunState, Store, StoreError,
    Trigger, Waiting,
};

/// An office over a store of its own, whose clock stands until it is set forward.
pub(super) struct Bench {
    pub(super) office: Office,
    clock: Arc<Mutex<DateTime<Utc>>>,
    pub(super) counted: Arc<Mutex<Vec<(String, &'static str)>>>,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("a.db"));
        let clock = Arc::new(Mutex::new("2026-11-24T01:00:00Z".parse().unwrap()));
        let counted = Arc::default();
        let now = Arc::clone(&clock);
        Self {
            office: Office {
                store: store::open(&url).await.unwrap(),
                now: Arc::new(move || *now.lock().unwrap()),
                ledger: Arc::new(Counted(Arc::clone(&counted))),
                name: "host:1".to_owned(),
            },
            clock,
            counted,
            _folder: folder,
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.office.store
    }

    pub(super) fn forward(&self, by: Duration) {
        *self.clock.lock().unwrap() += by;
    }

    pub(super) fn outcomes(&self) -> Vec<&'static str> {
        let counted = self.counted.lock().unwrap();
        counted.iter().map(|(_, outcome)| *outcome).collect()
    }

    /// Adds messages without topics, each a second older than the next.
    pub(super) async fn post(&self, destination: &str, contents: &[&str]) {
        let now = *self.clock.lock().unwrap();
        for (place, content) in (0..).zip(contents) {
            let message = message(destination, content);
            let at = now + TimeDelta::seconds(place);
            let key = format!("{destination} {content} {at}");
            let posted = self.store().announce_once(&key, vec![message], at);
            assert!(posted.await.unwrap());
        }
    }

    /// A run that has ended so.
    pub(super) async fn run(&self, api: &str, state: RunState) -> RunId {
        let new = NewRun {
            api_configuration: api.to_owned(),
            connector: "script".to_owned(),
            trigger: Trigger::Operator,
            slot: None,
            daemon: "host:1".to_owned(),
        };
        let run = self.store().enqueue(new).await.unwrap().unwrap();
        assert_eq!(self.store().start(run).await.unwrap(), Claim::Running);
        let end = RunEnd::unread(state, None);
        self.store().finish(run, end).await.unwrap();
        run
    }

    pub(super) async fn waiting(&self) -> Vec<Waiting> {
        self.store().waiting().await.unwrap()
    }
}

pub(super) fn message(destination: &str, content: &str) -> NewMessage {
    NewMessage {
        destination: destination.to_owned(),
        topic: None,
        content: content.to_owned(),
    }
}

struct Counted(Arc<Mutex<Vec<(String, &'static str)>>>);

impl Ledger for Counted {
    fn attempted(&self, destination: &str, outcome: &'static str) {
        let mut counted = self.0.lock().unwrap();
        counted.push((destination.to_owned(), outcome));
    }

    fn waiting(&self, _waiting: &[Waiting]) {}
}

/// What becomes of an attempt.
pub(super) enum Act {
    Ends(Outcome),
    Crashes,
    /// Notes this, and then never ends.
    Hangs(&'static str),
    /// Ends when it is stopped.
    Obeys,
    /// Ends when the test rings `go_on`.
    Waits,
}

/// A destination. Without orders it takes everything.
pub(super) struct Fake {
    name: String,
    orders: Mutex<VecDeque<Act>>,
    /// Contents, in the order in which they were tried.
    tried: Mutex<Vec<String>>,
    changed: Notify,
    pub(super) go_on: Notify,
    pub(super) occasions: Mutex<Vec<Occasion>>,
    /// The store fails while it is asked.
    pub(super) fails: Mutex<bool>,
}

impl Fake {
    pub(super) fn new(name: &str, orders: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            orders: Mutex::new(orders.into_iter().collect()),
            tried: Mutex::default(),
            changed: Notify::new(),
            go_on: Notify::new(),
            occasions: Mutex::default(),
            fails: Mutex::new(false),
        })
    }

    pub(super) fn tried(&self) -> Vec<String> {
        self.tried.lock().unwrap().clone()
    }

    /// Waits until so many attempts have begun.
    pub(super) async fn until_tried(&self, number: usize) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if self.tried().len() >= number {
                    return;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waited.is_ok(), "tried: {:?}", self.tried());
    }

    fn asked(&self) -> Result<(), StoreError> {
        match *self.fails.lock().unwrap() {
            false => Ok(()),
            true => Err(StoreError::Engine {
                place: "memory".to_owned(),
                reason: "locked".to_owned(),
                passing: true,
            }),
        }
    }
}

pub(super) fn later(problem: &str) -> Act {
    Act::Ends(Outcome::Later {
        problem: problem.to_owned(),
        after: None,
    })
}

pub(super) fn unavailable(problem: &str) -> Act {
    Act::Ends(Outcome::Unavailable {
        problem: problem.to_owned(),
        after: None,
    })
}

#[async_trait]
impl Deliverer for Fake {
    fn destination(&self) -> &str {
        &self.name
    }

    /// Of each run its number.
    async fn on_run(
        &self,
        run: &EndedRun,
        _store: &dyn Store,
    ) -> Result<Vec<NewMessage>, StoreError> {
        self.asked()?;
        Ok(vec![message(&self.name, &run.run.id.to_string())])
    }

    async fn on_round(
        &self,
        _now: DateTime<Utc>,
        _store: &dyn Store,
    ) -> Result<Vec<Occasion>, StoreError> {
        self.asked()?;
        Ok(self.occasions.lock().unwrap().clone())
    }

    async fn deliver(&self, message: &Message, desk: &Desk<'_>) -> Outcome {
        let order = self.orders.lock().unwrap().pop_front();
        if let Some(Act::Hangs(note)) = order {
            desk.note(note).await.unwrap();
        }
        let mut seen = message.content.clone();
        if let Some(note) = &message.note {
            seen = format!("{seen}, {note}");
        }
        self.tried.lock().unwrap().push(seen);
        self.changed.notify_waiters();
        match order {
            None => Outcome::Delivered,
            Some(Act::Ends(outcome)) => outcome,
            Some(Act::Crashes) => panic!("as the test wants"),
            Some(Act::Hangs(_)) => std::future::pending().await,
            Some(Act::Obeys) => {
                desk.stopped().await;
                Outcome::Delivered
            }
            Some(Act::Waits) => {
                self.go_on.notified().await;
                Outcome::Delivered
            }
        }
    }
}
