use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Progress;
use crate::config::{ApiConfiguration, ImportLimits};
use crate::connectors::{Connector, ConnectorError};
use crate::store::{RunEnd, RunId, Store};

/// A run that has been started in the store, and all that it needs.
pub struct Job {
    /// Its number.
    pub run: RunId,
    /// What to import.
    pub api: Arc<ApiConfiguration>,
    /// Who reads it; an error makes the run fail with it.
    pub connector: Result<Arc<dyn Connector>, ConnectorError>,
    /// When it is held.
    pub limits: ImportLimits,
}

/// Imports, and ends the run in the store. Cancelled: ends it as `interrupted`, soon. What is returned is what the store was
/// told.
pub async fn run(
    _store: &Arc<dyn Store>,
    _job: Job,
    _progress: &Progress,
    _cancel: CancellationToken,
) -> RunEnd {
    todo!()
}
