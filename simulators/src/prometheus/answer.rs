//! The server's answers, good and bad.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Series;
use super::series::number;

/// Errors of the server and of the gateways before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorError {
    /// 422: too many samples.
    TooManySamples,
    /// 422: the server cannot evaluate the query.
    Execution,
    /// 503: the query timed out.
    Timeout,
    /// 503, 499 in newer servers: canceled.
    Canceled,
    /// 500: storage.
    Internal,
    /// 413 in plain text: a gateway's limit for answers.
    ResponseTooLarge,
    /// 429: too many outstanding requests.
    TooManyOutstanding,
}

impl IntoResponse for VendorError {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::TooManySamples => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "execution",
                "query processing would load too many samples into memory in query execution",
            ),
            Self::Execution => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "execution",
                "found duplicate series for the match group",
            ),
            Self::Timeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                "timeout",
                "query timed out in expression evaluation",
            ),
            Self::Canceled => (
                StatusCode::SERVICE_UNAVAILABLE,
                "canceled",
                "query was canceled in expression evaluation",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "cannot read the block",
            ),
            Self::ResponseTooLarge => {
                let text = "response larger than the max (61333885 vs 52428800)";
                return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
            }
            Self::TooManyOutstanding => {
                let text = "too many outstanding requests";
                return (StatusCode::TOO_MANY_REQUESTS, text).into_response();
            }
        };
        error(status, kind, message)
    }
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"status": "error", "errorType": kind, "error": message});
    (status, Json(body)).into_response()
}

/// 400: a parameter is wrong.
pub(super) fn bad_data(parameter: &str, what: &str) -> Response {
    let message = format!("invalid parameter \"{parameter}\": {what}");
    error(StatusCode::BAD_REQUEST, "bad_data", &message)
}

/// An element of a vector.
pub(super) fn element(series: &Series, time: f64) -> String {
    let value = number(series.value);
    json!({"metric": series.labels(), "value": [time, value]}).to_string()
}

/// An element of a matrix.
pub(super) fn element_of_matrix(series: &Series, time: f64) -> String {
    let value = number(series.value);
    json!({"metric": series.labels(), "values": [[time, value]]}).to_string()
}

/// What precedes the elements.
pub(super) fn opening(result_type: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"{result_type}","result":["#)
}

/// What follows them.
pub(super) fn closing(warnings: &[String], infos: &[String]) -> String {
    let mut text = String::from("]}");
    for (name, notes) in [("warnings", warnings), ("infos", infos)] {
        if !notes.is_empty() {
            text.push_str(&format!(",\"{name}\":{}", json!(notes)));
        }
    }
    text.push('}');
    text
}
