//! `[tools.NAME]` to [`Tool`]s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Map, Value};
use url::Url;

use super::field::{Field, Fields};
use super::key_path::KeyPath;
use super::keys;
use super::kind::{Key, one_of};
use super::read::{Reader, Unknown};
use super::revision::Digest;
use super::scalars::is_loopback;
use super::suggest::closest;
use super::wrong::quoted;
use super::{ConnectorSpec, Need, ProxySetting, Secret, Setting, Settings, Tool, ToolDraft, trust};

/// All tools that the configuration names.
#[derive(Default)]
pub(super) struct Tools {
    /// Without those that have a problem.
    pub(super) tools: BTreeMap<String, Arc<Tool>>,
    /// The connector of each tool that is named, also of those with a problem; none if it is unknown.
    pub(super) connectors: BTreeMap<String, Option<&'static ConnectorSpec>>,
}

/// Reads them all.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Map<String, Value>,
    known: &[&'static ConnectorSpec],
) -> Tools {
    let mut tools = Tools::default();
    for (name, path, table) in named_tables(reader, root, keys::TOOLS) {
        let spec = connector(reader, &path, table, known);
        tools.connectors.insert(name.clone(), spec);
        let problems = reader.count();
        let tool = tool(reader, &name, &path, table, spec);
        if reader.count() == problems
            && let Some(tool) = tool
        {
            tools.tools.insert(name, Arc::new(tool));
        }
    }
    tools
}

/// The tables of a section by name, in name order; names that are none are told and left out.
pub(super) fn named_tables<'v>(
    reader: &mut Reader<'_>,
    root: &'v Map<String, Value>,
    section: &str,
) -> Vec<(String, KeyPath, &'v Map<String, Value>)> {
    const LONGEST_NAME: usize = 64;
    let path = KeyPath::of(&[section]);
    let keys = keys::section(section).map_or(&[][..], |section| section.keys);
    let Some(value) = root.get(section) else {
        return Vec::new();
    };
    let config::ValueKind::Table(tables) = &value.kind else {
        let what = super::kind::type_in_words(&value.kind);
        reader.wrong(
            &path,
            format!("is {what}; allowed: tables by name, [{section}.NAME]"),
        );
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in tables {
        let path = path.child(name);
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_word) {
            reader.wrong_key(
                &path,
                format!(
                    "is not a name; allowed: 1 to {LONGEST_NAME} letters, digits, '.', '_' and '-'"
                ),
            );
        } else if let Some(table) = reader.as_table(&path, Some(value), keys) {
            found.push((name.clone(), path, table));
        }
    }
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    found
}

/// The description of the tool's connector; what is wrong with its type is told when the table is read.
fn connector(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    table: &Map<String, Value>,
    known: &[&'static ConnectorSpec],
) -> Option<&'static ConnectorSpec> {
    let config::ValueKind::String(name) = &table.get("connector")?.kind else {
        return None;
    };
    let found = known.iter().copied().find(|spec| spec.name == name.trim());
    if found.is_none() && !name.trim().is_empty() {
        let mut names: Vec<_> = known.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        let suggestion = closest(name, names.iter().copied())
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        reader.wrong(
            &path.child("connector"),
            format!(
                "there is no connector {}{suggestion}; allowed: {}",
                quoted(name),
                one_of(&names)
            ),
        );
    }
    found
}

fn tool(
    reader: &mut Reader<'_>,
    name: &str,
    path: &KeyPath,
    table: &Map<String, Value>,
    spec: Option<&'static ConnectorSpec>,
) -> Option<Tool> {
    let keys = keys::tool_keys(spec);
    let elsewhere = of_api_configurations(spec);
    let unknown = match spec {
        Some(_) => Unknown::Refuse(&elsewhere),
        None => Unknown::Ignore,
    };
    let mut fields = reader.table(path, table, &keys, &unknown);
    let trust = trust::read(reader, path, &mut fields);
    let proxy = proxy(reader, path, &mut fields);
    let location = location(reader, path, &mut fields, spec);
    let secret: Option<Secret> = fields.take("secret");
    if let Some(spec) = spec {
        check_need(reader, path, &fields, spec);
    }
    let allow_plaintext = fields.take("allow_plaintext_http").unwrap_or_default();
    let connector: Option<String> = fields.take("connector");
    let timeout: Option<Duration> = fields.take("timeout");
    let max_requests_per_second = fields.take("max_requests_per_second");
    let max_concurrent_requests = fields.whole("max_concurrent_requests");
    let sound = fields.sound;
    let settings = own_settings(fields, spec.map_or(&[], |spec| spec.tool_settings));
    if let Some(location) = &location {
        let any_secret = secret.is_some() || settings.all_secrets().next().is_some();
        check_plaintext(reader, path, location, any_secret, allow_plaintext);
    }
    if let (Some(spec), true) = (spec, sound) {
        let draft = ToolDraft {
            location: location.as_ref(),
            secret: secret.as_ref(),
            settings: &settings,
        };
        for (key, message) in (spec.validate_tool)(&draft) {
            reader.wrong(&path.child(key), message);
        }
    }
    let revision = revision(table, secret.as_ref(), &settings, &trust);
    Some(Tool {
        name: name.to_owned(),
        connector: connector?,
        location: location?,
        secret,
        trust,
        proxy,
        timeout: timeout?,
        max_requests_per_second,
        max_concurrent_requests: max_concurrent_requests?,
        settings,
        revision,
    })
}

