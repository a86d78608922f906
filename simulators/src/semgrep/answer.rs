//! The platform's own way to say things.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The ways in which it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No token, or a wrong one.
    Unauthenticated,
    /// There is no such thing, or the token lacks the scope.
    NotFound,
    /// A parameter that cannot be read, or is out of range.
    BadParameter(&'static str),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "Unauthorized".to_owned()),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."
                    .to_owned(),
            ),
            Self::BadParameter(name) => {
                (StatusCode::BAD_REQUEST, format!("{name}: invalid value"))
            }
        };
        (status, Json(json!({"error": error}))).into_response()
    }
}
