//! Opening the database: its settings, its schema, and who may touch it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::claims::Claims;
use super::fault::Fault;
use super::files;
use crate::store::StoreError;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/sqlite/0001_store.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0002_documents.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0003_outbox.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0004_first_seen.sql"
    )),
];

/// Marks a file as ours (the four letters `SePu`; the first migration writes them), so that another program's database
/// is not taken for an empty store.
const APPLICATION: i32 = 0x5365_5075;

/// How long a lock of another process is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Settings of the one connection that writes. The page size acts before the first table exists only.
///
/// A log of 24,000 pages is 192 MB: what a large import writes again and again goes into the database once for several
/// transactions. A run's end empties it. The cache is small because a transaction goes through its pages in order, once each.
const WRITER_SETTINGS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 24000;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -4000;";

const READER_SETTINGS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -2000;";

/// Enough for every statement that is used again and again.
const STATEMENTS: usize = 64;

/// The connection that writes, on a schema that is this program's, and the claims.
pub(super) fn for_writing(path: &Path) -> Result<(Connection, Claims), Fault> {
    drop(files::open_private(path)?);
    let claims = Claims::open(path)?;
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    refuse_strangers(&connection, path)?;
    connection.execute_batch(WRITER_SETTINGS)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    claims.begin_migration()?;
    let migrated = migrate(&mut connection, path);
    claims.end_migration()?;
    migrated?;
    Ok((connection, claims))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Fault> {
    let found = schema_version(connection)?;
    if found == known_version() {
        return Ok(());
    }
    refuse_newer(found, path)?;
    Migrations::from_slice(STEPS)
        .to_latest(connection)
        .map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => Fault::Sql(err),
            other => Fault::lasting(format!("its schema could not be migrated: {other}")),
        })?;
    Ok(())
}

/// How a database is read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    path: PathBuf,
    /// As if nobody could write it.
    immutable: bool,
}

impl Reading {
    /// Beside a writer.
    pub(super) fn beside_writer(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            immutable: false,
        }
    }

    /// Without one: checks that there is a store of this program's schema.
    pub(super) fn alone(path: &Path) -> Result<Self, Fault> {
        if !path.exists() {
            return Err(StoreError::Absent(path.display().to_string()).into());
        }
        let mut reading = Self::beside_writer(path);
        let connection = match reading.connect() {
            Ok(connection) => connection,
            // Where the write-ahead log was removed at the last close and this user may not make a new one, nobody has
            // the database open: it can be read as it lies there.
            Err(fault) if !log_exists(path) => {
                reading.immutable = true;
                reading.connect().map_err(|_| fault)?
            }
            Err(fault) => return Err(fault),
        };
        refuse_strangers(&connection, path)?;
        let found = schema_version(&connection)?;
        refuse_newer(found, path)?;
        if found < known_version() {
            return Err(Fault::lasting(format!(
                "it has schema version {found} and this secpull wants {}: start the daemon once, it migrates the store",
                known_version()
            )));
        }
        Ok(reading)
    }

    /// A connection that reads.
    pub(super) fn connect(&self) -> Result<Connection, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if self.immutable {
            Connection::open_with_flags(
                immutable_uri(&self.path),
                flags | OpenFlags::SQLITE_OPEN_URI,
            )?
        } else {
            Connection::open_with_flags(&self.path, flags)?
        };
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(READER_SETTINGS)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Only the first read finds out whether the file can be read at all.
        schema_version(&connection)?;
        Ok(connection)
    }
}

fn log_exists(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// The schema version that this program knows.
fn known_version() -> u64 {
    STEPS.len() as u64
}

fn schema_version(connection: &Connection) -> Result<u64, Fault> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    u64::try_from(version).map_err(|_| Fault::Damaged(format!("its schema version is {version}")))
}

fn refuse_newer(found: u64, path: &Path) -> Result<(), Fault> {
    let known = known_version();
    if found > known {
        let place = path.display().to_string();
        return Err(StoreError::TooNew {
            place,
            found,
            known,
        }
        .into());
    }
    Ok(())
}

/// An empty file may become a store; another program's database may not.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application == APPLICATION {
        return Ok(());
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Err(Fault::lasting(format!(
            "{} is the database of another program: give another path in [store] url",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_migrations_are_valid() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }

    #[test]
    fn a_path_with_odd_characters_survives_in_a_uri() {
        assert_eq!(
            immutable_uri(Path::new("/var/a b?c#%.db")),
            "file:/var/a%20b%3Fc%23%25.db?immutable=1"
        );
    }
}
