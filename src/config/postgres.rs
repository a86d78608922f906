//! `store.url = "postgres://…"`: which server, as whom, and how the way there is protected.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use super::Secret;
use super::wrong::{Wrong, quoted};

/// What a PostgreSQL URL looks like, for messages.
pub(super) const ALLOWED: &str = "\"postgres://USER@HOST:PORT/DATABASE\"";

const PARAMETERS: &str = "allowed are sslmode, sslrootcert, sslcert, sslkey, host, port, user, dbname, application_name and connect_timeout";

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A PostgreSQL database, and how to get there.
#[derive(Debug, Clone)]
pub struct PostgresUrl {
    /// Where its server listens.
    pub server: PostgresServer,
    /// TCP port, or the number in the name of the socket.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// Which database of the server.
    pub database: String,
    /// `[store] password`, or the URL's.
    pub password: Option<Secret>,
    /// How the way is protected.
    pub tls: PostgresTls,
    /// PEM of authorities to trust beside the system's.
    pub root_certificates: Option<PathBuf>,
    /// PEM files of the client's certificate and key.
    pub client_identity: Option<(PathBuf, PathBuf)>,
    /// The name that the server's administrator sees.
    pub application_name: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a process that hangs or is cut off keeps the runs that it has begun.
    pub lease: Duration,
}

/// Where a PostgreSQL server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresServer {
    /// At this name or address.
    Tcp(String),
    /// At a socket in this folder.
    Folder(PathBuf),
}

/// libpq's sslmode, as far as it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresTls {
    /// No TLS.
    Disable,
    /// TLS if the server has it; its certificate is not checked.
    Prefer,
    /// TLS, but the server's certificate is not checked.
    Require,
    /// TLS, and the server must be who it says.
    VerifyFull,
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |url: &Self| url.password.as_ref().map(|p| p.expose().to_owned());
        let rest = |url: &Self| {
            (
                (url.server.clone(), url.port, url.user.clone()),
                (url.database.clone(), url.tls, url.root_certificates.clone()),
                (url.client_identity.clone(), url.application_name.clone()),
                (url.connect_timeout, url.lease),
            )
        };
        exposed(self) == exposed(other) && rest(self) == rest(other)
    }
}

impl Eq for PostgresUrl {}

/// Without the password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            PostgresServer::Tcp(host) if host.contains(':') => {
                write!(
                    f,
                    "postgres://{}@[{host}]:{}/{}",
                    self.user, self.port, self.database
                )
            }
            PostgresServer::Tcp(host) => {
                write!(
                    f,
                    "postgres://{}@{host}:{}/{}",
                    self.user, self.port, self.database
                )
            }
            PostgresServer::Folder(folder) => write!(
                f,
                "postgres://{}@/{}?host={}&port={}",
                self.user,
                self.database,
                folder.display(),
                self.port
            ),
        }
    }
}

impl PostgresUrl {
    /// Whether nobody can listen on the way.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match &self.server {
            PostgresServer::Folder(_) => true,
            PostgresServer::Tcp(host) => {
                host == "localhost"
                    || host
                        .parse::<IpAddr>()
                        .is_ok_and(|ip| ip.to_canonical().is_loopback())
            }
        }
    }
}

/// Never repeats the URL in its messages: it may hold a password.
pub(super) fn read(text: &str) -> Result<PostgresUrl, Wrong> {
    let authority = text.split('/').nth(2).unwrap_or_default();
    if authority.contains(',') {
        return Wrong::so(
            "names several servers, which is not supported: give a name or an address that leads to the primary",
        );
    }
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => return Wrong::so(format!("is not a URL ({error})")),
    };
    if url.fragment().is_some() {
        return Wrong::so("has a fragment (write # as %23)");
    }
    let mut parts = Parts::of(&url)?;
    for (key, value) in url.query_pairs() {
        parts.parameter(&key, &value)?;
    }
    parts.end()
}

/// What a URL says, piece by piece.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<Secret>,
    database: Option<String>,
    mode: Option<String>,
    root: Option<PathBuf>,
    /// `sslrootcert=system`.
    system_roots: bool,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    application_name: Option<String>,
    connect_timeout: Option<Duration>,
}

impl Parts {
    fn of(url: &Url) -> Result<Self, Wrong> {
        let decoded = |what: &str, text: &str| match percent_decoded(text) {
            Some(text) if !text.contains('\0') => Ok((!text.is_empty()).then_some(text)),
            _ => Wrong::so(format!("holds a {what} that is no text")),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => decoded("host", name)?,
            Some(Host::Ipv4(address)) => Some(address.to_string()),
            Some(Host::Ipv6(address)) => Some(address.to_string()),
            None => None,
        };
        let path = url.path().strip_prefix('/').unwrap_or_default();
        if path.contains('/') {
            return Wrong::so("has a / in the name of the database (write it as %2F)");
        }
        let password = decoded("password", url.password().unwrap_or_default())?;
        Ok(Self {
            host,
            port: url.port(),
            user: decoded("user", url.username())?,
            password: password.map(|password| Secret::new(&password)),
            database: decoded("database", path)?,
            ..Self::default()
        })
    }

