//! `secpull connectors`: which there are, their settings, the permissions to grant.

use serde::Serialize;

use super::args::ConnectorsArguments;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing::{self, Listed};
use super::table::{Column, Field};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind};
use crate::connectors::{spec_of, specs};

pub(super) fn run(context: &mut Context, arguments: &ConnectorsArguments) -> Result<Exit, Failure> {
    let format = arguments.listing.format;
    let output = &mut context.output;
    match &arguments.name {
        None => {
            let all: Vec<Described> = specs().map(describe).collect();
            listing::print(output, format, &all)?;
        }
        Some(name) => {
            let spec = spec_of(name).ok_or_else(|| {
                Failure::unknown("connector", name, specs().map(|spec| spec.name))
            })?;
            let described = describe(spec);
            match format {
                Format::Table => output.line(page(&described))?,
                Format::Json => listing::print_json(output, &described)?,
                Format::Jsonl | Format::Csv => listing::print(output, format, &[described])?,
            }
        }
    }
    Ok(Exit::Complete)
}

/// A connector's description as it is printed.
#[derive(Debug, Serialize)]
struct Described {
    name: &'static str,
    title: &'static str,
    /// `source`, `destination`, `both`.
    direction: &'static str,
    location: &'static str,
    default_location: Option<&'static str>,
    /// `required`, `optional`, `none`.
    secret: &'static str,
    secret_meaning: &'static str,
    permissions: &'static [&'static str],
    record: &'static str,
    source_id: &'static str,
    resolve_after: u32,
    tool_settings: Vec<DescribedSetting>,
    api_settings: Vec<DescribedSetting>,
}

#[derive(Debug, Serialize)]
struct DescribedSetting {
    key: &'static str,
    /// What values it takes, in words.
    values: String,
    required: bool,
    default: Option<String>,
    meaning: &'static str,
}

fn describe(spec: &'static ConnectorSpec) -> Described {
    Described {
        name: spec.name,
        title: spec.title,
        direction: match spec.direction {
            Direction::Source => "source",
            Direction::Destination => "destination",
            Direction::Both => "both",
        },
        location: spec.location_meaning,
        default_location: spec.default_location,
        secret: match spec.secret {
            Need::Required => "required",
            Need::Optional => "optional",
            Need::Refused => "none",
        },
        secret_meaning: spec.secret_meaning,
        permissions: spec.permissions,
        record: spec.record_meaning,
        source_id: spec.source_id_form,
        resolve_after: spec.resolve_after,
        tool_settings: spec.tool_settings.iter().map(describe_setting).collect(),
        api_settings: spec.api_settings.iter().map(describe_setting).collect(),
    }
}

fn describe_setting(setting: &Setting) -> DescribedSetting {
    let quoted = |word: &&str| format!("\"{word}\"");
    let list = |words: &[&str]| words.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let (values, default) = match &setting.kind {
        SettingKind::Text { default } => ("text".to_owned(), default.as_ref().map(quoted)),
        SettingKind::Words { allowed, default } => (
            format!("one of {}", list(allowed)),
            default.as_ref().map(quoted),
        ),
        SettingKind::Integer { min, max, default } => (
            format!("whole number from {min} to {max}"),
            default.map(|number| number.to_string()),
        ),
        SettingKind::Boolean { default } => (
            "true or false".to_owned(),
            default.map(|value| value.to_string()),
        ),
        SettingKind::Duration { default_seconds } => (
            "duration, such as \"90s\" or \"12h\"".to_owned(),
            default_seconds.map(|seconds| {
                let length = std::time::Duration::from_secs(seconds);
                format!("\"{}\"", humantime::format_duration(length))
            }),
        ),
        SettingKind::List { allowed, default } => (
            if allowed.is_empty() {
                "list of texts".to_owned()
            } else {
                format!("list of {}", list(allowed))
            },
            (!default.is_empty()).then(|| format!("[{}]", list(default))),
        ),
        SettingKind::Lists => ("table of names and lists of texts".to_owned(), None),
        SettingKind::Secret => ("secret".to_owned(), None),
        SettingKind::Secrets => ("table of names and secrets".to_owned(), None),
    };
    DescribedSetting {
        key: setting.key,
        values,
        required: setting.required,
        default,
        meaning: setting.meaning,
    }
}

