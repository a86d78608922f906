//! One series of an answer: its labels, borrowed.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::super::lenient::{Object, Text, finite};
use super::metric::SCRAPE_LABELS;

/// The labels of a series, sorted by name. One whose value is empty does not exist.
#[derive(Debug, Default)]
pub(super) struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What an element of the answer is.
pub(super) enum Series<'a> {
    /// A series with a value.
    Present(Labels<'a>),
    /// One that counts for nothing: its value is 0, or it is a histogram.
    Void,
    /// Many samples of one series: the answer to a range selector.
    Range,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Element<'a> {
    #[serde(borrow)]
    metric: Labels<'a>,
    value: Option<(IgnoredAny, Text<'a>)>,
    values: Option<IgnoredAny>,
    histogram: Option<IgnoredAny>,
    histograms: Option<IgnoredAny>,
}

impl<'a> Series<'a> {
    pub(super) fn parse(element: &'a [u8]) -> Result<Self, String> {
        let Object(element) = serde_json::from_slice::<Object<Element<'a>>>(element)
            .map_err(|error| format!("a series cannot be read: {error}"))?;
        if element.values.is_some() || element.histograms.is_some() {
            return Ok(Self::Range);
        }
        match element.value {
            Some((_, value)) if value.as_str().and_then(finite) == Some(0.0) => Ok(Self::Void),
            Some(_) => Ok(Self::Present(element.metric)),
            None if element.histogram.is_some() => Ok(Self::Void),
            None => Err("a series has no value".to_owned()),
        }
    }
}

impl<'a> Labels<'a> {
    /// Reads what [`Self::raw`] has kept.
    pub(super) fn parse_kept(kept: &'a [u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Kept<'a> {
            #[serde(borrow)]
            metric: Labels<'a>,
        }
        let kept: Kept<'_> = serde_json::from_slice(kept)
            .map_err(|error| format!("a series cannot be read: {error}"))?;
        Ok(kept.metric)
    }
}

impl Labels<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let at = self
            .0
            .binary_search_by(|(label, _)| label.as_ref().cmp(name));
        at.ok().map(|at| self.0[at].1.as_ref())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The labels whose names begin so, without that beginning, and their values.
    pub(super) fn beginning(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.0.iter();
        labels.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_ref())))
    }

    /// `{"metric":{…}}` with the labels that belong to the finding.
    pub(super) fn raw(&self) -> String {
        let mut raw = String::with_capacity(1024);
        raw.push_str("{\"metric\":{");
        let labels = self.0.iter();
        let kept = labels.filter(|(name, _)| !SCRAPE_LABELS.contains(&name.as_ref()));
        for (index, (name, value)) in kept.enumerate() {
            if index > 0 {
                raw.push(',');
            }
            push_json(&mut raw, name);
            raw.push(':');
            push_json(&mut raw, value);
        }
        raw.push_str("}}");
        raw
    }
}

fn push_json(json: &mut String, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        // `Display` of a JSON value is its JSON.
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Labels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
                let mut labels = Vec::with_capacity(32);
                while let Some((name, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    if let (Some(name), Some(value)) = (name.0, value.0) {
                        labels.push((name, value));
                    }
                }
                // Prometheus sorts them; others need not.
                if !labels.is_sorted_by(|a, b| a.0 < b.0) {
                    labels.sort_by(|a, b| a.0.cmp(&b.0));
                    labels.dedup_by(|a, b| a.0 == b.0);
                }
                Ok(Labels(labels))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(json: &str) -> Series<'_> {
        Series::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn labels_are_found_in_any_order_and_empty_ones_do_not_exist() {
        let json = r#"{"metric":{"b":"2","a":"1","c":"","d":7},"value":[1.5,"1"]}"#;
        let Series::Present(labels) = parse(json) else {
            panic!("no series");
        };
        assert_eq!(labels.get("a"), Some("1"));
        assert_eq!(labels.get("b"), Some("2"));
        assert_eq!((labels.get("c"), labels.get("d")), (None, None));
    }

    #[test]
    fn raw_holds_neither_the_sample_nor_what_the_scrape_added() {
        let json = r#"{"metric":{"instance":"10.0.0.1:80","pod":"operator-1","title":"a \"b\"","vuln_id":"CVE-1"},"value":[1.5,"1"]}"#;
        let Series::Present(labels) = parse(json) else {
            panic!("no series");
        };
        assert_eq!(
            labels.raw(),
            r#"{"metric":{"title":"a \"b\"","vuln_id":"CVE-1"}}"#
        );
    }

    #[test]
    fn zero_and_histograms_are_void_ranges_are_told_and_no_value_is_unreadable() {
        assert!(matches!(
            parse(r#"{"metric":{},"value":[1,"0"]}"#),
            Series::Void
        ));
        assert!(matches!(
            parse(r#"{"metric":{},"value":[1,"NaN"]}"#),
            Series::Present(_)
        ));
        assert!(matches!(
            parse(r#"{"metric":{},"histogram":[1,{}]}"#),
            Series::Void
        ));
        assert!(matches!(
            parse(r#"{"metric":{},"values":[[1,"1"]]}"#),
            Series::Range
        ));
        for broken in [
            r#"{"metric":{}}"#,
            r#"{"metric":[],"value":[1,"1"]}"#,
            "[]",
            "{",
        ] {
            assert!(Series::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
