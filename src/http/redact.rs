use url::{Url, form_urlencoded};

use super::Authentication;
use crate::config::{ProxySetting, Secret, Tool};

const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Takes a tool's secrets out of texts that the tool, or a proxy, has a hand in.
#[derive(Default)]
pub(super) struct Redactor {
    /// Every form in which one may be echoed; longest first, so that none is left half.
    secrets: Vec<Secret>,
}

impl Redactor {
    pub(super) fn new(tool: &Tool, authentication: &Authentication) -> Self {
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
        match &tool.proxy {
            ProxySetting::Direct => {}
            ProxySetting::Through(url) => redactor.add_password(url),
            ProxySetting::Environment => PROXY_VARIABLES
                .iter()
                .filter_map(|name| std::env::var(name).ok())
                .filter_map(|value| Url::parse(&value).ok())
                .for_each(|url| redactor.add_password(&url)),
        }
        redactor
    }

    /// Adds a secret in the forms in which it may come back: plain, and as URLs and JSON write it.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let in_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let in_url = in_form.replace('+', "%20");
        let in_json = serde_json::Value::from(secret).to_string();
        let in_json = &in_json[1..in_json.len() - 1];
        for form in [secret, &in_form, &in_url, in_json] {
            if !self.secrets.iter().any(|known| known.expose() == form) {
                self.secrets.push(Secret::new(form));
            }
        }
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    fn add_password(&mut self, url: &Url) {
        let Some(encoded) = url.password() else {
            return;
        };
        self.add(encoded);
        // A plus is no space here, other than in forms.
        let query = format!("p={}", encoded.replace('+', "%2B"));
        if let Some((_, plain)) = form_urlencoded::parse(query.as_bytes()).next() {
            self.add(&plain);
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

    /// Length of the longest secret in bytes: a text that is cut must be redacted with this much beyond the cut.
    pub(super) fn longest(&self) -> usize {
        self.secrets
            .first()
            .map_or(0, |secret| secret.expose().len())
    }
}

/// The variable of the environment that names a proxy for this scheme, if one does.
pub(super) fn proxy_variable(scheme: &str) -> Option<(&'static str, String)> {
    let own = format!("{scheme}_proxy");
    PROXY_VARIABLES
        .iter()
        .filter(|name| name.eq_ignore_ascii_case(&own) || name.eq_ignore_ascii_case("all_proxy"))
        .find_map(|name| {
            let value = std::env::var(name).ok()?;
            (!value.is_empty()).then_some((*name, value))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Settings, Value};

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
        let redactor = Redactor::new(&tool, &authentication);
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
        ] {
            assert_eq!(redactor.redact(&format!("a {text} b")), "a *** b");
        }
        assert!(redactor.longest() >= "main-and-more".len());
    }
}
