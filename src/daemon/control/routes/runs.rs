use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::read;
use crate::daemon::control::api::{ErrorAnswer, RunsAnswer, StartRuns, StartedRun, StartedRuns};
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;
use crate::store::{Run, RunFilter, RunId, Trigger};

/// So many runs are listed where the request does not say.
const DEFAULT_LIMIT: u32 = 100;

/// Which runs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsQuery {
    /// Only of this API configuration.
    api_configuration: Option<String>,
    /// At most so many; 100 if it is not given.
    limit: Option<u32>,
    /// Only this one.
    id: Option<RunId>,
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/v1/runs",
    params(RunsQuery),
    responses(
        (status = 200, body = RunsAnswer),
        (status = 400, body = ErrorAnswer, description = "the query is wrong"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn list(
    State(control): State<Control>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Result<Json<RunsAnswer>, Refusal> {
    let query = read::query(query)?;
    let engine = &control.engine;
    let runs = engine
        .store()
        .runs(RunFilter {
            api_configuration: query.api_configuration,
            id: query.id,
            limit: Some(query.limit.unwrap_or(DEFAULT_LIMIT)),
        })
        .await;
    engine.health().note_read(engine.now(), &runs);
    Ok(Json(RunsAnswer { runs: runs? }))
}

/// One run.
#[utoipa::path(
    get,
    path = "/v1/runs/{id}",
    params(("id" = i64, Path, description = "number of the run")),
    responses(
        (status = 200, body = Run),
        (status = 400, body = ErrorAnswer, description = "the path is wrong"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 404, body = ErrorAnswer, description = "there is no such run"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn one(
    State(control): State<Control>,
    path: Result<Path<i64>, PathRejection>,
) -> Result<Json<Run>, Refusal> {
    let id = read::number(path)?;
    Ok(Json(existing(&control, id).await?))
}

/// Starts imports, or joins those that are queued or under way.
#[utoipa::path(
    post,
    path = "/v1/runs",
    request_body = StartRuns,
    responses(
        (status = 202, body = StartedRuns),
        (status = 400, body = ErrorAnswer, description = "neither names nor `all`, or no JSON"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 404, body = ErrorAnswer, description = "there is no such API configuration; none is started"),
        (status = 409, body = ErrorAnswer, description = "the daemon is stopping"),
        (status = 413, body = ErrorAnswer, description = "the body is too large"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn start(
    State(control): State<Control>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<StartedRuns>), Refusal> {
    let request: StartRuns = read::json(body)?;
    let names = match (request.all, request.api_configurations) {
        (true, names) if names.is_empty() => {
            let setup = control.engine.setup();
            setup.config.api_configurations.keys().cloned().collect()
        }
        (false, names) if !names.is_empty() => names,
        _ => {
            return Err(Refusal::bad_request(
                "give either api_configurations, a list of names, or all = true",
            ));
        }
    };
    let started = control.engine.start_runs(&names, Trigger::Operator).await?;
    let runs = started
        .into_iter()
        .map(|started| StartedRun {
            id: started.run,
            api_configuration: started.api_configuration,
            already_running: started.joined,
        })
        .collect();
    Ok((StatusCode::ACCEPTED, Json(StartedRuns { runs })))
}

/// The run of this number.
pub(super) async fn existing(control: &Control, id: RunId) -> Result<Run, Refusal> {
    control
        .engine
        .run(id)
        .await?
        .ok_or_else(|| Refusal::not_found(format!("there is no run {id}")))
}
