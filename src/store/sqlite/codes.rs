//! Coded columns of a SQLite row.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use rusqlite::types::Type;

use crate::finding::{Kind, Severity, Status};
use crate::store::codes;

pub(super) use crate::store::codes::{
    RESOLVED, count_code, kind_code, severity_code, status_code, time_code,
};

pub(super) fn severity(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Severity> {
    coded(row, column, &Severity::ALL)
}

pub(super) fn status(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Status> {
    coded(row, column, &Status::ALL)
}

pub(super) fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    coded(row, column, &Kind::ALL)
}

fn coded<T: Copy>(row: &rusqlite::Row<'_>, column: usize, all: &[T]) -> rusqlite::Result<T> {
    let code: i64 = row.get(column)?;
    codes::coded(code, all).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
}

/// A word that parses to `T`.
pub(super) fn word<T>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err = String>,
{
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|why: String| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
        })
}

pub(super) fn time(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<DateTime<Utc>> {
    let millis: i64 = row.get(column)?;
    time_of(column, millis)
}

pub(super) fn optional_time(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let millis: Option<i64> = row.get(column)?;
    millis.map(|millis| time_of(column, millis)).transpose()
}

fn time_of(column: usize, millis: i64) -> rusqlite::Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, millis))
}

/// A count; counts are never negative.
pub(super) fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let count: i64 = row.get(column)?;
    u64::try_from(count).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, count))
}