    fn parameter(&mut self, key: &str, value: &str) -> Result<(), Wrong> {
        let text = || value.to_owned();
        match key {
            "sslmode" => self.mode = Some(text()),
            "sslrootcert" if value == "system" => self.system_roots = true,
            "sslrootcert" => self.root = Some(file(key, value)?),
            "sslcert" => self.certificate = Some(file(key, value)?),
            "sslkey" => self.key = Some(file(key, value)?),
            "host" => self.host = Some(text()),
            "port" => match value.parse() {
                Ok(port) => self.port = Some(port),
                Err(_) => return Wrong::so(format!("port={} is no port", quoted(value))),
            },
            "user" => self.user = Some(text()),
            "dbname" => self.database = Some(text()),
            "application_name" => self.application_name = Some(text()),
            "connect_timeout" => match value.parse() {
                Ok(seconds @ 1..=600) => self.connect_timeout = Some(Duration::from_secs(seconds)),
                _ => {
                    return Wrong::so(format!(
                        "connect_timeout={} is not from 1 to 600 seconds",
                        quoted(value)
                    ));
                }
            },
            "password" => {
                return Wrong::so(
                    "has a parameter password: put it into [store] password = { credential = \"NAME\" }",
                );
            }
            other => {
                return Wrong::so(format!(
                    "has the parameter {}, which is not supported: {PARAMETERS}",
                    quoted(other)
                ));
            }
        }
        Ok(())
    }

    fn end(self) -> Result<PostgresUrl, Wrong> {
        let server = match self.host {
            None => return Wrong::so("names no host"),
            Some(host) if host.contains(',') => {
                return Wrong::so(
                    "names several servers, which is not supported: give a name or an address that leads to the primary",
                );
            }
            Some(host) if host.starts_with('/') => PostgresServer::Folder(host.into()),
            Some(host) => PostgresServer::Tcp(host),
        };
        let Some(user) = self.user else {
            return Wrong::so("names no user");
        };
        let client_identity = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Wrong::so("has sslcert without sslkey"),
            (None, Some(_)) => return Wrong::so("has sslkey without sslcert"),
        };
        let mut url = PostgresUrl {
            server,
            port: self.port.unwrap_or(DEFAULT_PORT),
            database: self.database.unwrap_or_else(|| user.clone()),
            user,
            password: self.password,
            tls: PostgresTls::VerifyFull,
            root_certificates: self.root,
            client_identity,
            application_name: self
                .application_name
                .unwrap_or_else(|| "secpull".to_owned()),
            connect_timeout: self.connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
            lease: Duration::ZERO,
        };
        url.tls = match (self.system_roots, self.mode.as_deref()) {
            (false, mode) => tls(mode, &url)?,
            (true, None | Some("verify-full")) => PostgresTls::VerifyFull,
            (true, Some(_)) => {
                return Wrong::so(
                    "has sslrootcert=system beside a weaker sslmode, which would let anybody in with a certificate of his own: give sslmode=verify-full",
                );
            }
        };
        Ok(url)
    }
}

/// Without a mode: over the network only with a server that proves who it is. libpq's default would go on without TLS.
fn tls(mode: Option<&str>, url: &PostgresUrl) -> Result<PostgresTls, Wrong> {
    match mode {
        None if url.is_local() && url.root_certificates.is_none() => Ok(PostgresTls::Prefer),
        None | Some("verify-full") => Ok(PostgresTls::VerifyFull),
        Some("disable") => Ok(PostgresTls::Disable),
        Some("prefer") => Ok(PostgresTls::Prefer),
        Some("require") if url.root_certificates.is_some() => Wrong::so(
            "has sslmode=require beside sslrootcert, which would check the authority only: give sslmode=verify-full",
        ),
        Some("require") => Ok(PostgresTls::Require),
        Some("verify-ca") => Wrong::so(
            "has sslmode=verify-ca, which is not supported: the system's authorities are trusted too, so any of their certificates would pass; give verify-full",
        ),
        Some("allow") => {
            Wrong::so("has sslmode=allow, which is not supported: give disable or prefer")
        }
        Some(other) => Wrong::so(format!(
            "has sslmode={}, which is not known: give disable, prefer, require or verify-full",
            quoted(other)
        )),
    }
}

