use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use memchr::memmem::Finder;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::Authentication;
use super::way::Ways;
use crate::config::{Secret, Tool};

/// Shorter secrets are left in what a tool delivers (not in messages): a password like `prometheus` is also a word of the
/// findings, and those must not change.
const SHORTEST_IN_DATA: usize = 12;

/// Names a tenant and opens nothing; findings may name it too.
const TENANT_HEADER: &str = "x-scope-orgid";

/// Takes a tool's secrets out of texts that the tool, or a proxy, has a hand in.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    /// Every form in which one may be echoed; longest first, so that none is left half.
    secrets: Vec<Secret>,
    /// Those that are looked for in data, longest first.
    in_data: Vec<Secret>,
    /// The same as JSON may write them.
    finders: Vec<Finder<'static>>,
}

impl Redactor {
    pub(super) fn new(tool: &Tool, authentication: &Authentication, ways: &Ways) -> Self {
        let mut redactor = Self::default();
        let Authentication {
            headers,
            basic,
            bearer,
        } = authentication;
        let own = tool.secret.iter().chain(tool.settings.every_secret());
        let sent = headers.iter().map(|(_, value)| value);
        let sent = sent.chain(basic.iter().map(|(_, password)| password));
        for secret in own.chain(sent).chain(bearer) {
            redactor.add(secret.expose());
        }
        let credentials = headers
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(TENANT_HEADER))
            .map(|(_, value)| value);
        let credentials = credentials.chain(basic.iter().map(|(_, password)| password));
        for secret in tool.secret.iter().chain(credentials).chain(bearer) {
            redactor.add_to_data(secret.expose());
        }
        for hop in ways.hops() {
            redactor.add_credentials(hop.url());
        }
        redactor
    }

    /// Adds a secret in the forms in which it may come back: plain, and as URLs and JSON write it.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let [in_form, in_url] = in_urls(secret);
        for form in [secret, &in_form, &in_url, &in_json(secret)] {
            insert(&mut self.secrets, form);
        }
    }

    /// Adds a secret that is to be taken out of findings too.
    pub(super) fn add_to_data(&mut self, secret: &str) {
        if secret.len() < SHORTEST_IN_DATA {
            return;
        }
        let [in_form, in_url] = in_urls(secret);
        for form in [secret, &in_form, &in_url] {
            if insert(&mut self.in_data, form) {
                let written = in_json(form);
                // Some writers escape slashes, which base64 is full of.
                let cautious = written.replace('/', "\\/");
                if cautious != written {
                    self.finders.push(Finder::new(&cautious).into_owned());
                }
                self.finders.push(Finder::new(&written).into_owned());
            }
        }
    }

    /// One that knows this secret too.
    pub(super) fn with(&self, secret: &Secret) -> Self {
        let mut redactor = self.clone();
        redactor.add(secret.expose());
        redactor.add_to_data(secret.expose());
        redactor
    }

    /// A proxy's.
    fn add_credentials(&mut self, proxy: &Url) {
        let user = decoded(proxy.username());
        // Alone, a user name is a token.
        let encoded = proxy.password().unwrap_or(proxy.username());
        let secret = decoded(encoded);
        self.add(encoded);
        self.add(&secret);
        if !encoded.is_empty() {
            // As `Proxy-Authorization: Basic` writes it.
            let password = proxy.password().map(decoded).unwrap_or_default();
            self.add(&BASE64_STANDARD.encode(format!("{user}:{password}")));
        }
    }

    /// The text with *** in place of every secret.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if !secret.expose().is_empty() && text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "***");
            }
        }
        text
    }

    /// The JSON text with *** for every secret in it; none if it holds none, which is nearly always so and costs a search.
    pub(super) fn redact_json(&self, json: &[u8]) -> Option<Vec<u8>> {
        if !self.finders.iter().any(|form| form.find(json).is_some()) {
            return None;
        }
        // Text by text: a replacement in the whole might cut an escape in two. What is not JSON is refused by its reader.
        let mut value = serde_json::from_slice(json).ok()?;
        self.redact_value(&mut value);
        Some(value.to_string().into_bytes())
    }

    fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for secret in &self.in_data {
                    if text.contains(secret.expose()) {
                        *text = text.replace(secret.expose(), "***");
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact_value(value)),
            Value::Object(members) => {
                let redacted = std::mem::take(members).into_iter();
                *members = redacted
                    .map(|(name, mut value)| {
                        self.redact_value(&mut value);
                        let mut name = Value::String(name);
                        self.redact_value(&mut name);
                        (name.as_str().unwrap_or("***").to_owned(), value)
                    })
                    .collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Length of the longest secret in bytes: a text that is cut must be redacted with this much beyond the cut.
    pub(super) fn longest(&self) -> usize {
        self.secrets
            .first()
            .map_or(0, |secret| secret.expose().len())
    }
}

/// What a part of a URL means.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// As forms and as paths write it.
fn in_urls(secret: &str) -> [String; 2] {
    let in_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_url = in_form.replace('+', "%20");
    [in_form, in_url]
}

/// As it stands between the quotes of JSON.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Keeps the list free of doubles, and the longest first. False if it was there.
fn insert(secrets: &mut Vec<Secret>, form: &str) -> bool {
    if secrets.iter().any(|known| known.expose() == form) {
        return false;
    }
    secrets.push(Secret::new(form));
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{ProxySetting, Settings, Value};

    #[test]
    fn every_secret_of_a_tool_is_taken_out_in_whatever_form_it_comes_back() {
        let url = |text: &str| Url::parse(text).unwrap();
        let mut settings = Settings::default();
        settings.insert("client_secret", Value::Secret(Secret::new("in settings")));
        let header = ("X-Extra".to_owned(), Secret::new("quo\"te"));
        settings.insert("headers", Value::Secrets(BTreeMap::from([header])));
        let tool = Tool {
            name: "tested".to_owned(),
            connector: "some-connector".to_owned(),
            location: url("https://tool.example/"),
            secret: Some(Secret::new("main")),
            trust: crate::config::Trust::default(),
            proxy: ProxySetting::Through(url("http://me:p%40ss+word@proxy.example")),
            timeout: std::time::Duration::from_secs(1),
            max_requests_per_second: None,
            max_concurrent_requests: 1,
            settings,
            revision: [0; 8],
        };
        let authentication = Authentication {
            bearer: Some(Secret::new("main-and-more")),
            ..Authentication::default()
        };
        let ways = Ways::of(&tool, |_| None).unwrap();
        let redactor = Redactor::new(&tool, &authentication, &ways);
        for text in [
            "main",
            "main-and-more",
            "in settings",
            "in+settings",
            "in%20settings",
            "quo\"te",
            r#"quo\"te"#,
            "p%40ss+word",
            "p@ss+word",
            // me:p@ss+word
            "bWU6cEBzcyt3b3Jk",
        ] {
            assert_eq!(redactor.redact(&format!("a {text} b")), "a *** b");
        }
        assert!(redactor.longest() >= "main-and-more".len());
    }

    #[test]
    fn data_loses_the_credential_however_json_writes_it_and_nothing_else() {
        let mut redactor = Redactor::default();
        redactor.add_to_data("se/cret\"of+the tool");
        redactor.add_to_data("prometheus");
        // A token that was fetched later.
        let redactor = redactor.with(&Secret::new("at.5b0fe7a1-of-this-run"));
        let redacted = |json: &str| {
            let redacted = redactor.redact_json(json.as_bytes())?;
            Some(String::from_utf8(redacted).unwrap())
        };
        assert_eq!(
            redacted(r#"["Bearer at.5b0fe7a1-of-this-run"]"#).as_deref(),
            Some(r#"["Bearer ***"]"#)
        );
        assert_eq!(redacted(r#"{"a":"se/cret of prometheus"}"#), None);
        for written in [
            r#"se/cret\"of+the tool"#,
            r#"se\/cret\"of+the tool"#,
            "se%2Fcret%22of%2Bthe+tool",
            "se%2Fcret%22of%2Bthe%20tool",
        ] {
            assert_eq!(
                redacted(&format!(
                    r#"{{"a":[1.5,"x {written} y"],"{written}":null}}"#
                )),
                Some(r#"{"***":null,"a":[1.5,"x *** y"]}"#.to_owned()),
                "{written}"
            );
        }
    }
}
