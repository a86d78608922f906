//! Why a request got no whole answer, from the chain of errors below reqwest's, in words for an operator.

use std::error::Error;
use std::io::{self, ErrorKind};

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

use super::HttpErrorKind;
use super::redirect::Refused;
use super::retry::Retry;
use super::shared::Shared;

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
pub(super) fn of_no_answer(error: &reqwest::Error, shared: &Shared) -> Cause {
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
    let route = &shared.route;
    if let Some(error) = find::<rustls::Error>(error) {
        return Cause::connection(tls_words(error), Retry::Never);
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
        let words = format!(
            "the host name cannot be resolved ({detail}){route}; check `location` and this host's DNS"
        );
        return Cause::connection(words, retry);
    }
    if let Some(words) = proxy_words(error, route) {
        return Cause::connection(words, Retry::Soon);
    }
    if error.is_connect() && error.is_timeout() {
        let limit = humantime::format_duration(shared.limits.connect);
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

/// Why TLS did not come about, if that is what an error of any library says; in the words of [`HttpError`](super::HttpError).
#[must_use]
pub fn tls_trouble(error: &(dyn Error + 'static)) -> Option<String> {
    find::<rustls::Error>(error).map(tls_words)
}

/// Why a client cannot be built.
pub(super) fn of_setup(error: &reqwest::Error) -> String {
    match find::<rustls::Error>(error) {
        Some(rustls::Error::InconsistentKeys(_)) => {
            "client_key does not belong to client_certificate".to_owned()
        }
        Some(rustls::Error::NoCertificatesPresented) => {
            "client_certificate holds no certificate".to_owned()
        }
        _ => innermost(error),
    }
}

fn tls_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(problem) => certificate_words(problem),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the tool wants a client certificate; set client_certificate and client_key".to_owned()
        }
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate,
        ) => format!("the tool refuses the client certificate ({error}); check client_certificate"),
        rustls::Error::InvalidMessage(_) => format!(
            "what answers there does not speak TLS ({error}); check scheme and port of `location`"
        ),
        _ => format!("TLS failed: {error}"),
    }
}

fn certificate_words(problem: &CertificateError) -> String {
    let words = match problem {
        CertificateError::UnknownIssuer => {
            "its issuer is not trusted (UnknownIssuer); put the issuing CA's certificate into a file and name that in ca_bundle".to_owned()
        }
        CertificateError::BadSignature => {
            "it is signed by another CA of the same name as a trusted one (BadSignature); put the present CA's certificate into ca_bundle".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}; have it renewed", day(*not_after))
        }
        CertificateError::Expired => "it has expired; have it renewed".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}; check this host's clock", day(*not_before))
        }
        CertificateError::NotValidYet => "it is not valid yet; check this host's clock".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{problem}; use a name in `location` that it is for")
        }
        // Comes wrapped, as something that only the verifier knows.
        _ if format!("{problem:?}").contains("CaUsedAsEndEntity") => {
            "it is a CA's certificate (CaUsedAsEndEntity), which no ca_bundle makes acceptable for a server; have the CA issue one for the server".to_owned()
        }
        _ => problem.to_string(),
    };
    format!("the tool's certificate is refused: {words}")
}

fn day(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map_or_else(
            || "a day out of range".to_owned(),
            |day| day.format("%Y-%m-%d").to_string(),
        )
}

/// The proxy did not let us through. Its error types are private: only their words are left.
fn proxy_words(error: &reqwest::Error, route: &str) -> Option<String> {
    let mut words = chain(error).map(|error| error.to_string());
    let word = words.find(|word| {
        word.starts_with("tunnel error: ") || word.to_ascii_lowercase().starts_with("socks")
    })?;
    let route = if route.is_empty() {
        " through the proxy"
    } else {
        route
    };
    let (what, advice) = if word.contains("proxy authorization required") {
        (
            "wants credentials",
            "give them as proxy = \"http://user:password@host:port\"",
        )
    } else if word.contains("failed to create underlying connection") {
        // The connection to the proxy itself: its own error follows in the chain.
        return None;
    } else {
        (
            "refuses to connect",
            "check that it allows the tool's host and port",
        )
    };
    Some(format!(
        "no connection{route}: the proxy {what} ({word}); {advice}"
    ))
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
