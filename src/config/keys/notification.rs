//! The keys of `[notifications.NAME]`.

use std::time::Duration;

use super::general::{DAY, SECOND};
use super::trust::{CA_BUNDLE, CA_BUNDLE_ONLY, CLIENT_CERTIFICATE, CLIENT_KEY, PROXY, VERIFY_TLS};
use super::{key, required, toml};
use crate::config::kind::{Default, Key, Kind};
use crate::notice::Event;

/// The kinds of receivers.
pub(in crate::config) const KINDS: &[&str] = &["webhook", "slack", "teams", "email"];

const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "info", "unknown"];

pub(super) const NOTIFICATION_KEYS: &[Key] = &[
    required(
        "kind",
        Kind::Words(KINDS),
        "\"slack\"",
        "Who is told: any program that takes a webhook, a channel of Slack or of Microsoft Teams, or people by e-mail.",
    ),
    key(
        "from",
        Kind::Patterns,
        toml("[\"*\"]"),
        "[\"shop-*\"]",
        "Of which API configurations, by name.",
    ),
    key(
        "events",
        Kind::List(Event::WORDS),
        Default::Words("all of them"),
        "[\"new_findings\", \"import_failed\"]",
        "What is told. That an import is complete again is told to whom its trouble was told.",
    ),
    key(
        "severity",
        Kind::Words(SEVERITIES),
        toml("\"high\""),
        "\"critical\"",
        "New findings at or above this severity are told; `unknown` counts as the lowest.",
    ),
    key(
        "not_imported_for",
        Kind::Duration {
            min: Duration::from_secs(3600),
            max: Duration::from_secs(366 * 86_400),
        },
        Default::Words(
            "26h, or the longest time between two of its slots and 2 hours, if that is more",
        ),
        "\"26h\"",
        "After how long without a complete import an API configuration counts as not imported. Where automatic import is \
         off, it never does.",
    ),
    key(
        "template",
        Kind::Table(TEMPLATE_KEYS),
        Default::Words("the words of docs/notifications.md"),
        "{ subject = \"{{ title }}\" }",
        "Words of one's own.",
    ),
    key(
        "url",
        Kind::Endpoint,
        Default::Words("must be given for `webhook`, `slack` and `teams`"),
        "{ credential = \"slack-url\" }",
        "`webhook`, `slack`, `teams`: where to send to. Slack's and Teams' URLs are secrets, and so is one with a query: \
         given as text they bind the file's mode like other secrets.",
    ),
    key(
        "secret",
        Kind::Secret,
        Default::None,
        "{ credential = \"webhook-key\" }",
        "`webhook`: the key by which requests are signed. `email`: the password of `user`.",
    ),
    key(
        "headers",
        Kind::Secrets,
        Default::None,
        "{ Authorization = { credential = \"hook-token\" } }",
        "`webhook`: headers that go with each request.",
    ),
    key(
        "allow_plaintext_http",
        Kind::Boolean,
        toml("false"),
        "true",
        "`webhook`, `slack`, `teams`: lets messages travel over plain http to another machine, where anyone on the way can \
         read them.",
    ),
    key(
        "smtp",
        Kind::Text,
        Default::Words("must be given for `email`"),
        "\"smtp://mail.example.com:587\"",
        "`email`: the server, `smtp://` or `smtps://` (TLS from the start) with host and port, or host and port alone. Ports \
         where none is given: 587, with `tls = \"tls\"` 465, with `tls = \"none\"` 25.",
    ),
    key(
        "tls",
        Kind::Words(&["starttls", "tls", "none"]),
        Default::Words("\"starttls\"; \"tls\" for `smtps://`"),
        "\"tls\"",
        "`email`: how the way to the server is protected. A server that offers no STARTTLS gets nothing. `none` is for a \
         server on this machine.",
    ),
    key(
        "allow_plaintext_smtp",
        Kind::Boolean,
        toml("false"),
        "true",
        "`email`: lets messages, and the password, travel without TLS to another machine, where anyone on the way can read \
         them.",
    ),
    key(
        "user",
        Kind::Text,
        Default::Words("without a login"),
        "\"secpull\"",
        "`email`: user name at the server; goes with `secret`.",
    ),
    key(
        "from_address",
        Kind::Text,
        Default::Words("must be given for `email`"),
        "\"secpull <secpull@example.com>\"",
        "`email`: the sender.",
    ),
    key(
        "to",
        Kind::List(&[]),
        Default::Words("must be given for `email`"),
        "[\"security@example.com\"]",
        "`email`: the receivers.",
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
        toml("\"30s\""),
        "\"10s\"",
        "Limit for one attempt to deliver a message.",
    ),
];

const TEMPLATE_KEYS: &[Key] = &[
    key(
        "subject",
        Kind::Text,
        Default::Words("a title of one line"),
        "\"{{ title }}\"",
        "Template of the title; for e-mail, of the subject.",
    ),
    key(
        "body",
        Kind::Text,
        Default::Words("the facts, and a line for each new finding"),
        "\"{{ text }}\"",
        "Template of what follows; for `webhook`, of the whole JSON.",
    ),
    key(
        "body_file",
        Kind::AbsolutePath,
        Default::None,
        "\"/etc/secpull/slack.j2\"",
        "A file with that template.",
    ),
];

/// Keys that are for one sort of receivers alone.
const OF_HOOKS: &[&str] = &["url", "allow_plaintext_http"];
const OF_WEBHOOK: &[&str] = &["headers"];
const OF_EMAIL: &[&str] = &[
    "smtp",
    "tls",
    "allow_plaintext_smtp",
    "user",
    "from_address",
    "to",
];

/// Keys that must be given for the receivers that take them.
const NEEDED: &[&str] = &["url", "smtp", "from_address", "to"];

/// For which kinds a key is.
pub(in crate::config) fn kinds_of(key: &str) -> &'static [&'static str] {
    match key {
        "secret" => &["webhook", "email"],
        _ if OF_HOOKS.contains(&key) => &["webhook", "slack", "teams"],
        _ if OF_WEBHOOK.contains(&key) => &["webhook"],
        _ if OF_EMAIL.contains(&key) => &["email"],
        _ => KINDS,
    }
}

/// The keys of a notification of this kind; of any kind where it is not known.
pub(in crate::config) fn notification_keys(kind: Option<&str>) -> Vec<Key> {
    let mut keys = NOTIFICATION_KEYS.to_vec();
    let Some(kind) = kind else {
        return keys;
    };
    keys.retain(|key| kinds_of(key.key).contains(&kind));
    for key in &mut keys {
        key.required |= NEEDED.contains(&key.key);
    }
    keys
}
