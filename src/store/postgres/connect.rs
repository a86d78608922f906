//! That the schema behind a connection is this program's.

use sqlx::{Connection, PgConnection};

use super::fault::Fault;
use crate::store::StoreError;

/// The steps to the newest schema, oldest first.
const STEPS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_store.sql"),
    include_str!("../../../migrations/postgres/0002_outbox.sql"),
    include_str!("../../../migrations/postgres/0003_first_seen.sql"),
    include_str!("../../../migrations/postgres/0004_listing.sql"),
];

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
