//! Configurations laid out in a folder, and what becomes of them.

#![allow(clippy::unwrap_used)]

mod docs;
mod environment;
mod files;
mod forwards;
mod mistakes;
mod notifications;
mod secrets;
mod trust;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{ConnectorSpec, Direction, Loaded, Need, Setting, SettingKind, Settings, load};

/// A connector with a setting of each kind.
static SCANNER: ConnectorSpec = ConnectorSpec {
    name: "scanner",
    title: "Scanner 1.x",
    direction: Direction::Source,
    location_meaning: "the scanner's address",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Required,
    secret_meaning: "an API key",
    permissions: &["READ"],
    record_meaning: "a project",
    source_id_form: "project:finding",
    tool_settings: &[
        setting(
            "page_size",
            SettingKind::Integer {
                min: 1,
                max: 500,
                default: Some(100),
            },
        ),
        setting("headers", SettingKind::Secrets),
        setting("session", SettingKind::Secret),
        setting(
            "method",
            SettingKind::Words {
                allowed: &["GET", "POST"],
                default: Some("POST"),
            },
        ),
        setting(
            "up_query",
            SettingKind::Text {
                default: Some("up"),
            },
        ),
    ],
    api_settings: &[
        setting("project", SettingKind::Text { default: None }),
        setting(
            "kinds",
            SettingKind::List {
                allowed: &["code", "secret"],
                default: &["code"],
            },
        ),
        setting("labels", SettingKind::Lists),
        setting(
            "look_back",
            SettingKind::Duration {
                default_seconds: Some(86_400),
            },
        ),
        setting(
            "suppressed",
            SettingKind::Boolean {
                default: Some(true),
            },
        ),
        setting("all_branches", SettingKind::Boolean { default: None }),
    ],
    resolve_after: 2,
    reads_several_branches: |api| {
        api.boolean("all_branches")
            .unwrap_or_default()
            .then_some("all_branches")
    },
    validate_api: validate_project,
    validate_tool: |tool| {
        let settings = tool.settings;
        let both =
            settings.text("method") == Some("GET") && settings.integer("page_size") > Some(200);
        both.then(|| {
            (
                "page_size",
                "is more than GET can carry; allowed: 200".into(),
            )
        })
        .into_iter()
        .collect()
    },
};

fn validate_project(tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let needs_project = tool.text("method") == Some("GET") && api.text("project").is_none();
    needs_project
        .then(|| {
            (
                "project",
                "is missing; allowed: an id, since method is GET".into(),
            )
        })
        .into_iter()
        .collect()
}

/// A connector that knows its place and takes no secret.
static CATALOGUE: ConnectorSpec = ConnectorSpec {
    name: "catalogue",
    title: "Catalogue",
    direction: Direction::Source,
    location_meaning: "the catalogue",
    default_location: Some("https://catalogue.example.org"),
    endpoint_of_region: None,
    secret: Need::Refused,
    secret_meaning: "none",
    permissions: &[],
    record_meaning: "a list",
    source_id_form: "id",
    tool_settings: &[],
    api_settings: &[Setting {
        key: "list",
        kind: SettingKind::Text { default: None },
        required: true,
        meaning: "Path of the list.",
    }],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api: |_, _| Vec::new(),
    validate_tool: |_| Vec::new(),
};

/// A connector of a tool that only takes findings.
static DUMP: ConnectorSpec = ConnectorSpec {
    name: "dump",
    title: "Dump",
    direction: Direction::Destination,
    location_meaning: "the dump",
    default_location: Some("https://dump.example.org"),
    endpoint_of_region: None,
    secret: Need::Refused,
    secret_meaning: "none",
    permissions: &[],
    record_meaning: "nothing",
    source_id_form: "none",
    tool_settings: &[],
    api_settings: &[],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api: |_, _| Vec::new(),
    validate_tool: |_| Vec::new(),
};

const fn setting(key: &'static str, kind: SettingKind) -> Setting {
    Setting {
        key,
        kind,
        required: false,
        meaning: "A setting.",
    }
}

/// A tool without mistakes: its secret comes from the environment of every [`Room`].
const TOOL: &str = r#"
[tools.scan]
connector = "scanner"
location = "https://scan.example.com"
secret = { env = "SCAN_KEY" }
"#;

/// A folder for a configuration, and an environment.
struct Room {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Room {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::from([("SCAN_KEY".into(), "s3cret-scan".into())]),
        }
    }

    /// With one `secpull.toml`.
    fn with(text: &str) -> Self {
        Self::new().file("secpull.toml", text)
    }

    /// A file that only its owner can read.
    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.mode(name, 0o600)
    }

    fn mode(self, name: &str, mode: u32) -> Self {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Loaded, Vec<String>> {
        self.load_path(self.folder.path())
    }

    /// Problems as lines, with paths as seen from the folder.
    fn load_path(&self, path: &Path) -> Result<Loaded, Vec<String>> {
        load(path, &self.environment, &[&SCANNER, &CATALOGUE, &DUMP])
            .map_err(|problems| self.lines(&problems.to_string()))
    }

    fn lines(&self, text: &str) -> Vec<String> {
        let folder = self.folder.path().display().to_string();
        text.lines()
            .map(|line| {
                line.replace(&format!("{folder}/"), "")
                    .replace(&folder, ".")
            })
            .collect()
    }

    fn problems(&self) -> Vec<String> {
        self.load().map(|_| ()).unwrap_err()
    }
}
