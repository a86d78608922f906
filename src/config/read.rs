//! Reads a table by its keys, and collects what is wrong on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Map, Value, ValueKind};

use super::Secret;
use super::document;
use super::field::{Field, Fields};
use super::key_path::KeyPath;
use super::keys;
use super::kind::{Default, Key, Kind, list_keys, type_in_words};
use super::problem::{Place, Problem, Problems};
use super::sources::Sources;
use super::suggest::{closest, misspelt};

/// What to do with keys that nobody knows.
pub(super) enum Unknown<'a> {
    /// They are mistakes. The list says of keys that belong elsewhere, or nowhere, what to do.
    Refuse(&'a [(&'static str, String)]),
    /// The connector is unknown, so its keys are too: only those that are nearly a known one are mistakes.
    Ignore,
}

/// Collects problems and warnings while tables are read.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources<'a>,
    pub(super) environment: &'a BTreeMap<String, String>,
    /// A file could not be read wholly: nothing can be said about what is missing.
    incomplete: bool,
    /// Secrets that cannot be had are as if not given.
    pub(super) forgives_secrets: bool,
    problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    /// The first plain secret of each file.
    pub(super) plain_secrets: BTreeMap<PathBuf, KeyPath>,
}

impl<'a> Reader<'a> {
    /// Starts with what is wrong already.
    pub(super) fn new(
        sources: &'a Sources<'a>,
        environment: &'a BTreeMap<String, String>,
        problems: Vec<Problem>,
        incomplete: bool,
    ) -> Self {
        Self {
            sources,
            environment,
            incomplete,
            forgives_secrets: false,
            problems,
            warnings: Vec::new(),
            plain_secrets: BTreeMap::new(),
        }
    }

    /// From here on secrets that cannot be had are as if not given: whoever asks may not be entitled to them.
    pub(super) fn forgive_secrets(&mut self) {
        self.forgives_secrets = true;
    }

    /// Reads a table.
    pub(super) fn table(
        &mut self,
        path: &KeyPath,
        table: &Map<String, Value>,
        keys: &[Key],
        unknown: &Unknown<'_>,
    ) -> Fields {
        let before = self.problems.len();
        let mut fields = Fields::default();
        for key in keys {
            let at = path.child(key.key);
            match table.get(key.key) {
                Some(value) => {
                    fields.given.insert(key.key);
                    if let Some(field) = self.value(&at, &value.kind, &key.kind) {
                        fields.values.insert(key.key, field);
                    }
                }
                None if key.required => {
                    self.missing(&at, format!("is missing; allowed: {}", key.kind.allowed()))
                }
                None => {
                    if let Some(field) = default(key) {
                        fields.values.insert(key.key, field);
                    }
                }
            }
        }
        self.unknown_keys(path, table, keys, unknown);
        fields.sound = self.problems.len() == before && !self.incomplete;
        fields
    }

    /// Reads a section that is a table of its own; one that is left out is all defaults.
    pub(super) fn section(&mut self, root: &Map<String, Value>, section: &str) -> Fields {
        self.section_without(root, section, &[])
    }

    /// The same, with advice about keys that are none of the section's.
    pub(super) fn section_without(
        &mut self,
        root: &Map<String, Value>,
        section: &str,
        elsewhere: &[(&'static str, String)],
    ) -> Fields {
        let keys = keys::section(section).map_or(&[][..], |section| section.keys);
        let path = KeyPath::of(&[section]);
        let empty = Map::new();
        let table = self
            .as_table(&path, root.get(section), keys)
            .unwrap_or(&empty);
        self.table(&path, table, keys, &Unknown::Refuse(elsewhere))
    }

    /// The value as a table, or a problem if it is something else.
    pub(super) fn as_table<'v>(
        &mut self,
        path: &KeyPath,
        value: Option<&'v Value>,
        keys: &[Key],
    ) -> Option<&'v Map<String, Value>> {
        match &value?.kind {
            ValueKind::Table(table) => Some(table),
            other => {
                self.wrong(
                    path,
                    format!(
                        "is {}; allowed: a table of {}",
                        type_in_words(other),
                        list_keys(keys)
                    ),
                );
                None
            }
        }
    }

