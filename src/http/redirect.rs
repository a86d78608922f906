use reqwest::Url;
use reqwest::redirect::{Action, Attempt, Policy};

const MAX_REDIRECTS: usize = 5;

/// A redirect that is not followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "redirected to another origin, {0}, which is not followed because it would get the credentials; if the tool is there, correct `location`"
    )]
    OtherOrigin(String),
    #[error("redirected more than {MAX_REDIRECTS} times; check `location`")]
    TooOften,
}

/// Only within the origin: reqwest sends custom credential headers on to wherever a redirect leads.
pub(super) fn same_origin() -> Policy {
    Policy::custom(decide)
}

fn decide(attempt: Attempt) -> Action {
    let from = attempt.previous().last().map(Url::origin);
    if from != Some(attempt.url().origin()) {
        let origin = attempt.url().origin().ascii_serialization();
        return attempt.error(Refused::OtherOrigin(origin));
    }
    // The first of the previous URLs is the request's own.
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error(Refused::TooOften);
    }
    attempt.follow()
}
