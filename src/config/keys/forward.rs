//! The keys of `[forwards.NAME]`.

use super::{key, required, toml};
use crate::config::kind::{Key, Kind};

/// DefectDojo's words for severities.
const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "info"];

pub(super) const FORWARD_KEYS: &[Key] = &[
    required(
        "tool",
        Kind::Text,
        "\"dojo\"",
        "Name of the tool that receives: `dojo` for `[tools.dojo]`. Its connector must be one that can.",
    ),
    key(
        "from",
        Kind::Patterns,
        toml("[\"*\"]"),
        "[\"shop-*\"]",
        "Whose findings are forwarded: names of API configurations. What was read from the receiving tool itself is never sent back.",
    ),
    key(
        "product_type",
        Kind::Text,
        toml("\"secpull\""),
        "\"Web\"",
        "Product type of products that are not there yet. One that is there keeps its own.",
    ),
    key(
        "product",
        Kind::Template,
        toml("\"{product}\""),
        "\"{product}\"",
        "Product into which findings go.",
    ),
    key(
        "engagement",
        Kind::Template,
        toml("\"secpull\""),
        "\"secpull {branch}\"",
        "Engagement of that product.",
    ),
    key(
        "test_title",
        Kind::Template,
        toml("\"{api_configuration}\""),
        "\"{api_configuration}\"",
        "Title of the test. There is one for each API configuration, product, branch and service: whatever of these no \
         template names is added to the title.",
    ),
    key(
        "close_old",
        Kind::Words(&["never", "complete_only"]),
        toml("\"never\""),
        "\"complete_only\"",
        "Whether findings that are resolved here are closed there: never, or when the newest import has read everything to its \
         proper end.",
    ),
    key(
        "minimum_severity",
        Kind::AnyCase(SEVERITIES),
        toml("\"info\""),
        "\"medium\"",
        "Findings below it are not sent; an unknown severity counts as info. One that was sent stays, also when it sinks below.",
    ),
    key(
        "test_type",
        Kind::AnyText,
        toml("\"\""),
        "\"secpull\"",
        "Name of a test type of its own, for instances that deduplicate it by rules of its own. It cannot change once there are \
         tests. Empty: the common one.",
    ),
    key(
        "tags",
        Kind::List(&[]),
        toml("[\"secpull\"]"),
        "[\"secpull\", \"nightly\"]",
        "Tags of the tests. By the first one a connector that reads from the same instance can leave them out.",
    ),
    key(
        "request_timeout_seconds",
        Kind::Integer {
            min: 1,
            max: 86_400,
        },
        toml("1800"),
        "3600",
        "How long one upload may take. After a break nothing is sent again before this time is over, since the receiver may \
         still be at work.",
    ),
];
