//! The post office of a daemon: makes known what has happened, and keeps a courier for each destination.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Courier, Deliverer, Office, announce_runs, look_round};
use crate::store::StoreError;

/// What has happened is looked for this often, whatever rings.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A post office. Clones are the same one.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    office: Office,
    /// Rings when a run has ended.
    bell: Notify,
    counter: Mutex<Counter>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Who serves which destination.
#[derive(Default)]
struct Counter {
    deliverers: Vec<Arc<dyn Deliverer>>,
    couriers: BTreeMap<String, OnDuty>,
    /// Those that are not served any more, and may still be at their last delivery.
    leaving: BTreeMap<String, JoinHandle<()>>,
}

struct OnDuty {
    bell: Arc<Notify>,
    retire: CancellationToken,
    task: JoinHandle<()>,
}

impl Post {
    /// Opens for these destinations.
    #[must_use]
    pub fn open(office: Office, deliverers: Vec<Arc<dyn Deliverer>>) -> Self {
        let post = Self(Arc::new(Inner {
            office,
            bell: Notify::new(),
            counter: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        post.serve(deliverers);
        post.0.tasks.spawn(post.clone().keep_looking());
        post
    }

    /// Something has happened that destinations may want to know.
    pub fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Serves these destinations in place of those before. A delivery under way to one that stays, or goes, ends first.
    pub fn serve(&self, deliverers: Vec<Arc<dyn Deliverer>>) {
        let mut counter = self.counter();
        for (destination, on_duty) in std::mem::take(&mut counter.couriers) {
            on_duty.retire.cancel();
            counter.leaving.insert(destination, on_duty.task);
        }
        for deliverer in &deliverers {
            let destination = deliverer.destination().to_owned();
            let earlier = counter.leaving.remove(&destination);
            let on_duty = self.put_on_duty(Arc::clone(deliverer), earlier);
            counter.couriers.insert(destination, on_duty);
        }
        counter.deliverers = deliverers;
        drop(counter);
        self.ring();
    }

    fn put_on_duty(
        &self,
        deliverer: Arc<dyn Deliverer>,
        earlier: Option<JoinHandle<()>>,
    ) -> OnDuty {
        let bell = Arc::new(Notify::new());
        let retire = CancellationToken::new();
        let courier = Courier::new(self.0.office.clone(), deliverer);
        let work = courier.keep_delivering(Arc::clone(&bell), retire.clone(), self.0.stop.clone());
        let task = self.0.tasks.spawn(async move {
            if let Some(earlier) = earlier {
                // Even if it has crashed: what it held runs out.
                let _ = earlier.await;
            }
            work.await;
        });
        OnDuty { bell, retire, task }
    }

    /// The names of the destinations that are served.
    #[must_use]
    pub fn destinations(&self) -> Vec<String> {
        self.counter().couriers.keys().cloned().collect()
    }

    /// Closes: deliveries under way are given up within `patience`. What was not delivered waits for the next start.
    pub async fn close(&self, patience: Duration) {
        self.0.stop.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(patience, self.0.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "a delivery did not end in time; it is tried again after the next start"
            );
        }
    }

    async fn keep_looking(self) {
        let mut said = None;
        loop {
            let looked = AssertUnwindSafe(self.look()).catch_unwind().await;
            let looked = looked.map_or_else(
                |_| Err("a fault of secpull, please report it".to_owned()),
                |looked| looked.map_err(|error| error.to_string()),
            );
            match looked {
                Ok(()) => said = None,
                Err(error) => {
                    if said.as_ref() != Some(&error) {
                        tracing::warn!("destinations do not learn of anything new: {error}");
                        said = Some(error);
                    }
                }
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                () = self.0.bell.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self) -> Result<(), StoreError> {
        let office = &self.0.office;
        let deliverers = self.counter().deliverers.clone();
        announce_runs(office, &deliverers).await?;
        look_round(office, &deliverers).await?;
        office.ledger.waiting(&office.store.waiting().await?);
        for on_duty in self.counter().couriers.values() {
            on_duty.bell.notify_one();
        }
        Ok(())
    }

    fn counter(&self) -> MutexGuard<'_, Counter> {
        self.0
            .counter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
