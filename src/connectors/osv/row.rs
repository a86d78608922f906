//! What one record says of one package.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::super::lenient::{List, Object, Text};
use super::fixed;
use super::package::{Package, Target};
use super::record::{Package as Named, Record};
use super::severity::{Assessment, assess};

/// A longer record is kept with the package's own entries only: those of a kernel list hundreds of others, with all their versions.
const LONG: usize = 16 << 10;

/// A record as far as it concerns one package.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Row {
    pub(super) id: String,
    /// Other ids of the very same flaw.
    pub(super) aliases: Vec<String>,
    /// Flaws that an advisory is about.
    pub(super) upstream: Vec<String>,
    pub(super) summary: Option<String>,
    pub(super) details: Option<String>,
    pub(super) assessment: Assessment,
    pub(super) cwes: Vec<u32>,
    pub(super) references: Vec<String>,
    pub(super) fixed: Option<String>,
    pub(super) modified: Option<DateTime<Utc>>,
    pub(super) raw: String,
}

impl Row {
    /// Reads a record. None if it says nothing against the package: withdrawn, or of other releases only.
    pub(super) fn of(package: &Package, text: &str) -> Result<Option<Self>, String> {
        let record = Record::parse(text)?;
        let id = record
            .id
            .to_owned()
            .ok_or_else(|| "a record has no id".to_owned())?;
        if record.withdrawn.0.is_some() {
            return Ok(None);
        }
        let target = &package.target;
        let entries = record.of_package(target);
        if entries.is_empty() && target.is_released {
            return Ok(None);
        }
        let aliases = texts(&record.aliases);
        let cwes = record.database_specific.0.cwe_ids.0.iter();
        let urls = record.references.0.iter();
        Ok(Some(Self {
            aliases: aliases.into_iter().filter(|alias| *alias != id).collect(),
            upstream: texts(&record.upstream),
            summary: record.summary.to_owned(),
            details: record.details.to_owned(),
            assessment: assess(&record, &entries),
            cwes: cwes.filter_map(|cwe| number(cwe.as_str()?)).collect(),
            references: urls
                .filter_map(|Object(reference)| reference.url.to_owned())
                .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
                .collect(),
            fixed: fixed::version(&entries, target),
            modified: record.modified.as_str().and_then(time),
            raw: raw(text, target).into_owned(),
            id,
        }))
    }

    /// What is known of a record that OSV names and does not give.
    pub(super) fn bare(id: &str, modified: &str) -> Self {
        Self {
            id: id.to_owned(),
            modified: time(modified),
            raw: serde_json::json!({"id": id, "modified": modified}).to_string(),
            ..Self::default()
        }
    }
}

fn texts(list: &List<Text<'_>>) -> Vec<String> {
    list.0.iter().filter_map(Text::to_owned).collect()
}

/// `CWE-79`
fn number(cwe: &str) -> Option<u32> {
    let (prefix, number) = cwe.split_once('-')?;
    prefix
        .eq_ignore_ascii_case("CWE")
        .then(|| number.parse().ok())?
}

pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// The vendor's text, as it is unless it is long.
fn raw<'a>(text: &'a str, target: &Target) -> Cow<'a, str> {
    if text.len() <= LONG {
        return Cow::Borrowed(text);
    }
    shortened(text, target).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    package: Object<Named<'a>>,
}

fn shortened(text: &str, target: &Target) -> Option<String> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    let affected: Vec<&RawValue> = serde_json::from_str(members.get("affected")?.get()).ok()?;
    let concerns = |entry: &&&RawValue| {
        serde_json::from_str::<Object<Entry<'_>>>(entry.get())
            .is_ok_and(|Object(entry)| entry.package.0.is(target))
    };
    let own: Vec<&RawValue> = affected.iter().filter(concerns).copied().collect();
    let own = serde_json::value::to_raw_value(&own).ok()?;
    members.insert(Cow::Borrowed("affected"), &own);
    serde_json::to_string(&members).ok()
}
