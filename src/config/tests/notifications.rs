//! Who is told of what, and every mistake in saying so.

use std::time::Duration;

use super::{Room, TOOL};
use crate::config::{ApiConfiguration, MailTls, Notification, Receiver, ScheduleSetting};
use crate::finding::Severity;
use crate::notice::Event;

const URL: &str = "https://hooks.slack.com/services/T0/B0/canary-token-of-slack";

/// With an API configuration that everything may be about.
fn room(notification: &str) -> Room {
    let text = format!(
        "[notifications.n]\n{notification}\n{TOOL}[api_configurations.shop]\ntool = 'scan'\n"
    );
    let room = Room::with(&text).variable("SLACK_URL", URL);
    room.variable("TEAMS_URL", "https://x.webhook.office.com/webhookb2/1")
}

fn read(notification: &str) -> (Notification, Vec<String>) {
    let loaded = room(notification).load().unwrap();
    let read = loaded.config.notifications["n"].as_ref().clone();
    (read, loaded.warnings)
}

#[test]
fn a_notification_is_about_everything_unless_it_says_otherwise() {
    let (slack, warnings) = read("kind = 'slack'\nurl = { env = 'SLACK_URL' }");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(slack.from.is_match("shop"));
    assert_eq!(slack.events.len(), Event::WORDS.len());
    assert_eq!(slack.severity, Severity::High);
    assert_eq!(slack.not_imported_for, None);
    let Receiver::Slack(hook) = &slack.receiver else {
        panic!("{slack:?}");
    };
    assert_eq!(hook.url.expose(), URL);
    assert_eq!(hook.host.location.as_str(), "https://hooks.slack.com/");
    assert_eq!(hook.host.timeout, Duration::from_secs(30));
    assert!(!format!("{slack:?}").contains("canary"), "{slack:?}");
}

#[test]
fn a_webhook_has_a_key_and_headers() {
    let (webhook, _) = read(
        "kind = 'webhook'\nurl = 'http://127.0.0.1:9/hook'\nsecret = { env = 'SCAN_KEY' }\nevents = ['import_failed']\n\
         severity = 'critical'\nfrom = ['sh*']\nheaders = { Authorization = { env = 'SCAN_KEY' } }\nproxy = 'none'\nnot_imported_for = '3d'",
    );
    let Receiver::Webhook { key, headers, .. } = &webhook.receiver else {
        panic!("{webhook:?}");
    };
    assert_eq!(key.as_ref().unwrap().expose(), "s3cret-scan");
    assert_eq!(headers[0].0, "Authorization");
    assert!(webhook.events.contains(&Event::ImportFailed) && webhook.events.len() == 1);
    assert_eq!(webhook.severity, Severity::Critical);
    assert_eq!(
        webhook.not_imported_for,
        Some(Duration::from_secs(3 * 86_400))
    );
}

#[test]
fn a_mail_server_is_told_with_its_protection() {
    let mail = |keys: &str| {
        let (mail, _) = read(&format!(
            "kind = 'email'\nfrom_address = 'secpull <secpull@example.com>'\nto = ['a@example.com', 'b@example.com']\n{keys}"
        ));
        match mail.receiver {
            Receiver::Email(mail) => mail,
            other => panic!("{other:?}"),
        }
    };
    for (keys, host, port, tls) in [
        (
            "smtp = 'mail.example.com'",
            "mail.example.com",
            587,
            MailTls::StartTls,
        ),
        (
            "smtp = 'mail.example.com:25'",
            "mail.example.com",
            25,
            MailTls::StartTls,
        ),
        (
            "smtp = 'smtps://mail.example.com'",
            "mail.example.com",
            465,
            MailTls::Implicit,
        ),
        (
            "smtp = 'smtp://[::1]:2525'\ntls = 'tls'",
            "::1",
            2525,
            MailTls::Implicit,
        ),
        (
            "smtp = 'localhost'\ntls = 'none'",
            "localhost",
            25,
            MailTls::None,
        ),
    ] {
        let mail = mail(keys);
        assert_eq!(
            (mail.host.as_str(), mail.port, mail.tls),
            (host, port, tls),
            "{keys}"
        );
        assert_eq!(mail.to.len(), 2);
        assert!(mail.login.is_none());
    }
    let mail = mail("smtp = 'mail.example.com'\nuser = 'me'\nsecret = { env = 'SCAN_KEY' }");
    assert_eq!(mail.login.unwrap().1.expose(), "s3cret-scan");
}

