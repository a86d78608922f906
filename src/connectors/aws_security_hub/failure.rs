//! What failures of a call mean, and what to do.

use std::error::Error;

use aws_sdk_securityhub::config::http::HttpResponse;
use aws_sdk_securityhub::error::{ProvideErrorMetadata, SdkError};

use crate::connectors::ConnectorError;
use crate::http::{Client, HttpError, HttpErrorKind};

/// Most of a text of AWS that is shown, in characters.
const MAX_WORDS: usize = 300;

/// What to do, by AWS's code (API reference "Common Errors" and the service's model; the status that goes with a code is not
/// the same everywhere).
const ADVICE: &[(&str, &str)] = &[
    (
        "InvalidAccessException",
        "Security Hub CSPM (the classic one, not the newer \"Security Hub\") must be enabled in this account and Region; else location names the wrong Region",
    ),
    (
        "UnrecognizedClientException",
        "the access key is unknown or was deleted, or a temporary one lacks its session_token",
    ),
    (
        "InvalidClientTokenId",
        "the access key is unknown or was deleted, or a temporary one lacks its session_token",
    ),
    (
        "InvalidSignatureException",
        "the secret does not belong to the access key, or the Region of the endpoint is another than that of the signature (region), or this host's clock is wrong",
    ),
    (
        "SignatureDoesNotMatch",
        "the secret does not belong to the access key, or this host's clock is wrong",
    ),
    (
        EXPIRED,
        "the temporary credentials have expired; give new ones, or let role_arn or the default provider chain renew them",
    ),
    (
        DENIED,
        "grant the action that it names; `secpull connectors aws-security-hub` lists all that are needed",
    ),
    (
        "AccessDenied",
        "the credentials may not assume role_arn: check the role's trust policy, and external_id",
    ),
    (
        "MissingAuthenticationTokenException",
        "location is not the Security Hub endpoint, or something on the way takes the signature out",
    ),
    (
        "TooManyRequestsException",
        "the rate limit of GetFindings is shared by all who ask in the account and Region; lower max_requests_per_second or import at another hour",
    ),
    (
        "LimitExceededException",
        "the rate limit is shared by all who ask in the account and Region; lower max_requests_per_second or import at another hour",
    ),
    (
        "ThrottlingException",
        "the rate limit is shared by all who ask in the account and Region; lower max_requests_per_second or import at another hour",
    ),
];

/// Temporary credentials are over.
pub(super) const EXPIRED: &str = "ExpiredTokenException";

/// IAM says no.
pub(super) const DENIED: &str = "AccessDeniedException";

/// The request is not as AWS wants it; also a page token that is not, or no longer, good.
pub(super) const INVALID: &str = "InvalidInputException";

/// A call that failed.
#[derive(Debug)]
pub(super) struct Trouble {
    /// AWS's code, where AWS answered one.
    pub(super) code: Option<String>,
    /// The answer's status, where there was an answer.
    pub(super) status: Option<u16>,
    /// AWS's own words, where it answered some.
    pub(super) said: Option<String>,
    /// What to tell.
    pub(super) error: ConnectorError,
}

impl From<Trouble> for ConnectorError {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

impl Trouble {
    /// Whether AWS answered this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// An answer that is not what it should be.
    pub(super) fn odd(client: &Client, call: &str, host: &str, what: &str) -> Self {
        let message = format!(
            "{call} at {host}: the answer {what}; check that location is the Security Hub endpoint"
        );
        Self::of(client, HttpErrorKind::UnexpectedShape, &message)
    }

