use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode, Url};

use super::cause::{self, Way};
use super::redact::Redactor;
use super::retry::{Retry, may_pass};
use super::shared::Shared;
use super::way::Hop;
use super::{HttpError, HttpErrorKind};
use crate::config::Secret;

/// How much of an error's body is kept.
pub(super) const MAX_ERROR_BODY: usize = 4 << 10;

/// How much of it is shown, in characters.
const MAX_EXCERPT: usize = 200;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: HttpError,
    pub(super) retry: Retry,
}

/// What a failure is about: one request of one tool. Makes every [`HttpError`], so that nothing gets past the redaction.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) shared: Arc<Shared>,
    pub(super) redactor: Arc<Redactor>,
    /// `GET https://host/path`.
    line: String,
    /// The proxy on the way.
    hop: Option<Arc<Hop>>,
}

impl Subject {
    pub(super) fn new(shared: Arc<Shared>, method: &Method, url: &Url) -> Self {
        let line = format!("{method} {}", bare(url));
        let redactor = Arc::clone(&shared.redactor);
        let hop = shared.ways.to(url).cloned();
        Self {
            shared,
            redactor,
            line,
            hop,
        }
    }

    /// This secret is not shown either.
    pub(super) fn hiding(mut self, secret: &Secret) -> Self {
        self.redactor = Arc::new(self.redactor.with(secret));
        self
    }

    pub(super) fn error(&self, kind: HttpErrorKind, what: impl Display) -> HttpError {
        let message = self.redactor.redact(&format!("{}: {what}", self.line));
        let message = one_line(&message);
        HttpError { kind, message }
    }

    pub(super) fn fail(&self, kind: HttpErrorKind, what: impl Display) -> Failure {
        Failure {
            error: self.error(kind, what),
            retry: Retry::Never,
        }
    }

    /// The request got no answer.
    pub(super) fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let way = Way {
            hop: self.hop.as_deref(),
            connect: self.shared.limits.connect,
        };
        let cause = cause::of_no_answer(error, &way);
        let mut failure = self.fail(cause.kind, cause.words);
        failure.retry = cause.retry;
        failure
    }

    /// The answer's body broke off.
    pub(super) fn broken_body(&self, error: &reqwest::Error) -> Failure {
        let cause = cause::of_broken_body(error);
        let mut failure = self.fail(cause.kind, cause.words);
        failure.retry = cause.retry;
        failure
    }

    /// The tool answered an error; `body` is its start, longer than what is kept by the longest secret.
    pub(super) fn refused(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        retry_after: Option<Duration>,
    ) -> Failure {
        let body = self.redactor.redact(&String::from_utf8_lossy(body));
        let body = cut_bytes(body, MAX_ERROR_BODY);
        let excerpt = excerpt(&body, is_html(headers));
        let mut said = if excerpt.is_empty() {
            String::new()
        } else {
            format!(" {excerpt:?}")
        };
        if let Some(id) = request_id(headers) {
            said.push_str(&format!(" (request {id})"));
        }
        let longest = self.shared.limits.retries.longest_retry_after;
        let mut hint = match (status, &self.hop) {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(hop)) => cause::unauthorized(hop),
            _ => status_hint(status, &self.shared.connector),
        };
        let retry = match retry_after {
            _ if !may_pass(status) => Retry::Never,
            Some(wait) if wait > longest => {
                hint = format!(
                    "the tool wants no request for {}, and secpull waits {} at most; {hint}",
                    humantime::format_duration(wait),
                    humantime::format_duration(longest),
                );
                Retry::Never
            }
            Some(wait) => Retry::After(wait),
            None => Retry::Soon,
        };
        let kind = HttpErrorKind::Status {
            status: status.as_u16(),
            body,
            retry_after,
        };
        let mut failure = self.fail(kind, format_args!("{status}{said}: {hint}"));
        failure.retry = retry;
        failure
    }
}

/// A URL as it may be shown: without user, query and fragment.
pub(super) fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Fails only for URLs that cannot have a user, and those have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Headers in which a tool names a request, for its makers to find it.
const REQUEST_IDS: [&str; 2] = ["x-request-id", "snyk-request-id"];

