//! The way to the server: how it is asked, and which of several.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::fault::Fault;
use crate::config::{PostgresHost, PostgresServer, PostgresTls, PostgresUrl};
use crate::tls::named_authorities_are_readable;

/// No transaction takes so long: the largest is the end of an import, which takes seconds for a million findings.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// A standby, or a server or database that somebody has made read-only.
const IS_READ_ONLY: &str =
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Write,
}

/// The servers, and the one that was found last.
#[derive(Debug)]
pub(super) struct Route {
    url: PostgresUrl,
    /// A place in `url.hosts`.
    found: AtomicUsize,
}

impl Route {
    pub(super) fn new(url: &PostgresUrl) -> Self {
        Self {
            url: url.clone(),
            found: AtomicUsize::new(0),
        }
    }

    /// How to connect to the server that was found last.
    pub(super) fn options(&self) -> PgConnectOptions {
        let found = self.found.load(Ordering::Relaxed);
        let host = self.url.hosts.get(found).or(self.url.hosts.first());
        options(&self.url, host)
    }

    /// How long a server may take to answer, or a connection to become free.
    pub(super) fn patience(&self) -> Duration {
        self.url.connect_timeout
    }

    /// How long a process that hangs keeps its runs.
    pub(super) fn lease(&self) -> Duration {
        self.url.lease
    }

    /// Connects to the server that fits; of several to the first, in the order in which they are named. All are asked at
    /// the same time, so that one that is silent takes its time once.
    pub(super) async fn connect(&self, wish: Wish) -> Result<PgConnection, Fault> {
        readable(&self.url)?;
        if self.url.tls == PostgresTls::VerifyFull {
            named_authorities_are_readable().map_err(Fault::Lasting)?;
        }
        let hosts = &self.url.hosts;
        let wish = match hosts.len() {
            // Whoever writes finds out, and reading goes on.
            1 => Wish::Read,
            _ => wish,
        };
        let mut answers: FuturesOrdered<_> =
            hosts.iter().map(|host| self.ask(host, wish)).collect();
        let mut refusals = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(connection) => {
                    self.found.store(refusals.len(), Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(fault) => refusals.push(fault),
            }
        }
        Err(none_of(hosts, refusals))
    }

    /// Whether there is another server to be found.
    pub(super) fn place(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }

    async fn ask(&self, host: &PostgresHost, wish: Wish) -> Result<PgConnection, Fault> {
        let options = options(&self.url, Some(host));
        let connecting = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            if wish == Wish::Write
                && sqlx::query_scalar(IS_READ_ONLY)
                    .fetch_one(&mut connection)
                    .await?
            {
                return Err(Fault::Passing("a standby, or read-only".to_owned()));
            }
            Ok(connection)
        };
        within(self.patience(), connecting).await
    }
}

/// Does the work in time, or finds the server silent.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::Silent(patience)),
    }
}

fn none_of(hosts: &[PostgresHost], mut refusals: Vec<Fault>) -> Fault {
    if refusals.len() == 1 {
        return refusals.remove(0);
    }
    if refusals
        .iter()
        .all(|fault| matches!(fault, Fault::Silent(_)))
    {
        return refusals.remove(0);
    }
    let mut is_passing = false;
    let mut words = Vec::new();
    for (host, fault) in hosts.iter().zip(refusals) {
        let (reason, passing) = fault.words();
        is_passing |= passing;
        words.push(format!("{host}: {reason}"));
    }
    let words = format!("none of the servers can be written: {}", words.join(" | "));
    match is_passing {
        true => Fault::Passing(words),
        false => Fault::Lasting(words),
    }
}

/// How to connect. A transaction that a stopped process leaves open ends after a lease's time, with all its locks. What an
/// administrator has set for user or database is overridden where secpull has a measure of its own.
fn options(url: &PostgresUrl, host: Option<&PostgresHost>) -> PgConnectOptions {
    let mode = match url.tls {
        PostgresTls::Disable => PgSslMode::Disable,
        PostgresTls::Prefer => PgSslMode::Prefer,
        PostgresTls::Require => PgSslMode::Require,
        PostgresTls::VerifyFull => PgSslMode::VerifyFull,
    };
    let lease = url.lease.as_millis().to_string();
    let patience = PATIENCE.as_millis().to_string();
    let mut options = PgConnectOptions::new_without_pgpass()
        .username(&url.user)
        .database(&url.database)
        .ssl_mode(mode)
        .application_name(&url.application_name)
        .options([
            ("idle_in_transaction_session_timeout", lease.as_str()),
            // What nobody waits for any more ends on the server too. Waiting for locks counts.
            ("statement_timeout", patience.as_str()),
            ("lock_timeout", "0"),
            // The session of the lease only listens for minutes.
            ("idle_session_timeout", "0"),
            ("default_transaction_isolation", "read committed"),
            // A server that is cut off from us notices, and so do we from it.
            ("tcp_keepalives_idle", "15"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
            // Nested loops over what UNNEST brings: compiling them takes longer than running them.
            ("jit", "off"),
            // A plan that was made while a table was empty must not be kept while it grows.
            ("plan_cache_mode", "force_custom_plan"),
        ])
        .disable_statement_logging();
    if let Some(host) = host {
        options = options.port(host.port);
        options = match &host.server {
            PostgresServer::Tcp(name) => options.host(name),
            PostgresServer::Folder(folder) => options.socket(folder),
        };
    }
    if let Some(password) = &url.password {
        options = options.password(password.expose());
    }
    if let Some(file) = &url.root_certificates {
        options = options.ssl_root_cert(file);
    }
    if let Some((certificate, key)) = &url.client_identity {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    options
}

/// The files that TLS needs: the driver's words about a missing one name no path.
fn readable(url: &PostgresUrl) -> Result<(), Fault> {
    let identity = url
        .client_identity
        .iter()
        .flat_map(|(certificate, key)| [("sslcert", certificate), ("sslkey", key)]);
    let files = url
        .root_certificates
        .iter()
        .map(|file| ("sslrootcert", file));
    for (key, file) in files.chain(identity) {
        if let Err(error) = std::fs::File::open(file) {
            return Err(Fault::Lasting(format!(
                "{} of {key} cannot be read: {error}",
                file.display()
            )));
        }
    }
    Ok(())
}
