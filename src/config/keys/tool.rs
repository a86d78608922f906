//! The keys of `[tools.NAME]`.

use super::general::{DAY, SECOND};
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
    key(
        "ca_bundle",
        Kind::AbsolutePath,
        Default::None,
        "\"/etc/ssl/company-ca.pem\"",
        "PEM file of certificate authorities to trust beside the system's; see [trust.md](trust.md).",
    ),
    key(
        "ca_bundle_only",
        Kind::Boolean,
        toml("false"),
        "true",
        "Trusts `ca_bundle` alone, not the system's authorities. Not beside `verify_tls = false`.",
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
        "PEM file of the certificate's private key, in plain and not readable by group and others.",
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
