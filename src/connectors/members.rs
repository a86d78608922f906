//! The members of a vendor's JSON object, to leave some out or change them and keep the rest word for word.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// The members of an object in their order.
pub(super) struct Members<'a>(Vec<Member<'a>>);

type Member<'a> = (String, Cow<'a, RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = map.next_value::<&'de RawValue>()?;
                    members.push((name, Cow::Borrowed(value)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Members<'_> {
    /// Leaves out the members of these names.
    pub(super) fn leave_out(&mut self, names: &[&str]) {
        self.0.retain(|(own, _)| !names.contains(&own.as_str()));
    }

    /// Replaces the member's value; one that cannot be looked through is not kept.
    pub(super) fn rewrite(&mut self, name: &str, change: impl FnOnce(Value) -> Value) {
        let member = self.0.iter_mut().find(|(own, _)| own == name);
        if let Some((_, value)) = member {
            let changed = serde_json::from_str::<Value>(value.get()).map(change);
            let written = to_raw_value(&changed.unwrap_or(Value::Null));
            *value = Cow::Owned(written.unwrap_or_else(|_| RawValue::NULL.to_owned()));
        }
    }

    /// The object as JSON.
    pub(super) fn write(&self) -> String {
        let mut text = String::from("{");
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            text.push_str(&Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_neither_left_out_nor_rewritten_is_kept_word_for_word() {
        let text =
            r#"{ "id":12, "age":3, "new":{"b":1, "a":[1e2]},"ü":"\u00e9", "n":1e999,"x":1,"x":2}"#;
        let mut members: Members<'_> = serde_json::from_str(text).unwrap();
        members.leave_out(&["age", "x"]);
        members.rewrite("id", |_| "twelve".into());
        members.rewrite("n", |number| number);
        members.rewrite("not there", |_| 1.into());
        assert_eq!(
            members.write(),
            r#"{"id":"twelve","new":{"b":1, "a":[1e2]},"ü":"\u00e9","n":null}"#
        );
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for broken in ["null", "[]", "7", "{", r#"{"id":1"#] {
            assert!(
                serde_json::from_str::<Members<'_>>(broken).is_err(),
                "{broken}"
            );
        }
    }
}
