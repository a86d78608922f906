use rustls::pki_types::CertificateDer;

use super::name::{Names, shown};

/// Nobody who is trusted has issued a certificate; who has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("UnknownIssuer")]
pub(super) struct Untrusted {
    /// The issuer that is not known, as the certificates call it.
    pub(super) issuer: String,
    pub(super) chain: Chain,
}

/// What the server sent along with its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// Nothing is needed: the certificate is its own issuer.
    SelfSigned,
    /// No certificate of the issuer.
    Nothing,
    /// Certificates of issuers, but not of the last one.
    WithoutLast,
    /// All up to a root.
    Whole,
}

impl Untrusted {
    /// None if what was sent are no certificates.
    pub(super) fn of(
        end_entity: &CertificateDer<'_>,
        sent_along: &[CertificateDer<'_>],
    ) -> Option<Self> {
        let own = Names::of(end_entity)?;
        let others: Vec<_> = sent_along.iter().filter_map(|der| Names::of(der)).collect();
        let mut last = own;
        // Each step is one of what was sent; without this bound, two that issued each other would go on for ever.
        for _ in 0..others.len() {
            if last.issuer == last.subject {
                break;
            }
            match others.iter().find(|names| names.subject == last.issuer) {
                Some(issuer) => last = *issuer,
                None => break,
            }
        }
        let chain = match (last == own, last.issuer == last.subject) {
            (true, true) => Chain::SelfSigned,
            (true, false) => Chain::Nothing,
            (false, true) => Chain::Whole,
            (false, false) => Chain::WithoutLast,
        };
        Some(Self {
            issuer: shown(last.issuer),
            chain,
        })
    }
}
