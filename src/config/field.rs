//! Values after reading: no longer TOML, not yet a [`super::Config`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use globset::GlobSet;
use url::Url;

use super::{ProxySetting, Secret, StoreUrl, Template};

macro_rules! fields {
    ($($variant:ident($type:ty)),+ $(,)?) => {
        /// A value, read.
        #[derive(Debug, Clone)]
        pub(super) enum Field {
            $($variant($type),)+
        }

        $(impl TryFrom<Field> for $type {
            type Error = ();

            fn try_from(field: Field) -> Result<Self, ()> {
                match field {
                    Field::$variant(value) => Ok(value),
                    _ => Err(()),
                }
            }
        })+
    };
}

fields! {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Duration(Duration),
    List(Vec<String>),
    Lists(BTreeMap<String, Vec<String>>),
    Patterns(GlobSet),
    Url(Url),
    Proxy(ProxySetting),
    Store(StoreUrl),
    Address(SocketAddr),
    Path(PathBuf),
    Secret(Secret),
    Secrets(BTreeMap<String, Secret>),
    Template(Template),
    Table(Fields),
}

/// What a table holds after reading: every value is of its key's kind, and defaults are filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) values: BTreeMap<&'static str, Field>,
    /// Keys that are written down, rightly or wrongly.
    pub(super) given: BTreeSet<&'static str>,
    /// Whether all keys are there and nothing was wrong with any.
    pub(super) sound: bool,
}

impl Fields {
    /// Takes a value out; none if it is not set, or was wrong.
    pub(super) fn take<T: TryFrom<Field>>(&mut self, key: &str) -> Option<T> {
        T::try_from(self.values.remove(key)?).ok()
    }

    /// A text, which stays where it is.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes a whole number out as a type that its kind's bounds fit into.
    pub(super) fn whole<T: TryFrom<i64>>(&mut self, key: &str) -> Option<T> {
        T::try_from(self.take::<i64>(key)?).ok()
    }

    /// Whether the key is written down, rightly or wrongly.
    pub(super) fn given(&self, key: &str) -> bool {
        self.given.contains(key)
    }

    /// What is left.
    pub(super) fn rest(self) -> BTreeMap<&'static str, Field> {
        self.values
    }
}
