//! The keys of `[api_configurations.NAME]`.

use super::general::{HOUR, INTERVAL, MINUTE_OF_HOUR, RUN_LIMIT};
use super::{AUTOMATIC_IMPORT, key, required, toml};
use crate::config::kind::{Default, Key, Kind};

pub(super) const API_KEYS: &[Key] = &[
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
