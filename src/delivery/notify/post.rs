//! Receivers that messages are posted to.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::failure::Failure;
use crate::config::{Hook, Secret};
use crate::http::{Authentication, Client, HttpError, Post, Taken};
use crate::notice::{Notice, Templates, slack_message, teams_message, webhook_body};

/// Posts the generic webhook's JSON, signed if there is a key.
pub(super) async fn webhook(
    hook: &Hook,
    key: Option<&Secret>,
    own: &[(String, Secret)],
    notice: &Notice,
    templates: &Templates,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let body = webhook_body(notice, templates).map_err(|error| Failure {
        problem: format!("the message cannot be written as JSON: {error}"),
        after: None,
        is_of_message: true,
    })?;
    let mut headers = own.to_vec();
    let timestamp = now.timestamp().to_string();
    if let Some(key) = key {
        let signature = signature(key, &timestamp, &body)?;
        headers.push(("X-Secpull-Signature".into(), Secret::new(&signature)));
    }
    let event = notice.events.first().map_or("", |event| event.as_str());
    for (name, value) in [
        ("X-Secpull-Event", event),
        ("X-Secpull-Delivery", &notice.id),
        ("X-Secpull-Timestamp", &timestamp),
    ] {
        headers.push((name.into(), Secret::new(value)));
    }
    let taken = post(hook, &headers, body).await?;
    match taken.status {
        200..=299 => Ok(()),
        _ => Err(refused(hook, &taken)),
    }
}

/// Posts to an incoming webhook of Slack, which answers `ok`.
pub(super) async fn slack(
    hook: &Hook,
    notice: &Notice,
    templates: &Templates,
) -> Result<(), Failure> {
    let body = slack_message(notice, templates).to_string();
    let taken = post(hook, &[], body).await?;
    match taken.status {
        200 if taken.words == "ok" => Ok(()),
        _ => Err(refused(hook, &taken)),
    }
}

/// What Microsoft's connectors said with a good status when they failed.
const NOT_DELIVERED: &str = "message delivery failed";

/// Posts to a workflow of Teams, which answers 202.
pub(super) async fn teams(
    hook: &Hook,
    notice: &Notice,
    templates: &Templates,
) -> Result<(), Failure> {
    let body = teams_message(notice, templates).to_string();
    let taken = post(hook, &[], body).await?;
    let words = taken.words.to_ascii_lowercase();
    match taken.status {
        200..=299 if !words.contains(NOT_DELIVERED) => Ok(()),
        _ => Err(refused(hook, &taken)),
    }
}

async fn post(hook: &Hook, headers: &[(String, Secret)], body: String) -> Result<Taken, Failure> {
    let unreached = |error: HttpError| {
        let problem = error.message.replace("`location`", "`url`");
        Failure::of_receiver(problem.replace("the tool", "the receiver"))
    };
    if hook.host.trust.accept_invalid {
        tracing::warn!(
            "{}: verify_tls = false: whoever answers as the receiver is believed",
            hook.host.name
        );
    }
    let post = Post {
        url: &hook.url,
        headers,
        body,
    };
    // A redirect would lose the message, or hand it to somebody else.
    let client =
        Client::without_redirects(&hook.host, Authentication::default()).map_err(unreached)?;
    client.post_once(post).await.map_err(unreached)
}

/// `sha256=` and the HMAC over time and body, so that neither can be changed, and an old request is known as one.
fn signature(key: &Secret, timestamp: &str, body: &str) -> Result<String, Failure> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .map_err(|error| Failure::of_receiver(format!("`secret` cannot sign: {error}")))?;
    for piece in [timestamp, ".", body] {
        mac.update(piece.as_bytes());
    }
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(signature, "{byte:02x}");
    }
    Ok(signature)
}

fn refused(hook: &Hook, taken: &Taken) -> Failure {
    let status = taken.status;
    let hint = match status {
        200..=299 => "that is not the answer of the service that `url` should lead to",
        300..=399 => "redirects are not followed; give the URL that it leads to as `url`",
        401 | 403 => "it does not let secpull post; check `url`, and what its owner allows",
        404 | 410 => "there is nobody at this URL (any more); make a new one and give it as `url`",
        413 => "the message is too large for it; make a shorter one with `template`",
        429 => "it takes no more messages for now",
        400..=499 => "it does not take this message",
        _ => "it is out of order",
    };
    let words = match taken.words.as_str() {
        "" => String::new(),
        words => format!(" {words:?}"),
    };
    Failure {
        problem: format!("POST {}: {status}{words}: {hint}", hook.host.location),
        after: taken.retry_after,
        is_of_message: matches!(status, 400..=499)
            && !matches!(status, 401 | 403 | 404 | 408 | 410 | 429),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// As `printf '%s' '1764208870.{"a":1}' | openssl dgst -sha256 -hmac s3cret` says.
    #[test]
    fn a_signature_is_what_any_other_program_makes_of_it() {
        let signature = signature(&Secret::new("s3cret"), "1764208870", "{\"a\":1}").unwrap();
        assert_eq!(
            signature,
            "sha256=a58abb5135b4bb5939e8aa53b87afd2893e763015d1953652607dfdba562d071"
        );
    }
}
