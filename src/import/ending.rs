//! What may be concluded from what was read, and how the run ends.

use std::sync::Arc;
use std::time::Duration;

use backon::Retryable;
use chrono::TimeDelta;

use super::Progress;
use super::persist::{is_passing, patience};
use crate::config::{ApiConfiguration, ImportLimits};
use crate::connectors::ConnectorError;
use crate::store::{Closing, HoldLimits, Proof, RunEnd, RunId, RunState, Store, StoreError};

/// Why a run reads no more.
#[derive(Debug)]
pub(super) enum Stop {
    /// The connector has given all it has.
    ReadAll,
    /// The connector gave up.
    Failed(ConnectorError),
    /// The connector crashed.
    Crashed(&'static str),
    /// The store failed.
    Store(StoreError),
    /// The run's time limit.
    OutOfTime(Duration),
    /// Somebody ended it.
    Cancelled,
}

/// A run that has stopped reading.
pub(super) struct Ending<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) run: RunId,
    pub(super) api: &'a ApiConfiguration,
    pub(super) limits: &'a ImportLimits,
    pub(super) progress: &'a Progress,
    pub(super) stop: Stop,
    pub(super) proofs: Vec<Proof>,
    pub(super) troubles: Vec<String>,
    pub(super) complete_scopes: u64,
    pub(super) unchanged: u64,
    pub(super) already_fixed: u64,
    pub(super) findings: u64,
    pub(super) pages: u64,
    pub(super) unreadable: u64,
    pub(super) requests: u64,
    pub(super) retries: u64,
}

impl Ending<'_> {
    /// The end of a run whose connector could not even be opened.
    pub(super) fn could_not_begin(error: &ConnectorError) -> RunEnd {
        RunEnd {
            credentials_refused: error.is_refusal_of_credentials(),
            ..RunEnd::unread(RunState::Failed, Some(error.to_string()))
        }
    }
}

/// Resolves what was proven gone if everything was read to its proper end, and says how the run ended.
pub(super) async fn conclude(mut ending: Ending<'_>) -> RunEnd {
    let credentials_refused = match &ending.stop {
        Stop::Failed(error) => error.is_refusal_of_credentials(),
        _ => false,
    };
    let (state, error) = match trouble(&ending) {
        Some(verdict) => verdict,
        None => close(&mut ending).await,
    };
    RunEnd {
        state,
        error,
        unchanged: ending.unchanged,
        unreadable: ending.unreadable,
        already_fixed: ending.already_fixed,
        pages: ending.pages,
        requests: ending.requests,
        retries: ending.retries,
        credentials_refused,
    }
}

/// What keeps the run from being complete, if anything does.
fn trouble(ending: &Ending<'_>) -> Option<(RunState, Option<String>)> {
    // Something was read: the findings that came are kept, and are worth another word than "failed".
    let broken = if ending.findings > 0 || ending.complete_scopes > 0 {
        RunState::Partial
    } else {
        RunState::Failed
    };
    let verdict = match &ending.stop {
        Stop::Cancelled => (RunState::Interrupted, "stopped before its end".to_owned()),
        Stop::Store(StoreError::ClaimLost(_)) => (
            RunState::Interrupted,
            "another process has marked this run as interrupted".to_owned(),
        ),
        Stop::Store(error) => (RunState::Failed, error.to_string()),
        Stop::Failed(error) => (broken, error.to_string()),
        Stop::Crashed(how) => (
            broken,
            format!("the connector ended unexpectedly; this is a defect of secpull ({how})"),
        ),
        Stop::OutOfTime(limit) => (
            broken,
            format!(
                "not read to its end within its time limit of {}; raise `timeout` of the API configuration if the tool \
                 needs longer",
                humantime::format_duration(*limit)
            ),
        ),
        Stop::ReadAll => (broken, summary(&ending.troubles)?),
    };
    Some((verdict.0, Some(verdict.1)))
}

/// The first trouble, and how many there are beside it.
fn summary(troubles: &[String]) -> Option<String> {
    match troubles {
        [] => None,
        [only] => Some(only.clone()),
        [first, rest @ ..] => Some(format!("{first} (and {} more like it)", rest.len())),
    }
}

async fn close(ending: &mut Ending<'_>) -> (RunState, Option<String>) {
    let limits = HoldLimits {
        max_resolved_fraction: ending.limits.max_resolved_fraction,
        min_held: ending.limits.min_held,
    };
    let proofs = std::mem::take(&mut ending.proofs);
    let close = || ending.store.close(ending.run, proofs.clone(), limits);
    match close.retry(patience()).when(is_passing).await {
        Ok(Closing::Resolved(resolved)) => {
            ending.progress.send_modify(|p| p.resolved += resolved);
            (RunState::Complete, None)
        }
        Ok(Closing::Held {
            would_resolve,
            open,
        }) => (
            RunState::Held,
            Some(format!(
                "would resolve {would_resolve} of {open} open findings, so nothing was resolved; if they are really gone: \
                 secpull accept {}",
                ending.api.name
            )),
        ),
        Err(StoreError::ClaimLost(_)) => (
            RunState::Interrupted,
            Some("another process has marked this run as interrupted".to_owned()),
        ),
        Err(error) => (RunState::Failed, Some(error.to_string())),
    }
}

/// What no import has asked for in so long is not kept for the next one.
const DOCUMENTS_KEPT: TimeDelta = TimeDelta::days(90);

/// Tells the store how the run ended. If even that fails, the run stays `running` there until it is found left over.
pub(super) async fn finish(store: &Arc<dyn Store>, run: RunId, end: &RunEnd) {
    let finish = || store.finish(run, end.clone());
    match finish.retry(patience()).when(is_passing).await {
        Ok(()) => {}
        // It is over already: by another's hand, or by an earlier try whose answer was lost.
        Err(error @ StoreError::ClaimLost(_)) => tracing::debug!(run, "{error}"),
        Err(error) => tracing::error!(run, "the end of the run could not be stored: {error}"),
    }
    if let Err(error) = store.forget_documents(store.now() - DOCUMENTS_KEPT).await {
        tracing::warn!(run, "old documents could not be removed: {error}");
    }
    if let Err(error) = store.settle().await {
        tracing::warn!(run, "tidying up the store failed: {error}");
    }
}
