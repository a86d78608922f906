//! Every key that is not a connector's own, as data: read by, explained from, and documented out of this one table.

mod api_configuration;
mod general;
mod tool;

use std::borrow::Cow;
use std::time::Duration;

use api_configuration::API_KEYS;
use general::{CONTROL_KEYS, GENERAL_SCHEDULE_KEYS, IMPORT_KEYS, STORE_KEYS};
use tool::TOOL_KEYS;

use super::kind::{Default, Key, Kind};
use super::scalars::print_duration;
use super::{ConnectorSpec, Setting, SettingKind};

/// A table of the top level.
pub(super) struct Section {
    pub(super) key: &'static str,
    /// Whether it holds keys, or tables by name.
    pub(super) form: Form,
    pub(super) keys: &'static [Key],
    /// For the docs.
    pub(super) meaning: &'static str,
}

/// What stands in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Keys.
    Single,
    /// Tables by name, each with the keys.
    Named,
}

pub(super) const STORE: &str = "store";
pub(super) const AUTOMATIC_IMPORT: &str = "automatic_import";
pub(super) const IMPORT: &str = "import";
pub(super) const CONTROL: &str = "control";
pub(super) const TOOLS: &str = "tools";
pub(super) const API_CONFIGURATIONS: &str = "api_configurations";

/// The whole top level.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        key: STORE,
        form: Form::Single,
        keys: STORE_KEYS,
        meaning: "Where findings and the history of imports are kept.",
    },
    Section {
        key: AUTOMATIC_IMPORT,
        form: Form::Single,
        keys: GENERAL_SCHEDULE_KEYS,
        meaning: "The general setting: when API configurations are imported that do not say otherwise. Times are UTC. Give \
                  `hour` and `minute`, or `every`, or `cron`, not several of them.",
    },
    Section {
        key: IMPORT,
        form: Form::Single,
        keys: IMPORT_KEYS,
        meaning: "When an import is held back, and how long it may take.",
    },
    Section {
        key: CONTROL,
        form: Form::Single,
        keys: CONTROL_KEYS,
        meaning: "The socket by which `secpull run`, `status` and the others reach the daemon.",
    },
    Section {
        key: TOOLS,
        form: Form::Named,
        keys: TOOL_KEYS,
        meaning: "One table for each configured instance of a security tool. Beside these keys it takes its connector's \
                  own: see `secpull connectors NAME`.",
    },
    Section {
        key: API_CONFIGURATIONS,
        form: Form::Named,
        keys: API_KEYS,
        meaning: "One table for each thing to import: from which tool, into which product, when. Beside these keys it takes \
                  its connector's own: see `secpull connectors NAME`.",
    },
];

/// The section of this key.
pub(super) fn section(key: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.key == key)
}

const fn key(
    key: &'static str,
    kind: Kind,
    default: Default,
    example: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        key,
        kind,
        required: false,
        default,
        meaning,
        example,
    }
}

const fn required(
    key: &'static str,
    kind: Kind,
    example: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        key,
        kind,
        required: true,
        default: Default::None,
        meaning,
        example,
    }
}

const fn toml(value: &'static str) -> Default {
    Default::Toml(Cow::Borrowed(value))
}

/// The keys of a tool, with its connector's own if that is known.
pub(super) fn tool_keys(spec: Option<&'static ConnectorSpec>) -> Vec<Key> {
    let mut keys = with_own(TOOL_KEYS, spec.map_or(&[], |spec| spec.tool_settings));
    for key in &mut keys {
        if let Kind::Location(endpoint_of_region) = &mut key.kind {
            *endpoint_of_region = spec.and_then(|spec| spec.endpoint_of_region);
        }
    }
    keys
}

/// The keys of an API configuration, with its connector's own if that is known.
pub(super) fn api_keys(spec: Option<&'static ConnectorSpec>) -> Vec<Key> {
    with_own(API_KEYS, spec.map_or(&[], |spec| spec.api_settings))
}

fn with_own(common: &[Key], own: &'static [Setting]) -> Vec<Key> {
    common
        .iter()
        .cloned()
        .chain(own.iter().map(Key::of))
        .collect()
}

/// The common keys of a tool and of an API configuration: a connector cannot use them for its own settings.
pub(super) fn common_keys() -> [&'static [Key]; 2] {
    [TOOL_KEYS, API_KEYS]
}

impl Key {
    fn of(setting: &'static Setting) -> Self {
        Self {
            key: setting.key,
            kind: Kind::of(&setting.kind),
            required: setting.required,
            default: setting_default(&setting.kind)
                .map_or(Default::None, |toml| Default::Toml(toml.into())),
            meaning: setting.meaning,
            example: "",
        }
    }
}

/// The default of a connector's setting, as TOML.
pub(super) fn setting_default(kind: &SettingKind) -> Option<String> {
    let text = |text: &str| toml::Value::from(text).to_string();
    match *kind {
        SettingKind::Text { default } | SettingKind::Words { default, .. } => default.map(text),
        SettingKind::Integer { default, .. } => default.map(|number| number.to_string()),
        SettingKind::Boolean { default } => default.map(|value| value.to_string()),
        SettingKind::Duration { default_seconds } => {
            default_seconds.map(|seconds| text(&print_duration(Duration::from_secs(seconds))))
        }
        SettingKind::List { default, .. } => Some(toml::Value::from(default.to_vec()).to_string()),
        SettingKind::Secret | SettingKind::Secrets => None,
    }
}
