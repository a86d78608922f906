//! Databases of a PostgreSQL server of this test binary's own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use secpull_simulators::real_postgres::RealPostgres;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::tls::Authority;

/// As many as the daemons and commands of all tests that run at a time may take, on a machine of many cores too.
const CONNECTIONS: &str = "1000";

/// The server that tests share which do nothing to it.
pub(crate) fn server() -> &'static RealPostgres {
    static SERVER: OnceLock<RealPostgres> = OnceLock::new();
    SERVER.get_or_init(|| RealPostgres::start(&[("max_connections", CONNECTIONS)]).unwrap())
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

/// What holds after every transaction of the PostgreSQL engine, which has no check of its own for it: what does not, a row each.
const VIOLATIONS: &str = "
    SELECT 'sighting ' || s.id || ' has no finding' FROM sightings s LEFT JOIN findings f ON f.id = s.finding_id WHERE f.id IS NULL
    UNION ALL SELECT 'sighting ' || s.id || ' has no scope' FROM sightings s LEFT JOIN scopes c ON c.id = s.scope_id WHERE c.id IS NULL
    UNION ALL SELECT 'finding ' || f.id || ' has no sighting' FROM findings f LEFT JOIN sightings s ON s.finding_id = f.id
    WHERE s.id IS NULL
    UNION ALL SELECT 'finding ' || f.id || ' is not where its sightings are' FROM findings f
    JOIN sightings s ON s.finding_id = f.id
    LEFT JOIN scope_filings g ON g.scope_id = s.scope_id AND g.filing_id = f.filing_id WHERE g.scope_id IS NULL
    UNION ALL SELECT 'finding ' || f.id || ' is resolved and its sightings are not, or the other way round' FROM findings f
    JOIN (SELECT finding_id, bool_and(status = 6) AS gone FROM sightings GROUP BY finding_id) s ON s.finding_id = f.id
    WHERE (f.status = 6) <> s.gone
    UNION ALL SELECT 'scope ' || c.id || ' counts ' || c.unresolved || ' unresolved sightings' FROM scopes c
    LEFT JOIN (SELECT scope_id, count(*) AS unresolved FROM sightings WHERE status <> 6 GROUP BY scope_id) s ON s.scope_id = c.id
    WHERE c.unresolved <> coalesce(s.unresolved, 0)
    UNION ALL SELECT 'API configuration ' || a.name || ' counts ' || a.held || ' that are held' FROM api_configurations a
    LEFT JOIN (SELECT run_id, count(*) AS held FROM held GROUP BY run_id) h ON h.run_id = a.held_run_id
    WHERE a.held <> coalesce(h.held, 0)";

/// A database on a server, and a way to look into it. It is dropped with this value.
pub(crate) struct Database {
    url: String,
}

impl Database {
    /// A new one.
    pub(crate) fn on(server: &RealPostgres) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("db_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        execute(&server.url("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        Self {
            url: server.url(&name),
        }
    }

    /// Refuses writes, or takes them again; those who are connected have to connect anew.
    pub(crate) fn set_read_only(&self, server: &RealPostgres, on: bool) {
        let all = server.url("postgres");
        let (name, on) = (self.name(), if on { "on" } else { "off" });
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}");
        execute(&all, &set).unwrap();
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        execute(&all, &cut).unwrap();
    }

    /// Ends all connections to it but the one that asks for it.
    pub(crate) fn cut_connections(&self) {
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
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

    pub(crate) fn execute(&self, sql: &str) {
        execute(&self.url, sql).unwrap();
    }

    /// The rows of a statement of one column that is a text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        with(&self.url, async |connection| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
                .fetch_all(connection)
                .await
        })
        .unwrap()
    }

    /// A number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        with(&self.url, async |connection| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
                .fetch_one(connection)
                .await
        })
        .unwrap()
    }

    /// What is stored and cannot be.
    pub(crate) fn violations(&self) -> Vec<String> {
        with(&self.url, async |connection| {
            // The server knows nothing yet of tables that have just grown: it would compare each row with each.
            sqlx::raw_sql("SET enable_nestloop = off")
                .execute(&mut *connection)
                .await?;
            sqlx::query_scalar(VIOLATIONS).fetch_all(connection).await
        })
        .unwrap()
    }

    /// Every row of every table as a text.
    pub(crate) fn everything(&self) -> Vec<String> {
        let tables = self.texts(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
        );
        let rows = |table: &String| self.texts(&format!("SELECT t::text FROM {table} t"));
        tables.iter().flat_map(rows).collect()
    }

    /// Waits until a daemon has made its tables: it answers before that.
    pub(crate) fn wait_for_tables(&self) {
        super::wait_for("the tables", || self.has_tables().then_some(()));
    }

    /// Whether a daemon has made its tables.
    pub(crate) fn has_tables(&self) -> bool {
        self.number("SELECT (to_regclass('runs') IS NOT NULL)::int::bigint") == 1
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((server, name)) = self.url.rsplit_once('/') else {
            return;
        };
        let all = format!("{server}/postgres");
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        // It may have gone with its server.
        let _gone = execute(&all, &drop);
    }
}

fn execute(url: &str, sql: &str) -> sqlx::Result<()> {
    with(url, async |connection| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(connection)
            .await?;
        Ok(())
    })
}

fn with<T>(
    url: &str,
    work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let options: sqlx::postgres::PgConnectOptions = url.parse()?;
        let options = options.disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await?;
        let done = work(&mut connection).await?;
        connection.close().await?;
        Ok(done)
    })
}
