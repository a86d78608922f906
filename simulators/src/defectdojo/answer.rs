//! DefectDojo's own way to say no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing that this API reads came along. A 403, as all that concerns credentials.
    NoCredentials,
    /// It opens nothing, for this reason.
    WrongCredentials(&'static str),
    /// There is none with this id of this kind (`Finding`), as far as the user may know.
    Gone(&'static str),
    /// A parameter has a value that it does not take.
    Invalid {
        parameter: &'static str,
        message: String,
    },
    /// The path is there and does not take this method.
    Method(String),
    /// No such path. That is said in HTML.
    NoPath,
}

impl Refusal {
    /// Of a parameter that takes the id of something, and there is no such thing.
    pub(super) fn no_choice(parameter: &'static str) -> Self {
        Self::Invalid {
            parameter,
            message: "Select a valid choice. That choice is not one of the available choices."
                .to_owned(),
        }
    }

    pub(super) fn no_number(parameter: &'static str) -> Self {
        Self::Invalid {
            parameter,
            message: "Enter a number.".to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let detail = |status: StatusCode, text: &str| {
            (status, Json(json!({"detail": text}))).into_response()
        };
        match self {
            Self::NoCredentials => detail(
                StatusCode::FORBIDDEN,
                "Authentication credentials were not provided.",
            ),
            Self::WrongCredentials(reason) => detail(StatusCode::FORBIDDEN, reason),
            Self::Gone(kind) => detail(
                StatusCode::NOT_FOUND,
                &format!("No {kind} matches the given query."),
            ),
            Self::Invalid { parameter, message } => {
                (StatusCode::BAD_REQUEST, Json(json!({parameter: [message]}))).into_response()
            }
            Self::Method(method) => detail(
                StatusCode::METHOD_NOT_ALLOWED,
                &format!("Method \"{method}\" not allowed."),
            ),
            Self::NoPath => {
                let page = "<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n";
                (StatusCode::NOT_FOUND, Html(page)).into_response()
            }
        }
    }
}
