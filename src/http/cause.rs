//! Why a request got no whole answer, from the chain of errors below reqwest's, in words for an operator.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::HttpErrorKind;
use super::redirect::Refused;
use super::retry::Retry;
use super::way::Hop;
use crate::tls::{self, Vocabulary};

const TOOL: Vocabulary = Vocabulary {
    who: "the tool",
    bundle: "ca_bundle",
    address: "`location`",
    identity: ["client_certificate", "client_key"],
};

const PROXY: Vocabulary = Vocabulary {
    who: "the proxy",
    address: "`proxy`",
    ..TOOL
};

/// How the request went out.
pub(super) struct Way<'a> {
    pub(super) hop: Option<&'a Hop>,
    /// The limit for a connection.
    pub(super) connect: Duration,
}

impl Way<'_> {
    /// For messages: empty, or with a space in front.
    fn route(&self) -> String {
        let route = self.hop.map(|hop| format!(" through {hop}"));
        route.unwrap_or_default()
    }

    /// Whether it is the proxy with whom TLS failed. The tool comes after it, in a tunnel.
    fn is_of_the_proxy(&self, error: &reqwest::Error) -> bool {
        let in_front = chain(error).any(|error| {
            let words = error.to_string();
            words == "tunnel error: failed to create underlying connection"
        });
        let plain = error.url().is_some_and(|url| url.scheme() == "http");
        self.hop.is_some_and(Hop::is_by_tls) && (in_front || plain)
    }
}

pub(super) struct Cause {
    pub(super) kind: HttpErrorKind,
    pub(super) words: String,
    pub(super) retry: Retry,
}

impl Cause {
    fn connection(words: impl Into<String>, retry: Retry) -> Self {
        Self {
            kind: HttpErrorKind::Connection,
            words: words.into(),
            retry,
        }
    }
}

/// No answer at all.
pub(super) fn of_no_answer(error: &reqwest::Error, way: &Way<'_>) -> Cause {
    if let Some(refused) = find::<Refused>(error) {
        return Cause {
            kind: HttpErrorKind::Redirected,
            words: refused.to_string(),
            retry: Retry::Never,
        };
    }
    if error.is_builder() || error.is_redirect() {
        return Cause::connection(innermost(error), Retry::Never);
    }
    let route = &way.route();
    if let Some(problem) = find::<rustls::Error>(error) {
        let whose = if way.is_of_the_proxy(error) {
            &PROXY
        } else {
            &TOOL
        };
        return Cause::connection(tls::in_words(problem, whose), Retry::Never);
    }
    if out_of_descriptors(error) {
        let words = format!(
            "no connection{route}: this process has no file descriptor left; raise LimitNOFILE of its unit"
        );
        return Cause::connection(words, Retry::Soon);
    }
    if error.is_dns() {
        let detail = innermost(error);
        // The resolver itself is at fault, and may be back soon.
        let passing = detail.contains("Temporary failure");
        let retry = if passing { Retry::Soon } else { Retry::Lookup };
        let words = match way.hop.filter(|_| !is_local_for_socks(error)) {
            None => format!(
                "the host name cannot be resolved ({detail}); check `location` and this host's DNS"
            ),
            Some(hop) => format!(
                "the host name of {hop} cannot be resolved ({detail}); check {} and this host's DNS",
                hop.named_by()
            ),
        };
        return Cause::connection(words, retry);
    }
    if let Some((words, retry)) = way.hop.and_then(|hop| proxy_words(error, hop)) {
        return Cause::connection(words, retry);
    }
    if error.is_connect() && error.is_timeout() {
        let limit = humantime::format_duration(way.connect);
        let words =
            format!("no connection within {limit}{route}; check `location`, firewall and proxy");
        return Cause::connection(words, Retry::Soon);
    }
    let words = match io_kind(error) {
        Some(ErrorKind::ConnectionRefused) if route.is_empty() => {
            "connection refused, nothing listens there; check `location` and that the tool runs"
                .to_owned()
        }
        Some(ErrorKind::ConnectionRefused) => {
            format!("connection refused{route}; check the proxy, and that the tool runs")
        }
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            format!("the connection was reset{route} by the tool or something before it")
        }
        Some(
            kind @ (ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut),
        ) => format!("{kind}{route}; check `location`, routing and firewall"),
        _ => format!("no answer{route} ({})", innermost(error)),
    };
    Cause::connection(words, Retry::Soon)
}

