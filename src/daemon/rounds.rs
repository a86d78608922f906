//! The schedule's task: hears the bell, looks what is due, hands it to the engine, and proves that it is alive.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::config::{ApiConfiguration, Config, ScheduleSetting};
use crate::schedule::{Bell, Due, Horizon, due, next_slot, was_cut_short};
use crate::store::{Run, RunFilter, StoreError};

/// Everything is looked at this often, whatever the bell does.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// After a look that the store's trouble cut short, the next one comes so soon.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

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
        let mut again_at = None;
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
                () = until(again_at) => {}
            }
            again_at = match self.look().await {
                Ok(()) => None,
                Err(error) => {
                    tracing::debug!("looking what is due: {error}");
                    Some(Instant::now() + LOOK_AGAIN_AFTER)
                }
            };
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
    async fn look(&mut self) -> Result<(), StoreError> {
        let mut claimed = match self.claimed.take() {
            Some(claimed) => claimed,
            None => {
                let claimed = self.read_claims().await?;
                self.begin_anew(&claimed).await?;
                claimed
            }
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

    /// Slots whose imports the end of the last daemon cut short are not lost: once, at the start. Where daemons share the
    /// store, whoever is up takes them over.
    async fn begin_anew(&self, claimed: &HashMap<String, DateTime<Utc>>) -> Result<(), StoreError> {
        /// A stop cuts no more than one short of each API configuration, and so many stops count.
        const OF_EACH: usize = 4;
        let engine = &self.engine;
        if engine.store().is_shared() {
            return Ok(());
        }
        let config = Arc::clone(&engine.setup().config);
        let limit = config.api_configurations.len() * OF_EACH;
        let newest = RunFilter {
            limit: Some(u32::try_from(limit).unwrap_or(u32::MAX)),
            ..RunFilter::default()
        };
        let mut runs: HashMap<String, Vec<Run>> = HashMap::new();
        for run in engine.store().runs(newest).await? {
            runs.entry(run.api_configuration.clone())
                .or_default()
                .push(run);
        }
        let is_young = |slot: &DateTime<Utc>| {
            let age = (engine.now() - *slot).to_std();
            age.is_ok_and(|age| age <= config.catch_up_within)
        };
        let lost = schedules(&config)
            .map(|(name, _)| name)
            .filter(|name| claimed.get(*name).is_some_and(is_young))
            .filter(|name| runs.get(*name).is_some_and(|runs| was_cut_short(runs)));
        for name in lost {
            engine.begin_anew(name).await?;
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

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn rings(bell: Option<&Bell>) {
    match bell {
        Some(bell) => bell.rung().await,
        None => std::future::pending().await,
    }
}
