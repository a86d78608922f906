//! `[store]` to a [`StoreUrl`].

use std::str::FromStr;
use std::time::Duration;

use config::{Map, Value};

use super::key_path::KeyPath;
use super::keys;
use super::read::Reader;
use super::scalars;
use super::{PostgresTls, PostgresUrl, Secret, StoreUrl};

/// Reads the section; none after a problem with the URL.
pub(super) fn read(reader: &mut Reader<'_>, root: &Map<String, Value>) -> Option<StoreUrl> {
    let mut fields = reader.section_without(root, keys::STORE, &elsewhere());
    let path = KeyPath::of(&[keys::STORE]);
    let password: Option<Secret> = fields.take("password");
    let lease: Option<Duration> = fields.take("lease");
    match fields.take("url")? {
        StoreUrl::Sqlite(file) => {
            // A password may be there already for a move to PostgreSQL.
            if fields.given("lease") {
                reader.wrong_key(
                    &path.child("lease"),
                    "a SQLite file takes none; allowed: only beside a url that is postgres://…"
                        .into(),
                );
            }
            Some(StoreUrl::Sqlite(file))
        }
        StoreUrl::Postgres(mut url) => {
            if url.password.is_some() {
                reader.note_plain_secret(&path.child("url"));
                if fields.given("password") {
                    reader.wrong_key(
                        &path.child("password"),
                        "stands in url too; allowed: here, or there".into(),
                    );
                }
            }
            url.password = url.password.or(password);
            url.lease = lease.unwrap_or(keys::LEASE);
            warn(reader, &path.child("url"), &url);
            Some(StoreUrl::Postgres(url))
        }
    }
}

/// `[store] password` alone.
pub(super) fn password(reader: &mut Reader<'_>, root: &Map<String, Value>) -> Option<Secret> {
    let mut fields = reader.section_without(root, keys::STORE, &elsewhere());
    fields.take("password")
}

/// Keys of a tool that somebody may look for here too: what they do for tools, the URL does, or nothing can.
fn elsewhere() -> Vec<(&'static str, String)> {
    let parameter = |name| format!("for PostgreSQL it is the parameter {name} of url");
    [
        ("proxy", "a store goes through no proxy, PostgreSQL's protocol is not HTTP: lead host and port of url to a tunnel, such as ssh -L".to_owned()),
        ("ca_bundle", parameter("sslrootcert=/PATH")),
        ("ca_bundle_only", "PostgreSQL's driver trusts the system's authorities beside sslrootcert: let SSL_CERT_FILE name the only ones".to_owned()),
        ("verify_tls", parameter("sslmode")),
        ("client_certificate", parameter("sslcert=/PATH")),
        ("client_key", parameter("sslkey=/PATH")),
    ]
    .into()
}

impl FromStr for StoreUrl {
    type Err = String;

    /// As in `[store] url`, with the defaults of the other keys. What is wrong is said without the text, which may hold a
    /// password.
    fn from_str(text: &str) -> Result<Self, String> {
        match scalars::store(text) {
            Ok(Self::Postgres(mut url)) => {
                url.lease = keys::LEASE;
                Ok(Self::Postgres(url))
            }
            Ok(url) => Ok(url),
            Err(wrong) => Err(wrong.what),
        }
    }
}

fn warn(reader: &mut Reader<'_>, path: &KeyPath, url: &PostgresUrl) {
    let what = match url.tls {
        _ if url.is_local() => return,
        PostgresTls::VerifyFull => return,
        PostgresTls::Disable => {
            "sslmode=disable shows all findings to anyone on the way to the server"
        }
        PostgresTls::Prefer => {
            "sslmode=prefer goes on without TLS when somebody on the way takes it out"
        }
        PostgresTls::Require => {
            "sslmode=require accepts any certificate, also an attacker's; prefer verify-full"
        }
    };
    reader.warnings.push(format!(
        "{}: {path}: {what}",
        reader.sources.value_place(path)
    ));
}
