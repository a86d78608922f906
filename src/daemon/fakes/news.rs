//! The part of the store in memory that knows what is news: nothing is.

use async_trait::async_trait;

use super::FakeStore;
use crate::finding::Severity;
use crate::store::{BroughtFindings, LastImport, News, PastRun, Run, RunId, StoreError, WantedRun};

#[async_trait]
impl News for FakeStore {
    async fn findings_of_run(
        &self,
        _run: &Run,
        _severity: Severity,
        _most: u32,
    ) -> Result<BroughtFindings, StoreError> {
        unreachable!("no destination is configured")
    }

    async fn run_before(
        &self,
        _run: RunId,
        _wanted: WantedRun,
    ) -> Result<Option<PastRun>, StoreError> {
        unreachable!("no destination is configured")
    }

    async fn last_imports(&self) -> Result<Vec<LastImport>, StoreError> {
        unreachable!("no destination is configured")
    }
}
