//! AWS's way to say no.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Status, code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(
    pub(super) StatusCode,
    pub(super) &'static str,
    pub(super) String,
);

macro_rules! refusals {
    ($($name:ident = $status:ident, $code:literal, $text:literal;)+) => {
        impl Refusal {
            $(pub(super) const $name: Known = Known(StatusCode::$status, $code, $text);)+
        }
    };
}

refusals! {
    MISSING_TOKEN = FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token";
    INCOMPLETE = FORBIDDEN, "IncompleteSignatureException", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders'.";
    UNKNOWN_KEY = FORBIDDEN, "UnrecognizedClientException", "The security token included in the request is invalid.";
    WRONG_SCOPE = FORBIDDEN, "InvalidSignatureException", "Credential should be scoped to a valid region.";
    WRONG_SIGNATURE = FORBIDDEN, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.\n\nThe Canonical String for this request should have been\n'POST'";
    EXPIRED = FORBIDDEN, "ExpiredTokenException", "The security token included in the request is expired";
    NOT_SUBSCRIBED = UNAUTHORIZED, "InvalidAccessException", "Account 111122223333 is not subscribed to AWS Security Hub";
    THROTTLED = TOO_MANY_REQUESTS, "TooManyRequestsException", "Too Many Requests";
    NO_SUCH_AGGREGATOR = NOT_FOUND, "ResourceNotFoundException", "FindingAggregator not found";
}

/// A refusal whose words never change.
pub(super) struct Known(StatusCode, &'static str, &'static str);

impl From<Known> for Refusal {
    fn from(Known(status, code, text): Known) -> Self {
        Self(status, code, text.to_owned())
    }
}

impl Refusal {
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self(
            StatusCode::BAD_REQUEST,
            "InvalidInputException",
            text.into(),
        )
    }

    pub(super) fn denied(action: &str) -> Self {
        let text = format!(
            "User: arn:aws:iam::111122223333:user/secpull is not authorized to perform: securityhub:{action} because no identity-based policy allows the securityhub:{action} action"
        );
        Self(StatusCode::FORBIDDEN, "AccessDeniedException", text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, text) = self;
        let kind = HeaderValue::from_static(code);
        // AWS writes it both ways.
        let body = match status {
            StatusCode::TOO_MANY_REQUESTS => json!({"message": text}),
            _ => json!({"Message": text, "Code": code}),
        };
        (status, [(ERROR_TYPE, kind)], Json(body)).into_response()
    }
}
