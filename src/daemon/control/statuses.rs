//! The status of API configurations, put together from what the configuration and the store say.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};

use super::api::{ApiStatus, WaitingStatus};
use crate::config::{ApiConfiguration, Config};
use crate::schedule::next_slot;
use crate::store::{ApiState, RecordState, Run, RunState, Waiting};

/// The status of every configured API configuration, by name; nothing under way. What the store knows of others is left
/// out. Also for commands that find no daemon.
#[must_use]
pub fn api_statuses(config: &Config, states: Vec<ApiState>, now: DateTime<Utc>) -> Vec<ApiStatus> {
    let mut states: HashMap<_, _> = states
        .into_iter()
        .map(|state| (state.api_configuration.clone(), state))
        .collect();
    config
        .api_configurations
        .values()
        .map(|api| api_status(config, api, states.remove(&api.name), now))
        .collect()
}

/// What waits, at the destinations that are configured and at others.
#[must_use]
pub fn waiting_statuses(waiting: Vec<Waiting>, configured: &[String]) -> Vec<WaitingStatus> {
    waiting
        .into_iter()
        .map(|waiting| WaitingStatus {
            configured: configured.contains(&waiting.destination),
            destination: waiting.destination,
            messages: waiting.messages,
            since: waiting.since,
            attempts: waiting.attempts,
            problem: waiting.problem,
            next_attempt_at: waiting.next_attempt_at,
        })
        .collect()
}

fn api_status(
    config: &Config,
    api: &ApiConfiguration,
    state: Option<ApiState>,
    now: DateTime<Utc>,
) -> ApiStatus {
    let enabled = config.automatic_import && api.automatic_import;
    let tool = config.tools.get(&api.tool);
    let mut status = ApiStatus {
        api_configuration: api.name.clone(),
        tool: api.tool.clone(),
        connector: tool.map_or_else(String::new, |tool| tool.connector.clone()),
        product: api.product.clone(),
        enabled,
        schedule: api.schedule.to_string(),
        next_run: enabled
            .then(|| next_slot(&api.schedule, &api.name, now))
            .flatten(),
        last_run: None,
        progress: None,
        last_complete_at: None,
        unresolved: 0,
        held: 0,
        records: Vec::new(),
        problems: Vec::new(),
    };
    if let Some(state) = state {
        status.problems = problems(&api.name, &state);
        status.last_run = state.last_run;
        status.last_complete_at = state.last_complete_at;
        status.unresolved = state.unresolved;
        status.held = state.held;
        status.records = state.records;
    }
    status
}

fn problems(name: &str, state: &ApiState) -> Vec<String> {
    let mut problems: Vec<_> = state.last_run.iter().filter_map(last_run_problem).collect();
    if state.held > 0 {
        problems.push(format!(
            "{} findings would have been resolved and are held: look why they are gone, then `secpull accept {name}`",
            state.held
        ));
    }
    problems.extend(state.records.iter().filter_map(record_problem));
    problems
}

fn last_run_problem(run: &Run) -> Option<String> {
    if !matches!(
        run.status,
        RunState::Failed | RunState::Partial | RunState::Interrupted
    ) {
        return None;
    }
    Some(match &run.error {
        Some(reason) => format!("run {} {}: {reason}", run.id, run.status),
        None => format!("run {} {}", run.id, run.status),
    })
}

fn record_problem(record: &RecordState) -> Option<String> {
    let since = record.missing_since?;
    Some(format!(
        "record {} is missing since {}: the tool no longer lists it",
        record.name,
        since.to_rfc3339_opts(SecondsFormat::Secs, true)
    ))
}
