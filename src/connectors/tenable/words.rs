//! Fields that hold one value or a list of them, as text or as numbers, depending on the age and origin of the data.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One value or many; what is neither text nor number is left out, and so is blank text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words<'a>(pub(super) Vec<Cow<'a, str>>);

impl Words<'_> {
    /// The first, without white space around it.
    pub(super) fn first(&self) -> Option<&str> {
        self.iter().next()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| word.trim())
    }

    /// The first as a time: RFC 3339, or seconds or milliseconds since 1970.
    pub(super) fn time(&self) -> Option<DateTime<Utc>> {
        /// As seconds this is the year 5138.
        const LARGEST_IN_SECONDS: u64 = 100_000_000_000;
        let word = self.first()?;
        match word.parse::<i64>() {
            Ok(0) => None,
            Ok(seconds) if seconds.unsigned_abs() < LARGEST_IN_SECONDS => {
                DateTime::from_timestamp(seconds, 0)
            }
            Ok(milliseconds) => DateTime::from_timestamp_millis(milliseconds),
            Err(_) => Some(DateTime::parse_from_rfc3339(word).ok()?.to_utc()),
        }
    }

    fn of(word: Cow<'_, str>) -> Words<'_> {
        match word.trim().is_empty() {
            true => Words(Vec::new()),
            false => Words(vec![word]),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Words<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or a list of values")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Words<'de>, E> {
        Ok(Words::of(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Words<'de>, E> {
        Ok(Words::of(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Words<'de>, E> {
        Ok(Words::of(Cow::Owned(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Words<'de>, E> {
        Ok(Words::of(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Words<'de>, E> {
        Ok(Words::of(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Words<'de>, E> {
        Ok(Words::default())
    }

    fn visit_unit<E>(self) -> Result<Words<'de>, E> {
        Ok(Words::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(Words(words)) = list.next_element()? {
            all.extend(words);
        }
        Ok(Words(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Words<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Words::default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn words(json: &str) -> Vec<String> {
        let words: Words<'_> = serde_json::from_str(json).unwrap();
        words.iter().map(str::to_owned).collect()
    }

    #[test]
    fn one_and_many_text_and_numbers_are_read_alike() {
        assert_eq!(words(r#""CVE-1""#), ["CVE-1"]);
        assert_eq!(words(r#"["CVE-1"," CVE-2 "]"#), ["CVE-1", "CVE-2"]);
        assert_eq!(words("79"), ["79"]);
        assert_eq!(words(r#"[79,"80",null,{"a":[1]},""]"#), ["79", "80"]);
        assert_eq!(words(r#""a\nb""#), ["a\nb"]);
        for none in ["null", "true", "{}", "[]", r#"" ""#] {
            assert!(words(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn times_are_text_seconds_or_milliseconds() {
        let time = |json: &str| {
            let words: Words<'_> = serde_json::from_str(json).unwrap();
            words.time().map(|time| time.timestamp())
        };
        let expected = Some(1_683_177_220);
        assert_eq!(time(r#""2023-05-04T05:13:40.809406Z""#), expected);
        assert_eq!(time(r#""2023-05-04T07:13:40+02:00""#), expected);
        assert_eq!(time("1683177220"), expected);
        assert_eq!(time("1683177220809"), expected);
        assert_eq!(time(r#""1683177220""#), expected);
        for none in [
            "0",
            "null",
            r#""yesterday""#,
            "9223372036854775807",
            "-9223372036854775808",
        ] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