    fn of(client: &Client, kind: HttpErrorKind, message: &str) -> Self {
        let message = client.presentable(message);
        Self {
            code: None,
            status: None,
            said: None,
            error: ConnectorError::Http(HttpError { kind, message }),
        }
    }
}

/// What the SDK's error means.
pub(super) fn explain<E>(
    client: &Client,
    call: &str,
    host: &str,
    error: &SdkError<E, HttpResponse>,
) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(error) = wire_error(error) {
        return Trouble::of(client, error.kind.clone(), &error.message);
    }
    match error {
        SdkError::ServiceError(answered) => {
            let status = answered.raw().status().as_u16();
            let error = answered.err();
            let said = error.message().map(words);
            let message = rejection(call, host, status, error.code(), said.as_deref());
            let body = said.clone().unwrap_or_default();
            let kind = HttpErrorKind::Status {
                status,
                body,
                retry_after: None,
            };
            Trouble {
                code: error.code().map(str::to_owned),
                status: Some(status),
                said,
                ..Trouble::of(client, kind, &message)
            }
        }
        SdkError::ResponseError(answered) => {
            let status = answered.raw().status().as_u16();
            let message = format!(
                "{call} at {host}: {status}, but no JSON that can be read; a proxy's or login page? check location and proxy"
            );
            Trouble {
                status: Some(status),
                ..Trouble::of(client, HttpErrorKind::NotJson, &message)
            }
        }
        _ => {
            let message = format!("{call} at {host}: {}", not_sent(error));
            Trouble {
                error: ConnectorError::Refused(client.presentable(&message)),
                ..Trouble::of(client, HttpErrorKind::Setup, "")
            }
        }
    }
}

/// The failure of the wire, however deep the SDK has wrapped it.
fn wire_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a HttpError> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref::<HttpError>())
}

fn rejection(
    call: &str,
    host: &str,
    status: u16,
    code: Option<&str>,
    said: Option<&str>,
) -> String {
    let known = |code: &str| ADVICE.iter().find(|(known, _)| *known == code);
    let advice = match code.and_then(known) {
        Some((_, advice)) => advice,
        None => match status {
            404 => "location is not the Security Hub endpoint",
            429 => "too many requests; lower max_requests_per_second",
            500.. => "the service, or a proxy before it, failed; try again later",
            _ => "the request was not accepted",
        },
    };
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    let said = said.map(|said| format!(" {said:?}")).unwrap_or_default();
    format!("{call} at {host}: {status}{code}{said}: {advice}")
}

/// AWS's text without what follows in some: the request as it was signed, with the scope of the credentials.
fn words(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let end = ["Authorization=", "Credential=", "The Canonical String"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    let text = &text[..end.unwrap_or(text.len())];
    text.trim().chars().take(MAX_WORDS).collect()
}

/// The request was never sent: nearly always for want of credentials.
fn not_sent(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(|cause| words(&cause.to_string())).collect();
    // The outermost only say that something failed.
    let cause = causes[causes.len().saturating_sub(2)..].join(": ");
    let about_credentials = causes
        .iter()
        .any(|cause| cause.to_ascii_lowercase().contains("credentials"));
    if about_credentials {
        format!(
            "no usable AWS credentials ({cause}); give access_key and secret, or run where AWS's default provider chain finds some (environment, profile, web identity, container or instance role)"
        )
    } else {
        format!("the request could not be sent ({cause})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_says_of_the_signature_is_cut_before_the_scope_of_the_credentials() {
        assert_eq!(
            words(
                "The request signature does not match.\n\nThe Canonical String for this request should have been\n'GET"
            ),
            "The request signature does not match."
        );
        assert_eq!(
            words(
                "Header requires 'Signature'. Authorization=AWS4-HMAC-SHA256 Credential=AKIA/2026"
            ),
            "Header requires 'Signature'."
        );
        assert_eq!(words(&"x".repeat(1000)).len(), MAX_WORDS);
    }

    #[test]
    fn a_rejection_says_call_host_code_and_what_to_do() {
        let line = rejection(
            "GetFindings",
            "securityhub.eu-west-1.amazonaws.com",
            403,
            Some(DENIED),
            Some("not authorized to perform: securityhub:GetFindings"),
        );
        assert!(line.starts_with(
            "GetFindings at securityhub.eu-west-1.amazonaws.com: 403 AccessDeniedException"
        ));
        assert!(line.contains("grant the action"));
        assert!(rejection("GetFindings", "h", 503, None, None).contains("try again later"));
    }
}
