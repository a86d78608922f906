//! The vendor's JSON as it comes: every field lenient, whatever the age of the account.
//!
//! `labels` were texts and are objects, the `id` of a finding is a number and is announced as text, `target.name` is empty
//! and `target.site.name` is not: all that is taken as it is.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::connectors::lenient::{Flag, List, Number, Object, Text};

/// A finding.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) id: Scalar<'a>,
    pub(super) target: Object<TargetPart<'a>>,
    pub(super) definition: Object<Definition<'a>>,
    pub(super) fix: Text<'a>,
    pub(super) evidence: Text<'a>,
    pub(super) severity: Scalar<'a>,
    pub(super) cvss_score: Number,
    pub(super) cvss_vector: Text<'a>,
    pub(super) url: Text<'a>,
    pub(super) path: Text<'a>,
    pub(super) method: Text<'a>,
    pub(super) parameter: Text<'a>,
    pub(super) state: Scalar<'a>,
    pub(super) retesting: Flag,
    pub(super) review_status: Text<'a>,
    pub(super) created_at: Text<'a>,
    pub(super) changed: Text<'a>,
    pub(super) labels: List<Label<'a>>,
}

/// A target, alone or in a finding.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct TargetPart<'a> {
    #[serde(borrow)]
    pub(super) id: Scalar<'a>,
    pub(super) name: Text<'a>,
    pub(super) site: Object<Site<'a>>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) labels: List<Label<'a>>,
}

/// What is tested. Its other members are credentials for the most part.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Site<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) url: Text<'a>,
    pub(super) host: Text<'a>,
}

/// The sort of weakness.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Definition<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) desc: Text<'a>,
    pub(super) cwe_id: Scalar<'a>,
}

/// A number or a text, word for word; blank text is absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scalar<'a>(pub(super) Option<Cow<'a, str>>);

impl Scalar<'_> {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) fn to_owned(&self) -> Option<String> {
        self.0.as_deref().map(str::to_owned)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let is_number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        Ok(Self(match is_number {
            true => Some(Cow::Borrowed(raw)),
            false => text(raw).0,
        }))
    }
}

/// A label by its name.
#[derive(Debug, Default)]
pub(super) struct Label<'a>(pub(super) Text<'a>);

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Label<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let plain = text(raw);
        if plain.0.is_some() {
            return Ok(Self(plain));
        }
        let named = serde_json::from_str::<Object<Named<'de>>>(raw);
        Ok(Self(named.map(|named| named.0.name).unwrap_or_default()))
    }
}

/// The text that this JSON is; none if it is no text, or one that cannot be decoded.
fn text(raw: &str) -> Text<'_> {
    serde_json::from_str(raw).unwrap_or_default()
}

/// The names of labels that have one.
pub(super) fn names(labels: &List<Label<'_>>) -> Vec<String> {
    let names = labels.0.iter().filter_map(|label| label.0.as_str());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_and_texts_are_kept_word_for_word() {
        for (json, expected) in [
            ("12", Some("12")),
            ("-1.50", Some("-1.50")),
            ("\"x-12\"", Some("x-12")),
            ("\" \"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{\"a\":1}", None),
        ] {
            let scalar: Scalar<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(scalar.as_str(), expected, "{json}");
        }
    }

    #[test]
    fn labels_may_be_objects_or_texts() {
        let labels = r#"[{"id":"1","name":"prod","color":"red"},"eu",null,7,{"name":null},[]]"#;
        let labels: List<Label<'_>> = serde_json::from_str(labels).unwrap();
        assert_eq!(names(&labels), ["prod", "eu"]);
    }
}
