use std::collections::BTreeMap;
use std::time::Duration;

use super::Secret;

/// A checked value of a connector's setting.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, or one of the allowed words.
    Text(String),
    /// A whole number within its bounds.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// `"90s"`, `"12h"`.
    Duration(Duration),
    /// A list of texts.
    List(Vec<String>),
    /// Names with lists of texts.
    Lists(BTreeMap<String, Vec<String>>),
    /// A credential.
    Secret(Secret),
    /// Names with credentials: headers.
    Secrets(BTreeMap<String, Secret>),
}

/// A connector's own settings, checked against its [`super::ConnectorSpec`]; defaults are filled in.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// Puts a checked value in.
    pub fn insert(&mut self, key: &'static str, value: Value) {
        self.0.insert(key, value);
    }

    /// The credentials among them, by key (and name).
    pub(super) fn all_secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().flat_map(|(key, value)| match value {
            Value::Secret(secret) => vec![(*key, secret)],
            Value::Secrets(named) => named
                .iter()
                .map(|(name, secret)| (name.as_str(), secret))
                .collect(),
            _ => Vec::new(),
        })
    }

    /// The text of `key`, if it is set.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The whole number of `key`, if it is set.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.0.get(key) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The switch `key`, if it is set.
    #[must_use]
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.0.get(key) {
            Some(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    /// The duration of `key`, if it is set.
    #[must_use]
    pub fn duration(&self, key: &str) -> Option<Duration> {
        match self.0.get(key) {
            Some(Value::Duration(value)) => Some(*value),
            _ => None,
        }
    }

    /// The list of `key`; empty if it is not set.
    #[must_use]
    pub fn list(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The names and lists of `key`; empty if it is not set.
    pub fn lists(&self, key: &str) -> impl Iterator<Item = (&str, &[String])> {
        let map = match self.0.get(key) {
            Some(Value::Lists(map)) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flatten()
            .map(|(name, list)| (name.as_str(), list.as_slice()))
    }

    /// The credential of `key`, if it is set.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<&Secret> {
        match self.0.get(key) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// The names and credentials of `key`; empty if it is not set.
    pub fn secrets(&self, key: &str) -> impl Iterator<Item = (&str, &Secret)> {
        let map = match self.0.get(key) {
            Some(Value::Secrets(map)) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flatten()
            .map(|(name, secret)| (name.as_str(), secret))
    }

    /// Every credential, whatever its key: for those who must keep them out of what they print.
    pub fn every_secret(&self) -> impl Iterator<Item = &Secret> {
        self.0.values().flat_map(|value| {
            let (one, many) = match value {
                Value::Secret(secret) => (Some(secret), None),
                Value::Secrets(map) => (None, Some(map.values())),
                _ => (None, None),
            };
            one.into_iter().chain(many.into_iter().flatten())
        })
    }
}
