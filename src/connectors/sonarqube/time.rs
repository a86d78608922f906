//! Times as the vendor writes them: an offset without colon, whole seconds.

use chrono::{DateTime, Utc};

const FORM: &str = "%Y-%m-%dT%H:%M:%S%z";

/// `2013-05-13T17:55:39+0200`, or RFC 3339, which the second generation of the API writes.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    let parsed = DateTime::parse_from_str(text, FORM);
    let parsed = parsed.or_else(|_| DateTime::parse_from_rfc3339(text));
    parsed.ok().map(|time| time.to_utc())
}

/// The same for a parameter, from seconds since 1970. Never a bare date: that is taken in the server's own time zone, and as
/// an end it includes its day (contract 3c).
pub(super) fn parameter(seconds: i64) -> Option<String> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(time.format(FORM).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_come_without_a_colon_and_are_taken_off() {
        let read = |text| time(Some(text)).map(|time| time.to_rfc3339());
        let expected = Some("2013-05-13T15:55:39+00:00".to_owned());
        assert_eq!(read("2013-05-13T17:55:39+0200"), expected);
        assert_eq!(read("2013-05-13T17:55:39+02:00"), expected);
        assert_eq!(read("2013-05-13T15:55:39Z"), expected);
        for none in ["2013-05-13", "yesterday", ""] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(time(None), None);
    }

    #[test]
    fn a_parameter_is_a_time_of_day_with_its_offset() {
        assert_eq!(
            parameter(1_368_460_539).as_deref(),
            Some("2013-05-13T15:55:39+0000")
        );
        assert_eq!(parameter(i64::MAX), None);
    }
}
