//! Writing while the next page is read, and trying again where the store's trouble passes.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::task::JoinHandle;

use crate::store::{Change, RunId, ScopeId, Store, StoreError, WriteCounts};

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

/// A batch that is being written, or none.
#[derive(Debug, Default)]
pub(super) struct Pending(Option<JoinHandle<Result<WriteCounts, StoreError>>>);

impl Pending {
    /// Waits until the batch is written.
    pub(super) async fn settle(&mut self) -> Result<WriteCounts, StoreError> {
        match self.0.take() {
            None => Ok(WriteCounts::default()),
            Some(task) => task.await.unwrap_or_else(|panic| {
                Err(StoreError::Engine {
                    place: "writer".to_owned(),
                    reason: format!("ended unexpectedly; this is a defect of secpull: {panic}"),
                    passing: false,
                })
            }),
        }
    }
}

/// Begins to write a batch.
pub(super) fn begin(
    store: &Arc<dyn Store>,
    run: RunId,
    scope: ScopeId,
    changes: Vec<Change>,
) -> Pending {
    let store = Arc::clone(store);
    let changes: Arc<[Change]> = changes.into();
    Pending(Some(tokio::spawn(async move {
        let write = || store.write(run, scope, Arc::clone(&changes));
        let mut said = false;
        let written = write
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
        if said && written.is_ok() {
            tracing::info!(run, "the store works again");
        }
        written
    })))
}
