//! Files and environment laid over each other, and the way back from a key to the place that set it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::document::Document;
use super::environment::Override;
use super::key_path::KeyPath;
use super::keys::{self, Form};
use super::problem::{Place, Problem};

/// All that a configuration is made from, weakest first: files in their order, then the environment.
pub(super) struct Sources<'a> {
    /// What the admin named: the place of what has no better one.
    pub(super) path: &'a Path,
    pub(super) documents: Vec<Document<'a>>,
    pub(super) overrides: Vec<Override>,
}

impl Sources<'_> {
    /// One tree of all sections. Keys of the top level that are no section are left out: [`Self::unknown_sections`] has
    /// them.
    ///
    /// # Errors
    /// None that these sources are known to cause.
    pub(super) fn merged(&self) -> Result<Map<String, Value>, ConfigError> {
        let known = |key: &str| keys::section(key).is_some();
        let mut builder = config::Config::builder();
        for document in &self.documents {
            builder = builder.add_source(Layer(document.values(known)));
        }
        for set in &self.overrides {
            builder = builder.add_source(Layer(set.as_tree()));
        }
        builder.build()?.cache.into_table()
    }

    /// Keys of the top level that are no section, with the place in each file.
    pub(super) fn unknown_sections(&self) -> Vec<(Place, String)> {
        let of = |document: &Document<'_>| {
            document
                .keys(&[])
                .filter(|key| keys::section(key).is_none())
                .filter_map(|key| {
                    let path = KeyPath::of(&[key]);
                    Some((document.key_place(&path)?, key.to_owned()))
                })
                .collect::<Vec<_>>()
        };
        self.documents.iter().flat_map(of).collect()
    }

    /// Tools, API configurations, forwards and notifications that several files define. Laying files over each other would mix them silently.
    pub(super) fn duplicates(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let named = keys::SECTIONS.iter().filter(|s| s.form == Form::Named);
        for section in named.map(|section| section.key) {
            let mut first_places: BTreeMap<String, Place> = BTreeMap::new();
            for document in &self.documents {
                for name in document.keys(&KeyPath::of(&[section])) {
                    let path = KeyPath::of(&[section, name]);
                    let Some(place) = document.key_place(&path) else {
                        continue;
                    };
                    if let Some(first) = first_places.get(name) {
                        problems.push(Problem {
                            place,
                            key: path.to_string(),
                            message: format!(
                                "is already defined in {first}; allowed: each name in one file only"
                            ),
                        });
                    } else {
                        first_places.insert(name.to_owned(), place);
                    }
                }
            }
        }
        problems
    }

    /// Where the key stands that counts; if nothing sets it, its table's.
    pub(super) fn key_place(&self, path: &KeyPath) -> Place {
        self.place(path, |document| document.key_place(path))
    }

    /// Where the value stands that counts.
    pub(super) fn value_place(&self, path: &KeyPath) -> Place {
        self.place(path, |document| document.value_place(path))
    }

    /// Where an item of the list stands.
    pub(super) fn item_place(&self, path: &KeyPath, index: usize) -> Place {
        self.place(path, |document| document.item_place(path, index))
    }

    /// The file whose value counts; none if it is the environment's.
    pub(super) fn file_of(&self, path: &KeyPath) -> Option<&Document<'_>> {
        if self.override_of(path).is_some() {
            return None;
        }
        self.documents
            .iter()
            .rev()
            .find(|document| document.value_place(path).is_some())
    }

    fn override_of(&self, path: &KeyPath) -> Option<&Override> {
        self.overrides.iter().rev().find(|set| set.path == *path)
    }

    fn place(&self, path: &KeyPath, find: impl Fn(&Document<'_>) -> Option<Place>) -> Place {
        if let Some(set) = self.override_of(path) {
            return Place::Variable(set.variable.clone());
        }
        let found = self.documents.iter().rev().find_map(find);
        match (found, path.parent()) {
            (Some(place), _) => place,
            (None, Some(parent)) if !parent.is_empty() => self.key_place(&parent),
            (None, _) => Place::Path(self.first_file()),
        }
    }

    fn first_file(&self) -> PathBuf {
        self.documents
            .first()
            .map_or(self.path, |document| &document.file.path)
            .to_path_buf()
    }
}

/// One layer for the crate `config`, which merges tables key by key.
#[derive(Clone)]
struct Layer(Map<String, Value>);

/// Without the values: secrets are among them.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layer")
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

impl Override {
    /// The value in its tables.
    fn as_tree(&self) -> Map<String, Value> {
        let mut tree = Map::new();
        let mut value = Value::new(None, self.value.clone());
        for (depth, key) in self.path.iter().enumerate().rev() {
            let table = Map::from([(key.clone(), value)]);
            if depth == 0 {
                tree = table;
                break;
            }
            value = Value::new(None, ValueKind::Table(table));
        }
        tree
    }
}
