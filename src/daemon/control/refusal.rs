//! Errors as HTTP says them: a status, and an [`ErrorAnswer`] as body.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::api::ErrorAnswer;
use crate::daemon::engine::StartError;
use crate::daemon::reload::ReloadError;
use crate::store::StoreError;

/// Why a request is not done.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    answer: ErrorAnswer,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let answer = ErrorAnswer {
            error: error.into(),
            details: Vec::new(),
        };
        Self { status, answer }
    }

    /// The request makes no sense.
    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// The peer may not.
    pub(super) fn forbidden(error: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error)
    }

    /// There is no such thing.
    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// The path exists, but not with this method.
    pub(super) fn wrong_method(error: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, error)
    }

    /// Not in the present state.
    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// The body is larger than any request needs.
    pub(super) fn too_large(error: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// Not healthy: a line for each reason.
    pub(super) fn unhealthy(details: Vec<String>) -> Self {
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, details.join("; "));
        refusal.answer.details = details;
        refusal
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Unknown(_) => Self::not_found(error.to_string()),
            StartError::Stopping | StartError::NotTaken(_) => Self::conflict(error.to_string()),
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<ReloadError> for Refusal {
    fn from(error: ReloadError) -> Self {
        let mut refusal = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the new configuration is wrong, the one before stays in force",
        );
        refusal.answer.details = error.0;
        refusal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.answer)).into_response()
    }
}