#[test]
fn an_api_configuration_may_be_absent_for_as_long_as_its_schedule_makes_it() {
    let (told, _) = read("kind = 'webhook'\nurl = 'https://x/'");
    let loaded = room("kind = 'webhook'\nurl = 'https://x/'").load().unwrap();
    let api = &loaded.config.api_configurations["shop"];
    let hours = |schedule| {
        let api = ApiConfiguration {
            schedule,
            ..api.as_ref().clone()
        };
        told.patience_with(&api).as_secs() / 3600
    };
    assert_eq!(hours(ScheduleSetting::Daily { hour: 2, minute: 0 }), 26);
    assert_eq!(hours(ScheduleSetting::Every(Duration::from_secs(3600))), 26);
    assert_eq!(
        hours(ScheduleSetting::Every(Duration::from_secs(48 * 3600))),
        50
    );
    assert_eq!(hours(ScheduleSetting::Cron("0 4 * * 1".into())), 7 * 24 + 2);
    assert_eq!(
        hours(ScheduleSetting::Cron("0 4 1 * *".into())),
        31 * 24 + 2
    );
}

/// What stands in the table, and how the line begins that tells of it: the words about a template are its library's.
const MISTAKES: &[(&str, &str)] = &[
    (
        "url = 'https://x/'",
        "1:16: notifications.n.kind: is missing; allowed: \"webhook\", \"slack\", \"teams\" or \"email\"",
    ),
    (
        "kind = 'pager'",
        "2:8: notifications.n.kind: \"pager\" is not known; allowed: \"webhook\", \"slack\", \"teams\" or \"email\"",
    ),
    (
        "kind = 'slack'",
        "1:16: notifications.n.url: is missing; allowed: text, or { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }",
    ),
    (
        "kind = 'slack'\nurl = { env = 'SLACK_URL' }\nto = ['a@b.c']",
        "4:1: notifications.n.to: unknown key; it is for kind = \"email\"; allowed: kind, from, events, severity, not_imported_for, template, url, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout",
    ),
    (
        "kind = 'slack'\nurl = { env = 'SLACK_URL' }\nevents = ['new_finding']",
        "4:11: notifications.n.events: \"new_finding\" is not known; allowed: a list of \"new_findings\", \"import_failed\", \"import_partial\", \"import_held\", \"credentials_refused\" or \"not_imported\"",
    ),
    (
        "kind = 'slack'\nurl = { env = 'SLACK_URL' }\nseverity = 'urgent'",
        "4:12: notifications.n.severity: \"urgent\" is not known; allowed: \"critical\", \"high\", \"medium\", \"low\", \"info\" or \"unknown\"",
    ),
    (
        "kind = 'slack'\nurl = { env = 'SCAN_KEY' }",
        "3:1: notifications.n.url: is not a URL (relative URL without a base); allowed: an http:// or https:// URL without user name and password",
    ),
    (
        "kind = 'webhook'\nurl = 'http://hooks.example.com/x'",
        "3:7: notifications.n.url: plain http would show messages to anyone on the way; allowed: https, http to this machine, or allow_plaintext_http = true",
    ),
    (
        "kind = 'webhook'\nurl = 'https://x/'\nheaders = { X-Secpull-Event = 'a' }",
        "4:13: notifications.n.headers.X-Secpull-Event: is a header that secpull sets itself; allowed: any other",
    ),
    (
        "kind = 'webhook'\nurl = 'https://x/'\ntemplate = { body = '{\"a\": {{ titel }}}' }",
        "4:21: notifications.n.template.body: line 1: ",
    ),
    (
        "kind = 'webhook'\nurl = 'https://x/'\ntemplate = { subject = '{{ run.id }' }",
        "4:24: notifications.n.template.subject: line 1: ",
    ),
    (
        "kind = 'webhook'\nurl = 'https://x/'\ntemplate = { body = '1', body_file = '/nowhere' }",
        "4:26: notifications.n.template.body_file: stands beside body; allowed: one of the two",
    ),
    (
        "kind = 'webhook'\nurl = 'https://x/'\ntemplate = { body_file = '/nowhere' }",
        "4:26: notifications.n.template.body_file: /nowhere cannot be read: No such file or directory (os error 2); allowed: a template in the language of Jinja over what docs/notifications.md lists",
    ),
];

#[test]
fn every_mistake_is_told_with_its_place() {
    for (text, expected) in MISTAKES {
        let problems = room(text).problems();
        let begins = problems[0].starts_with(&format!("secpull.toml:{expected}"));
        assert!(problems.len() == 1 && begins, "{text}: {problems:#?}");
    }
}

