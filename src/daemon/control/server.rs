//! The server: its state, its gate, its routes put together.

use std::sync::OnceLock;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document::{Document, head};
use super::peer::PeerOf;
use super::refusal::Refusal;
use super::routes::{events, findings, manage, observe, runs, status};
use super::socket::Socket;
use super::state::Control;

/// Every route of the socket, with its documentation.
fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(head())
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

/// The OpenAPI document as JSON. It is made of the same declarations as the routes, so it cannot differ from them.
#[must_use]
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let (_, document) = routes().split_for_parts();
        // Only maps with keys that are not text could fail here, and there are none.
        document.to_pretty_json().unwrap_or_default()
    })
}

/// Answers at the socket until the control's end; the socket's file is removed then.
pub async fn serve(socket: Socket, control: Control) {
    let (listener, file) = socket.into_parts();
    let (router, _) = routes().split_for_parts();
    let router = strict(router)
        .layer(Extension(Document(document())))
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
    match control.authority().right_of(peer).await {
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
