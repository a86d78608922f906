//! The schedule's task: hears the bell, looks what is due, hands it to the engine, and proves that it is alive.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::config::{ApiConfiguration, Config, ScheduleSetting};
use crate::schedule::{Bell, Due, Horizon, due, next_slot};
use crate::store::StoreError;

/// Everything is looked at this often, whatever the bell does.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The wall clock may drift this far from the steady one between two looks; beyond, it was set.
const LARGEST_DRIFT: TimeDelta = TimeDelta::seconds(2);

/// Asks the schedule's task things. Clones ask the same task.
#[derive(Clone)]
pub struct Rounds {
    questions: mpsc::Sender<oneshot::Sender<()>>,
    reloaded: Arc<Notify>,
}

impl Rounds {
    /// Begins the rounds, in a task that ends with `stop`.
    #[must_use]
    pub fn begin(engine: Engine, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let (questions, asked) = mpsc::channel(16);
        let reloaded = Arc::new(Notify::new());
        let walker = Walker {
            up_since: engine.now(),
            claimed: None,
            engine,
        };
        let task = tokio::spawn(walker.walk(asked, Arc::clone(&reloaded), stop));
        let rounds = Self {
            questions,
            reloaded,
        };
        (rounds, task)
    }

    /// Whether the schedule's task answers within this time. It does between two looks; a task that hangs does not.
    pub async fn answers_within(&self, limit: Duration) -> bool {
        let (answer, answered) = oneshot::channel();
        let ask = async { self.questions.send(answer).await.is_ok() && answered.await.is_ok() };
        tokio::time::timeout(limit, ask).await.unwrap_or(false)
    }

    /// The configuration in force has changed: the bell is hung anew, and everything looked at.
    pub fn reloaded(&self) {
        self.reloaded.notify_one();
    }
}

/// The schedules of a configuration that are to be kept, by name of the API configuration.
pub fn schedules(config: &Config) -> impl Iterator<Item = (&str, &ScheduleSetting)> {
    let scheduled = |api: &&Arc<ApiConfiguration>| config.automatic_import && api.automatic_import;
    config
        .api_configurations
        .values()
        .filter(scheduled)
        .map(|api| (api.name.as_str(), &api.schedule))
}

/// The slot that comes next, and whose it is.
#[must_use]
pub fn next_of_all(config: &Config, now: DateTime<Utc>) -> Option<(DateTime<Utc>, &str)> {
    schedules(config)
        .filter_map(|(name, setting)| Some((next_slot(setting, name, now)?, name)))
        .min()
}

struct Walker {
    engine: Engine,
    up_since: DateTime<Utc>,
    /// The latest claimed slot of each API configuration; none until the store has said so.
    claimed: Option<HashMap<String, DateTime<Utc>>>,
}

