//! `[notifications.NAME]` to [`Notification`]s.

mod hook;
mod mail;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{Map, Value, ValueKind};
use globset::GlobSet;

use super::field::Fields;
use super::key_path::KeyPath;
use super::keys;
use super::kind::one_of;
use super::read::{Reader, Unknown};
use super::tools::named_tables;
use super::{ApiConfiguration, Notification, Receiver};
use crate::finding::Severity;
use crate::notice::{Event, Flavour};

/// Reads them all; those with a problem are left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Map<String, Value>,
    api_configurations: &BTreeMap<String, Arc<ApiConfiguration>>,
) -> BTreeMap<String, Arc<Notification>> {
    let mut read = BTreeMap::new();
    for (name, path, table) in named_tables(reader, root, keys::NOTIFICATIONS) {
        let problems = reader.count();
        let notification = notification(reader, &name, &path, table);
        if reader.count() > problems {
            continue;
        }
        let Some(notification) = notification else {
            continue;
        };
        if !api_configurations
            .keys()
            .any(|api| notification.from.is_match(api))
        {
            reader.warnings.push(format!(
                "{}: {path}: is about no API configuration, so nothing will be told",
                reader.sources.key_place(&path.child("from"))
            ));
        }
        read.insert(name, Arc::new(notification));
    }
    read
}

fn notification(
    reader: &mut Reader<'_>,
    name: &str,
    path: &KeyPath,
    table: &Map<String, Value>,
) -> Option<Notification> {
    let kind = kind(table);
    let elsewhere = of_other_kinds(kind);
    let mut fields = reader.table(
        path,
        table,
        &keys::notification_keys(kind),
        &Unknown::Refuse(&elsewhere),
    );
    let kind = kind?;
    let flavour = match kind {
        "slack" => Flavour::Slack,
        "teams" => Flavour::Teams,
        "webhook" => Flavour::Json,
        _ => Flavour::Text,
    };
    let templates = template::read(reader, &path.child("template"), &mut fields, flavour);
    let from: Option<GlobSet> = fields.take("from");
    let events = events(&mut fields);
    let severity = fields
        .take::<String>("severity")
        .and_then(|word| word.parse::<Severity>().ok());
    let not_imported_for = fields.take("not_imported_for");
    let receiver = match kind {
        "email" => mail::read(reader, path, &mut fields).map(Receiver::Email),
        _ => {
            let is_plain = |key: &str| {
                matches!(
                    table.get(key).map(|value| &value.kind),
                    Some(ValueKind::String(_))
                )
            };
            hook::read(reader, path, &mut fields, name, kind, is_plain("url"))
        }
    };
    Some(Notification {
        name: name.to_owned(),
        from: from?,
        events,
        severity: severity?,
        not_imported_for,
        templates: templates?,
        receiver: receiver?,
    })
}

/// The kind, if it is one; what is wrong with it is told when the table is read.
fn kind(table: &Map<String, Value>) -> Option<&'static str> {
    let ValueKind::String(word) = &table.get("kind")?.kind else {
        return None;
    };
    keys::NOTIFICATION_KINDS
        .iter()
        .copied()
        .find(|kind| *kind == word)
}

/// Keys that somebody may give though they are for other kinds.
fn of_other_kinds(kind: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(kind) = kind else {
        return Vec::new();
    };
    keys::notification_keys(None)
        .into_iter()
        .map(|key| (key.key, keys::kinds_of(key.key)))
        .filter(|(_, kinds)| !kinds.contains(&kind))
        .map(|(key, kinds)| (key, format!("it is for kind = {}", one_of(kinds))))
        .collect()
}

fn events(fields: &mut Fields) -> BTreeSet<Event> {
    let words: Vec<String> = match fields.take("events") {
        Some(words) => words,
        None => Event::WORDS.iter().map(|word| (*word).to_owned()).collect(),
    };
    words.iter().filter_map(|word| word.parse().ok()).collect()
}