/// A connector's page.
fn page(connector: &Described) -> String {
    let mut page = vec![
        format!("{}: {}", connector.name, connector.title),
        String::new(),
        "[tools.NAME]".to_owned(),
        format!("  connector = \"{}\"", connector.name),
        match connector.default_location {
            Some(default) => format!("  location (default \"{default}\")"),
            None => "  location (required)".to_owned(),
        },
        format!("      {}", connector.location),
    ];
    if connector.secret != "none" {
        page.push(format!("  secret ({})", connector.secret));
        page.push(format!("      {}", connector.secret_meaning));
    }
    page.extend(connector.tool_settings.iter().flat_map(setting_lines));
    page.push(String::new());
    page.push("[api_configurations.NAME]".to_owned());
    page.push("  tool = \"NAME\"".to_owned());
    page.extend(connector.api_settings.iter().flat_map(setting_lines));
    page.push(String::new());
    page.push("Permissions to grant".to_owned());
    page.extend(connector.permissions.iter().map(|line| format!("  {line}")));
    page.push(String::new());
    page.push(format!(
        "A record is {}.",
        connector.record.trim_end_matches('.')
    ));
    page.push(format!("source_id: {}", connector.source_id));
    page.push(format!(
        "resolve_after: {} by default",
        connector.resolve_after
    ));
    page.join("\n")
}

fn setting_lines(setting: &DescribedSetting) -> [String; 2] {
    let need = match (&setting.default, setting.required) {
        (Some(default), _) => format!("; default {default}"),
        (None, true) => "; required".to_owned(),
        (None, false) => String::new(),
    };
    [
        format!("  {} ({}{need})", setting.key, setting.values),
        format!("      {}", setting.meaning),
    ]
}

impl Listed for Described {
    const COLUMNS: &'static [Column] = &[Column::word("CONNECTOR"), Column::text("TOOL")];
    const CSV: &'static [&'static str] = &[
        "name",
        "title",
        "direction",
        "location",
        "default_location",
        "secret",
        "secret_meaning",
        "permissions",
        "record",
        "source_id",
        "resolve_after",
        "tool_settings.key",
        "api_settings.key",
    ];

    fn fields(&self) -> Vec<Field> {
        vec![self.name.into(), self.title.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPEC: ConnectorSpec = ConnectorSpec {
        name: "sample",
        title: "Sample 1.x",
        direction: Direction::Source,
        location_meaning: "The server's base URL.",
        default_location: None,
        endpoint_of_region: None,
        secret: Need::Required,
        secret_meaning: "An API key.",
        permissions: &["VIEW"],
        record_meaning: "a project",
        source_id_form: "project:finding",
        tool_settings: &[],
        api_settings: &[Setting {
            key: "state",
            kind: SettingKind::Words {
                allowed: &["open", "all"],
                default: Some("open"),
            },
            required: false,
            meaning: "Which findings to read.",
        }],
        resolve_after: 1,
        reads_several_branches: |_| None,
        validate_api: |_, _| Vec::new(),
        validate_tool: |_| Vec::new(),
    };

    #[test]
    fn a_page_says_what_to_write_and_what_to_grant() {
        let page = page(&describe(&SPEC));
        assert!(page.contains("location (required)"), "{page}");
        assert!(
            page.contains("state (one of \"open\", \"all\"; default \"open\")"),
            "{page}"
        );
        assert!(page.contains("Permissions to grant\n  VIEW\n"), "{page}");
        assert!(page.contains("A record is a project.\n"), "{page}");
    }
}
