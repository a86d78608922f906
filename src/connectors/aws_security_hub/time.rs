//! ASFF's times: ISO 8601 with or without a fraction, then `Z`, `+05:30` or `+0530`.

use chrono::{DateTime, Utc};

/// A time; none if the text is none. RFC 3339 alone would refuse `+0530`.
pub(super) fn parse(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    let parsed = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    parsed.ok().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_time_is_read() {
        let read = |text| parse(Some(text)).map(|time| time.to_rfc3339());
        for (text, utc) in [
            ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00+00:00"),
            ("2026-01-05T08:00:00.1Z", "2026-01-05T08:00:00.100+00:00"),
            (
                "2026-01-05T08:00:00.123456789Z",
                "2026-01-05T08:00:00.123456789+00:00",
            ),
            ("2026-01-05T13:30:00+05:30", "2026-01-05T08:00:00+00:00"),
            ("2026-01-05T13:30:00+0530", "2026-01-05T08:00:00+00:00"),
            (
                "2026-01-04T14:00:00.5-18:00",
                "2026-01-05T08:00:00.500+00:00",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Some(utc), "{text}");
        }
        for odd in ["", "yesterday", "2026-01-05", "2026-13-05T08:00:00Z"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
