//! The server: its state, its gate, its routes put together.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use nix::unistd::Gid;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document;
use super::peer::{Authority, PeerOf};
use super::refusal::Refusal;
use super::routes::{events, findings, manage, observe, runs, status};
use super::socket::Socket;
use crate::daemon::engine::Engine;
use crate::daemon::reload::Reloader;
use crate::daemon::rounds::Rounds;

/// What the handlers work with.
#[derive(Clone)]
pub struct Control {
    pub(super) engine: Engine,
    pub(super) reloader: Arc<Reloader>,
    pub(super) rounds: Rounds,
    pub(super) started_at: chrono::DateTime<chrono::Utc>,
    pub(super) stop: CancellationToken,
    authority: Authority,
}

impl Control {
    /// A control for these parts; members of `group` may read and run. It ends with `stop`, open streams too.
    #[must_use]
    pub fn new(
        engine: Engine,
        reloader: Arc<Reloader>,
        rounds: Rounds,
        group: Gid,
        stop: CancellationToken,
    ) -> Self {
        Self {
            started_at: engine.now(),
            engine,
            reloader,
            rounds,
            stop,
            authority: Authority::of_this_process(group),
        }
    }

    /// With another judge of peers.
    #[cfg(test)]
    pub(super) fn judged_by(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }
}

/// Every route of the socket, with its documentation.
pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(status::status))
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::one))
        .routes(routes!(events::events))
        .routes(routes!(findings::list))
        .routes(routes!(findings::one))
        .routes(routes!(manage::accept))
        .routes(routes!(manage::reload))
        .routes(routes!(observe::metrics))
        .routes(routes!(observe::healthz))
        .routes(routes!(observe::openapi))
        .routes(routes!(observe::openapi_v1))
}

/// Answers at the socket until the control's end; the socket's file is removed then.
pub async fn serve(socket: Socket, control: Control) {
    let (listener, file) = socket.into_parts();
    let (router, _) = routes().split_for_parts();
    let router = strict(router)
        .layer(middleware::from_fn_with_state(control.clone(), gate))
        .with_state(control.clone());
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<PeerOf>(),
    )
    .with_graceful_shutdown(control.stop.cancelled_owned())
    .await;
    if let Err(error) = served {
        tracing::error!("the control socket failed: {error}");
    }
    drop(file);
}

/// Answers `GET /metrics` and `GET /healthz` over TCP, to everybody, until the control's end.
pub async fn serve_metrics(listener: TcpListener, control: Control) {
    let (router, _) = OpenApiRouter::new()
        .routes(routes!(observe::metrics))
        .routes(routes!(observe::healthz))
        .split_for_parts();
    let router = strict(router).with_state(control.clone());
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(control.stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!("the metrics listener failed: {error}");
    }
}

/// Whatever is not there is refused in the same form as everything else.
fn strict(router: Router<Control>) -> Router<Control> {
    router
        .fallback(|uri: Uri| async move {
            Refusal::not_found(format!(
                "there is no {}; GET /openapi.json tells what there is",
                uri.path()
            ))
        })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            Refusal::wrong_method(format!(
                "{} does not take {method}; GET /openapi.json tells what it takes",
                uri.path()
            ))
        })
}

/// Nobody gets past it without a right; handlers find it in the request's extensions.
async fn gate(
    State(control): State<Control>,
    ConnectInfo(PeerOf(peer)): ConnectInfo<PeerOf>,
    mut request: Request,
    next: Next,
) -> Response {
    match control.authority.right_of(peer).await {
        Ok(right) => {
            request.extensions_mut().insert(right);
            next.run(request).await
        }
        Err(reason) => {
            tracing::warn!(
                "refused {} {}: {reason}",
                request.method(),
                request.uri().path()
            );
            Refusal::forbidden(reason).into_response()
        }
    }
}
