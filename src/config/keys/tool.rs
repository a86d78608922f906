//! The keys of `[tools.NAME]`.

use super::general::{DAY, SECOND};
use super::trust::{CA_BUNDLE, CA_BUNDLE_ONLY, CLIENT_CERTIFICATE, CLIENT_KEY, PROXY, VERIFY_TLS};
use super::{key, required, toml};
use crate::config::kind::{Default, Key, Kind};

pub(super) const TOOL_KEYS: &[Key] = &[
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
    CA_BUNDLE,
    CA_BUNDLE_ONLY,
    VERIFY_TLS,
    CLIENT_CERTIFICATE,
    CLIENT_KEY,
    PROXY,
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
