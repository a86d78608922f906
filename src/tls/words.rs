//! What TLS finds wrong, in words for an operator: what is wrong, and what to do.

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, OtherError};

use super::untrusted::{Chain, Untrusted};

/// How whoever is connected to is called, and the keys of the configuration that matter.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    /// `the tool`.
    pub who: &'static str,
    /// The key that names authorities to trust.
    pub bundle: &'static str,
    /// The key that says where it is.
    pub address: &'static str,
    /// The keys of client certificate and its private key.
    pub identity: [&'static str; 2],
}

/// One line.
#[must_use]
pub fn in_words(error: &Error, vocabulary: &Vocabulary) -> String {
    let Vocabulary {
        who,
        address,
        identity: [certificate, key],
        ..
    } = vocabulary;
    match error {
        Error::InvalidCertificate(problem) => {
            let words = refused_certificate(problem, vocabulary);
            format!("{who}'s certificate is refused: {words}")
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{who} wants a client certificate; set {certificate} and {key}")
        }
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError,
        ) => format!("{who} refuses the client certificate ({error}); check {certificate}"),
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            rustls::PeerIncompatible::ServerDoesNotSupportTls12Or13
            | rustls::PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => format!(
            "{who} speaks neither TLS 1.2 nor 1.3 ({error}), and what is older is not safe; update it, or put a reverse proxy before it that does"
        ),
        // Before TLS 1.3 there is no alert of its own for a missing client certificate.
        Error::AlertReceived(AlertDescription::HandshakeFailure) => format!(
            "{who} broke TLS off ({error}); either it has only old ciphers, then update it, or it wants a client certificate, then set {certificate} and {key}"
        ),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("{who} does not go by that name ({error}); check {address}")
        }
        Error::PeerIncompatible(_) => format!(
            "{who} and secpull have no way of encryption in common ({error}); update it, or put a reverse proxy before it"
        ),
        Error::InvalidMessage(_) => {
            format!(
                "what answers there does not speak TLS ({error}); check scheme and port in {address}"
            )
        }
        _ => format!("TLS failed: {error}"),
    }
}

fn refused_certificate(problem: &CertificateError, vocabulary: &Vocabulary) -> String {
    let Vocabulary {
        who,
        bundle,
        address,
        ..
    } = vocabulary;
    match problem {
        CertificateError::Other(OtherError(other)) if other.is::<Untrusted>() => {
            match other.downcast_ref() {
                Some(untrusted) => unknown_issuer(untrusted, vocabulary),
                None => problem.to_string(),
            }
        }
        CertificateError::UnknownIssuer => format!(
            "its issuer is not trusted (UnknownIssuer); put the issuing CA's certificate into a file and name that in {bundle}"
        ),
        CertificateError::BadSignature => format!(
            "it is signed by another CA of the same name as a trusted one (BadSignature); put the present CA's certificate into {bundle}"
        ),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}; have it renewed", day(*not_after))
        }
        CertificateError::Expired => "it has expired; have it renewed".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "it is not valid before {}; check this host's clock",
                day(*not_before)
            )
        }
        CertificateError::NotValidYet => "it is not valid yet; check this host's clock".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{problem}; use a name in {address} that it is for")
        }
        CertificateError::Revoked => format!("it is revoked; {who} needs a new one"),
        // Comes wrapped, as something that only the verifier knows.
        _ if format!("{problem:?}").contains("CaUsedAsEndEntity") => format!(
            "it is a CA's certificate (CaUsedAsEndEntity), which no {bundle} makes acceptable for a server; have the CA issue one for the server"
        ),
        _ => problem.to_string(),
    }
}

fn unknown_issuer(untrusted: &Untrusted, vocabulary: &Vocabulary) -> String {
    let Untrusted { issuer, chain } = untrusted;
    let Vocabulary { who, bundle, .. } = vocabulary;
    match chain {
        Chain::SelfSigned => format!(
            "it is self-signed, as {issuer:?}, and not trusted (UnknownIssuer); make sure that it is {who}'s, then put it into a file and name that in {bundle}"
        ),
        Chain::Whole => format!(
            "its issuer is not trusted (UnknownIssuer): {issuer:?}; put that CA's certificate into a file and name that in {bundle}"
        ),
        Chain::Nothing => format!(
            "its issuer is not trusted (UnknownIssuer): {issuer:?}, and {who} sends no intermediate certificate; put that CA's certificate into a file and name that in {bundle}, or, if it is an intermediate CA of a trusted one, have {who} send it along"
        ),
        Chain::WithoutLast => format!(
            "its issuer is not trusted (UnknownIssuer): {issuer:?}, at the end of what {who} sends; put that CA's certificate into a file and name that in {bundle}, or, if it is an intermediate CA of a trusted one, have {who} send it along"
        ),
    }
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
