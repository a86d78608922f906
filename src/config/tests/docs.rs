//! The docs page and the example are true.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::Direction;
use super::super::document::parse_value;
use super::super::keys::SECTIONS;
use super::super::kind::{Default, Key, Kind};
use super::super::{ConnectorSpec, Need, load, reference_markdown};
use super::{Room, setting};
use crate::config::SettingKind;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_reference_page_is_what_the_key_tables_say() {
    let page = in_repository("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&page, reference_markdown()).unwrap();
    }
    let written = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == reference_markdown(),
        "docs/configuration.md is not up to date: UPDATE_DOCS=1 cargo test --lib config:: writes it anew"
    );
}

#[test]
fn every_default_and_every_example_is_allowed_where_it_stands() {
    fn check(keys: &[Key]) {
        for key in keys {
            let readable = |toml: &str| {
                let value = parse_value(toml).unwrap_or_else(|| panic!("{}: {toml}", key.key));
                match &key.kind {
                    Kind::Endpoint | Kind::Secret | Kind::Secrets | Kind::Table(_) => {}
                    kind => drop(
                        kind.read(&value.kind)
                            .unwrap_or_else(|wrong| panic!("{} = {toml}: {}", key.key, wrong.what)),
                    ),
                }
            };
            readable(key.example);
            if let Default::Toml(toml) = &key.default {
                readable(toml);
            }
            if let Kind::Table(inner) = key.kind {
                check(inner);
            }
        }
    }
    for section in SECTIONS {
        check(section.keys);
    }
}

#[test]
fn the_example_to_install_loads_as_it_is_and_with_everything_uncommented() {
    const EXAMPLE: ConnectorSpec = ConnectorSpec {
        name: "dependency-track",
        title: "",
        direction: Direction::Source,
        location_meaning: "",
        default_location: None,
        endpoint_of_region: None,
        secret: Need::Required,
        secret_meaning: "",
        permissions: &[],
        record_meaning: "",
        source_id_form: "",
        tool_settings: &[],
        api_settings: &[setting("project_key", SettingKind::Text { default: None })],
        resolve_after: 1,
        reads_several_branches: |_| None,
        validate_api: |_, _| Vec::new(),
        validate_tool: |_| Vec::new(),
    };
    static TRACK: ConnectorSpec = EXAMPLE;
    static DOJO: ConnectorSpec = ConnectorSpec {
        name: "defectdojo",
        direction: Direction::Both,
        api_settings: &[],
        ..EXAMPLE
    };
    let example = fs::read_to_string(in_repository("config/secpull.toml")).unwrap();
    let uncommented: Vec<_> = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .collect();
    let room = Room::with(&example)
        .file("credentials/dtrack", "s3cret")
        .file("credentials/dojo", "s3cret")
        .file(
            "credentials/slack-url",
            "https://hooks.slack.com/services/T0/B0/0",
        );
    let folder = room.path("credentials").display().to_string();
    let room = room
        .mode("secpull.toml", 0o644)
        .variable("CREDENTIALS_DIRECTORY", &folder);
    let load = |room: &Room| load(room.folder.path(), &room.environment, &[&TRACK, &DOJO]);

    assert!(load(&room).unwrap().config.api_configurations.is_empty());
    let room = room.file("secpull.toml", &uncommented.join("\n"));
    let loaded = load(&room).unwrap();
    assert!(loaded.warnings.is_empty());
    assert_eq!(loaded.config.api_configurations["shop"].tool, "dtrack");
    assert_eq!(loaded.config.forwards["dojo"].tool, "dojo");
}