impl Walker {
    async fn walk(
        mut self,
        mut asked: mpsc::Receiver<oneshot::Sender<()>>,
        reloaded: Arc<Notify>,
        stop: CancellationToken,
    ) {
        let mut bell = None;
        self.hang(&mut bell).await;
        let mut minute = tokio::time::interval(LOOK_EVERY);
        minute.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut clocks = (Instant::now(), self.engine.now());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(answer) = asked.recv() => {
                    // Whoever asked may have gone.
                    let _ = answer.send(());
                    continue;
                }
                () = reloaded.notified() => self.hang(&mut bell).await,
                _ = minute.tick() => {
                    let before = clocks;
                    clocks = (Instant::now(), self.engine.now());
                    let drift = drift(before, clocks);
                    if drift.abs() > LARGEST_DRIFT {
                        tracing::info!("the clock was set by {} s", drift.num_seconds());
                        self.hang(&mut bell).await;
                    } else if bell.is_none() {
                        self.hang(&mut bell).await;
                    }
                }
                () = rings(bell.as_ref()) => {}
            }
            self.look().await;
        }
        if let Some(bell) = bell {
            bell.stop().await;
        }
    }

    /// Hangs the bell for the configuration in force. Without one the look of every minute still finds what is due.
    async fn hang(&self, bell: &mut Option<Bell>) {
        let config = Arc::clone(&self.engine.setup().config);
        let hung = match bell {
            Some(bell) => bell.hang_anew(schedules(&config)).await,
            None => match Bell::hang(schedules(&config)).await {
                Ok(hung) => {
                    *bell = Some(hung);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = hung {
            tracing::warn!("{error}; imports start up to a minute late until it works");
            *bell = None;
        }
    }

    /// Hands every due slot to the engine. What the store's failure leaves undone is done by the next look.
    async fn look(&mut self) {
        if let Err(error) = self.try_look().await {
            tracing::debug!("looking what is due: {error}");
        }
    }

    async fn try_look(&mut self) -> Result<(), StoreError> {
        let mut claimed = match self.claimed.take() {
            Some(claimed) => claimed,
            None => self.read_claims().await?,
        };
        let config = Arc::clone(&self.engine.setup().config);
        let horizon = Horizon {
            up_since: self.up_since,
            catch_up_within: config.catch_up_within,
        };
        let found = due(self.engine.now(), horizon, &claimed, schedules(&config));
        let done = self.hand_over(found, &mut claimed).await;
        self.claimed = Some(claimed);
        done
    }

    async fn hand_over(
        &self,
        found: Vec<Due>,
        claimed: &mut HashMap<String, DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        for due in found {
            self.engine.run_slot(&due).await?;
            // Claimed now, or by another daemon before: either way it is no longer ours to run.
            claimed.insert(due.api_configuration, due.slot);
        }
        Ok(())
    }

    async fn read_claims(&self) -> Result<HashMap<String, DateTime<Utc>>, StoreError> {
        let claims = self.engine.store().claimed_slots().await;
        self.engine.health().note_read(self.engine.now(), &claims);
        Ok(claims?.into_iter().collect())
    }
}

/// How far the wall clock moved otherwise than the steady clock.
fn drift(before: (Instant, DateTime<Utc>), now: (Instant, DateTime<Utc>)) -> TimeDelta {
    let steady = TimeDelta::from_std(now.0 - before.0).unwrap_or(TimeDelta::MAX);
    (now.1 - before.1) - steady
}

async fn rings(bell: Option<&Bell>) {
    match bell {
        Some(bell) => bell.rung().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::Ordering;

    use super::*;
    use crate::connectors::Connectors;
    use crate::daemon::engine::tests::{Bench, count};
    use crate::daemon::fakes::{api, config};
    use crate::store::{RunState, Trigger};

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    async fn alive(rounds: &Rounds) -> bool {
        rounds.answers_within(Duration::from_secs(20)).await
    }

    /// Two answers later whatever was asked for before has been done.
    async fn looked(rounds: &Rounds) {
        rounds.reloaded();
        assert!(alive(rounds).await && alive(rounds).await);
    }

    #[tokio::test]
    async fn a_slot_is_run_once_when_it_comes_and_after_the_clock_was_set_back_and_forth() {
        let bench = Bench::new(config(&["a"], 1));
        bench.may_end.add_permits(9);
        bench.clock.set(time("2026-11-23T18:00:00Z"));
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        looked(&rounds).await;
        assert!(bench.store.all().is_empty());
        for now in [
            "2026-11-24T02:00:00.3Z",
            "2026-11-24T02:00:30Z",
            "2026-11-24T01:30:00Z",
            "2026-11-24T02:00:00Z",
            "2026-11-24T13:00:00Z",
        ] {
            bench.clock.set(time(now));
            looked(&rounds).await;
        }
        bench
            .store
            .until(|runs| count(runs, RunState::Complete) == 1)
            .await;
        assert_eq!(bench.store.all().len(), 1);
        assert_eq!(bench.store.all()[0].trigger, Trigger::Schedule);
    }

    #[tokio::test]
    async fn a_slot_missed_while_down_is_caught_up_at_the_start_and_not_at_the_next_start() {
        let bench = Bench::new(config(&["a"], 1));
        bench.may_end.add_permits(9);
        bench.clock.set(time("2026-11-24T09:00:00Z"));
        for _ in 0..2 {
            let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
            looked(&rounds).await;
        }
        bench
            .store
            .until(|runs| count(runs, RunState::Complete) == 1)
            .await;
        assert_eq!(bench.store.all().len(), 1);
        assert_eq!(bench.store.all()[0].trigger, Trigger::CatchUp);
    }

    #[tokio::test]
    async fn both_switches_of_automatic_import_are_respected() {
        let mut off = config(&["a", "b"], 1);
        off.automatic_import = false;
        let bench = Bench::new(off);
        bench.clock.set(time("2026-11-24T02:00:00Z"));
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        looked(&rounds).await;
        assert!(bench.store.all().is_empty());

        let mut on = config(&["a"], 1);
        let switched_off = ApiConfiguration {
            automatic_import: false,
            ..api("b")
        };
        on.api_configurations
            .insert("b".to_owned(), Arc::new(switched_off));
        let connectors = Connectors::open(&on);
        bench.engine.put_in_force(on, connectors);
        looked(&rounds).await;
        assert_eq!(bench.store.of("a").len(), 1);
        assert!(bench.store.of("b").is_empty());
    }

    #[tokio::test]
    async fn a_store_that_fails_at_the_slot_delays_the_run_and_loses_nothing() {
        let bench = Bench::new(config(&["a", "b"], 2));
        bench.clock.set(time("2026-11-24T02:00:00Z"));
        bench.store.full.store(true, Ordering::SeqCst);
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        looked(&rounds).await;
        assert!(bench.store.all().is_empty());
        bench.store.full.store(false, Ordering::SeqCst);
        looked(&rounds).await;
        assert_eq!(bench.store.all().len(), 2);
    }

    #[tokio::test]
    async fn a_schedule_that_hangs_does_not_answer() {
        let bench = Bench::new(config(&["a"], 1));
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        looked(&rounds).await;
        bench.store.writes_hang.store(true, Ordering::SeqCst);
        bench.clock.set(time("2026-11-24T02:00:00Z"));
        rounds.reloaded();
        // The first question may be answered before the look begins.
        rounds.answers_within(Duration::from_millis(100)).await;
        assert!(!rounds.answers_within(Duration::from_millis(300)).await);
    }

    #[test]
    fn a_clock_that_was_set_shows_as_drift() {
        let (steady, wall) = (Instant::now(), time("2026-11-24T02:00:00Z"));
        let later = |seconds: u64| steady + Duration::from_secs(seconds);
        let minute = TimeDelta::seconds(60);
        assert_eq!(
            drift((steady, wall), (later(60), wall + minute)),
            TimeDelta::zero()
        );
        assert_eq!(
            drift((steady, wall), (later(60), wall - minute)),
            TimeDelta::seconds(-120)
        );
    }

    #[test]
    fn the_next_of_all_is_the_earliest_that_is_switched_on() {
        let mut config = config(&["a", "b"], 1);
        let sooner = ApiConfiguration {
            schedule: ScheduleSetting::Daily { hour: 1, minute: 0 },
            ..api("b")
        };
        config
            .api_configurations
            .insert("b".to_owned(), Arc::new(sooner));
        let now = time("2026-11-24T00:00:00Z");
        assert_eq!(
            next_of_all(&config, now),
            Some((time("2026-11-24T01:00:00Z"), "b"))
        );
        config.automatic_import = false;
        assert_eq!(next_of_all(&config, now), None);
    }
}
