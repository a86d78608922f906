//! Receivers that messages are posted to.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};
use url::{Host, Url};

use crate::config::field::Fields;
use crate::config::key_path::KeyPath;
use crate::config::kind::Kind;
use crate::config::read::Reader;
use crate::config::scalars::{is_loopback, web_address};
use crate::config::settings::Value;
use crate::config::{Hook, Receiver, Secret, Settings, Tool, tools, trust};

/// Shorter parts of a URL (`services`, a version) open nothing, and are words that messages need.
const SHORTEST_TOKEN: usize = 16;

/// Microsoft's connectors, which it retired in May 2026.
const RETIRED: &str = ".webhook.office.com";

/// Headers that are secpull's own.
const OWN_HEADERS: &[&str] = &["content-type", "content-length", "host", "user-agent"];

/// The receiver; `is_plain` says whether the URL is written down as text.
pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &mut Fields,
    name: &str,
    kind: &str,
    is_plain: bool,
) -> Option<Receiver> {
    let at = path.child("url");
    let trust = trust::read(reader, path, fields);
    let proxy = tools::proxy(reader, path, fields);
    let allow_plaintext: bool = fields.take("allow_plaintext_http").unwrap_or_default();
    let key: Option<Secret> = fields.take("secret");
    let headers = headers(reader, &path.child("headers"), fields);
    let timeout = fields.take("timeout");
    let given: Secret = fields.take("url")?;
    let url = match web_address(given.expose()) {
        Ok(url) => url,
        Err(wrong) => {
            let allowed = Kind::WebAddress.allowed();
            reader.wrong(&at, format!("{}; allowed: {allowed}", wrong.what));
            return None;
        }
    };
    // Whoever has such a URL can post.
    if is_plain && (kind != "webhook" || url.query().is_some()) {
        reader.note_plain_secret(&at);
    }
    check_plaintext(reader, &at, &url, allow_plaintext);
    if let Some(Host::Domain(host)) = url.host()
        && kind == "teams"
        && host.ends_with(RETIRED)
    {
        reader.warnings.push(format!(
            "{}: {path}: is the URL of a connector, which Microsoft has retired: make a workflow (\"Send webhook alerts to a \
             channel\") and give its URL",
            reader.sources.key_place(&at)
        ));
    }
    let mut host = url.clone();
    host.set_path("/");
    host.set_query(None);
    host.set_fragment(None);
    let mut settings = Settings::default();
    let mut hidden = parts(&url);
    hidden.extend(key.clone().map(|key| ("secret".to_owned(), key)));
    hidden.extend(headers.iter().cloned());
    settings.insert("hidden", Value::Secrets(hidden));
    let hook = Hook {
        url: Secret::new(url.as_str()),
        host: Tool {
            name: format!("notifications.{name}"),
            connector: kind.to_owned(),
            location: host,
            secret: None,
            trust,
            proxy,
            timeout: timeout?,
            max_requests_per_second: None,
            max_concurrent_requests: 1,
            settings,
            revision: [0; 8],
        },
    };
    Some(match kind {
        "slack" => Receiver::Slack(hook),
        "teams" => Receiver::Teams(hook),
        _ => Receiver::Webhook { hook, key, headers },
    })
}

/// What of a URL must not be shown: all behind its host, and each part that is long enough to be a token.
fn parts(url: &Url) -> BTreeMap<String, Secret> {
    let mut parts = BTreeMap::new();
    let mut hide = |part: &str| {
        parts.insert(format!("part {}", parts.len()), Secret::new(part));
    };
    let path = url.path();
    if path.len() > 1 {
        hide(path);
    }
    if let Some(query) = url.query() {
        hide(query);
        for (_, value) in url.query_pairs() {
            if value.len() >= SHORTEST_TOKEN {
                hide(&value);
            }
        }
    }
    for segment in path.split('/') {
        if segment.len() >= SHORTEST_TOKEN {
            hide(segment);
        }
    }
    parts
}

fn check_plaintext(reader: &mut Reader<'_>, at: &KeyPath, url: &Url, allow_plaintext: bool) {
    if url.scheme() != "http" || is_loopback(url) {
        return;
    }
    if allow_plaintext {
        reader.warnings.push(format!(
            "{}: {at}: messages travel over plain http, where anyone on the way can read them",
            reader.sources.key_place(at)
        ));
    } else {
        reader.wrong(
            at,
            "plain http would show messages to anyone on the way; allowed: https, http to this machine, or allow_plaintext_http = true"
                .into(),
        );
    }
}

fn headers(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Vec<(String, Secret)> {
    let given: BTreeMap<String, Secret> = fields.take("headers").unwrap_or_default();
    let mut headers = Vec::new();
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        let wrong = if name.parse::<HeaderName>().is_err() {
            Some("cannot be the name of a header; allowed: letters, digits and -")
        } else if OWN_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-secpull-") {
            Some("is a header that secpull sets itself; allowed: any other")
        } else if HeaderValue::from_str(value.expose()).is_err() {
            Some("holds a character that no header may hold; allowed: one line of text")
        } else {
            None
        };
        match wrong {
            Some(wrong) => reader.wrong_key(&path.child(&name), wrong.to_owned()),
            None => headers.push((name, value)),
        }
    }
    headers
}
