//! Times as the vendor writes them.

use chrono::{DateTime, Datelike, Utc};

/// A time in RFC 3339; the vendor's year 1 is none.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text?.trim()).ok()?.to_utc();
    (time.year() > 1).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_one_is_no_time() {
        assert!(time(Some("2026-04-08T17:07:12Z")).is_some());
        assert!(time(Some("2026-11-10T06:00:00.123456Z")).is_some());
        assert_eq!(time(Some("0001-01-01T00:00:00Z")), None);
        assert_eq!(time(Some("yesterday")), None);
        assert_eq!(time(None), None);
    }
}