/// Keys that somebody may put into a tool though they belong elsewhere.
fn of_api_configurations(spec: Option<&'static ConnectorSpec>) -> Vec<(&'static str, String)> {
    keys::api_keys(spec)
        .into_iter()
        .map(|key: Key| {
            (
                key.key,
                "it belongs in [api_configurations.NAME]".to_owned(),
            )
        })
        .collect()
}

fn location(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &mut Fields,
    spec: Option<&'static ConnectorSpec>,
) -> Option<Url> {
    if fields.given("location") {
        return fields.take("location");
    }
    let spec = spec?;
    let region: Option<String> = spec
        .endpoint_of_region
        .and_then(|of| fields.text("region").and_then(of));
    let default = region.as_deref().or(spec.default_location);
    let default = default.and_then(|url| Url::parse(url).ok());
    if default.is_none() {
        reader.missing(
            &path.child("location"),
            format!(
                "is missing; allowed: {}, {}",
                spec.location_meaning,
                super::kind::Kind::Location(None).allowed()
            ),
        );
    }
    default
}

fn check_need(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &Fields,
    spec: &'static ConnectorSpec,
) {
    let at = path.child("secret");
    match (spec.secret, fields.given("secret")) {
        (Need::Required, false) => reader.missing(
            &at,
            format!(
                "is missing; allowed: {}, as {}",
                spec.secret_meaning,
                super::kind::Kind::Secret.allowed()
            ),
        ),
        (Need::Refused, true) => reader.wrong_key(
            &at,
            format!(
                "connector {} takes no secret; allowed: leave it out",
                spec.name
            ),
        ),
        _ => {}
    }
}

pub(super) fn proxy(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> ProxySetting {
    let proxy = fields.take("proxy").unwrap_or_default();
    // A user name alone is a token, with some proxies.
    if let ProxySetting::Through(url) = &proxy
        && (url.password().is_some() || !url.username().is_empty())
    {
        reader.note_plain_secret(&path.child("proxy"));
    }
    proxy
}

fn check_plaintext(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    location: &Url,
    any_secret: bool,
    allow_plaintext: bool,
) {
    if !any_secret || location.scheme() != "http" || is_loopback(location) {
        return;
    }
    let at = path.child("location");
    if allow_plaintext {
        reader.warnings.push(format!(
            "{}: {path}: its secret travels over plain http, where anyone on the way can read it",
            reader.sources.key_place(&at)
        ));
    } else {
        reader.wrong(
            &at,
            "plain http would show the secret to anyone on the way; allowed: https, http to this machine, or allow_plaintext_http = true"
                .into(),
        );
    }
}

/// The connector's own settings out of what was read.
pub(super) fn own_settings(fields: Fields, own: &'static [Setting]) -> Settings {
    use super::settings::Value as SettingValue;
    let mut settings = Settings::default();
    for (key, field) in fields.rest() {
        if !own.iter().any(|setting| setting.key == key) {
            continue;
        }
        let value = match field {
            Field::Text(text) => SettingValue::Text(text),
            Field::Integer(number) => SettingValue::Integer(number),
            Field::Boolean(value) => SettingValue::Boolean(value),
            Field::Duration(duration) => SettingValue::Duration(duration),
            Field::List(list) => SettingValue::List(list),
            Field::Lists(lists) => SettingValue::Lists(lists),
            Field::Secret(secret) => SettingValue::Secret(secret),
            Field::Secrets(secrets) => SettingValue::Secrets(secrets),
            // No kind of setting reads as one of the others.
            _ => continue,
        };
        settings.insert(key, value);
    }
    settings
}

fn revision(
    table: &Map<String, Value>,
    secret: Option<&Secret>,
    settings: &Settings,
    trust: &super::Trust,
) -> [u8; 8] {
    let mut digest = Digest::of(table);
    digest.add(secret.map_or(&[][..], |secret| secret.expose().as_bytes()));
    for (key, secret) in settings.all_secrets() {
        digest.add(key.as_bytes());
        digest.add(secret.expose().as_bytes());
    }
    for pem in [&trust.ca_bundle, &trust.client_identity] {
        digest.add(pem.as_deref().unwrap_or_default());
    }
    digest.finish()
}
