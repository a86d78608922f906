use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::daemon::control::api::ErrorAnswer;
use crate::daemon::control::document::Document;
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;
use crate::daemon::notify::is_alive;

/// Schedule and store must answer within this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "Prometheus text format 0.0.4"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
    )
)]
pub(crate) async fn metrics(State(control): State<Control>) -> impl IntoResponse {
    let engine = &control.engine;
    let metrics = engine.metrics();
    let (running, queued) = engine.load();
    metrics.load(running, queued);
    metrics.store_up(engine.health().problems().is_empty());
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        metrics.render(),
    )
}

/// Whether the schedule and the store are live.
#[utoipa::path(
    get,
    path = "/healthz",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "ok"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 503, body = ErrorAnswer, description = "something is not live"),
    )
)]
pub(crate) async fn healthz(State(control): State<Control>) -> Result<&'static str, Refusal> {
    let alive = is_alive(&control.engine, &control.rounds, ANSWERS_WITHIN).await;
    let mut problems = control.engine.health().problems();
    if !alive {
        problems.push("the schedule or the store does not answer".to_owned());
    }
    if problems.is_empty() {
        Ok("ok\n")
    } else {
        Err(Refusal::unhealthy(problems))
    }
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses(
        (status = 200, body = Object, description = "OpenAPI 3.1"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
    )
)]
pub(crate) async fn openapi(Extension(Document(text)): Extension<Document>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

/// This document, beside the calls that it describes.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    responses(
        (status = 200, body = Object, description = "OpenAPI 3.1"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
    )
)]
pub(crate) async fn openapi_v1(
    Extension(Document(text)): Extension<Document>,
) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}
