//! Writing while the next page is read, and trying again where the store's trouble passes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use tokio::task::JoinHandle;

use crate::store::{Change, Prepared, RunId, ScopeId, Store, StoreError, WriteCounts};

/// How trouble that passes (another process holds the lock, the disk is full) is waited for: about a minute in all.
pub(super) fn patience() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(15))
        .with_max_times(8)
}

/// Whether waiting can help.
pub(super) fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Engine { passing: true, .. })
}

/// So many changes are written in one transaction as soon as nothing else is being written.
const FEW: usize = 4000;

/// A transaction has no less than this part of what the run has written before it.
const PART: usize = 16;

/// Of a slow tool no more than what came in this time waits for more.
const NO_LONGER: Duration = Duration::from_secs(1);

/// Batches on their way to the store: one is prepared, some wait, some are written, all while the next is read.
pub(super) struct Writing {
    store: Arc<dyn Store>,
    run: RunId,
    preparing: Option<(ScopeId, Task<Prepared>)>,
    waiting: Option<Waiting>,
    written: Option<Task<WriteCounts>>,
    /// How many changes have been written, or are.
    begun: usize,
    counts: WriteCounts,
}

type Task<T> = JoinHandle<Result<T, StoreError>>;

/// Prepared batches of one scope.
struct Waiting {
    scope: ScopeId,
    batches: Vec<Prepared>,
    since: Instant,
}

impl Waiting {
    fn len(&self) -> usize {
        self.batches.iter().map(Prepared::len).sum()
    }

    fn is_due(&self, enough: usize) -> bool {
        self.len() >= enough || self.since.elapsed() >= NO_LONGER
    }
}

impl Writing {
    pub(super) fn new(store: &Arc<dyn Store>, run: RunId) -> Self {
        Self {
            store: Arc::clone(store),
            run,
            preparing: None,
            waiting: None,
            written: None,
            begun: 0,
            counts: WriteCounts::default(),
        }
    }

    /// Takes in a batch. Waits while there is more to do than should be in memory.
    pub(super) async fn add(
        &mut self,
        scope: ScopeId,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        self.end_preparing().await?;
        let (store, run) = (Arc::clone(&self.store), self.run);
        let changes: Arc<[Change]> = changes.into();
        let prepare =
            async move { patiently(run, || store.prepare(scope, Arc::clone(&changes))).await };
        self.preparing = Some((scope, spawn(prepare).await));
        Ok(())
    }

    /// Waits until everything is written.
    pub(super) async fn settle(&mut self) -> Result<(), StoreError> {
        self.end_preparing().await?;
        self.begin_writing().await?;
        self.end_writing().await
    }

    /// What has been written since this was last asked.
    pub(super) fn take_counts(&mut self) -> WriteCounts {
        std::mem::take(&mut self.counts)
    }

    async fn end_preparing(&mut self) -> Result<(), StoreError> {
        let Some((scope, task)) = self.preparing.take() else {
            return Ok(());
        };
        let batch = ended(task).await?;
        if self.waiting.as_ref().is_some_and(|w| w.scope != scope) {
            self.begin_writing().await?;
        }
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            scope,
            batches: Vec::new(),
            since: Instant::now(),
        });
        waiting.batches.push(batch);
        let store_is_busy = self
            .written
            .as_ref()
            .is_some_and(|task| !task.is_finished());
        let most = self.store.most_together();
        let enough = match store_is_busy {
            true => most,
            false => (self.begun / PART).clamp(FEW.min(most), most),
        };
        if waiting.is_due(enough) {
            self.begin_writing().await?;
        }
        Ok(())
    }

    /// Begins to write what waits, once what was begun before has been written.
    async fn begin_writing(&mut self) -> Result<(), StoreError> {
        self.end_writing().await?;
        let Some(waiting) = self.waiting.take() else {
            return Ok(());
        };
        self.begun += waiting.len();
        let Waiting { scope, batches, .. } = waiting;
        let (store, run) = (Arc::clone(&self.store), self.run);
        let batches: Arc<[Prepared]> = batches.into();
        let write = async move {
            patiently(run, || {
                store.write_prepared(run, scope, Arc::clone(&batches))
            })
            .await
        };
        self.written = Some(spawn(write).await);
        Ok(())
    }

    async fn end_writing(&mut self) -> Result<(), StoreError> {
        if let Some(task) = self.written.take() {
            self.counts += ended(task).await?;
        }
        Ok(())
    }
}

/// Begins a task now. Tokio would have it wait until this thread has nothing else to do, which is the next page.
async fn spawn<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Task<T> {
    let task = tokio::spawn(work);
    tokio::task::yield_now().await;
    task
}

/// Tries again where the store's trouble passes.
pub(super) async fn patiently<T, F>(run: RunId, work: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut said = false;
    let done = work
        .retry(patience())
        .when(is_passing)
        .notify(|error, wait| {
            // Once: what is wrong stays the same from one try to the next.
            if std::mem::replace(&mut said, true) {
                tracing::debug!(run, "{error}; trying again in {wait:?}");
            } else {
                tracing::warn!(run, "{error}; trying again for about a minute");
            }
        })
        .await;
    if said && done.is_ok() {
        tracing::info!(run, "the store works again");
    }
    done
}

async fn ended<T>(task: Task<T>) -> Result<T, StoreError> {
    task.await.unwrap_or_else(|panic| {
        Err(StoreError::Engine {
            place: "writer".to_owned(),
            reason: format!("ended unexpectedly; this is a defect of secpull: {panic}"),
            passing: false,
        })
    })
}
