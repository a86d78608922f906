//! Connections: how they are made, and that the schema behind them is this program's.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::fault::Fault;
use crate::config::{PostgresServer, PostgresTls, PostgresUrl};
use crate::store::StoreError;
use crate::tls::named_authorities_are_readable;

/// The steps to the newest schema, oldest first.
const STEPS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_store.sql"),
    include_str!("../../../migrations/postgres/0002_outbox.sql"),
    include_str!("../../../migrations/postgres/0004_first_seen.sql"),
];

/// As many as four imports, their preparation and some listings need; more wait.
const MOST_CONNECTIONS: u32 = 12;
/// An idle daemon keeps none but its lease's.
const IDLE_AFTER: Duration = Duration::from_secs(60);
/// A connection is not used for ever: the server gives memory back only when it ends.
const OLDEST: Duration = Duration::from_secs(1800);

/// Any number that no other program takes: the letters `SePu`. One process migrates at a time.
const MIGRATION_LOCK: i64 = 0x5365_5075;

const CREATE_VERSIONS: &str = "
    CREATE TABLE IF NOT EXISTS secpull_schema (version BIGINT PRIMARY KEY, since TIMESTAMPTZ NOT NULL DEFAULT now())";
/// Not by `to_regclass`: within a transaction that remembers what was not there, whoever made it meanwhile.
const HAS_VERSIONS: &str = "
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = 'secpull_schema')";
const OTHER_TABLES: &str = "
    SELECT count(*) FROM pg_catalog.pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM secpull_schema";
const NOTE_VERSION: &str = "INSERT INTO secpull_schema (version) VALUES ($1)";

/// How to connect. A transaction that a stopped process leaves open ends after a lease's time, with all its locks.
pub(super) fn options(url: &PostgresUrl) -> PgConnectOptions {
    let mode = match url.tls {
        PostgresTls::Disable => PgSslMode::Disable,
        PostgresTls::Prefer => PgSslMode::Prefer,
        PostgresTls::Require => PgSslMode::Require,
        PostgresTls::VerifyFull => PgSslMode::VerifyFull,
    };
    let lease = url.lease.as_millis().to_string();
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(url.port)
        .username(&url.user)
        .database(&url.database)
        .ssl_mode(mode)
        .application_name(&url.application_name)
        .options([
            ("idle_in_transaction_session_timeout", lease.as_str()),
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
    options = match &url.server {
        PostgresServer::Tcp(host) => options.host(host),
        PostgresServer::Folder(folder) => options.socket(folder),
    };
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

/// Connections for statements; none is opened yet.
pub(super) fn pool(url: &PostgresUrl, options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(MOST_CONNECTIONS)
        .min_connections(0)
        .acquire_timeout(url.connect_timeout)
        .idle_timeout(IDLE_AFTER)
        .max_lifetime(OLDEST)
        .connect_lazy_with(options.clone())
}

/// One connection, within the time that the admin allows.
pub(super) async fn connect(
    url: &PostgresUrl,
    options: &PgConnectOptions,
) -> Result<PgConnection, Fault> {
    readable(url)?;
    if url.tls == PostgresTls::VerifyFull {
        named_authorities_are_readable().map_err(Fault::Lasting)?;
    }
    let patience = url.connect_timeout;
    match tokio::time::timeout(patience, PgConnection::connect_with(options)).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(Fault::Passing(format!(
            "the server did not answer within {} s",
            patience.as_secs()
        ))),
    }
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

/// Brings the schema up to this program's.
pub(super) async fn migrate(connection: &mut PgConnection, place: &str) -> Result<(), Fault> {
    if has_versions(connection).await? && version(connection).await? == known_version() {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *transaction)
        .await?;
    if !has_versions(&mut transaction).await? {
        refuse_strangers(&mut transaction).await?;
    }
    sqlx::query(CREATE_VERSIONS)
        .execute(&mut *transaction)
        .await?;
    let found = version(&mut transaction).await?;
    refuse_newer(found, place)?;
    for (number, step) in (1..).zip(STEPS).filter(|(number, _)| *number > found) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        sqlx::query(NOTE_VERSION)
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Checks that there is a store of this program's schema.
pub(super) async fn check(connection: &mut PgConnection, place: &str) -> Result<(), Fault> {
    if !has_versions(connection).await? {
        return Err(StoreError::Absent(place.to_owned()).into());
    }
    let found = version(connection).await?;
    refuse_newer(found, place)?;
    if found < known_version() {
        return Err(Fault::Lasting(format!(
            "it has schema version {found} and this secpull wants {}: start the daemon once, it migrates the store",
            known_version()
        )));
    }
    Ok(())
}

async fn has_versions(connection: &mut PgConnection) -> Result<bool, Fault> {
    Ok(sqlx::query_scalar(HAS_VERSIONS)
        .fetch_one(connection)
        .await?)
}

fn known_version() -> u64 {
    STEPS.len() as u64
}

async fn version(connection: &mut PgConnection) -> Result<u64, Fault> {
    let version: i64 = sqlx::query_scalar(VERSION).fetch_one(connection).await?;
    u64::try_from(version).map_err(|_| Fault::Damaged(format!("its schema version is {version}")))
}

fn refuse_newer(found: u64, place: &str) -> Result<(), Fault> {
    let known = known_version();
    if found > known {
        return Err(StoreError::TooNew {
            place: place.to_owned(),
            found,
            known,
        }
        .into());
    }
    Ok(())
}

/// An empty schema may become a store; another program's may not.
async fn refuse_strangers(connection: &mut PgConnection) -> Result<(), Fault> {
    let tables: i64 = sqlx::query_scalar(OTHER_TABLES)
        .fetch_one(connection)
        .await?;
    if tables > 0 {
        return Err(Fault::Lasting(
            "the database holds tables of another program: give secpull a database of its own in [store] url"
                .to_owned(),
        ));
    }
    Ok(())
}
