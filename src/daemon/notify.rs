//! What the service manager is told (sd_notify), and the watchdog.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::rounds::{Rounds, next_of_all};

/// How often the status line is looked at; it is sent when it changed.
const STATUS_EVERY: Duration = Duration::from_secs(10);

pub(super) type Send = Arc<dyn Fn(&[NotifyState<'_>]) + std::marker::Send + Sync>;

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

    /// Tells this instead.
    #[cfg(test)]
    pub(super) fn telling(engine: Engine, send: Send) -> Self {
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
        // READY has told the first one.
        let mut told = self.status();
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
pub(super) async fn is_alive(engine: &Engine, rounds: &Rounds, limit: Duration) -> bool {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::Ordering;

    use tokio::sync::mpsc;

    use super::*;
    use crate::daemon::engine::tests::Bench;
    use crate::daemon::fakes::config;

    fn overheard(engine: Engine) -> (Notifier, mpsc::UnboundedReceiver<String>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let send: Send = Arc::new(move |states| {
            let lines: Vec<_> = states.iter().map(ToString::to_string).collect();
            let _ = sender.send(lines.join("\n"));
        });
        (Notifier::telling(engine, send), receiver)
    }

    #[tokio::test]
    async fn the_status_tells_load_and_next_slot() {
        let bench = Bench::new(config(&["a", "b"], 1));
        let (notifier, mut told) = overheard(bench.engine.clone());
        bench.start(&["a", "b"]).await;
        notifier.ready();
        assert_eq!(
            told.recv().await.unwrap(),
            "READY=1\nSTATUS=1 running, 1 queued, next a at 2026-11-24 02:00 UTC"
        );
    }

    #[tokio::test]
    async fn a_reload_tells_its_time_in_the_same_message() {
        let bench = Bench::new(config(&["a"], 1));
        let (notifier, mut told) = overheard(bench.engine.clone());
        notifier.reloading();
        let message = told.recv().await.unwrap();
        assert!(
            message.starts_with("RELOADING=1\nMONOTONIC_USEC="),
            "{message}"
        );
    }

    #[tokio::test]
    async fn the_watchdog_is_pinged_until_the_schedule_hangs() {
        let bench = Bench::new(config(&["a"], 1));
        let stop = CancellationToken::new();
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), stop.clone());
        let (notifier, mut told) = overheard(bench.engine.clone());
        let limit = Duration::from_millis(100);
        tokio::spawn(notifier.keep_watchdog(rounds.clone(), limit, stop.clone()));
        for _ in 0..3 {
            assert_eq!(told.recv().await.unwrap(), "WATCHDOG=1");
        }

        bench.store.writes_hang.store(true, Ordering::SeqCst);
        bench.clock.set("2026-11-24T02:00:00Z".parse().unwrap());
        rounds.reloaded();
        while rounds.answers_within(limit).await {}
        while told.try_recv().is_ok() {}
        // At most the ping that was on its way; then silence for longer than the manager waits.
        let _ = tokio::time::timeout(limit, told.recv()).await;
        assert!(tokio::time::timeout(limit * 5, told.recv()).await.is_err());
    }

    #[tokio::test]
    async fn a_store_that_answers_with_an_error_is_no_reason_to_be_restarted() {
        let bench = Bench::new(config(&["a"], 1));
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        bench.store.full.store(true, Ordering::SeqCst);
        assert!(is_alive(&bench.engine, &rounds, Duration::from_secs(20)).await);
        bench.store.hangs.store(true, Ordering::SeqCst);
        assert!(!is_alive(&bench.engine, &rounds, Duration::from_millis(100)).await);
    }
}
