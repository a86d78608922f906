//! Fields of a vendor's JSON that may have another type than promised: such a field is absent, and its row is kept.
//!
//! One pass, borrowing where it can. Nothing here fails but on text that is not JSON at all.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Text that is not blank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

/// A number, also one written as text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Number(pub(super) Option<f64>);

/// A whole number, also one written as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Whole(pub(super) Option<i64>);

/// True or false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Option<bool>);

/// An object, whose own fields are lenient; empty if it is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

/// A list of lenient values; empty if it is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) fn to_owned(&self) -> Option<String> {
        self.0.as_deref().map(str::to_owned)
    }
}

/// The `visit_…` methods of the JSON types that a field does not want: it is absent then.
macro_rules! absent_as {
    ($($json_type:ident)*) => { $(absent_as!(@ $json_type);)* };
    (@ boolean) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@ number) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@ text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@ null) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@ list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (@ object) => {
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

struct Lenient<T>(PhantomData<T>);

impl<'de: 'a, 'a> Visitor<'de> for Lenient<Text<'a>> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
        Ok(Text(not_blank(text).map(Cow::Borrowed)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text(
            not_blank(text).map(|text| Cow::Owned(text.to_owned())),
        ))
    }

    absent_as!(boolean number null list object);
}

impl<'de> Visitor<'de> for Lenient<Number> {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number(finite(text)))
    }

    absent_as!(boolean null list object);
}

impl<'de> Visitor<'de> for Lenient<Whole> {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(Some(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole(i64::try_from(number).ok()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Whole, E> {
        Ok(Whole(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Whole, E> {
        Ok(Whole(text.trim().parse().ok()))
    }

    absent_as!(boolean null list object);
}

impl<'de> Visitor<'de> for Lenient<Flag> {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(Some(flag)))
    }

    absent_as!(number text null list object);
}

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Lenient<Object<T>> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Object)
    }

    absent_as!(boolean number text null list);
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Lenient<List<T>> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(List(values))
    }

    absent_as!(boolean number text null object);
}

macro_rules! deserialize_leniently {
    ($($target:ty),*) => { $(
        impl<'de> Deserialize<'de> for $target {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Lenient(PhantomData::<Self>))
            }
        }
    )* };
}

deserialize_leniently!(Number, Whole, Flag);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData::<Self>))
    }
}

/// The number that a text spells, if it is one that can be reckoned with.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

fn not_blank(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Row<'a> {
        #[serde(borrow)]
        name: Text<'a>,
        score: Number,
        count: Whole,
        active: Flag,
        inner: Object<Inner>,
        list: List<Object<Inner>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        id: Whole,
    }

    #[test]
    fn a_field_of_any_wrong_type_is_absent_and_the_rest_of_the_row_is_kept() {
        for wrong in [
            "null",
            "true",
            "-1",
            "7",
            "0.5",
            "\"x\"",
            "[1,[2]]",
            "{\"a\":{}}",
        ] {
            for field in ["score", "count", "active", "inner", "list"] {
                let json = format!(r#"{{"name":"kept","{field}":{wrong},"other":{wrong}}}"#);
                let row: Row<'_> = serde_json::from_str(&json).unwrap();
                assert_eq!(row.name.as_str(), Some("kept"), "{json}");
            }
            let json = format!(r#"{{"name":{wrong},"count":3}}"#);
            let row: Row<'_> = serde_json::from_str(&json).unwrap();
            assert_eq!(row.count, Whole(Some(3)), "{json}");
        }
    }

    #[test]
    fn numbers_may_be_written_as_text() {
        let row: Row<'_> = serde_json::from_str(r#"{"score":"9.8","count":"12"}"#).unwrap();
        assert_eq!(row.score, Number(Some(9.8)));
        assert_eq!(row.count, Whole(Some(12)));
        assert_eq!(finite("NaN"), None);
    }

    #[test]
    fn text_is_borrowed_unless_it_holds_escapes_and_blank_is_absent() {
        let row: Row<'_> = serde_json::from_str(r#"{"name":"plain"}"#).unwrap();
        assert!(matches!(row.name, Text(Some(Cow::Borrowed("plain")))));
        let row: Row<'_> = serde_json::from_str(r#"{"name":"a\nb"}"#).unwrap();
        assert_eq!(row.name.as_str(), Some("a\nb"));
        let row: Row<'_> = serde_json::from_str(r#"{"name":" "}"#).unwrap();
        assert_eq!(row.name, Text(None));
    }

    #[test]
    fn a_list_keeps_its_good_elements() {
        let row: Row<'_> = serde_json::from_str(r#"{"list":[{"id":1},null,{"id":2}]}"#).unwrap();
        let ids: Vec<_> = row.list.0.iter().filter_map(|inner| inner.0.id.0).collect();
        assert_eq!(ids, [1, 2]);
    }
}
