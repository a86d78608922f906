use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::read;
use super::runs::existing;
use crate::daemon::control::api::{ErrorAnswer, RunEvent};
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;
use crate::daemon::engine::Engine;
use crate::import::ProgressSnapshot;
use crate::store::Run;

/// Between two events of a stream there is at least this.
const PACE: Duration = Duration::from_millis(200);

/// A run of another process (`--standalone`, another host) rings no bell here: the store is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A stream that has nothing to say gives a sign of life this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How far a run is, as server-sent events: `progress` now and at changes (at most five a second), then one `end`. Of a run
/// that is over there is only the `end`.
#[utoipa::path(
    get,
    path = "/v1/runs/{id}/events",
    params(("id" = i64, Path, description = "number of the run")),
    responses(
        (status = 200, body = RunEvent, content_type = "text/event-stream", description = "the data of each event"),
        (status = 400, body = ErrorAnswer, description = "the path is wrong"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 404, body = ErrorAnswer, description = "there is no such run"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn events(
    State(control): State<Control>,
    path: Result<Path<i64>, PathRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Refusal> {
    let id = read::number(path)?;
    // Before the store is asked: a run that ends in between is then found ended.
    let progress = control.engine.watch(id);
    let run = existing(&control, id).await?;
    let watcher = Watcher {
        engine: control.engine,
        progress,
        elsewhere: ProgressSnapshot::default(),
        run,
        next_at: Instant::now(),
        told: false,
        warnings_told: 0,
        over: false,
    };
    let events = stream::unfold(watcher, |mut watcher| async {
        let event = watcher.next().await?;
        Some((as_sse(&event), watcher))
    });
    let until_stop = events.take_until(control.stop.cancelled_owned());
    Ok(Sse::new(until_stop).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

fn as_sse(event: &RunEvent) -> Result<Event, axum::Error> {
    let name = match event {
        RunEvent::Progress { .. } => "progress",
        RunEvent::End { .. } => "end",
    };
    Event::default().event(name).json_data(event)
}

struct Watcher {
    engine: Engine,
    progress: Option<watch::Receiver<ProgressSnapshot>>,
    /// What another process has last told of it, where there is no such receiver.
    elsewhere: ProgressSnapshot,
    run: Run,
    next_at: Instant,
    told: bool,
    warnings_told: usize,
    over: bool,
}

impl Watcher {
    /// The next event; none after the end, and none if the store does not tell how the run ended.
    async fn next(&mut self) -> Option<RunEvent> {
        if self.over {
            return None;
        }
        if self.run.status.is_over() {
            return Some(self.last_words());
        }
        if self.told {
            self.wait().await;
            self.run = self.engine.run(self.run.id).await.ok().flatten()?;
            if self.run.status.is_over() {
                return Some(self.last_words());
            }
            if self.left_the_engine() {
                if !self.engine.store().is_shared() {
                    // Cut off while the daemon stops: whoever watches asks again.
                    return None;
                }
                // Another daemon has taken it.
                self.progress = None;
            }
        }
        self.told = true;
        self.next_at = Instant::now() + PACE;
        if self.progress.is_none() {
            let told = self.engine.progress_elsewhere(self.run.id).await;
            self.elsewhere = told.unwrap_or_default();
        }
        Some(self.progress())
    }

    fn progress(&mut self) -> RunEvent {
        let progress = match &mut self.progress {
            Some(progress) => progress.borrow_and_update().clone(),
            None => self.elsewhere.clone(),
        };
        self.warnings_told = progress.warnings.len();
        RunEvent::Progress {
            progress,
            run: self.run.clone(),
        }
    }

    /// The end; before it the progress, if it holds a warning that came too late for the pace.
    fn last_words(&mut self) -> RunEvent {
        let warnings = self.progress.as_ref();
        let warnings = warnings.map_or(0, |progress| progress.borrow().warnings.len());
        if warnings > self.warnings_told {
            return self.progress();
        }
        self.end()
    }

    /// Until there is news, and it is time to tell it. The end is told at once.
    async fn wait(&mut self) {
        let Some(progress) = &mut self.progress else {
            return tokio::time::sleep(LOOK_EVERY).await;
        };
        if progress.changed().await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep_until(self.next_at) => {}
            () = gone(progress) => {}
        }
    }

    fn left_the_engine(&self) -> bool {
        self.progress
            .as_ref()
            .is_some_and(|progress| progress.has_changed().is_err())
    }

    fn end(&mut self) -> RunEvent {
        self.over = true;
        RunEvent::End {
            run: self.run.clone(),
        }
    }
}

/// Until the run's sender is dropped.
async fn gone(progress: &mut watch::Receiver<ProgressSnapshot>) {
    while progress.changed().await.is_ok() {}
}
