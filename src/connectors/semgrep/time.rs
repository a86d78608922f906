//! Times as the vendor writes them.

use chrono::{DateTime, NaiveDateTime, Utc};

/// `2020-11-18 23:28:12.391807+00:00` in the vendor's description, `2024-07-11T20:46:25.269650Z` in its answers; without a zone it
/// is UTC.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim().replacen(' ', "T", 1);
    match DateTime::parse_from_rfc3339(&text) {
        Ok(time) => Some(time.to_utc()),
        Err(_) => {
            let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f");
            naive.ok().map(|time| time.and_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn both_spellings_are_read_with_and_without_decimals() {
        for (text, read) in [
            (
                "2020-11-18 23:28:12.391807+00:00",
                "2020-11-18T23:28:12.391807+00:00",
            ),
            (
                "2024-07-11T20:46:25.269650Z",
                "2024-07-11T20:46:25.269650+00:00",
            ),
            ("2024-01-15 10:30:00+00:00", "2024-01-15T10:30:00+00:00"),
            (
                "2024-01-15T10:30:00.5+02:00",
                "2024-01-15T08:30:00.500+00:00",
            ),
            ("2024-07-11T20:46:25Z", "2024-07-11T20:46:25+00:00"),
            (" 2024-07-11 20:46:25.2 ", "2024-07-11T20:46:25.200+00:00"),
        ] {
            assert_eq!(time(Some(text)).unwrap().to_rfc3339(), read, "{text}");
        }
        for none in ["", "yesterday", "1636942398", "2024-13-01T00:00:00Z"] {
            assert_eq!(time(Some(none)), None, "{none}");
        }
        assert_eq!(time(None), None);
    }
}