/// The same for e-mail: beside `to` and `from_address`.
const MAIL_MISTAKES: &[(&str, &str)] = &[
    (
        "smtp = 'mail.example.com'\nproxy = 'http://proxy:3128'",
        "6:9: notifications.n.proxy: e-mail goes to its server directly: the library that speaks SMTP knows no proxies; allowed: leave it out, or a mail server that is reachable from here",
    ),
    (
        "smtp = 'mail.example.com'\ntls = 'none'",
        "6:7: notifications.n.tls: no TLS would show messages to anyone on the way; allowed: \"starttls\", \"tls\", \"none\" to this machine, or allow_plaintext_smtp = true",
    ),
    (
        "smtp = 'localhost'\ntls = 'none'\nverify_tls = true",
        "7:1: notifications.n.verify_tls: is for TLS, which tls = \"none\" switches off; allowed: one of the two",
    ),
    (
        "smtp = 'smtps://mail.example.com'\ntls = 'starttls'",
        "6:7: notifications.n.tls: stands beside smtps://, which is TLS from the start; allowed: \"tls\", or smtp://",
    ),
    (
        "smtp = 'smtp://me:s3cret@mail.example.com'",
        "5:8: notifications.n.smtp: holds a user name or password, for which there are user and secret; allowed: smtp:// or smtps:// with host and port, or host and port alone, such as \"mail.example.com:587\"",
    ),
    (
        "smtp = 'mail.example.com'\nuser = 'me'",
        "6:8: notifications.n.user: stands without secret; allowed: both or neither",
    ),
    (
        "smtp = 'mail.example.com'\nurl = 'https://x/'",
        "6:1: notifications.n.url: unknown key; it is for kind = \"webhook\", \"slack\" or \"teams\"; allowed: kind, from, events, severity, not_imported_for, template, secret, smtp, tls, allow_plaintext_smtp, user, from_address, to, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout",
    ),
];

#[test]
fn every_mistake_about_e_mail_is_told_with_its_place() {
    let told = |text: &str| room(text).problems();
    for (text, expected) in MAIL_MISTAKES {
        let text = format!("kind = 'email'\nfrom_address = 'a@b.c'\nto = ['a@b.c']\n{text}");
        assert_eq!(told(&text), [format!("secpull.toml:{expected}")], "{text}");
    }
    let address = "is no address; allowed: an address such as \"security@example.com\" or \"secpull <secpull@example.com>\"";
    assert_eq!(
        told("kind = 'email'\nsmtp = 'x'\nfrom_address = 'nobody'\nto = ['a@b.c', 'a\\nBcc: c']"),
        [
            format!("secpull.toml:4:16: notifications.n.from_address: \"nobody\" {address}"),
            format!("secpull.toml:5:16: notifications.n.to: \"a\\\\nBcc: c\" {address}"),
        ]
    );
}

#[test]
fn a_url_that_is_a_secret_binds_its_file() {
    let open = |text: &str| room(text).mode("secpull.toml", 0o644).load();
    let problems = open("kind = 'slack'\nurl = 'https://hooks.slack.com/services/T0/B0/x'")
        .map(drop)
        .unwrap_err();
    assert!(
        problems.len() == 1
            && problems[0].starts_with(
                "secpull.toml:3:1: notifications.n.url: is a secret in plain text, and group or others can read the file"
            ),
        "{problems:?}"
    );
    assert!(open("kind = 'webhook'\nurl = 'https://x/hook?token=1'").is_err());
    assert!(open("kind = 'webhook'\nurl = 'https://x/hook'").is_ok());
    assert!(open("kind = 'slack'\nurl = { env = 'SLACK_URL' }").is_ok());
}

#[test]
fn what_is_hardly_meant_is_warned_about() {
    let warnings = |text: &str| {
        let room = room(text);
        let loaded = room.load().unwrap();
        room.lines(&loaded.warnings.join("\n"))
    };
    assert_eq!(
        warnings("kind = 'webhook'\nurl = 'https://x/'\nfrom = ['shop-*']"),
        [
            "secpull.toml:4:1: notifications.n: is about no API configuration, so nothing will be told"
        ]
    );
    assert_eq!(
        warnings("kind = 'webhook'\nurl = 'http://x/'\nallow_plaintext_http = true"),
        [
            "secpull.toml:3:1: notifications.n.url: messages travel over plain http, where anyone on the way can read them"
        ]
    );
    let retired = warnings("kind = 'teams'\nurl = { env = 'TEAMS_URL' }");
    assert!(
        retired.len() == 1 && retired[0].contains("which Microsoft has retired"),
        "{retired:?}"
    );
}
