//! `[forwards.NAME]` to [`Forward`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use config::{Map, Value};
use globset::GlobSet;

use super::field::Fields;
use super::key_path::KeyPath;
use super::keys;
use super::kind::one_of;
use super::read::{Reader, Unknown};
use super::revision::Digest;
use super::suggest::closest;
use super::tools::{Tools, named_tables};
use super::wrong::quoted;
use super::{ApiConfiguration, CloseOld, Forward, Tool};
use crate::finding::Severity;

/// Longest name of a test type, with what DefectDojo adds to it.
const LONGEST_TEST_TYPE: usize = 150;

/// Longest tag.
const LONGEST_TAG: usize = 100;

/// Reads them all; those with a problem are left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Map<String, Value>,
    tools: &Tools,
    apis: &BTreeMap<String, Arc<ApiConfiguration>>,
) -> BTreeMap<String, Arc<Forward>> {
    let mut read: BTreeMap<String, Arc<Forward>> = BTreeMap::new();
    for (name, path, table) in named_tables(reader, root, keys::FORWARDS) {
        let problems = reader.count();
        let forward = forward(reader, &name, &path, table, tools, apis);
        if reader.count() != problems {
            continue;
        }
        if let Some(forward) = forward {
            check_others(reader, &path, &forward, &read, tools);
            read.insert(name, Arc::new(forward));
        }
    }
    read
}

fn forward(
    reader: &mut Reader<'_>,
    name: &str,
    path: &KeyPath,
    table: &Map<String, Value>,
    tools: &Tools,
    apis: &BTreeMap<String, Arc<ApiConfiguration>>,
) -> Option<Forward> {
    let known = keys::section(keys::FORWARDS).map_or(&[][..], |section| section.keys);
    let mut fields = reader.table(path, table, known, &Unknown::Refuse(&[]));
    let tool: Option<String> = fields.take("tool");
    if let Some(tool) = &tool {
        check_tool(reader, path, tool, tools);
    }
    let from = fields.take("from");
    let test_type = test_type(reader, path, &mut fields);
    let tags = tags(reader, path, &mut fields);
    let close_old = match fields.take::<String>("close_old").as_deref() {
        Some("complete_only") => CloseOld::CompleteOnly,
        _ => CloseOld::Never,
    };
    let minimum_severity = fields
        .take::<String>("minimum_severity")
        .and_then(|word| word.parse().ok())
        .unwrap_or(Severity::Info);
    let timeout: Option<u64> = fields.whole("request_timeout_seconds");
    let tool = tool?;
    let api_configurations = sources(&from?, tools.tools.get(&tool)?, tools, apis);
    if api_configurations.is_empty() {
        reader.warnings.push(format!(
            "{}: {path}: there is no API configuration that it forwards from, so nothing will be sent",
            reader.sources.value_place(&path.child("from"))
        ));
    }
    let mut revision = Digest::of(table);
    for name in &api_configurations {
        revision.add(name.as_bytes());
    }
    Some(Forward {
        name: name.to_owned(),
        tool,
        api_configurations,
        product_type: fields.take("product_type")?,
        product: fields.take("product")?,
        engagement: fields.take("engagement")?,
        test_title: fields.take("test_title")?,
        close_old,
        minimum_severity,
        test_type,
        tags,
        request_timeout: Duration::from_secs(timeout?),
        revision: revision.finish(),
    })
}

fn check_tool(reader: &mut Reader<'_>, path: &KeyPath, tool: &str, tools: &Tools) {
    let receivers: Vec<_> = tools
        .connectors
        .iter()
        .filter(|(_, spec)| spec.is_some_and(|spec| spec.direction.receives()))
        .map(|(name, _)| name.as_str())
        .collect();
    let allowed = match receivers.is_empty() {
        true => "the name of a tool whose connector can receive findings, of which there is none"
            .to_owned(),
        false => one_of(&receivers),
    };
    match tools.connectors.get(tool) {
        None => {
            let suggestion = closest(tool, receivers.iter().copied())
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            reader.missing(
                &path.child("tool"),
                format!(
                    "there is no tool {}{suggestion}; allowed: {allowed}",
                    quoted(tool)
                ),
            );
        }
        Some(Some(spec)) if !spec.direction.receives() => reader.wrong(
            &path.child("tool"),
            format!(
                "connector {} of the tool {} only reads; allowed: {allowed}",
                spec.name,
                quoted(tool)
            ),
        ),
        // An unknown connector is told already.
        Some(_) => {}
    }
}

fn test_type(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Option<String> {
    let text: String = fields.take("test_type")?;
    let text = text.trim();
    if text.chars().count() > LONGEST_TEST_TYPE {
        reader.wrong(
            &path.child("test_type"),
            format!("is too long; allowed: at most {LONGEST_TEST_TYPE} characters"),
        );
    }
    (!text.is_empty()).then(|| text.to_owned())
}

/// Other tags would not come back as they were sent.
fn tags(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Vec<String> {
    let tags: Vec<String> = fields.take("tags").unwrap_or_default();
    let plain = |tag: &String| {
        let length = tag.chars().count();
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '"' | '\'');
        (1..=LONGEST_TAG).contains(&length) && !tag.contains(odd)
    };
    if let Some(wrong) = tags.iter().find(|tag| !plain(tag)) {
        reader.wrong(
            &path.child("tags"),
            format!(
                "{} is no tag; allowed: 1 to {LONGEST_TAG} characters without space, comma and quotation mark",
                quoted(wrong)
            ),
        );
    }
    tags.iter().map(|tag| tag.to_lowercase()).collect()
}

/// The API configurations that match, without those that read from the receiver: what it has it need not be told.
fn sources(
    from: &GlobSet,
    receiver: &Tool,
    tools: &Tools,
    apis: &BTreeMap<String, Arc<ApiConfiguration>>,
) -> BTreeSet<String> {
    let is_receiver = |api: &ApiConfiguration| {
        let tool = tools.tools.get(&api.tool);
        tool.is_some_and(|tool| is_same_instance(tool, receiver))
    };
    apis.values()
        .filter(|api| from.is_match(&api.name) && !is_receiver(api))
        .map(|api| api.name.clone())
        .collect()
}

fn is_same_instance(one: &Tool, other: &Tool) -> bool {
    let bare = |tool: &Tool| tool.location.as_str().trim_end_matches('/').to_owned();
    one.name == other.name || (one.connector == other.connector && bare(one) == bare(other))
}

/// Two forwards that fill the same tests would each take the other's findings for gone.
fn check_others(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    forward: &Forward,
    others: &BTreeMap<String, Arc<Forward>>,
    tools: &Tools,
) {
    let is_same_receiver = |other: &Forward| {
        let tool = |name: &str| tools.tools.get(name);
        matches!((tool(&forward.tool), tool(&other.tool)),
            (Some(one), Some(other)) if is_same_instance(one, other))
    };
    for other in others.values() {
        let same_names = (&forward.product, &forward.engagement, &forward.test_title)
            == (&other.product, &other.engagement, &other.test_title);
        let mut both = forward
            .api_configurations
            .intersection(&other.api_configurations);
        if let Some(api) = both.next()
            && same_names
            && is_same_receiver(other)
        {
            reader.wrong_key(
                path,
                format!(
                    "would fill the same tests as forwards.{} with findings of {api}; allowed: another from, product, engagement or test_title",
                    other.name
                ),
            );
        }
    }
}
