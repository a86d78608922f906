//! `[api_configurations.NAME]` to [`ApiConfiguration`]s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Map, Value};
use globset::GlobSet;

use super::field::Fields;
use super::key_path::KeyPath;
use super::keys::{self, AUTOMATIC_IMPORT};
use super::kind::one_of;
use super::read::{Reader, Unknown};
use super::revision::Digest;
use super::suggest::closest;
use super::tools::{Tools, named_tables, own_settings};
use super::wrong::quoted;
use super::{
    ApiConfiguration, ConnectorSpec, Labels, MissingRecords, RecordFilter, ScheduleSetting,
    Settings, schedule,
};

/// What API configurations take from the general settings.
pub(super) struct General {
    pub(super) schedule: ScheduleSetting,
    pub(super) run_timeout: Duration,
}

/// Reads them all; those with a problem are left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Map<String, Value>,
    tools: &Tools,
    general: &General,
) -> BTreeMap<String, Arc<ApiConfiguration>> {
    let mut read = BTreeMap::new();
    for (name, path, table) in named_tables(reader, root, keys::API_CONFIGURATIONS) {
        let problems = reader.count();
        let api = api_configuration(reader, &name, &path, table, tools, general);
        if reader.count() == problems
            && let Some(api) = api
        {
            read.insert(name, Arc::new(api));
        }
    }
    read
}

fn api_configuration(
    reader: &mut Reader<'_>,
    name: &str,
    path: &KeyPath,
    table: &Map<String, Value>,
    tools: &Tools,
    general: &General,
) -> Option<ApiConfiguration> {
    let spec = connector(reader, path, table, tools);
    let keys = keys::api_keys(spec);
    let elsewhere = elsewhere(spec);
    let unknown = match spec {
        Some(_) => Unknown::Refuse(&elsewhere),
        None => Unknown::Ignore,
    };
    let mut fields = reader.table(path, table, &keys, &unknown);
    let tool: Option<String> = fields.take("tool");
    let product = fields.take("product");
    let records = fields
        .take::<Fields>("records")
        .map(|records| record_filter(reader, &path.child("records"), records))
        .unwrap_or_default();
    let missing_records = match fields.take::<String>("missing_records").as_deref() {
        Some("resolve") => MissingRecords::Resolve,
        _ => MissingRecords::Keep,
    };
    let resolve_after = fields
        .whole("resolve_after")
        .or(spec.map(|spec| spec.resolve_after.max(1)));
    let run_timeout = fields.take("timeout").unwrap_or(general.run_timeout);
    let import_path = path.child(AUTOMATIC_IMPORT);
    let mut import: Fields = fields.take(AUTOMATIC_IMPORT).unwrap_or_default();
    let automatic_import = import.take("enabled").unwrap_or(true);
    let schedule = schedule::read(reader, &import_path, &mut import, &general.schedule);
    let labels = labels(&mut import);
    let sound = fields.sound;
    let settings = own_settings(fields, spec.map_or(&[], |spec| spec.api_settings));
    if let Some(spec) = spec {
        check_branches(reader, &import_path, &labels, spec, &settings);
        // With a mistake in them the settings are not what the admin means: nothing follows from them.
        if let (true, Some(tool)) = (sound, tool.as_ref().and_then(|tool| tools.tools.get(tool))) {
            for (key, message) in (spec.validate_api)(&tool.settings, &settings) {
                reader.wrong(&path.child(key), message);
            }
        }
    }
    let revision = revision(table, &schedule, run_timeout, &settings);
    Some(ApiConfiguration {
        name: name.to_owned(),
        tool: tool?,
        product,
        labels,
        records,
        missing_records,
        resolve_after: resolve_after?,
        automatic_import,
        schedule,
        run_timeout,
        settings,
        revision,
    })
}

