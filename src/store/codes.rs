//! How words and times stand in columns, the same in all engines.

use chrono::{DateTime, Utc};

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

/// The value of a number; none if nothing has that number.
pub(super) fn coded<T: Copy>(code: i64, all: &[T]) -> Option<T> {
    all.get(usize::try_from(code).ok()?).copied()
}

pub(super) fn time_code(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
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
