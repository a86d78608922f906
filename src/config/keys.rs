//! Every key that is not a connector's own, as data: read by, explained from, and documented out of this one table.

use std::borrow::Cow;
use std::time::Duration;

use super::kind::Kind;
use super::{ConnectorSpec, Setting, SettingKind};

/// A key of a table.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// Whether it must be given.
    pub(super) required: bool,
    pub(super) default: Default,
    /// What it means, in a sentence or two, for the docs.
    pub(super) meaning: &'static str,
    /// A value as TOML, for the docs; empty for a connector's settings.
    pub(super) example: &'static str,
}

/// What holds where a key is left out.
#[derive(Debug, Clone)]
pub(super) enum Default {
    /// Nothing.
    None,
    /// This value, as TOML.
    Toml(Cow<'static, str>),
    /// What is said in words; the code that uses the key sees to it.
    Words(&'static str),
}

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

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

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

const STORE_KEYS: &[Key] = &[key(
    "url",
    Kind::Store,
    toml("\"sqlite:/var/lib/secpull/secpull.db\""),
    "\"sqlite:/var/lib/secpull/secpull.db\"",
    "The database. PostgreSQL follows in a later version.",
)];

const HOUR: Kind = Kind::Integer { min: 0, max: 23 };
const MINUTE_OF_HOUR: Kind = Kind::Integer { min: 0, max: 59 };
const INTERVAL: Kind = Kind::Duration {
    min: MINUTE,
    max: YEAR,
};

const GENERAL_SCHEDULE_KEYS: &[Key] = &[
    key(
        "enabled",
        Kind::Boolean,
        toml("true"),
        "true",
        "`false` switches the schedule off for all API configurations; `secpull run` still works.",
    ),
    key(
        "hour",
        HOUR,
        Default::Words("2"),
        "2",
        "Hour of the daily import, UTC.",
    ),
    key(
        "minute",
        MINUTE_OF_HOUR,
        Default::Words("0"),
        "30",
        "Minute of the daily import.",
    ),
    key(
        "every",
        INTERVAL,
        Default::None,
        "\"6h\"",
        "Imports every so often instead of daily, each API configuration at an offset of its own.",
    ),
    key(
        "cron",
        Kind::Cron,
        Default::None,
        "\"0 */6 * * *\"",
        "Imports at the times of a cron expression instead of daily.",
    ),
    key(
        "max_concurrent",
        Kind::Integer { min: 1, max: 256 },
        toml("4"),
        "8",
        "How many imports may run at the same time.",
    ),
    key(
        "catch_up_within",
        Kind::Duration {
            min: Duration::ZERO,
            max: WEEK,
        },
        toml("\"12h\""),
        "\"12h\"",
        "A slot that was missed while the daemon was down is run at its start if it is not older than this; \"0s\" never.",
    ),
];

const IMPORT_KEYS: &[Key] = &[
    key(
        "max_resolved_fraction",
        Kind::Number { min: 0.0, max: 1.0 },
        toml("0.5"),
        "0.3",
        "An import that would resolve more than this share of an API configuration's open findings resolves nothing and is \
         held until `secpull accept NAME`; 1 never holds.",
    ),
    key(
        "min_held",
        Kind::Integer {
            min: 0,
            max: i64::MAX,
        },
        toml("20"),
        "20",
        "Imports that would resolve fewer findings than this are never held.",
    ),
    key(
        "timeout",
        RUN_LIMIT,
        toml("\"6h\""),
        "\"2h\"",
        "How long one import may take; after that it ends as `failed` or `partial` and resolves nothing more.",
    ),
];

const RUN_LIMIT: Kind = Kind::Duration {
    min: SECOND,
    max: WEEK,
};

const CONTROL_KEYS: &[Key] = &[
    key(
        "socket",
        Kind::AbsolutePath,
        toml("\"/run/secpull/secpull.sock\""),
        "\"/run/secpull/secpull.sock\"",
        "Path of the Unix socket.",
    ),
    key(
        "group",
        Kind::Text,
        Default::Words("the daemon's own group"),
        "\"secpull\"",
        "Group whose members may read and run imports.",
    ),
    key(
        "metrics_listen",
        Kind::Address,
        Default::Words("nothing listens on TCP"),
        "\"127.0.0.1:9464\"",
        "Serves `GET /metrics` and `GET /healthz`, and nothing else, on TCP as well.",
    ),
];

const TOOL_KEYS: &[Key] = &[
    required(
        "connector",
        Kind::Text,
        "\"dependency-track\"",
        "The connector that speaks the tool's API, one of `secpull connectors`.",
    ),
    key(
        "location",
        Kind::Location(None),
        Default::Words("the connector's, if it has one; else it must be given"),
        "\"https://dependencytrack.example.com\"",
        "Base URL of the tool's API; a path in it is kept.",
    ),
    key(
        "secret",
        Kind::Secret,
        Default::None,
        "{ credential = \"dtrack\" }",
        "API key, token or password; whether it is needed, the connector says.",
    ),
    key(
        "allow_plaintext_http",
        Kind::Boolean,
        toml("false"),
        "true",
        "Lets a secret travel over plain http to another machine, where anyone on the way can read it.",
    ),
    key(
        "ca_bundle",
        Kind::AbsolutePath,
        Default::None,
        "\"/etc/ssl/company-ca.pem\"",
        "PEM file of certificate authorities to trust beside the system's.",
    ),
    key(
        "ca_bundle_only",
        Kind::Boolean,
        toml("false"),
        "true",
        "Trusts `ca_bundle` alone, not the system's authorities.",
    ),
    key(
        "verify_tls",
        Kind::Boolean,
        toml("true"),
        "false",
        "`false` accepts any certificate, also an attacker's; warned about at each run. Prefer `ca_bundle`.",
    ),
    key(
        "client_certificate",
        Kind::AbsolutePath,
        Default::None,
        "\"/etc/secpull/client.pem\"",
        "PEM file of the certificate (and its chain) by which to present oneself; goes with `client_key`.",
    ),
    key(
        "client_key",
        Kind::AbsolutePath,
        Default::None,
        "\"/etc/secpull/client.key\"",
        "PEM file of the certificate's private key, not readable by group and others.",
    ),
    key(
        "proxy",
        Kind::Proxy,
        Default::Words("as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say"),
        "\"http://proxy.example.com:3128\"",
        "The proxy to go through; \"none\" goes directly whatever the environment says. With a password in it, the file must \
         not be readable by group and others.",
    ),
    key(
        "timeout",
        Kind::Duration {
            min: SECOND,
            max: DAY,
        },
        toml("\"5m\""),
        "\"30s\"",
        "Limit for one whole request with its answer.",
    ),
    key(
        "max_requests_per_second",
        Kind::Number {
            min: 0.001,
            max: 10_000.0,
        },
        Default::Words("no limit"),
        "5",
        "Limit for the rate of requests, over all imports from this tool.",
    ),
    key(
        "max_concurrent_requests",
        Kind::Integer { min: 1, max: 64 },
        toml("4"),
        "2",
        "How many requests may be under way at the same time, over all imports from this tool.",
    ),
];

const API_KEYS: &[Key] = &[
    required(
        "tool",
        Kind::Text,
        "\"dtrack\"",
        "Name of the tool: `dtrack` for `[tools.dtrack]`.",
    ),
    key(
        "product",
        Kind::Text,
        Default::Words("every record becomes a product of its own name"),
        "\"Shop\"",
        "Product into which findings are filed.",
    ),
    key(
        "records",
        Kind::Table(RECORDS_KEYS),
        Default::Words("all records"),
        "{ include = [\"shop-*\"], exclude = [\"*-test\"] }",
        "Which of the tool's records to import, by name or id.",
    ),
    key(
        "missing_records",
        Kind::Words(&["keep", "resolve"]),
        toml("\"keep\""),
        "\"resolve\"",
        "What becomes of the findings of a record that the tool no longer lists: they stay, or are resolved.",
    ),
    key(
        "resolve_after",
        Kind::Integer { min: 1, max: 1000 },
        Default::Words("the connector's, mostly 1"),
        "2",
        "After how many complete imports in a row without it a finding is resolved.",
    ),
    key(
        "timeout",
        RUN_LIMIT,
        Default::Words("`timeout` of `[import]`"),
        "\"30m\"",
        "How long one import of this API configuration may take.",
    ),
    key(
        AUTOMATIC_IMPORT,
        Kind::Table(OWN_SCHEDULE_KEYS),
        Default::Words("the general setting, without labels"),
        "{ hour = 3, minute = 30, branch = \"main\" }",
        "When to import, where not as the general setting says, and what to put on the findings.",
    ),
];

const RECORDS_KEYS: &[Key] = &[
    key(
        "include",
        Kind::Patterns,
        Default::Words("everything"),
        "[\"shop-*\"]",
        "Only records whose name or id matches one of these.",
    ),
    key(
        "exclude",
        Kind::Patterns,
        Default::Words("nothing"),
        "[\"*-test\"]",
        "No record whose name or id matches one of these.",
    ),
];

const OWN_SCHEDULE_KEYS: &[Key] = &[
    key(
        "enabled",
        Kind::Boolean,
        toml("true"),
        "false",
        "`false` leaves this API configuration to `secpull run`.",
    ),
    key(
        "hour",
        HOUR,
        Default::Words("the general setting's; 0 beside an own `minute` if that is not daily"),
        "3",
        "Hour of the daily import, UTC.",
    ),
    key(
        "minute",
        MINUTE_OF_HOUR,
        Default::Words("the general setting's; 0 beside an own `hour` if that is not daily"),
        "30",
        "Minute of the daily import.",
    ),
    key(
        "every",
        INTERVAL,
        Default::Words("the general setting's"),
        "\"6h\"",
        "Imports every so often instead of daily.",
    ),
    key(
        "cron",
        Kind::Cron,
        Default::Words("the general setting's"),
        "\"30 4 * * 1-5\"",
        "Imports at the times of a cron expression instead of daily.",
    ),
    key(
        "branch",
        Kind::Text,
        Default::None,
        "\"main\"",
        "Branch that is put on every finding. Not beside a connector's setting that reads several branches.",
    ),
    key(
        "service",
        Kind::Text,
        Default::None,
        "\"checkout\"",
        "Service that is put on every finding.",
    ),
    key(
        "docker_image",
        Kind::Text,
        Default::None,
        "\"registry.example.com/shop:1.2\"",
        "Image that is put on findings where the connector found none.",
    ),
    key(
        "endpoint_url",
        Kind::WebAddress,
        Default::None,
        "\"https://shop.example.com\"",
        "URL that is put on findings where the connector found none.",
    ),
    key(
        "kubernetes_cluster",
        Kind::Text,
        Default::None,
        "\"prod\"",
        "Cluster that is put on every finding.",
    ),
];

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
fn setting_default(kind: &SettingKind) -> Option<String> {
    let text = |text: &str| toml::Value::from(text).to_string();
    match *kind {
        SettingKind::Text { default } | SettingKind::Words { default, .. } => default.map(text),
        SettingKind::Integer { default, .. } => default.map(|number| number.to_string()),
        SettingKind::Boolean { default } => default.map(|value| value.to_string()),
        SettingKind::Duration { default_seconds } => {
            default_seconds.map(|seconds| format!("\"{seconds}s\""))
        }
        SettingKind::List { default, .. } => Some(toml::Value::from(default.to_vec()).to_string()),
        SettingKind::Secret | SettingKind::Secrets => None,
    }
}