/// The tool's own name of the request.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    let id = REQUEST_IDS.iter().find_map(|name| headers.get(*name))?;
    let id = id.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (!id.is_empty() && id.len() <= 64 && id.chars().all(plain)).then_some(id)
}

/// What an operator can do about a status.
fn status_hint(status: StatusCode, connector: &str) -> String {
    match status.as_u16() {
        300..=399 => "an answer that leads elsewhere; check `location`".to_owned(),
        401 => "the credentials are missing, wrong or expired; check `secret`".to_owned(),
        403 => format!(
            "the credentials lack a permission; `secpull connectors {connector}` lists those to grant"
        ),
        404 | 410 => {
            "nothing is there; check `location` and the names and ids configured".to_owned()
        }
        407 => {
            "something before the tool wants credentials for a proxy; check `location`".to_owned()
        }
        429 => "the tool's rate limit is reached; lower max_requests_per_second".to_owned(),
        400..=499 => "the tool does not accept the request".to_owned(),
        502..=504 => "the tool, or a proxy before it, is not available; try again later".to_owned(),
        _ => "the tool failed; its own log tells why".to_owned(),
    }
}

/// The telling part of an error's body, on one line.
pub(super) fn excerpt(body: &str, html: bool) -> String {
    let telling = if html {
        title(body).unwrap_or("an HTML page")
    } else if body.trim_start().starts_with(['{', '[']) {
        // Pretty-printed JSON: its first line tells nothing.
        body
    } else {
        body.lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("")
    };
    one_line(telling).chars().take(MAX_EXCERPT).collect()
}

fn title(html: &str) -> Option<&str> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower[start..].find("</title>")?;
    Some(html[start..start + length].trim())
}

/// The text with each run of white space and control characters as one space: no terminal escape gets through.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cut_bytes(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

pub(super) fn is_html(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|kind| kind == "text/html" || kind == "application/xhtml+xml")
}

/// `application/json` or `*+json`.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|kind| {
        kind == "application/json" || (kind.contains('/') && kind.ends_with("+json"))
    })
}

/// The content type without its parameters, in lower case.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or(value);
    Some(kind.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn json_is_known_by_its_content_type_with_suffix_and_parameters() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("application/problem+json;x=y", true),
            ("text/html", false),
            ("application/jsonp", false),
            ("+json", false),
        ] {
            let headers = [(CONTENT_TYPE, value.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(is_json(&headers), json, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn an_excerpt_is_short_one_line_and_without_control_characters() {
        assert_eq!(excerpt("\n\u{1b}[31mno\r\nmore", false), "[31mno");
        assert_eq!(excerpt("{\n  \"error\": 1\n}", false), "{ \"error\": 1 }");
        assert_eq!(
            excerpt("<html><TITLE>Bad\nGateway</TITLE></html>", true),
            "Bad Gateway"
        );
        assert_eq!(excerpt("<html>", true), "an HTML page");
        assert_eq!(excerpt(&"x".repeat(500), false).len(), 200);
    }

    #[test]
    fn the_tools_name_of_a_request_is_shown_if_it_is_one() {
        let id = |value: &str| {
            let headers = [("snyk-request-id".parse().unwrap(), value.parse().unwrap())]
                .into_iter()
                .collect();
            request_id(&headers).map(str::to_owned)
        };
        let uuid = "4b58e274-ec62-4fab-917b-1d2c48d6bdef";
        assert_eq!(id(uuid).as_deref(), Some(uuid));
        for none in ["", "two words", "<b>", &"x".repeat(65)] {
            assert_eq!(id(none), None, "{none}");
        }
        assert_eq!(request_id(&HeaderMap::new()), None);
    }

    #[test]
    fn a_shown_url_has_neither_user_nor_query() {
        let url = Url::parse("https://me:pw@host/a/b?token=t#f").unwrap();
        assert_eq!(bare(&url), "https://host/a/b");
    }
}
