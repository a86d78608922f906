//! By which way requests go out: directly, or through a proxy that the configuration or the environment names.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::exceptions::Exceptions;
use crate::config::{ProxySetting, Tool};

const DEFAULT_SOCKS_PORT: u16 = 1080;

/// The ways to all hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    http: Option<Arc<Hop>>,
    https: Option<Arc<Hop>>,
    exceptions: Exceptions,
}

/// A proxy on the way.
#[derive(Clone)]
pub(super) struct Hop {
    /// May hold user name and password.
    url: Url,
    /// Who names it: a variable of the environment, or the configuration's `proxy`.
    named_by: &'static str,
}

const KEY: &str = "`proxy`";

/// A proxy's own loopback is another one; and a secret in plain HTTP, which is allowed to this machine, must not leave it.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

impl Ways {
    /// A tool's. `variable` reads the environment.
    ///
    /// # Errors
    /// A variable names what cannot be used as a proxy: going directly in its place might be just what is not wanted.
    pub(super) fn of(
        tool: &Tool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        match &tool.proxy {
            ProxySetting::Direct => Ok(Self::default()),
            ProxySetting::Through(url) => {
                let hop = Some(Arc::new(Hop::new(url.clone(), KEY)));
                Ok(Self {
                    http: hop.clone(),
                    https: hop,
                    exceptions: Exceptions::default(),
                })
            }
            ProxySetting::Environment => Self::of_environment(variable),
        }
    }

    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name)?;
                let value = value.trim();
                (!value.is_empty()).then(|| (*name, value.to_owned()))
            })
        };
        let hop = |names: &[&'static str]| match first(names) {
            Some((name, value)) => Hop::named(&value, name).map(|hop| Some(Arc::new(hop))),
            None => Ok(None),
        };
        // What a web server makes of a request's header `Proxy` is no word of an admin (CVE-2016-5385).
        let http: &[_] = match variable("REQUEST_METHOD") {
            Some(_) => &["http_proxy", "ALL_PROXY", "all_proxy"],
            None => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        Ok(Self {
            http: hop(http)?,
            https: hop(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?,
            exceptions: first(&["NO_PROXY", "no_proxy"]).map_or_else(
                || Exceptions::of(THIS_MACHINE),
                |(_, list)| Exceptions::of(&format!("{THIS_MACHINE},{list}")),
            ),
        })
    }

    /// The proxy on the way to a URL; none if it is reached directly.
    pub(super) fn to(&self, url: &Url) -> Option<&Arc<Hop>> {
        let hop = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        };
        hop.filter(|_| !self.exceptions.contain(url))
    }

    /// All proxies that may be used.
    pub(super) fn hops(&self) -> impl Iterator<Item = &Hop> {
        self.http.iter().chain(&self.https).map(AsRef::as_ref)
    }
}

impl Hop {
    fn new(mut url: Url, named_by: &'static str) -> Self {
        if url.port_or_known_default().is_none() {
            // Fails only for URLs without a host, and a proxy has one.
            let _ = url.set_port(Some(DEFAULT_SOCKS_PORT));
        }
        Self { url, named_by }
    }

    /// Never repeats the value: it may hold a password.
    fn named(value: &str, variable: &'static str) -> Result<Self, String> {
        // People leave the scheme out, as curl allows.
        let url = if value.contains("://") {
            Url::parse(value)
        } else {
            Url::parse(&format!("http://{value}"))
        };
        let wrong = |what: &str| {
            format!(
                "{variable} names no proxy that can be used: it {what}; correct or unset it (an http://, https://, socks5:// or socks5h:// URL), or set proxy = \"none\""
            )
        };
        let url = url.map_err(|error| wrong(&format!("is not a URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(wrong("is of a kind that is not supported"));
        }
        if url.host().is_none() {
            return Err(wrong("has no host"));
        }
        Ok(Self::new(url, variable))
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the proxy itself is reached by TLS.
    pub(super) fn is_by_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it gets user name and password.
    pub(super) fn has_credentials(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// Where user name and password belong.
    pub(super) fn named_by(&self) -> &'static str {
        self.named_by
    }
}

/// Without user name and password: `the proxy http://proxy.example:3128`, and who names it if that is the environment.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.scheme();
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "the proxy {scheme}://{host}")?;
        if let Some(port) = self.url.port_or_known_default() {
            write!(f, ":{port}")?;
        }
        match self.named_by {
            KEY => Ok(()),
            variable => write!(f, " ({variable})"),
        }
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hop({self})")
    }
}
