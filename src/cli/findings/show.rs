//! `secpull findings show`: all that is known of one finding.

use std::io::Write;

use serde_json::Value;

use super::{export, source};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::format::Format;
use crate::cli::listing;
use crate::cli::output::Output;
use crate::cli::table::{Column, Field, Grid};
use crate::cli::text::{clean, clean_lines, stamp};

pub(super) async fn run(
    context: &mut Context,
    id: i64,
    raw: bool,
    format: Format,
) -> Result<Exit, Failure> {
    let document = source::one(context, id, raw).await?;
    let output = &mut context.output;
    match format {
        Format::Table => sheet(output, &serde_json::from_slice(&document)?)?,
        Format::Json => listing::print_json(
            output,
            &serde_json::from_slice::<&serde_json::value::RawValue>(&document)?,
        )?,
        Format::Jsonl => {
            output.write_all(document.trim_ascii_end())?;
            output.write_all(b"\n")?;
        }
        Format::Csv => {
            let mut writer = export::writer(format.into(), output.look());
            writer.begin(output)?;
            writer.finding(output, &document)?;
            writer.end(output)?;
        }
    }
    Ok(Exit::Complete)
}

/// What is said in a line each, in this order; what is absent is left out.
const LINES: &[(&str, &[&str])] = &[
    ("Severity", &["severity"]),
    ("Status", &["status"]),
    ("Product", &["product"]),
    ("Service", &["service"]),
    ("Branch", &["branch"]),
    ("Kind", &["kind"]),
    ("Vulnerability", &["vulnerability_id"]),
    ("Aliases", &["aliases"]),
    ("CWE", &["cwes"]),
    ("CVSS 4", &["cvss4_score", "cvss4_vector"]),
    ("CVSS 3", &["cvss3_score", "cvss3_vector"]),
    ("EPSS", &["epss_score"]),
    ("Component", &["component.name", "component.version"]),
    ("Fixed in", &["component.fixed_version"]),
    ("Package URL", &["component.purl"]),
    ("CPE", &["component.cpe"]),
    ("Image", &["image.name", "image.tag", "image.digest"]),
    ("Endpoint", &["endpoint.method", "endpoint.url"]),
    ("Parameter", &["endpoint.parameter"]),
    ("File", &["source_location.file"]),
    (
        "Lines",
        &["source_location.line_start", "source_location.line_end"],
    ),
    ("Code", &["source_location.url"]),
    (
        "Cloud",
        &["cloud.provider", "cloud.account", "cloud.region"],
    ),
    ("Resource", &["cloud.resource_type", "cloud.resource_id"]),
    ("Cluster", &["kubernetes.cluster"]),
    (
        "Kubernetes",
        &["kubernetes.namespace", "kubernetes.kind", "kubernetes.name"],
    ),
    (
        "Host",
        &["host.name", "host.ip", "host.port", "host.protocol"],
    ),
    ("Tags", &["tags"]),
    ("First seen", &["first_seen"]),
    ("Last seen", &["last_seen"]),
    ("Resolved", &["resolved_at"]),
    ("Fingerprint", &["fingerprint"]),
];

const SIGHTINGS: &[Column] = &[
    Column::word("API CONFIGURATION"),
    Column::word("CONNECTOR"),
    Column::text("RECORD"),
    Column::text("SOURCE ID"),
    Column::word("SEVERITY"),
    Column::word("STATUS"),
    Column::word("FIRST SEEN"),
    Column::word("LAST SEEN"),
    Column::word("RESOLVED"),
];

const SIGHTING_KEYS: &[&str] = &[
    "api_configuration",
    "connector",
    "record",
    "source_id",
    "severity",
    "status",
    "first_seen",
    "last_seen",
    "resolved_at",
];

