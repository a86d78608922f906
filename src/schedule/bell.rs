//! The bell: tokio-cron-scheduler says "look now", and decides nothing.
//!
//! It loses rings when many are due at once, rings twice when the machine is busy, and falls silent when the clock is set
//! back. None of that matters here: whoever hears it asks [`super::due`], looks once a minute anyhow, and hangs the bell
//! anew when the clock has jumped.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::slot::ring_pattern;
use crate::config::ScheduleSetting;

/// The scheduler crate's channel drops rings beyond its size; this many fit in any case.
const SMALLEST_CHANNEL: usize = 1024;

/// The bell cannot be hung.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler's bell cannot be set up: {0}")]
pub struct BellError(#[from] JobSchedulerError);

/// Rings at the slots of all schedules that it was hung for.
pub struct Bell {
    scheduler: JobScheduler,
    channel: usize,
    jobs: Vec<Job>,
    rung: Arc<Notify>,
}

impl Bell {
    /// Hangs a bell for these schedules, each with the name of its API configuration.
    ///
    /// # Errors
    /// The scheduler crate refuses.
    pub async fn hang<'a>(
        schedules: impl IntoIterator<Item = (&'a str, &'a ScheduleSetting)>,
    ) -> Result<Self, BellError> {
        let patterns = patterns(schedules);
        let channel = channel_for(patterns.len());
        let mut bell = Self {
            scheduler: started(channel).await?,
            channel,
            jobs: Vec::new(),
            rung: Arc::default(),
        };
        bell.add(patterns).await?;
        Ok(bell)
    }

    /// Takes all rings down and hangs them anew: after a reload, and after the clock has jumped.
    ///
    /// # Errors
    /// The scheduler crate refuses; nothing may ring then until this is called again.
    pub async fn hang_anew<'a>(
        &mut self,
        schedules: impl IntoIterator<Item = (&'a str, &'a ScheduleSetting)>,
    ) -> Result<(), BellError> {
        let patterns = patterns(schedules);
        let channel = channel_for(patterns.len());
        if channel > self.channel {
            self.scheduler.shutdown().await?;
            self.scheduler = started(channel).await?;
            self.channel = channel;
            self.jobs.clear();
        }
        for job in self.jobs.drain(..) {
            self.scheduler.remove(&job.guid()).await?;
        }
        self.add(patterns).await
    }

    /// Waits for the next ring. Rings while nobody waits are remembered as one.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Takes the bell down.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!("the scheduler's bell did not stop: {error}");
        }
    }

    /// One job for each pattern: five hundred daily imports at 02:00 need one ring.
    async fn add(&mut self, patterns: BTreeSet<String>) -> Result<(), BellError> {
        for pattern in patterns {
            let rung = Arc::clone(&self.rung);
            let job = Job::new_async(pattern, move |_, _| {
                let rung = Arc::clone(&rung);
                Box::pin(async move { rung.notify_one() })
            })?;
            self.scheduler.add(job.clone()).await?;
            self.jobs.push(job);
        }
        Ok(())
    }
}

async fn started(channel: usize) -> Result<JobScheduler, BellError> {
    let scheduler = JobScheduler::new_with_channel_size(channel).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

fn channel_for(jobs: usize) -> usize {
    (4 * jobs).max(SMALLEST_CHANNEL)
}

fn patterns<'a>(
    schedules: impl IntoIterator<Item = (&'a str, &'a ScheduleSetting)>,
) -> BTreeSet<String> {
    schedules
        .into_iter()
        .map(|(name, setting)| ring_pattern(setting, name))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_bell_rings_at_a_slot_and_again_after_it_was_hung_anew() {
        // Slots every second, so that the test need not wait for a minute.
        let often = ScheduleSetting::Every(Duration::from_secs(1));
        let never = ScheduleSetting::Cron("0 0 29 2 *".to_owned());
        let mut bell = Bell::hang([("a", &never)]).await.unwrap();
        assert!(
            tokio::time::timeout(Duration::from_millis(1600), bell.rung())
                .await
                .is_err()
        );
        bell.hang_anew([("a", &often)]).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), bell.rung())
            .await
            .unwrap();
        bell.stop().await;
    }

    #[test]
    fn equal_schedules_share_a_ring() {
        let daily = ScheduleSetting::Daily { hour: 2, minute: 0 };
        assert_eq!(patterns([("a", &daily), ("b", &daily)]).len(), 1);
    }
}
