//! An empty store of the PostgreSQL engine.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secpull::config::{PostgresHost, PostgresServer, PostgresTls, PostgresUrl, StoreUrl};
use secpull::store::{self, Store};
use secpull_simulators::real_postgres::RealPostgres;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// How many random histories are tried.
pub(crate) const CASES: u32 = 12;

/// Where a store is: a database of the one server of these tests, with which it goes.
pub(crate) struct Place {
    pub(crate) url: StoreUrl,
}

fn server() -> &'static RealPostgres {
    static SERVER: OnceLock<RealPostgres> = OnceLock::new();
    SERVER.get_or_init(|| RealPostgres::start(&[]).unwrap())
}

/// Long enough for a busy machine, and no test waits for it.
const LEASE: Duration = Duration::from_secs(60);

/// A new place.
pub(crate) async fn make_place() -> Place {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let database = format!("store_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let options: sqlx::postgres::PgConnectOptions = server().url("postgres").parse().unwrap();
    let options = options.disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let folder = server().data().parent().unwrap().display().to_string();
    Place {
        url: named(&format!("{folder} {} {database}", server().port())),
    }
}

/// The same place, named by a text that another process can be given.
pub(crate) fn name(url: &StoreUrl) -> String {
    let StoreUrl::Postgres(url) = url else {
        unreachable!("places of this engine are databases");
    };
    let host = &url.hosts[0];
    let PostgresServer::Folder(folder) = &host.server else {
        unreachable!("they are reached by the server's socket");
    };
    format!("{} {} {}", folder.display(), host.port, url.database)
}

/// The place of this name.
pub(crate) fn named(name: &str) -> StoreUrl {
    let parts: Vec<&str> = name.split(' ').collect();
    let [folder, port, database] = parts[..] else {
        panic!("{name} is no place");
    };
    StoreUrl::Postgres(Box::new(PostgresUrl {
        hosts: vec![PostgresHost {
            server: PostgresServer::Folder(PathBuf::from(folder)),
            port: port.parse().unwrap(),
        }],
        user: RealPostgres::USER.to_owned(),
        database: database.to_owned(),
        password: None,
        tls: PostgresTls::Disable,
        root_certificates: None,
        client_identity: None,
        application_name: "secpull".to_owned(),
        connect_timeout: Duration::from_secs(60),
        lease: LEASE,
    }))
}

impl Place {
    /// Opens the store: each call is like another process.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url).await.unwrap()
    }
}
