//! The authorities that this machine trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name in their place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_native_certs::CertificateResult;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// What the environment names in place of the system's.
#[derive(Debug, Default)]
pub(super) struct Named {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Named {
    pub(super) fn by(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        let folders = given(FOLDERS).unwrap_or_default();
        Self {
            file: given(FILE).map(PathBuf::from),
            folders: std::env::split_paths(&folders)
                .filter(|folder| !folder.as_os_str().is_empty())
                .collect(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.file.is_none() && self.folders.is_empty()
    }

    /// Whoever names a file means it: going on without would trust others than he says, or nobody.
    fn check(&self) -> Result<(), String> {
        let unreadable = |variable: &str, path: &Path, error: std::io::Error| {
            format!(
                "{variable} names {}, which cannot be read: {error}; correct or unset {variable}",
                path.display()
            )
        };
        if let Some(file) = &self.file {
            std::fs::read(file).map_err(|error| unreadable(FILE, file, error))?;
        }
        for folder in &self.folders {
            std::fs::read_dir(folder).map_err(|error| unreadable(FOLDERS, folder, error))?;
        }
        Ok(())
    }

    fn load(&self) -> CertificateResult {
        if self.is_nothing() {
            return rustls_native_certs::load_native_certs();
        }
        let mut all = rustls_native_certs::load_certs_from_paths(self.file.as_deref(), None);
        for folder in &self.folders {
            let more = rustls_native_certs::load_certs_from_paths(None, Some(folder));
            all.certs.extend(more.certs);
            all.errors.extend(more.errors);
        }
        all
    }

    /// Adds all of them, and says how many there are. Those that cannot be read are logged and left out, as others do.
    ///
    /// # Errors
    /// What the environment names cannot be read.
    pub(super) fn add_to(&self, roots: &mut RootCertStore) -> Result<usize, String> {
        self.check()?;
        let found = self.load();
        for error in &found.errors {
            tracing::warn!("an authority of the system is left out: {error}");
        }
        let (added, ignored) = roots.add_parsable_certificates(found.certs);
        if ignored > 0 {
            tracing::debug!(
                "{ignored} authorities of the system are of a form that is not supported"
            );
        }
        Ok(added)
    }

    /// Why there may be none.
    pub(super) fn why_none(&self) -> String {
        if self.is_nothing() {
            return "this system has no CA certificates; install its package ca-certificates, or set ca_bundle"
                .to_owned();
        }
        let names = [
            self.file.is_some().then_some(FILE),
            (!self.folders.is_empty()).then_some(FOLDERS),
        ];
        let names: Vec<_> = names.into_iter().flatten().collect();
        format!(
            "what {} names holds no certificate (-----BEGIN CERTIFICATE-----); correct or unset it",
            names.join(" and ")
        )
    }
}

/// Whether what SSL_CERT_FILE and SSL_CERT_DIR name is there to be read, for drivers that read it by themselves.
///
/// # Errors
/// What cannot be read, and why.
pub fn named_authorities_are_readable() -> Result<(), String> {
    Named::by(|name| std::env::var_os(name)).check()
}