fn file(key: &str, value: &str) -> Result<PathBuf, Wrong> {
    let path = Path::new(value);
    if path.is_absolute() {
        Ok(path.to_owned())
    } else {
        Wrong::so(format!("has a {key} that is no absolute path"))
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    // A form's decoding takes + for a space, which a URL's does not.
    let form = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    let (_, value) = url::form_urlencoded::parse(form.as_bytes()).next()?;
    // Bytes that are no UTF-8 have been replaced.
    (!value.contains(char::REPLACEMENT_CHARACTER)).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wrong(text: &str) -> String {
        read(text).unwrap_err().what
    }

    #[test]
    fn a_url_says_where_and_as_whom() {
        let url = read("postgres://secpull@db.example.com/findings").unwrap();
        assert_eq!(url.server, PostgresServer::Tcp("db.example.com".to_owned()));
        assert_eq!(
            (url.port, url.user.as_str(), url.database.as_str()),
            (5432, "secpull", "findings")
        );
        assert_eq!(
            url.to_string(),
            "postgres://secpull@db.example.com:5432/findings"
        );
        let url = read("postgresql://a%2Bb+c@[::1]:6000?dbname=x&application_name=eu").unwrap();
        assert_eq!((url.user.as_str(), url.port), ("a+b+c", 6000));
        assert_eq!(url.application_name, "eu");
        assert_eq!(url.to_string(), "postgres://a+b+c@[::1]:6000/x");
    }

    #[test]
    fn a_socket_is_named_as_libpq_names_it() {
        let folder = PostgresServer::Folder("/run/postgresql".into());
        for text in [
            "postgres://secpull@%2Frun%2Fpostgresql/secpull",
            "postgres:///secpull?host=/run/postgresql&user=secpull",
        ] {
            let url = read(text).unwrap();
            assert_eq!((&url.server, url.tls), (&folder, PostgresTls::Prefer));
            assert_eq!(url.database, "secpull");
        }
    }

    #[test]
    fn over_the_network_the_server_has_to_prove_who_it_is_unless_the_admin_says_otherwise() {
        let tls = |text: &str| read(text).unwrap().tls;
        assert_eq!(tls("postgres://u@db/d"), PostgresTls::VerifyFull);
        assert_eq!(tls("postgres://u@127.0.0.1/d"), PostgresTls::Prefer);
        assert_eq!(tls("postgres://u@localhost/d"), PostgresTls::Prefer);
        assert_eq!(
            tls("postgres://u@localhost/d?sslrootcert=/ca.pem"),
            PostgresTls::VerifyFull
        );
        assert_eq!(
            tls("postgres://u@localhost/d?sslrootcert=system"),
            PostgresTls::VerifyFull
        );
        assert_eq!(
            tls("postgres://u@db/d?sslmode=disable"),
            PostgresTls::Disable
        );
        assert_eq!(
            tls("postgres://u@db/d?sslmode=require"),
            PostgresTls::Require
        );
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_the_reason() {
        for (text, reason) in [
            (
                "postgres://u@db/d?sslmode=verify-ca",
                "any of their certificates would pass",
            ),
            (
                "postgres://u@db/d?sslmode=require&sslrootcert=/a",
                "verify-full",
            ),
            ("postgres://u@db/d?sslmode=allow", "disable or prefer"),
            (
                "postgres://u@db/d?sslrootcert=system&sslmode=require",
                "give sslmode=verify-full",
            ),
            ("postgres://u@db/d?sslrootcert=ca.pem", "no absolute path"),
            ("postgres://u@db/d?sslcert=/a", "without sslkey"),
            ("postgres://u@db/d?sslkey=/a", "without sslcert"),
            ("postgres://u@db/d?sslmdoe=disable", "\"sslmdoe\""),
            (
                "postgres://u@db/d?target_session_attrs=any",
                "not supported",
            ),
            ("postgres://u@a,b/d", "several servers"),
            ("postgres://u@a:1,b:2/d", "several servers"),
            ("postgres://db/d", "no user"),
            ("postgres:///d?user=u", "no host"),
            ("postgres://u@db/d/e", "%2F"),
            ("postgres://u@db/d#e", "fragment"),
            ("postgres://u@db/d?connect_timeout=0", "1 to 600"),
            ("postgres://u@db/d?password=C4NARY", "[store] password"),
        ] {
            let said = wrong(text);
            assert!(said.contains(reason), "{text}: {said}");
            assert!(!said.contains("C4NARY"), "{said}");
        }
    }

    #[test]
    fn a_password_never_shows() {
        let url = read("postgres://u:C4NARY@db/d").unwrap();
        assert_eq!(url.password.as_ref().unwrap().expose(), "C4NARY");
        assert!(!format!("{url} {url:?}").contains("C4NARY"));
        let mut other = url.clone();
        assert_eq!(url, other);
        other.password = None;
        assert_ne!(url, other);
    }
}
