//! One TOML file as a tree that knows where each of its keys and values stands.

use std::ops::Range;

use config::{Map, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::files::FileText;
use super::problem::{Place, Problem};

/// A parsed file. What a syntax error made unreadable is missing in the tree.
pub(super) struct Document<'a> {
    pub(super) file: &'a FileText,
    tree: DeTable<'a>,
    root: Range<usize>,
    pub(super) syntax_problems: Vec<Problem>,
}

/// Where a key and its value stand, in bytes.
struct Span {
    key: Range<usize>,
    value: Range<usize>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(file: &'a FileText) -> Self {
        let (tree, errors) = DeTable::parse_recoverable(&file.text);
        let mut document = Self {
            file,
            root: tree.span(),
            tree: tree.into_inner(),
            syntax_problems: Vec::new(),
        };
        document.syntax_problems = errors
            .iter()
            .map(|error| Problem {
                place: document.spot(error.span().map_or(file.text.len(), |span| span.start)),
                key: String::new(),
                // Without the parser's excerpt of the line: a secret may stand in it.
                message: format!("not valid TOML: {}", error.message().replace('\n', ", ")),
            })
            .collect();
        document
    }

    /// Whether anything could not be read.
    pub(super) fn is_broken(&self) -> bool {
        !self.syntax_problems.is_empty()
    }

    /// Keys of the table at `path`; none if there is no such table.
    pub(super) fn keys(&self, path: &[String]) -> impl Iterator<Item = &str> {
        self.table(path)
            .into_iter()
            .flat_map(|table| table.keys().map(|key| key.get_ref().as_ref()))
    }

    /// The text at `path`.
    pub(super) fn text(&self, path: &[String]) -> Option<&str> {
        let (last, parents) = path.split_last()?;
        self.table(parents)?.get(last.as_str())?.get_ref().as_str()
    }

    /// Where the key at `path` stands.
    pub(super) fn key_place(&self, path: &[String]) -> Option<Place> {
        Some(self.spot(self.span(path)?.key.start))
    }

    /// Where the value at `path` stands.
    pub(super) fn value_place(&self, path: &[String]) -> Option<Place> {
        Some(self.spot(self.span(path)?.value.start))
    }

    /// Where an item of the list at `path` stands.
    pub(super) fn item_place(&self, path: &[String], index: usize) -> Option<Place> {
        let (last, parents) = path.split_last()?;
        let list = self
            .table(parents)?
            .get(last.as_str())?
            .get_ref()
            .as_array()?;
        Some(self.spot(list.get(index)?.span().start))
    }

    fn table(&self, path: &[String]) -> Option<&DeTable<'a>> {
        path.iter().try_fold(&self.tree, |table, key| {
            table.get(key.as_str())?.get_ref().as_table()
        })
    }

    fn span(&self, path: &[String]) -> Option<Span> {
        let Some((last, parents)) = path.split_last() else {
            return Some(Span {
                key: self.root.clone(),
                value: self.root.clone(),
            });
        };
        let (key, value) = self.table(parents)?.get_key_value(last.as_str())?;
        // A table with a header has its header's name as the telling place, not what follows.
        let value_span = match value.get_ref() {
            DeValue::Table(_) => key.span(),
            _ => value.span(),
        };
        Some(Span {
            key: key.span(),
            value: value_span,
        })
    }

    fn spot(&self, offset: usize) -> Place {
        let before = &self.file.text[..self.file.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place::Spot {
            file: self.file.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The tree without places, of those top-level keys that `wanted` names.
    pub(super) fn values(&self, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
        self.tree
            .iter()
            .filter(|(key, _)| wanted(key.get_ref()))
            .map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref())))
            .collect()
    }
}

/// The value of a fragment of TOML (a default in a key table).
pub(super) fn parse_value(toml: &str) -> Option<Value> {
    DeValue::parse(toml)
        .ok()
        .map(|value| plain(value.get_ref()))
}

fn plain(value: &DeValue<'_>) -> Value {
    let kind = match value {
        DeValue::String(text) => ValueKind::String(text.to_string()),
        // Beyond 64 bits: kept as a float, which no integer setting takes.
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or(ValueKind::Float(f64::INFINITY), ValueKind::I64),
        DeValue::Float(digits) => digits
            .as_str()
            .parse()
            .map_or(ValueKind::Float(f64::NAN), ValueKind::Float),
        DeValue::Boolean(value) => ValueKind::Boolean(*value),
        // No setting takes a date, and TOML has no null: null stands for a date from here on.
        DeValue::Datetime(_) => ValueKind::Nil,
        DeValue::Array(items) => {
            ValueKind::Array(items.iter().map(|item| plain(item.get_ref())).collect())
        }
        DeValue::Table(table) => ValueKind::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref())))
                .collect(),
        ),
    };
    Value::new(None, kind)
}
