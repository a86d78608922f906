//! Databases of a PostgreSQL server of this test binary's own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use secpull_simulators::real_postgres::RealPostgres;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::tls::Authority;

/// The server that tests share which do nothing to it.
pub(crate) fn server() -> &'static RealPostgres {
    static SERVER: OnceLock<RealPostgres> = OnceLock::new();
    SERVER.get_or_init(|| RealPostgres::start(&[]).unwrap())
}

/// A server of one's own that listens on TCP with a certificate for `localhost`, and knows its clients by theirs.
pub(crate) fn server_over_tls(authority: &Authority) -> RealPostgres {
    let server = RealPostgres::start(&[]).unwrap();
    let (certificate, key) = authority.identity("localhost", |_| {});
    let access = "local all all trust\nhostssl all all 127.0.0.1/32 cert clientcert=verify-full\n";
    for (name, text) in [
        ("server.crt", certificate.as_str()),
        ("server.key", &key),
        ("ca.crt", &authority.pem()),
        ("pg_hba.conf", access),
    ] {
        server.write(name, text).unwrap();
    }
    let settings = [
        ("listen_addresses", "127.0.0.1"),
        ("ssl", "on"),
        ("ssl_cert_file", "server.crt"),
        ("ssl_key_file", "server.key"),
        ("ssl_ca_file", "ca.crt"),
    ];
    server.configure(&settings).unwrap();
    server.stop().unwrap();
    server.start_again().unwrap();
    server
}

/// Certificate and key by which such a server knows its user.
pub(crate) fn client_of(authority: &Authority) -> (String, String) {
    authority.identity("secpull", |params| {
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CommonName, RealPostgres::USER);
    })
}

/// A database on a server, and a way to look into it.
pub(crate) struct Database {
    url: String,
}

impl Database {
    /// A new one.
    pub(crate) fn on(server: &RealPostgres) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("db_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let all = Self {
            url: server.url("postgres"),
        };
        all.execute(&format!("CREATE DATABASE {name}"));
        Self {
            url: server.url(&name),
        }
    }

    /// Refuses writes, or takes them again; those who are connected have to connect anew.
    pub(crate) fn set_read_only(&self, server: &RealPostgres, on: bool) {
        let all = Self {
            url: server.url("postgres"),
        };
        let (name, on) = (self.name(), if on { "on" } else { "off" });
        all.execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = {on}"
        ));
        all.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }

    /// The same by another URL.
    pub(crate) fn section_at(url: &str) -> String {
        format!("url = \"{url}\"\nlease = \"3s\"")
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// The section `[store]` of a configuration, with a short lease.
    pub(crate) fn section(&self) -> String {
        Self::section_at(&self.url)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn with<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
            let options = options.disable_statement_logging();
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            let done = work(&mut connection).await;
            connection.close().await.unwrap();
            done
        })
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.with(async |connection| {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
                .execute(connection)
                .await
                .unwrap();
        });
    }

    /// The rows of a statement of one column that is a text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.with(async |connection| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
                .fetch_all(connection)
                .await
                .unwrap()
        })
    }

    /// Waits until a daemon has made its tables: it answers before that.
    pub(crate) fn wait_for_tables(&self) {
        super::wait_for("the tables", || {
            (self.number("SELECT (to_regclass('runs') IS NOT NULL)::int::bigint") == 1)
                .then_some(())
        });
    }

    /// A number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.with(async |connection| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
                .fetch_one(connection)
                .await
                .unwrap()
        })
    }
}
