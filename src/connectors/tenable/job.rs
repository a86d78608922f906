//! Export jobs: started when there is a place for them, and cancelled when nobody waits for them any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::api::{Api, Refusal, explain};
use super::pace::Pace;
use super::selection::Source;
use crate::connectors::{ConnectorError, SinkClosed};

/// So many exports of a tenant run at once, whoever asked for them. (Whether web findings count among them is not documented.)
const PLACES: usize = 2;

/// So often an export is asked for when the server or the network fails.
const ATTEMPTS: u32 = 4;

/// The exports of one tool, which all its API configurations share.
#[derive(Debug)]
pub(super) struct Exports {
    places: Arc<Semaphore>,
    /// What the jobs that were started here, and are under way, were asked for.
    running: Mutex<BTreeMap<String, Value>>,
}

impl Default for Exports {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            running: Mutex::default(),
        }
    }
}

impl Exports {
    fn note(&self, job: &str, body: &Value) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(job.to_owned(), body.clone());
    }

    fn forget(&self, job: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(job);
    }

    /// Whether a job was asked for the same; nothing if it was not started here.
    fn same(&self, job: &str, body: &Value) -> Option<bool> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(job).map(|asked| asked == body)
    }
}

/// A job that is under way or has ended. If it is dropped before its end, and was started here, it is cancelled.
pub(super) struct Job {
    pub(super) id: String,
    /// Whether it was under way already: then it is not ours to cancel, and others may cancel it.
    pub(super) adopted: bool,
    api: Api,
    source: Source,
    exports: Arc<Exports>,
    /// Until its end; none of an adopted job.
    place: Option<OwnedSemaphorePermit>,
}

impl Job {
    /// It has come to its end: there is nothing to cancel, and its place is free.
    pub(super) fn settle(&mut self) {
        if self.place.take().is_some() {
            self.exports.forget(&self.id);
        }
    }

    /// Gives it up.
    pub(super) async fn cancel(mut self) {
        if self.place.is_some() {
            self.api.cancel(self.source, &self.id).await;
            self.settle();
        }
    }
}

impl Drop for Job {
    /// An import that is stopped is dropped where it stands. A job left behind would keep one of two places for hours, so its
    /// cancellation is sent by the way; if the process ends before that, the next import adopts the job.
    fn drop(&mut self) {
        let Some(place) = self.place.take() else {
            return;
        };
        self.exports.forget(&self.id);
        if let Ok(runtime) = Handle::try_current() {
            let (api, source, id) = (self.api.clone(), self.source, std::mem::take(&mut self.id));
            runtime.spawn(async move {
                api.cancel(source, &id).await;
                drop(place);
            });
        }
    }
}

/// What is to be exported, and until when it may be waited for.
pub(super) struct Wish<'a> {
    pub(super) api: &'a Api,
    pub(super) source: Source,
    pub(super) body: &'a Value,
    pub(super) pace: Pace,
    pub(super) deadline: Instant,
}

/// Starts an export, or takes over one that is under way and is exactly it. None if there was no place for it in time.
pub(super) async fn start(
    exports: &Arc<Exports>,
    wish: &Wish<'_>,
) -> Result<Option<Job>, ConnectorError> {
    let place = Arc::clone(&exports.places).acquire_owned();
    let Ok(Ok(mut place)) = timeout_at(wish.deadline, place).await else {
        return Ok(None);
    };
    let mut failures = 0;
    let mut waits = wish.pace.waits();
    let mut next = || waits.next().unwrap_or(wish.pace.longest);
    loop {
        // By the way, so that an import that is stopped before the answer leaves no job behind: then the job is dropped with it.
        let asked = ask(
            Arc::clone(exports),
            wish.api.clone(),
            wish.source,
            wish.body.clone(),
            place,
        );
        let refusal = match tokio::spawn(asked).await {
            Ok(Ok(job)) => return Ok(Some(job)),
            Ok(Err((refusal, given_back))) => {
                place = given_back;
                refusal
            }
            Err(_) => return Err(SinkClosed.into()),
        };
        let wait = match refusal {
            Refusal::Running(Some(id)) if is_wished(exports, wish, &id).await => {
                return Ok(Some(Job {
                    id,
                    adopted: true,
                    api: wish.api.clone(),
                    source: wish.source,
                    exports: Arc::clone(exports),
                    place: None,
                }));
            }
            Refusal::Running(_) => next(),
            // Never at once, whatever the tenant says.
            Refusal::Busy(wait) => wait.unwrap_or(wish.pace.busy).max(wish.pace.first),
            Refusal::Passing(error) => {
                failures += 1;
                if failures >= ATTEMPTS {
                    return Err(explain(error));
                }
                next()
            }
            Refusal::Final(error) => return Err(error),
        };
        if !pause(wait, wish.deadline).await {
            return Ok(None);
        }
    }
}

/// Asks for an export once; the place for it is kept by the job, or given back.
async fn ask(
    exports: Arc<Exports>,
    api: Api,
    source: Source,
    body: Value,
    place: OwnedSemaphorePermit,
) -> Result<Job, (Refusal, OwnedSemaphorePermit)> {
    match api.start(source, &body).await {
        Ok(id) => {
            exports.note(&id, &body);
            Ok(Job {
                id,
                adopted: false,
                api,
                source,
                exports,
                place: Some(place),
            })
        }
        Err(refusal) => Err((refusal, place)),
    }
}

/// Whether a job under way is exactly what is wished for. Filters that cannot be compared are not the same.
async fn is_wished(exports: &Exports, wish: &Wish<'_>, id: &str) -> bool {
    if let Some(same) = exports.same(id, wish.body) {
        return same;
    }
    let status = wish.api.status(wish.source, id).await;
    status.is_ok_and(|status| status.is_of(wish.body))
}

/// Waits, but not beyond the deadline; false if that is over.
pub(super) async fn pause(wait: Duration, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    sleep(wait.min(left)).await;
    !left.is_zero()
}
