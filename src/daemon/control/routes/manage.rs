use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::{Extension, Json};

use super::read;
use crate::daemon::control::api::{Accept, AcceptAnswer, ErrorAnswer, ReloadAnswer};
use crate::daemon::control::peer::{Right, not_enough};
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;

/// Lets a held import resolve what it would have resolved.
#[utoipa::path(
    post,
    path = "/v1/accept",
    request_body = Accept,
    responses(
        (status = 200, body = AcceptAnswer),
        (status = 400, body = ErrorAnswer, description = "no JSON, or not this"),
        (status = 403, body = ErrorAnswer, description = "only root and the service's own user may"),
        (status = 404, body = ErrorAnswer, description = "there is no such API configuration"),
        (status = 409, body = ErrorAnswer, description = "nothing is held"),
        (status = 413, body = ErrorAnswer, description = "the body is too large"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn accept(
    State(control): State<Control>,
    Extension(right): Extension<Right>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<AcceptAnswer>, Refusal> {
    demand_all(right, "accept held imports")?;
    let request: Accept = read::json(body)?;
    let name = request.api_configuration;
    let engine = &control.engine;
    let accepted = engine.store().accept(&name, engine.now()).await;
    engine.health().note_write(engine.now(), &accepted);
    match accepted? {
        Some(accepted) => {
            control.post.ring();
            tracing::info!(
                run = accepted.run,
                api_configuration = %name,
                "accepted: {} resolved",
                accepted.resolved
            );
            Ok(Json(AcceptAnswer {
                run: accepted.run,
                resolved: accepted.resolved,
            }))
        }
        None if engine.setup().config.api_configurations.contains_key(&name) => {
            Err(Refusal::conflict(format!("nothing is held for {name}")))
        }
        None => Err(Refusal::not_found(format!(
            "there is no API configuration {name:?}"
        ))),
    }
}

/// Reads the configuration again, and puts it in force if nothing is wrong with it.
#[utoipa::path(
    post,
    path = "/v1/reload",
    responses(
        (status = 200, body = ReloadAnswer),
        (status = 403, body = ErrorAnswer, description = "only root and the service's own user may"),
        (status = 422, body = ErrorAnswer, description = "the new configuration is wrong; the old one stays in force"),
    )
)]
pub(crate) async fn reload(
    State(control): State<Control>,
    Extension(right): Extension<Right>,
) -> Result<Json<ReloadAnswer>, Refusal> {
    demand_all(right, "reload the configuration")?;
    let changes = control.reloader.reload().await?;
    Ok(Json(ReloadAnswer {
        added: changes.added,
        removed: changes.removed,
        changed: changes.changed,
    }))
}

fn demand_all(right: Right, what: &str) -> Result<(), Refusal> {
    match right {
        Right::All => Ok(()),
        Right::ReadAndRun => Err(Refusal::forbidden(not_enough(what))),
    }
}
