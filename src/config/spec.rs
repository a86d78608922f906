//! What a connector says of itself, as data: checked here, printed by `secpull connectors`, written into the docs.

use std::time::Duration;

use url::Url;

use super::kind::{EndpointOfRegion, Kind, TEN_YEARS};
use super::scalars::print_duration;
use super::{Secret, Settings};

/// A connector's description.
#[derive(Debug)]
pub struct ConnectorSpec {
    /// Its name in TOML.
    pub name: &'static str,
    /// The vendor's product, as people call it, with versions.
    pub title: &'static str,
    /// Which way findings go.
    pub direction: Direction,
    /// Where `location` points to, for people.
    pub location_meaning: &'static str,
    /// `location` where it is left out; none means that it must be given.
    pub default_location: Option<&'static str>,
    /// For services that have a public endpoint in each region: the URL of a region's, none if the name is no region's.
    /// `location` may then be such a name, and may be left out where the connector's setting `region` is one.
    pub endpoint_of_region: Option<EndpointOfRegion>,
    /// Whether the tool's `secret` must be given.
    pub secret: Need,
    /// What the secret is, for people.
    pub secret_meaning: &'static str,
    /// Permissions to grant, least privilege, one a line.
    pub permissions: &'static [&'static str],
    /// What one record is, for people.
    pub record_meaning: &'static str,
    /// Form of `source_id`, for people.
    pub source_id_form: &'static str,
    /// Settings in `[tools.NAME]` beside the common ones.
    pub tool_settings: &'static [Setting],
    /// Settings in `[api_configurations.NAME]` beside the common ones.
    pub api_settings: &'static [Setting],
    /// Default of `resolve_after`.
    pub resolve_after: u32,
    /// The key by which these settings of an API configuration read several branches, if they do; a `branch` label beside
    /// it is an error.
    pub reads_several_branches: fn(&Settings) -> Option<&'static str>,
    /// What else can be wrong with the settings (tool's, API configuration's): pairs of key and message. The key may be
    /// missing in the table, then the table itself is shown as the place.
    pub validate_api: fn(tool: &Settings, api: &Settings) -> Vec<(&'static str, String)>,
    /// The same for a tool alone.
    pub validate_tool: fn(tool: &ToolDraft<'_>) -> Vec<(&'static str, String)>,
}

/// Which way findings go between secpull and a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// They are read from it.
    Source,
    /// They are forwarded to it.
    Destination,
    /// Both.
    Both,
}

impl Direction {
    /// Whether an API configuration may name such a tool.
    #[must_use]
    pub fn gives(self) -> bool {
        matches!(self, Self::Source | Self::Both)
    }

    /// Whether a forward may name such a tool.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::Destination | Self::Both)
    }
}

/// A tool as far as it was read, for what a connector alone can judge.
#[derive(Debug, Clone, Copy)]
pub struct ToolDraft<'a> {
    /// None if it has a problem of its own, which is told already.
    pub location: Option<&'a Url>,
    /// The tool's `secret`, where it is given.
    pub secret: Option<&'a Secret>,
    /// The connector's own settings.
    pub settings: &'a Settings,
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It must not.
    Refused,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// What values it takes.
    pub kind: SettingKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, with unit and default, in one sentence or two.
    pub meaning: &'static str,
}

impl Setting {
    /// What is allowed, in the words of the messages about mistakes.
    #[must_use]
    pub fn allowed(&self) -> String {
        Kind::of(&self.kind).allowed()
    }

    /// The default as TOML, if there is one.
    #[must_use]
    pub fn default_toml(&self) -> Option<String> {
        let text = |text: &str| toml::Value::from(text).to_string();
        match self.kind {
            SettingKind::Text { default } | SettingKind::Words { default, .. } => default.map(text),
            SettingKind::Integer { default, .. } => default.map(|number| number.to_string()),
            SettingKind::Boolean { default } => default.map(|value| value.to_string()),
            SettingKind::Duration { default_seconds } => {
                default_seconds.map(|seconds| text(&print_duration(Duration::from_secs(seconds))))
            }
            SettingKind::List { default, .. } => {
                Some(toml::Value::from(default.to_vec()).to_string())
            }
            SettingKind::Lists | SettingKind::Secret | SettingKind::Secrets => None,
        }
    }
}

/// What values a setting takes, with the default where there is one.
#[derive(Debug)]
pub enum SettingKind {
    /// Any text.
    Text {
        /// Default.
        default: Option<&'static str>,
    },
    /// One of these words.
    Words {
        /// The words.
        allowed: &'static [&'static str],
        /// Default, one of the words.
        default: Option<&'static str>,
    },
    /// A whole number.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// Default.
        default: Option<i64>,
    },
    /// True or false.
    Boolean {
        /// Default.
        default: Option<bool>,
    },
    /// `"90s"`, `"12h"`.
    Duration {
        /// Default, in seconds.
        default_seconds: Option<u64>,
    },
    /// A list of texts, or of words if any are given.
    List {
        /// Allowed words; empty means any text.
        allowed: &'static [&'static str],
        /// Default.
        default: &'static [&'static str],
    },
    /// A table of names, each with a list of texts that is not empty.
    Lists,
    /// A secret like the tool's own.
    Secret,
    /// A table of names and secrets (or plain strings): HTTP headers.
    Secrets,
}

impl Kind {
    /// The kind of a connector's setting.
    pub(super) fn of(setting: &SettingKind) -> Self {
        match *setting {
            SettingKind::Text { .. } => Self::AnyText,
            SettingKind::Words { allowed, .. } => Self::Words(allowed),
            SettingKind::Integer { min, max, .. } => Self::Integer { min, max },
            SettingKind::Boolean { .. } => Self::Boolean,
            SettingKind::Duration { .. } => Self::Duration {
                min: Duration::ZERO,
                max: TEN_YEARS,
            },
            SettingKind::List { allowed, .. } => Self::List(allowed),
            SettingKind::Lists => Self::Lists,
            SettingKind::Secret => Self::Secret,
            SettingKind::Secrets => Self::Secrets,
        }
    }
}
