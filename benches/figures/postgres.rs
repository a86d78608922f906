//! A PostgreSQL server of this process's own, its databases, and the floor of what is written to one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::TryStreamExt;
use secpull_simulators::real_postgres::RealPostgres;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::Result;
use crate::measure::{self, Taken};

/// What everybody gives a server that holds a million findings. Everything else is as PostgreSQL comes.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
];

/// All tables of the store, those that others refer to first.
const TABLES: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'secpull_schema' ORDER BY oid";
/// Of the tables that hold what was imported.
const WRITTEN: &str = "
    SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables
    WHERE relname IN ('findings', 'sightings', 'history', 'vulnerability_names', 'dictionaries')";
const SIZE: &str = "SELECT pg_database_size(current_database())";

fn server() -> Result<&'static RealPostgres> {
    static SERVER: OnceLock<std::io::Result<RealPostgres>> = OnceLock::new();
    let started = SERVER.get_or_init(|| RealPostgres::start(SETTINGS));
    Ok(started.as_ref().map_err(ToString::to_string)?)
}

/// A database. Gone when it is dropped.
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("figures_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        on_server(&format!("CREATE DATABASE {name}"))?;
        Ok(Self {
            url: server()?.url(&name),
            name,
        })
    }

    /// With all tables of this one, and nothing in them.
    fn empty_copy(&self) -> Result<Self> {
        let copy = Self::new()?;
        on_server(&format!("DROP DATABASE {}", copy.name))?;
        on_server(&format!(
            "CREATE DATABASE {} TEMPLATE {}",
            copy.name, self.name
        ))?;
        with(&copy.url, async |connection| {
            let tables: Vec<String> = sqlx::query_scalar(TABLES)
                .fetch_all(&mut *connection)
                .await?;
            execute(connection, &format!("TRUNCATE {}", tables.join(", "))).await
        })?;
        Ok(copy)
    }

    /// Takes everything away, the tables too.
    pub(crate) fn forget(&self) -> Result<()> {
        on_server(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ))?;
        on_server(&format!("CREATE DATABASE {}", self.name))?;
        // What was dropped is not to be written while something else is measured.
        on_server("CHECKPOINT")
    }

    /// How many rows have been written to it, as the server counts.
    pub(crate) fn rows_written(&self) -> Result<i64> {
        with(&self.url, async |connection| {
            Ok(sqlx::query_scalar(WRITTEN).fetch_one(connection).await?)
        })
    }

    pub(crate) fn size(&self) -> Result<i64> {
        with(&self.url, async |connection| {
            Ok(sqlx::query_scalar(SIZE).fetch_one(connection).await?)
        })
    }

    /// What the planner knows is brought up to date, as autovacuum does within a minute.
    pub(crate) fn analyze(&self) -> Result<()> {
        with(&self.url, async |connection| {
            execute(connection, "VACUUM ANALYZE").await
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = on_server(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
        if let Err(error) = dropped {
            eprintln!("figures: {error}");
        }
    }
}

/// All rows of a store, in memory, as COPY takes them.
pub(crate) struct Copies {
    empty: Database,
    tables: Vec<(String, Vec<Bytes>)>,
}

impl Copies {
    pub(crate) fn of(store: &Database) -> Result<Self> {
        let tables = with(&store.url, async |connection| {
            let names: Vec<String> = sqlx::query_scalar(TABLES)
                .fetch_all(&mut *connection)
                .await?;
            let mut tables = Vec::new();
            for name in names {
                let copy = format!("COPY {name} TO STDOUT (FORMAT binary)");
                let pieces = connection.copy_out_raw(&copy).await?;
                let pieces: Vec<Bytes> = pieces.try_collect().await?;
                tables.push((name, pieces));
            }
            Ok(tables)
        })?;
        Ok(Self {
            empty: store.empty_copy()?,
            tables,
        })
    }

    /// Copies them into empty tables with all indexes, in one transaction, until it is committed.
    pub(crate) fn insert(&self) -> Result<Taken> {
        with(&self.empty.url, async |connection| {
            let names: Vec<&str> = self.tables.iter().map(|(name, _)| name.as_str()).collect();
            execute(connection, &format!("TRUNCATE {}", names.join(", "))).await?;
            execute(connection, "CHECKPOINT").await
        })?;
        let (taken, ()) = measure::here(|| {
            with(&self.empty.url, async |connection| {
                execute(connection, "BEGIN").await?;
                for (name, pieces) in &self.tables {
                    let copy = format!("COPY {name} FROM STDIN (FORMAT binary)");
                    let mut copying = connection.copy_in_raw(&copy).await?;
                    for piece in pieces {
                        copying.send(&piece[..]).await?;
                    }
                    copying.finish().await?;
                }
                execute(connection, "COMMIT").await
            })
        })?;
        Ok(taken)
    }
}

fn on_server(sql: &str) -> Result<()> {
    with(&server()?.url("postgres"), async |connection| {
        execute(connection, sql).await
    })
}

async fn execute(connection: &mut PgConnection, sql: &str) -> Result<()> {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}

fn with<T>(url: &str, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
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
