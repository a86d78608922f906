//! What an answer that is none means for a message.

use std::time::Duration;

use super::answer;
use super::api::{Api, Broken};
use crate::delivery::Outcome;
use crate::http::{HttpError, HttpErrorKind};

/// What was refused is tried again after so long: somebody may have changed something there.
pub(super) const LONG: Duration = Duration::from_secs(6 * 3600);

/// What has become of an upload that brought no proper answer.
pub(super) enum Verdict {
    /// Nobody knows; DefectDojo may be at work.
    Unknown(String),
    /// The names do not go together: another look may help.
    Names(Outcome),
    /// Nothing goes on there.
    Over(Outcome),
}

/// Of an upload.
pub(super) fn of_upload(api: &Api, broken: &Broken) -> Verdict {
    let Broken { error, was_sent } = broken;
    match &error.kind {
        HttpErrorKind::Status { status, body, .. } => match status {
            408 | 502 | 504 => Verdict::Unknown(error.message.clone()),
            400 if answer::is_about_names(body) => Verdict::Names(outcome(api, error)),
            _ => Verdict::Over(outcome(api, error)),
        },
        HttpErrorKind::Setup | HttpErrorKind::Redirected => Verdict::Over(outcome(api, error)),
        _ if *was_sent => Verdict::Unknown(error.message.clone()),
        _ => Verdict::Over(outcome(api, error)),
    }
}

/// Of any request.
pub(super) fn outcome(api: &Api, error: &HttpError) -> Outcome {
    let problem = in_their_words(api, error);
    match &error.kind {
        HttpErrorKind::Status {
            status,
            retry_after,
            ..
        } => match status {
            401 | 403 => Outcome::Unavailable {
                problem,
                after: None,
            },
            // About this file or these names: the same again will be refused again.
            400 | 405..=422 => Outcome::Later {
                problem,
                after: Some(LONG),
            },
            500 => Outcome::Later {
                problem,
                after: None,
            },
            _ => Outcome::Unavailable {
                problem,
                after: *retry_after,
            },
        },
        _ => Outcome::Unavailable {
            problem,
            after: None,
        },
    }
}

/// The whole line of an error, with what DefectDojo says itself in place of its JSON.
pub(super) fn in_their_words(api: &Api, error: &HttpError) -> String {
    let HttpErrorKind::Status { status, body, .. } = &error.kind else {
        return error.message.clone();
    };
    let Some(words) = answer::words(body) else {
        return error.message.clone();
    };
    let request = error.message.split(": ").next().unwrap_or_default();
    let said = format!(
        "{request}: DefectDojo refuses it ({status}): {}",
        api.quote(&words)
    );
    match status {
        403 => format!(
            "{said}; check the secret of its tool and the permissions that `secpull connectors defectdojo` lists"
        ),
        413 => format!("{said}; a proxy before it takes no file of that size"),
        _ => said,
    }
}
