//! A tool's trust, as rustls wants it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::system::Named;
use super::verifier::{Blind, Explaining};
use crate::config::Trust;

/// Why nothing can be trusted, or the client cannot present itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ClientError(String);

/// Whether the system's authorities are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorities {
    /// Unless the tool's trust replaces them.
    Systems,
    /// Nothing is reached by TLS: a system without CA certificates will do.
    NotNeeded,
}

/// TLS as a tool wants it. For HTTP/1.1.
///
/// # Errors
/// What is not usable, and what to do.
pub fn client_config(trust: &Trust, authorities: Authorities) -> Result<ClientConfig, ClientError> {
    let named = Named::by(|name| std::env::var_os(name));
    config(trust, authorities, &named).map_err(ClientError)
}

pub(super) fn config(
    trust: &Trust,
    authorities: Authorities,
    named: &Named,
) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = if trust.accept_invalid {
        let blind = Blind(provider);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(blind))
    } else {
        let roots = roots(trust, authorities, named)?;
        if roots.is_empty() {
            // Nothing is reached by TLS.
            builder.with_root_certificates(roots)
        } else {
            let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| error.to_string())?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Explaining(webpki)))
        }
    };
    let mut config = match &trust.client_identity {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let (chain, key) = identity(pem)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable_identity(&error))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(trust: &Trust, authorities: Authorities, named: &Named) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let own = trust.ca_bundle.as_deref().map(certificates).transpose()?;
    if trust.ca_bundle_only && own.is_none() {
        return Err("ca_bundle_only is set, but there is no ca_bundle".to_owned());
    }
    for certificate in own.unwrap_or_default() {
        roots
            .add(certificate)
            .map_err(|error| format!("ca_bundle holds what is no certificate: {error}"))?;
    }
    if authorities == Authorities::Systems && !trust.ca_bundle_only {
        named.add_to(&mut roots)?;
        if roots.is_empty() {
            return Err(named.why_none());
        }
    }
    Ok(roots)
}

/// Text without certificates is no error to PEM's readers, but to whoever wrote the path.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates =
        certificates.map_err(|error| format!("ca_bundle is not readable PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("ca_bundle holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(certificates)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(pem: &[u8]) -> Result<Identity, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain =
        chain.map_err(|error| format!("client_certificate is not readable PEM: {error}"))?;
    if chain.is_empty() {
        return Err("client_certificate holds no certificate".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|error| format!("client_key is not readable PEM: {error}"))?;
    Ok((chain, key))
}

fn unusable_identity(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "client_key does not belong to client_certificate".to_owned()
        }
        _ => format!("client_certificate and client_key cannot be used: {error}"),
    }
}
