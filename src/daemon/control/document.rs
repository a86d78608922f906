//! The OpenAPI document.

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "secpull control socket",
        description = "HTTP over the Unix socket of the secpull daemon. Root and the service's own user may call everything, members of the socket's group everything but reload and accept.",
    ),
    servers((url = "http://localhost", description = "over the Unix socket: curl --unix-socket /run/secpull/secpull.sock http://localhost/v1/status"))
)]
struct Head;

/// The document without its paths.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// The whole document as JSON; the server hands it to those who ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document(pub(super) &'static str);