/// The description of the connector of the tool that is named; none if the tool does not exist or its connector is unknown.
fn connector(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    table: &Map<String, Value>,
    tools: &Tools,
) -> Option<&'static ConnectorSpec> {
    let config::ValueKind::String(tool) = &table.get("tool")?.kind else {
        return None;
    };
    let tool = tool.trim();
    let gives = |spec: &Option<&ConnectorSpec>| spec.is_none_or(|spec| spec.direction.gives());
    let known = tools.connectors.get(tool);
    if let Some(spec) = known.filter(|spec| gives(spec)) {
        return *spec;
    }
    if tool.is_empty() {
        return None;
    }
    let names = tools.connectors.iter().filter(|(_, spec)| gives(spec));
    let names: Vec<_> = names.map(|(name, _)| name.as_str()).collect();
    let suggestion = closest(tool, names.iter().copied())
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default();
    let allowed = match (names.is_empty(), tools.connectors.is_empty()) {
        (false, _) => one_of(&names),
        (true, true) => "the name of a table [tools.NAME], of which there is none".into(),
        (true, false) => {
            "the name of a tool whose connector reads findings, of which there is none".into()
        }
    };
    if let Some(Some(spec)) = known {
        reader.wrong(
            &path.child("tool"),
            format!(
                "connector {} of the tool {} only takes findings; allowed: {allowed}",
                spec.name,
                quoted(tool)
            ),
        );
        return None;
    }
    reader.missing(
        &path.child("tool"),
        format!(
            "there is no tool {}{suggestion}; allowed: {allowed}",
            quoted(tool)
        ),
    );
    None
}

/// Keys that somebody may put beside `tool` though they belong elsewhere.
fn elsewhere(spec: Option<&'static ConnectorSpec>) -> Vec<(&'static str, String)> {
    let own_schedule = keys::section(keys::API_CONFIGURATIONS)
        .into_iter()
        .flat_map(|section| section.keys)
        .filter(|key| key.key == AUTOMATIC_IMPORT)
        .filter_map(|key| match key.kind {
            super::kind::Kind::Table(keys) => Some(keys),
            _ => None,
        })
        .flatten()
        .map(|key| {
            let there = format!("it belongs in automatic_import = {{ {} = … }}", key.key);
            (key.key, there)
        });
    let tool = keys::tool_keys(spec)
        .into_iter()
        .map(|key| (key.key, "it belongs in [tools.NAME]".to_owned()));
    own_schedule.chain(tool).collect()
}

fn record_filter(reader: &mut Reader<'_>, path: &KeyPath, mut records: Fields) -> RecordFilter {
    let include: Option<GlobSet> = records.take("include");
    if include.as_ref().is_some_and(GlobSet::is_empty) {
        reader.wrong(
            &path.child("include"),
            "is empty, so nothing would be imported; allowed: leave it out to import all records"
                .into(),
        );
    }
    RecordFilter {
        include,
        exclude: records
            .take::<GlobSet>("exclude")
            .filter(|set| !set.is_empty()),
    }
}

fn labels(import: &mut Fields) -> Labels {
    Labels {
        branch: import.take("branch"),
        service: import.take("service"),
        docker_image: import.take("docker_image"),
        endpoint_url: import.take("endpoint_url"),
        kubernetes_cluster: import.take("kubernetes_cluster"),
    }
}

/// One label on findings of several branches would mix the branches up.
fn check_branches(
    reader: &mut Reader<'_>,
    import_path: &KeyPath,
    labels: &Labels,
    spec: &'static ConnectorSpec,
    settings: &Settings,
) {
    if labels.branch.is_none() {
        return;
    }
    if let Some(key) = (spec.reads_several_branches)(settings) {
        reader.wrong_key(
            &import_path.child("branch"),
            format!(
                "would put one branch on findings of several, since {key} reads several branches; allowed: one of the two"
            ),
        );
    }
}

fn revision(
    table: &Map<String, Value>,
    schedule: &ScheduleSetting,
    run_timeout: Duration,
    settings: &Settings,
) -> [u8; 8] {
    let mut digest = Digest::of(table);
    digest.add(schedule.to_string().as_bytes());
    digest.add(&run_timeout.as_secs().to_le_bytes());
    for (key, secret) in settings.all_secrets() {
        digest.add(key.as_bytes());
        digest.add(secret.expose().as_bytes());
    }
    digest.finish()
}