    fn value(&mut self, path: &KeyPath, value: &ValueKind, kind: &Kind) -> Option<Field> {
        match (kind, value) {
            (Kind::Endpoint, ValueKind::String(text)) if !text.trim().is_empty() => {
                Some(Field::Secret(Secret::new(text)))
            }
            (Kind::Endpoint | Kind::Secret, _) => self.secret(path, value).map(Field::Secret),
            (Kind::Secrets, _) => self.secrets(path, value).map(Field::Secrets),
            (Kind::Table(keys), ValueKind::Table(table)) => Some(Field::Table(self.table(
                path,
                table,
                keys,
                &Unknown::Refuse(&[]),
            ))),
            _ => match kind.read(value) {
                Ok(field) => Some(field),
                Err(wrong) => {
                    let place = match wrong.item {
                        Some(index) => self.sources.item_place(path, index),
                        None => self.sources.value_place(path),
                    };
                    let message = format!("{}; allowed: {}", wrong.what, kind.allowed());
                    self.problem(place, path, message);
                    None
                }
            },
        }
    }

    /// Names the keys, never their values: a secret may stand under a misspelt one.
    fn unknown_keys(
        &mut self,
        path: &KeyPath,
        table: &Map<String, Value>,
        keys: &[Key],
        unknown: &Unknown<'_>,
    ) {
        let known = || keys.iter().map(|key| key.key);
        for name in table.keys().filter(|name| known().all(|key| key != **name)) {
            let suggestion = match unknown {
                Unknown::Refuse(elsewhere) => {
                    let there = elsewhere.iter().find(|(key, _)| key == name);
                    match (there, closest(name, known())) {
                        (Some((_, advice)), _) => format!("; {advice}"),
                        (None, Some(near)) => format!("; did you mean {near}?"),
                        (None, None) => String::new(),
                    }
                }
                Unknown::Ignore => match misspelt(name, known()) {
                    Some(near) => format!("; did you mean {near}?"),
                    None => continue,
                },
            };
            self.wrong_key(
                &path.child(name),
                format!("unknown key{suggestion}; allowed: {}", list_keys(keys)),
            );
        }
    }

    /// Something is wrong at this key's value.
    pub(super) fn wrong(&mut self, path: &KeyPath, message: String) {
        self.problem(self.sources.value_place(path), path, message);
    }

    /// Something is wrong at this key, whatever its value.
    pub(super) fn wrong_key(&mut self, path: &KeyPath, message: String) {
        self.problem(self.sources.key_place(path), path, message);
    }

    /// Something is missing; kept back while a file could not be read, since it may stand there.
    pub(super) fn missing(&mut self, path: &KeyPath, message: String) {
        if !self.incomplete {
            self.problem(self.sources.value_place(path), path, message);
        }
    }

    fn problem(&mut self, place: Place, path: &KeyPath, message: String) {
        self.add(Problem {
            place,
            key: path.to_string(),
            message,
        });
    }

    /// Adds a problem whose place is known.
    pub(super) fn add(&mut self, problem: Problem) {
        // Behind a syntax error the rest of a file means little: its other mistakes are told when that one is mended.
        let in_broken_file = matches!(&problem.place, Place::Spot { file, .. } | Place::Path(file)
            if self.sources.documents.iter().any(|document| document.is_broken() && document.file.path == *file));
        if !in_broken_file {
            self.problems.push(problem);
        }
    }

    /// How many problems there are so far.
    pub(super) fn count(&self) -> usize {
        self.problems.len()
    }

    /// All problems in the order of files, lines, then variables; none if there were none.
    pub(super) fn finish(self) -> (Vec<String>, Option<Problems>) {
        let rank = |place: &Place| match place {
            Place::Path(path) => (self.file_rank(path), 0, 0, String::new()),
            Place::Spot { file, line, column } => {
                (self.file_rank(file), *line, *column, String::new())
            }
            Place::Variable(name) => (usize::MAX, 0, 0, name.clone()),
        };
        let mut problems = self.problems.clone();
        problems.sort_by_cached_key(|problem| (rank(&problem.place), problem.key.clone()));
        problems.dedup();
        (self.warnings, Problems::of(problems))
    }

    fn file_rank(&self, path: &Path) -> usize {
        self.sources
            .documents
            .iter()
            .position(|document| document.file.path == path)
            .unwrap_or(self.sources.documents.len())
    }
}

fn default(key: &Key) -> Option<Field> {
    match &key.default {
        Default::Toml(toml) => key.kind.read(&document::parse_value(toml)?.kind).ok(),
        Default::None | Default::Words(_) => None,
    }
}