/// An answer whose body cannot be read to its end.
pub(super) fn of_broken_body(error: &reqwest::Error) -> Cause {
    let detail = innermost(error);
    // What unpacks the body reports broken data so; a connection never does.
    if matches!(
        io_kind(error),
        Some(ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other)
    ) {
        return Cause {
            kind: HttpErrorKind::NotJson,
            words: format!("the body cannot be unpacked ({detail}): its content-encoding is wrong"),
            retry: Retry::Never,
        };
    }
    Cause {
        kind: HttpErrorKind::Truncated,
        words: format!("the body was cut off ({detail}) by the tool or something before it"),
        retry: Retry::Soon,
    }
}

/// Why a client cannot be built.
pub(super) fn of_setup(error: &reqwest::Error) -> String {
    innermost(error)
}

/// The proxy did not let us through. Its error types are private: only their words are left.
fn proxy_words(error: &reqwest::Error, hop: &Hop) -> Option<(String, Retry)> {
    let word = chain(error).map(|error| error.to_string()).find(|word| {
        word.starts_with("tunnel error: ") || word.to_ascii_lowercase().starts_with("socks error: ")
    })?;
    let said = |words: &[&str]| words.iter().any(|words| word.contains(words));
    if said(&["proxy authorization required", "credentials not accepted"])
        || said(&["does not support user/pass"]) && !hop.has_credentials()
    {
        // Asking again with what is wrong gets accounts locked.
        return Some((unauthorized(hop), Retry::Never));
    }
    let words = if said(&["does not support user/pass"]) {
        format!(
            "{hop} takes no user name and password; take them out of {}",
            hop.named_by()
        )
    } else if said(&["failed to create underlying connection"]) {
        // A tunnel's own error follows in the chain; of SOCKS nothing more is known.
        if word.starts_with("tunnel error: ") {
            return None;
        }
        format!("{hop} cannot be reached; check its host and port, and that it runs")
    } else if said(&[
        "io error",
        "failed parsing",
        "incorrectly",
        "unexpected end",
        "too long",
    ]) {
        format!(
            "{hop} does not answer as such a proxy does ({word}); check scheme and port in {}",
            hop.named_by()
        )
    } else {
        format!("{hop} refuses to connect ({word}); check that it allows the tool's host and port")
    };
    Some((format!("no connection: {words}"), Retry::Soon))
}

/// The proxy wants to know who we are, or does not believe it.
pub(super) fn unauthorized(hop: &Hop) -> String {
    let key = hop.named_by();
    if hop.has_credentials() {
        format!("{hop} does not accept the user name and password (407); correct them in {key}")
    } else {
        let scheme = hop.url().scheme();
        format!(
            "{hop} wants a user name and password (407); give them in {key} as {scheme}://USER:PASSWORD@HOST:PORT"
        )
    }
}

/// The errors below `error`, outermost first. Looks into `io::Error`, whose `source` skips what it holds.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match held {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref::<E>())
}

/// Whether it is the tool's name that was looked up, for a proxy that wants its address.
fn is_local_for_socks(error: &reqwest::Error) -> bool {
    chain(error).any(|error| error.to_string() == "error resolving for socks proxy")
}

/// The kind of the innermost I/O error.
fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last()
        .map(io::Error::kind)
}

/// Neither the tool's fault nor the network's.
fn out_of_descriptors(error: &(dyn Error + 'static)) -> bool {
    let mut errors = chain(error).filter_map(|error| error.downcast_ref::<io::Error>());
    errors.any(|error| {
        matches!(
            error.raw_os_error(),
            Some(nix::libc::EMFILE | nix::libc::ENFILE)
        )
    })
}

/// What the innermost error says: the others only say that something went wrong.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .filter(|error| !error.is::<reqwest::Error>())
        .last()
        .map_or_else(|| "no reason given".to_owned(), ToString::to_string)
}
