//! What is delivered before a process without a daemon ends.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::cli::context::process_name;
use crate::cli::output::Notes;
use crate::cli::waiting::words;
use crate::config::Config;
use crate::daemon::control::waiting_statuses;
use crate::delivery::{self, Office, Uncounted};
use crate::store::{Store, StoreError};

/// Nobody waits longer for a destination that does not answer.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes known what has happened, tries everything that waits once, and says what waits still. Whether it arrives is no
/// matter of the imports: their exit code says how they ended.
pub(super) async fn deliver(
    config: &Config,
    store: &Arc<dyn Store>,
    notes: &Notes,
    stop: CancellationToken,
) {
    if let Err(error) = try_deliver(config, store, notes, stop).await {
        notes.warning(format!("what was imported waits to be delivered: {error}"));
    }
}

async fn try_deliver(
    config: &Config,
    store: &Arc<dyn Store>,
    notes: &Notes,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let clock = Arc::clone(store);
    let office = Office {
        store: Arc::clone(store),
        now: Arc::new(move || clock.now()),
        ledger: Arc::new(Uncounted),
        name: process_name(),
    };
    let deliverers = delivery::deliverers(config);
    let destinations: Vec<String> = deliverers
        .iter()
        .map(|deliverer| deliverer.destination().to_owned())
        .collect();
    delivery::deliver_once(&office, deliverers, LIMIT, stop).await?;
    for waiting in waiting_statuses(store.waiting().await?, &destinations) {
        let words = words(&waiting, store.now());
        notes.line(format!("waits to be delivered: {words}"));
    }
    Ok(())
}
