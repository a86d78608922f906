//! The pages in docs/connectors/ say what the connectors' descriptions say.
//!
//! `UPDATE_DOCS=1 cargo test --test connector_docs` writes the generated parts anew.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use secpull::config::{ConnectorSpec, Need, Setting};
use secpull::connectors::specs;

const BEGIN: &str =
    "<!-- generated from the connector's description; see tests/connector_docs.rs -->";
const END: &str = "<!-- end of the generated part -->";

fn page(spec: &ConnectorSpec) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connectors");
    folder.join(spec.name).with_extension("md")
}

fn generated(spec: &ConnectorSpec) -> String {
    let mut text = format!("{BEGIN}\n\n");
    let secret = match spec.secret {
        Need::Required => "required: ",
        Need::Optional => "optional: ",
        Need::Refused => "none",
    };
    writeln!(text, "- `location`: {}", spec.location_meaning).unwrap();
    writeln!(text, "- `secret`, {secret}{}", spec.secret_meaning).unwrap();
    writeln!(text, "- record: {}", spec.record_meaning).unwrap();
    writeln!(text, "- `source_id`: {}", escaped(spec.source_id_form)).unwrap();
    writeln!(text, "- default of `resolve_after`: {}", spec.resolve_after).unwrap();
    writeln!(text, "\nPermissions to grant:\n").unwrap();
    for permission in spec.permissions {
        writeln!(text, "- {permission}").unwrap();
    }
    table(&mut text, "[tools.NAME]", spec.tool_settings);
    table(&mut text, "[api_configurations.NAME]", spec.api_settings);
    write!(text, "\n{END}").unwrap();
    text
}

fn table(text: &mut String, place: &str, settings: &[Setting]) {
    writeln!(text, "\nIn `{place}`, beside what every connector takes:\n").unwrap();
    if settings.is_empty() {
        writeln!(text, "nothing").unwrap();
        return;
    }
    text.push_str("| key | allowed | default | meaning |\n| --- | --- | --- | --- |\n");
    for setting in settings {
        let default = match (setting.default_toml(), setting.required) {
            (Some(default), _) => format!("`{default}`"),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        let (allowed, meaning) = (setting.allowed(), setting.meaning);
        let row = [
            format!("`{}`", setting.key),
            allowed,
            default,
            meaning.to_owned(),
        ];
        let row = row.map(|cell| cell.replace('|', "\\|"));
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
}

/// `<…>` would be HTML to a reader of Markdown.
fn escaped(text: &str) -> String {
    text.replace('<', "\\<")
}

#[test]
fn the_generated_part_of_every_page_is_up_to_date() {
    for spec in specs() {
        let path = page(spec);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (before, rest) = text
            .split_once(BEGIN)
            .expect("the page has no generated part");
        let (_, after) = rest.split_once(END).expect("the generated part has no end");
        let wanted = format!("{before}{}{after}", generated(spec));
        if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert!(
                text == wanted,
                "{} is not up to date: UPDATE_DOCS=1 cargo test --test connector_docs",
                path.display()
            );
        }
    }
}

#[test]
fn every_page_has_the_sections_that_operators_look_for() {
    for spec in specs() {
        let text = std::fs::read_to_string(page(spec)).unwrap();
        for section in [
            "## What it reads",
            "## The key",
            "## Configuration",
            "## Records and identity",
            "## Severity and status",
            "## When a sync is complete",
            "## Troubleshooting",
        ] {
            assert!(text.contains(section), "{} lacks {section}", spec.name);
        }
    }
}

#[test]
fn no_connector_takes_a_key_that_all_have_or_one_twice() {
    for spec in specs() {
        assert_eq!(spec.key_clashes(), Vec::<&str>::new(), "{}", spec.name);
    }
}
