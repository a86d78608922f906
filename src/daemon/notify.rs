//! What the service manager is told (sd_notify), and the watchdog.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::rounds::{Rounds, next_of_all};

/// How often the status line is looked at; it is sent when it changed.
const STATUS_EVERY: Duration = Duration::from_secs(10);

type Send = Arc<dyn Fn(&[NotifyState<'_>]) + std::marker::Send + Sync>;

/// Tells the service manager how the daemon is; without one it does nothing.
#[derive(Clone)]
pub struct Notifier {
    engine: Engine,
    send: Send,
}

impl Notifier {
    /// Tells the service manager that started this process, if one did.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let send: Send = Arc::new(|states| {
            if let Err(error) = sd_notify::notify(states) {
                tracing::warn!("the service manager cannot be told: {error}");
            }
        });
        Self { engine, send }
    }

    /// The daemon works, again after a reload too.
    pub fn ready(&self) {
        (self.send)(&[NotifyState::Ready, NotifyState::Status(&self.status())]);
    }

    /// The configuration is being read again. `Type=notify-reload` wants the time in the same message.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => (self.send)(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("the steady clock cannot be read: {error}"),
        }
    }

    /// The daemon is stopping.
    pub fn stopping(&self) {
        (self.send)(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// `3 running, 2 queued, next shop at 2026-11-24 02:00 UTC`.
    fn status(&self) -> String {
        let (running, queued) = self.engine.load();
        let setup = self.engine.setup();
        let next = match next_of_all(&setup.config, self.engine.now()) {
            Some((slot, name)) => format!("next {name} at {}", slot.format("%Y-%m-%d %H:%M UTC")),
            None => "nothing scheduled".to_owned(),
        };
        format!("{running} running, {queued} queued, {next}")
    }

    /// Keeps the status line true until `stop`.
    pub async fn keep_status(self, stop: CancellationToken) {
        let mut told = String::new();
        let mut often = tokio::time::interval(STATUS_EVERY);
        while stop.run_until_cancelled(often.tick()).await.is_some() {
            let status = self.status();
            if status != told {
                (self.send)(&[NotifyState::Status(&status)]);
                told = status;
            }
        }
    }

    /// Pings the watchdog at half its time until `stop`, each time after the schedule's task has answered and the store has
    /// let itself be read. A store that answers with an error is alive: a restart would not mend a full disk. One that does
    /// not answer, or a schedule that hangs, stops the pings, and the service manager restarts the daemon.
    pub async fn keep_watchdog(self, rounds: Rounds, limit: Duration, stop: CancellationToken) {
        let mut half = tokio::time::interval(limit / 2);
        while stop.run_until_cancelled(half.tick()).await.is_some() {
            if is_alive(&self.engine, &rounds, limit).await {
                (self.send)(&[NotifyState::Watchdog]);
            } else {
                tracing::error!("the schedule or the store hangs: the watchdog is not pinged");
            }
        }
    }
}

/// Whether the schedule's task and the store answer within `limit`.
pub async fn is_alive(engine: &Engine, rounds: &Rounds, limit: Duration) -> bool {
    let store = async {
        let filter = crate::store::RunFilter {
            limit: Some(1),
            ..Default::default()
        };
        let read = engine.store().runs(filter).await;
        engine.health().note_read(engine.now(), &read);
    };
    let (schedule, store) = tokio::join!(
        rounds.answers_within(limit),
        tokio::time::timeout(limit, store)
    );
    schedule && store.is_ok()
}
