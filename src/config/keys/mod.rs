//! Every key that is not a connector's own, as data: read by, explained from, and documented out of this one table.

mod api_configuration;
mod forward;
mod general;
mod notification;
mod tool;
mod trust;

use std::borrow::Cow;

use api_configuration::API_KEYS;
use forward::FORWARD_KEYS;
pub(super) use general::LEASE;
use general::{CONTROL_KEYS, GENERAL_SCHEDULE_KEYS, IMPORT_KEYS, STORE_KEYS};
use notification::NOTIFICATION_KEYS;
pub(super) use notification::{KINDS as NOTIFICATION_KINDS, kinds_of, notification_keys};
use tool::TOOL_KEYS;

use super::kind::{Default, Key, Kind};
use super::{ConnectorSpec, Setting};

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
pub(super) const FORWARDS: &str = "forwards";
pub(super) const NOTIFICATIONS: &str = "notifications";

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
    Section {
        key: FORWARDS,
        form: Form::Named,
        keys: FORWARD_KEYS,
        meaning: "One table for each place to which findings are sent on when an import has changed them: see \
                  docs/forwarding.md.",
    },
    Section {
        key: NOTIFICATIONS,
        form: Form::Named,
        keys: NOTIFICATION_KEYS,
        meaning: "One table for each receiver of news: what is told, to whom, by which way. See docs/notifications.md.",
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
            default: setting
                .default_toml()
                .map_or(Default::None, |toml| Default::Toml(toml.into())),
            meaning: setting.meaning,
            example: "",
        }
    }
}

impl ConnectorSpec {
    /// Settings that have the key of a setting that every connector has, or a key twice; the common one would hide them.
    /// Empty in a sound description.
    #[must_use]
    pub fn key_clashes(&self) -> Vec<&'static str> {
        let [tool, api] = common_keys();
        let clashes = |common: &'static [Key], own: &'static [Setting]| {
            own.iter().enumerate().filter_map(move |(index, setting)| {
                let is_common = common.iter().any(|key| key.key == setting.key);
                let is_twice = own[..index].iter().any(|other| other.key == setting.key);
                (is_common || is_twice).then_some(setting.key)
            })
        };
        clashes(tool, self.tool_settings)
            .chain(clashes(api, self.api_settings))
            .collect()
    }
}
