//! Reads certificates and keys, and finds out before the first request whether they can be used.

use std::path::{Path, PathBuf};

use super::Trust;
use super::field::Fields;
use super::files::read_bytes;
use super::key_path::KeyPath;
use super::read::Reader;

/// Larger is no bundle of certificates; a system's whole one has a quarter of a MiB.
const LARGEST_BUNDLE: u64 = 4 << 20;

const CERTIFICATES: &str = "a PEM file with -----BEGIN CERTIFICATE-----";

/// The trust of a tool; what was wrong with it is left out.
pub(super) fn read(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Trust {
    let ca_bundle_given = fields.given("ca_bundle");
    let ca_bundle = fields
        .take::<PathBuf>("ca_bundle")
        .and_then(|file| certificates(reader, &path.child("ca_bundle"), &file));
    let ca_bundle_only = fields.take("ca_bundle_only").unwrap_or_default();
    if ca_bundle_only && !ca_bundle_given {
        reader.missing(
            &path.child("ca_bundle_only"),
            "is true without ca_bundle, so nothing would be trusted; allowed: only beside ca_bundle"
                .into(),
        );
    }
    let accept_invalid = !fields.take("verify_tls").unwrap_or(true);
    if accept_invalid && ca_bundle_only {
        reader.wrong(
            &path.child("ca_bundle_only"),
            "is true beside verify_tls = false, which trusts everybody; allowed: one of the two"
                .into(),
        );
    }
    if accept_invalid {
        let instead = if ca_bundle_given {
            "and ca_bundle is not looked at; take verify_tls out"
        } else {
            "prefer ca_bundle"
        };
        reader.warnings.push(format!(
            "{}: {path}: verify_tls = false accepts any certificate, also an attacker's; {instead}",
            reader.sources.key_place(&path.child("verify_tls"))
        ));
    }
    Trust {
        ca_bundle,
        ca_bundle_only,
        accept_invalid,
        client_identity: identity(reader, path, fields),
    }
}

fn certificates(reader: &mut Reader<'_>, path: &KeyPath, file: &Path) -> Option<Vec<u8>> {
    let pem = read_pem(reader, path, file)?;
    let usable = match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if certificates.is_empty() => Err(no_certificate(&pem).to_owned()),
        // Whether a certificate is one shows only when a client is built.
        Ok(certificates) => reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only(certificates)
            .build()
            .map(drop)
            .map_err(|error| format!("holds no usable certificates: {}", cause(&error))),
        Err(error) => Err(format!("holds no usable certificates: {}", cause(&error))),
    };
    match usable {
        Ok(()) => Some(pem),
        Err(what) => {
            let file = file.display();
            reader.wrong(path, format!("{file} {what}; allowed: {CERTIFICATES}"));
            None
        }
    }
}

/// DER begins with the tag of a sequence and a length of two bytes.
const DER: [u8; 2] = [0x30, 0x82];

fn no_certificate(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(&DER) {
        "holds no PEM but DER or PKCS #12 (openssl x509 -inform DER, or openssl pkcs12 -nodes, makes PEM of it)"
    } else {
        "holds no certificate"
    }
}

/// By PKCS #8's label, or the header of the older form.
fn is_encrypted(pem: &str) -> bool {
    pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED")
}

/// Certificate and key in one PEM, if both are given and belong together.
fn identity(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Option<Vec<u8>> {
    let (certificate, key) = ("client_certificate", "client_key");
    let (certificate_given, key_given) = (fields.given(certificate), fields.given(key));
    if certificate_given != key_given {
        let (there, lacking) = if certificate_given {
            (certificate, key)
        } else {
            (key, certificate)
        };
        reader.missing(
            &path.child(there),
            format!("stands without {lacking}; allowed: both or neither"),
        );
    }
    let certificate_file = fields.take::<PathBuf>(certificate);
    let key_file = fields.take::<PathBuf>(key);
    let certificate_pem =
        certificate_file.and_then(|file| certificates(reader, &path.child(certificate), &file));
    let key_path = path.child(key);
    let key_pem = key_file.and_then(|file| match reader.secret_file(&file) {
        Ok(pem) if is_encrypted(&pem) => {
            let file = file.display();
            let message = format!(
                "{file} is encrypted, and nobody is there to type its passphrase when the daemon starts; allowed: the key in plain (openssl pkey -in {file} -out PLAIN), not readable by group and others"
            );
            reader.wrong(&key_path, message);
            None
        }
        Ok(pem) => Some(pem.into_bytes()),
        Err(message) => {
            reader.wrong(&key_path, message);
            None
        }
    });
    let pem = [key_pem?, certificate_pem?].join(&b'\n');
    let usable = reqwest::Identity::from_pem(&pem).and_then(|identity| {
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .identity(identity)
            .build()
    });
    if let Err(error) = usable {
        reader.wrong(
            &key_path,
            format!(
                "cannot be used with client_certificate: {}; allowed: a PEM file with the certificate's own private key",
                cause(&error)
            ),
        );
        return None;
    }
    Some(pem)
}

fn read_pem(reader: &mut Reader<'_>, path: &KeyPath, file: &Path) -> Option<Vec<u8>> {
    match read_bytes(file, LARGEST_BUNDLE) {
        Ok((pem, _)) => Some(pem),
        Err(error) => {
            let file = file.display();
            reader.wrong(
                path,
                format!("{file} cannot be read: {error}; allowed: {CERTIFICATES}"),
            );
            None
        }
    }
}

/// The innermost reason, which is the telling one.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().replace('\n', " ")
}
