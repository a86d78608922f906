//! The tenant's own way to say things.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// The ways in which it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No token, or one that is not good any more; said by the gateway.
    Unauthenticated,
    /// There is no such thing.
    NotFound(&'static str),
    /// A parameter of a list that cannot be read.
    BadParameter(&'static str),
    /// The same for results, which have a form of their own.
    BadResultParameter(&'static str),
    /// The identity service's refusals.
    Iam {
        status: StatusCode,
        error: &'static str,
        description: Option<&'static str>,
    },
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthenticated => {
                let page =
                    Html("<html><head><title>401 Authorization Required</title></head></html>");
                (StatusCode::UNAUTHORIZED, page).into_response()
            }
            Self::NotFound(what) => {
                let body =
                    json!({"message": format!("{what} not found"), "type": "ERROR", "code": 404});
                (StatusCode::NOT_FOUND, Json(body)).into_response()
            }
            Self::BadParameter(name) => {
                let body =
                    json!({"message": format!("invalid {name}"), "type": "ERROR", "code": 1});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::BadResultParameter(name) => {
                let body = json!({"code": 1, "message": format!("invalid {name}"), "data": null});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::Iam {
                status,
                error,
                description,
            } => {
                let mut body = json!({"error": error});
                if let Some(description) = description {
                    body["error_description"] = description.into();
                }
                (status, Json(body)).into_response()
            }
        }
    }
}

/// The first value of a parameter that is not empty.
pub(super) fn first<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// A number that is not negative.
pub(super) fn number(
    parameters: &[(String, String)],
    name: &'static str,
    default: u64,
) -> Result<u64, &'static str> {
    match first(parameters, name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| name),
    }
}
