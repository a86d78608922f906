//! The server's own way to say things.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Header with the number of rows.
pub(super) const TOTAL_COUNT: &str = "x-total-count";

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The ways in which the server refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No key, or an unknown one.
    Unauthenticated,
    /// The key lacks the permission.
    Forbidden,
    /// Portfolio access control, as 4.x says it.
    ProjectForbidden,
    /// Portfolio access control, as 5.x says it.
    ProjectDenied,
    /// No such project.
    UnknownProject,
    /// No such resource, or a parameter whose words are not known.
    NotFound,
    /// A path parameter that is no UUID.
    NoUuid {
        parameter: &'static str,
        value: String,
    },
    /// 5.x: cannot be sorted by this.
    UnknownSortName(String),
    /// Anything that nobody thought of.
    Uncaught,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED.into_response(),
            Self::Forbidden => StatusCode::FORBIDDEN.into_response(),
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::ProjectForbidden => bare(
                StatusCode::FORBIDDEN,
                "Access to the specified project is forbidden",
            ),
            Self::UnknownProject => bare(StatusCode::NOT_FOUND, "The project could not be found."),
            Self::Uncaught => bare(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Uncaught internal server error",
            ),
            Self::ProjectDenied => problem(
                StatusCode::FORBIDDEN,
                "Project access denied",
                "Access to the requested project is forbidden",
            ),
            Self::UnknownSortName(name) => problem(
                StatusCode::BAD_REQUEST,
                "Invalid sort field",
                &format!("Sorting by {name} is not supported"),
            ),
            Self::NoUuid { parameter, value } => {
                let errors = json!([{
                    "message": "Invalid UUID",
                    "messageTemplate": "Invalid UUID",
                    "path": parameter,
                    "invalidValue": value,
                }]);
                (
                    StatusCode::BAD_REQUEST,
                    [(CONTENT_TYPE, JSON)],
                    errors.to_string(),
                )
                    .into_response()
            }
        }
    }
}

/// Words that are labelled JSON and are none.
fn bare(status: StatusCode, words: &'static str) -> Response {
    (status, [(CONTENT_TYPE, JSON)], words).into_response()
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = json!({"status": status.as_u16(), "title": title, "detail": detail});
    (status, [(CONTENT_TYPE, PROBLEM)], body.to_string()).into_response()
}

/// A list, or a part of one, with its number of rows.
pub(super) fn list(total: u64, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(HeaderName::from_static(TOTAL_COUNT), total.into());
    response
}

/// The first value of a parameter.
pub(super) fn first<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// A boolean as Java reads it: everything but `true` is false.
pub(super) fn flag(parameters: &[(String, String)], name: &str) -> bool {
    first(parameters, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
