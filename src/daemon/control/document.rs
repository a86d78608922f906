//! The OpenAPI document.

use std::sync::OnceLock;

use utoipa::OpenApi;

use super::server;

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

/// The whole document, as JSON. It is made of the same declarations as the routes, so it cannot differ from them.
#[must_use]
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let (_, document) = server::routes().split_for_parts();
        // Only maps with keys that are not text could fail here, and there are none.
        document.to_pretty_json().unwrap_or_default()
    })
}
