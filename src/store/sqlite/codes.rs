//! How words and times stand in columns.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use rusqlite::types::Type;

use crate::finding::{Kind, Severity, Status};

/// A severity's number is its place in [`Severity::ALL`]: most severe first, so the highest is the least.
pub(super) fn severity_code(severity: Severity) -> i64 {
    severity as i64
}

/// A status's number is its place in [`Status::ALL`]: most urgent first.
pub(super) fn status_code(status: Status) -> i64 {
    status as i64
}

/// A kind's number is its place in [`Kind::ALL`].
pub(super) fn kind_code(kind: Kind) -> i64 {
    kind as i64
}

/// [`Status::Resolved`] in statements; a test holds it true.
pub(super) const RESOLVED: i64 = 6;

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
    usize::try_from(code)
        .ok()
        .and_then(|code| all.get(code))
        .copied()
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
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

pub(super) fn time_code(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
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

/// A count as a column takes it.
pub(super) fn count_code(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored numbers outlive a reordering of the enums: this test has to fail then.
    #[test]
    fn the_numbers_in_the_database_never_change() {
        assert_eq!(
            Severity::ALL.map(|s| (severity_code(s), s.as_str())),
            [
                (0, "critical"),
                (1, "high"),
                (2, "medium"),
                (3, "low"),
                (4, "info"),
                (5, "unknown"),
            ]
        );
        assert_eq!(
            Status::ALL.map(|s| (status_code(s), s.as_str())),
            [
                (0, "open"),
                (1, "in_review"),
                (2, "false_positive"),
                (3, "risk_accepted"),
                (4, "not_affected"),
                (5, "not_security"),
                (6, "resolved"),
            ]
        );
        assert_eq!(
            Kind::ALL.map(|k| (kind_code(k), k.as_str())),
            [
                (0, "component"),
                (1, "code"),
                (2, "secret"),
                (3, "endpoint"),
                (4, "host"),
                (5, "cloud"),
                (6, "kubernetes"),
                (7, "other"),
            ]
        );
        assert_eq!(RESOLVED, status_code(Status::Resolved));
    }
}
