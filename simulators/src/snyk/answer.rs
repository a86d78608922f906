//! Snyk's own way to say things.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What every answer of the API calls itself.
const MEDIA_TYPE: &str = "application/vnd.api+json; charset=utf-8";

/// The name of the request that errors and answers carry.
pub const REQUEST_ID: &str = "4b58e274-ec62-4fab-917b-1d2c48d6bdef";

/// The ways in which it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Said by the gateway, in its short form.
    NoKey,
    /// A key of another region is one too.
    WrongKey,
    /// The key's role lacks the permission.
    Forbidden,
    /// There is no such thing, or it may not be seen.
    NotFound(String),
    /// This parameter cannot be read, is missing or unknown.
    Parameter(String, String),
    /// An id in the path that is no UUID.
    Path(&'static str),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, title, detail, source) = match self {
            Self::NoKey => {
                let short = json!({"status": "401", "code": "Unauthorized"});
                return document(StatusCode::UNAUTHORIZED, &short);
            }
            Self::WrongKey => (
                StatusCode::UNAUTHORIZED,
                "SNYK-0005",
                "Authentication error",
                "Authentication credentials not recognized, or user access is not provisioned."
                    .to_owned(),
                Value::Null,
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "SNYK-0006",
                "Client request cannot be processed",
                "Forbidden: the role lacks a permission.".to_owned(),
                Value::Null,
            ),
            Self::NotFound(what) => (
                StatusCode::NOT_FOUND,
                "SNYK-0004",
                "Not found",
                format!("{what} was not found"),
                Value::Null,
            ),
            Self::Parameter(name, detail) => (
                StatusCode::BAD_REQUEST,
                "SNYK-0003",
                "Invalid request",
                detail,
                json!({"parameter": name}),
            ),
            Self::Path(name) => (
                StatusCode::BAD_REQUEST,
                "SNYK-0003",
                "Invalid request",
                format!("{name} must be a UUID"),
                json!({"parameter": name}),
            ),
        };
        let mut error = json!({
            "id": REQUEST_ID, "status": status.as_u16().to_string(), "code": code, "title": title, "detail": detail,
            "links": {"about": format!("https://docs.snyk.example/errors/{code}")}, "meta": {},
        });
        if !source.is_null() {
            error["source"] = source;
        }
        document(
            status,
            &json!({"jsonapi": {"version": "1.0"}, "errors": [error]}),
        )
    }
}

/// An answer of this status.
pub(super) fn document(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE.as_str(), MEDIA_TYPE),
        ("snyk-request-id", REQUEST_ID),
    ];
    (status, headers, Body::from(body.to_string())).into_response()
}
