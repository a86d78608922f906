//! The vendor's own way to refuse.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// The ways in which it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No keys, or others.
    Unauthenticated,
    /// The keys may not do that.
    Forbidden,
    /// A body that is not understood.
    Invalid(String),
    /// An export of the same filters is under way.
    Conflict(String),
    /// The same, as it was said until 2023.
    Duplicate(String),
    /// As many exports as may be are under way.
    TooMany(u32),
    /// There is no such job or chunk any more.
    Expired,
    /// The chunk is not ready.
    NotReady,
    Internal,
    GatewayTimeout,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let said = |status: StatusCode, message: &str| {
            let error = status.canonical_reason().unwrap_or_default();
            let body = json!({"statusCode": status.as_u16(), "error": error, "message": message});
            (status, Json(body)).into_response()
        };
        match self {
            Self::Unauthenticated => said(StatusCode::UNAUTHORIZED, "Invalid credentials."),
            Self::Forbidden => said(StatusCode::FORBIDDEN, "Insufficient scope"),
            Self::Invalid(what) => said(StatusCode::BAD_REQUEST, &what),
            Self::Conflict(job) => {
                let body = json!({"active_job_id": job,
                    "failure_reason": "The request could not be completed due to a conflict with the ongoing export"});
                (StatusCode::CONFLICT, Json(body)).into_response()
            }
            Self::Duplicate(job) => {
                let error = format!("Duplicate export (job_uuid={job}) not allowed");
                (StatusCode::TOO_MANY_REQUESTS, Json(json!({"error": error}))).into_response()
            }
            Self::TooMany(seconds) => {
                let page = Html(
                    "<html>\n<head>\n<title>429 Too Many Requests</title>\n</head>\n<body>nginx</body>\n</html>",
                );
                let wait = [(RETRY_AFTER, seconds.to_string())];
                (StatusCode::TOO_MANY_REQUESTS, wait, page).into_response()
            }
            Self::Expired => said(StatusCode::NOT_FOUND, "Export expired or not found"),
            Self::NotReady => said(StatusCode::BAD_REQUEST, "Chunk is not ready"),
            Self::Internal => said(
                StatusCode::INTERNAL_SERVER_ERROR,
                "An internal server error occurred. Please wait a moment and try your request again.",
            ),
            Self::GatewayTimeout => {
                let page = Html("<html><head><title>504 Gateway Time-out</title></head></html>");
                (StatusCode::GATEWAY_TIMEOUT, page).into_response()
            }
        }
    }
}
