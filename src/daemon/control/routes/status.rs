use axum::Json;
use axum::extract::State;

use crate::daemon::control::api::{DaemonStatus, ErrorAnswer, StatusAnswer};
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;
use crate::daemon::control::statuses::{api_statuses, waiting_statuses};
use crate::daemon::engine::Engine;
use crate::import::ProgressSnapshot;
use crate::store::{Run, RunState};

/// How the daemon is, and each API configuration.
#[utoipa::path(
    get,
    path = "/v1/status",
    responses(
        (status = 200, body = StatusAnswer),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn status(State(control): State<Control>) -> Result<Json<StatusAnswer>, Refusal> {
    let engine = &control.engine;
    let setup = engine.setup();
    let states = engine.store().api_states().await;
    engine.health().note_read(engine.now(), &states);
    let mut api_configurations = api_statuses(&setup.config, states?, engine.now());
    for status in &mut api_configurations {
        status.progress = match engine.progress_of(&status.api_configuration) {
            Some(progress) => Some(progress),
            None => progress_elsewhere(engine, status.last_run.as_ref()).await,
        };
        if let Err(error) = setup.connectors.get(&status.tool) {
            let problem = format!("tool {} cannot be used: {error}", status.tool);
            status.problems.insert(0, problem);
        }
    }
    let waiting = engine.store().waiting().await;
    engine.health().note_read(engine.now(), &waiting);
    let (running, queued) = engine.load();
    let mut problems = engine.health().problems();
    problems.extend(control.reloader.problems());
    Ok(Json(StatusAnswer {
        daemon: Some(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: engine.name().to_owned(),
            started_at: control.started_at,
            configuration_loaded_at: setup.loaded_at,
            automatic_import: setup.config.automatic_import,
            running: running as u64,
            queued: queued as u64,
        }),
        api_configurations,
        waiting: waiting_statuses(waiting?, &control.post.destinations()),
        problems,
    }))
}

/// How far another daemon is with this run.
async fn progress_elsewhere(engine: &Engine, run: Option<&Run>) -> Option<ProgressSnapshot> {
    let run = run.filter(|run| run.status == RunState::Running)?;
    engine.progress_elsewhere(run.id).await
}