const HISTORY: &[Column] = &[
    Column::word("WHEN"),
    Column::word("EVENT"),
    Column::word("FROM"),
    Column::word("TO"),
    Column::word("API CONFIGURATION"),
    Column::text("SOURCE ID"),
    Column::number("RUN"),
];

const HISTORY_KEYS: &[&str] = &[
    "at",
    "event",
    "old",
    "new",
    "api_configuration",
    "source_id",
    "run",
];

fn sheet(output: &mut Output, finding: &Value) -> Result<(), Failure> {
    output.line(format!(
        "Finding {}: {}",
        words(finding, "id"),
        words(finding, "title")
    ))?;
    output.line("")?;
    for (title, keys) in LINES {
        let parts: Vec<String> = keys
            .iter()
            .map(|key| words(finding, key))
            .filter(|part| !part.is_empty())
            .collect();
        if !parts.is_empty() {
            output.line(format!("{title:15}{}", parts.join("  ")))?;
        }
    }
    for (title, key) in [
        ("Description", "description"),
        ("Recommendation", "recommendation"),
    ] {
        if let Some(text) = finding.get(key).and_then(Value::as_str) {
            output.line(format!("\n{title}"))?;
            for line in clean_lines(text) {
                output.line(format!("  {line}"))?;
            }
        }
    }
    if let Some(references) = some_list(finding, "references") {
        output.line("\nReferences")?;
        for reference in references {
            output.line(format!("  {}", text_of(reference)))?;
        }
    }
    part(
        output,
        "Sightings",
        finding,
        "sightings",
        SIGHTINGS,
        SIGHTING_KEYS,
    )?;
    part(output, "History", finding, "history", HISTORY, HISTORY_KEYS)
}

fn part(
    output: &mut Output,
    title: &str,
    finding: &Value,
    key: &str,
    columns: &'static [Column],
    keys: &[&str],
) -> Result<(), Failure> {
    let Some(list) = some_list(finding, key) else {
        return Ok(());
    };
    output.line(format!("\n{title}"))?;
    let rows = list
        .iter()
        .map(|item| {
            keys.iter()
                .map(|key| Field::from(words(item, key)))
                .collect()
        })
        .collect();
    let look = output.look();
    Grid::new(columns, look).print(output, rows)?;
    Ok(())
}

fn some_list<'a>(value: &'a Value, key: &str) -> Option<&'a Vec<Value>> {
    value.get(key)?.as_array().filter(|list| !list.is_empty())
}

/// The value at a key, a dot between the keys of objects in objects; nothing where it is absent.
fn words(value: &Value, key: &str) -> String {
    let value = key.split('.').try_fold(value, |value, key| value.get(key));
    value.map(text_of).unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match text.parse() {
            Ok(time) => stamp(time),
            Err(_) => clean(text),
        },
        Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join(", "),
        // Scores: what vendors give in single precision has a tail of digits that mean nothing.
        Value::Number(number) => match number.as_f64() {
            Some(score) if number.is_f64() => ((score * 1e5).round() / 1e5).to_string(),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::samples::log4shell;
    use super::*;
    use crate::cli::output::{Look, capture};

    #[test]
    fn the_sheet_tells_everything_with_sightings_and_history() {
        let (mut output, text, _) = capture::output(Look::default());
        sheet(&mut output, &log4shell()).unwrap();
        output.flush().unwrap();
        let text = text.text();
        for part in [
            "Finding 7: Log4Shell: [31mRCE \"now\"\n",
            "CWE            502, 917\n",
            "Component      log4j-core  2.14.1\n",
            "EPSS           0.148\n",
            "First seen     2026-11-24 06:40Z\n",
            "\nDescription\n  Line one\n  Line two\n",
            "\nSightings\nAPI CONFIGURATION",
            "2026-11-24 07:00Z",
            "\nHistory\nWHEN",
            "2026-11-24 06:50Z  severity    high  critical  shop",
        ] {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
        assert!(
            !text.contains("Cloud") && !text.contains("\nReferences"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }
}
