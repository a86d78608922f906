//! Receivers of e-mail.

use std::time::Duration;

use lettre::message::Mailbox;
use url::Url;

use crate::config::field::Fields;
use crate::config::key_path::KeyPath;
use crate::config::problem::Problem;
use crate::config::read::Reader;
use crate::config::scalars::is_loopback;
use crate::config::wrong::quoted;
use crate::config::{Mail, MailTls, ProxySetting, Secret, trust};

const SERVER: &str = "smtp:// or smtps:// with host and port, or host and port alone, such as \"mail.example.com:587\"";
const ADDRESS: &str =
    "an address such as \"security@example.com\" or \"secpull <secpull@example.com>\"";

/// The keys that mean nothing without TLS.
const FOR_TLS: &[&str] = &[
    "ca_bundle",
    "ca_bundle_only",
    "verify_tls",
    "client_certificate",
    "client_key",
];

pub(super) fn read(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Option<Mail> {
    let trust = trust::read(reader, path, fields);
    refuse_proxy(reader, path, fields);
    let server = fields.take::<String>("smtp");
    let server = server.and_then(|given| match server_of(&given) {
        Ok(server) => Some(server),
        Err(what) => {
            reader.wrong(&path.child("smtp"), format!("{what}; allowed: {SERVER}"));
            None
        }
    });
    let asked = fields.take::<String>("tls");
    let tls = server
        .as_ref()
        .and_then(|server| protection(reader, path, server, asked.as_deref()));
    let allow_plaintext = fields.take("allow_plaintext_smtp").unwrap_or_default();
    if let (Some(server), Some(MailTls::None)) = (&server, tls) {
        check_plaintext(reader, path, fields, server, allow_plaintext);
    }
    let login = login(reader, path, fields);
    let from = fields.take::<String>("from_address");
    let from = from.and_then(|given| {
        let address = address(&given);
        if address.is_none() {
            let what = format!("{} is no address; allowed: {ADDRESS}", quoted(&given));
            reader.wrong(&path.child("from_address"), what);
        }
        address
    });
    let to = receivers(reader, &path.child("to"), fields);
    let timeout: Option<Duration> = fields.take("timeout");
    let (server, tls) = (server?, tls?);
    Some(Mail {
        port: server.port.unwrap_or(match tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        }),
        host: server.host,
        tls,
        trust,
        login,
        from: from?,
        to: to?,
        timeout: timeout?,
    })
}

/// A server as it is written down.
struct Server {
    host: String,
    port: Option<u16>,
    /// `smtps://`.
    is_wrapped: bool,
    is_loopback: bool,
}

/// The text is not repeated where it may hold a password.
fn server_of(given: &str) -> Result<Server, String> {
    let text = if given.contains("://") {
        given.to_owned()
    } else {
        format!("smtp://{given}")
    };
    let url = Url::parse(&text).map_err(|error| format!("is not a server ({error})"))?;
    if !matches!(url.scheme(), "smtp" | "smtps") {
        return Err("is neither an smtp:// nor an smtps:// URL".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password, for which there are user and secret".into());
    }
    let rest = [url.path(), url.query().unwrap_or_default()];
    if rest.iter().any(|part| !matches!(*part, "" | "/")) || url.fragment().is_some() {
        return Err("holds more than host and port".into());
    }
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err("names no host".into());
    };
    // The host of a scheme that is not the web's is left as it stands; an http URL reads it as a name or an address.
    let web = Url::parse(&format!("http://{host}/"))
        .map_err(|error| format!("is not a server ({error})"))?;
    let host = web.host_str().unwrap_or(host);
    Ok(Server {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port(),
        is_wrapped: url.scheme() == "smtps",
        is_loopback: is_loopback(&web),
    })
}

fn protection(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    server: &Server,
    asked: Option<&str>,
) -> Option<MailTls> {
    match (asked, server.is_wrapped) {
        (None | Some("tls"), true) | (Some("tls"), false) => Some(MailTls::Implicit),
        (None | Some("starttls"), false) => Some(MailTls::StartTls),
        (Some("none"), false) => Some(MailTls::None),
        (Some(_), _) => {
            reader.wrong(
                &path.child("tls"),
                "stands beside smtps://, which is TLS from the start; allowed: \"tls\", or smtp://"
                    .into(),
            );
            None
        }
    }
}

fn check_plaintext(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &Fields,
    server: &Server,
    allow_plaintext: bool,
) {
    for key in FOR_TLS.iter().filter(|key| fields.given(key)) {
        reader.wrong_key(
            &path.child(key),
            "is for TLS, which tls = \"none\" switches off; allowed: one of the two".into(),
        );
    }
    if server.is_loopback {
        return;
    }
    let at = path.child("tls");
    if allow_plaintext {
        reader.warnings.push(format!(
            "{}: {path}: messages travel without TLS, where anyone on the way can read them",
            reader.sources.key_place(&at)
        ));
    } else {
        reader.wrong(
            &at,
            "no TLS would show messages to anyone on the way; allowed: \"starttls\", \"tls\", \"none\" to this machine, or allow_plaintext_smtp = true"
                .into(),
        );
    }
}

fn refuse_proxy(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) {
    if let Some(ProxySetting::Through(_)) = fields.take("proxy") {
        reader.wrong(
            &path.child("proxy"),
            "e-mail goes to its server directly: the library that speaks SMTP knows no proxies; allowed: leave it out, or a mail server that is reachable from here"
                .into(),
        );
    }
}

fn login(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Option<(String, Secret)> {
    for (there, lacking) in [("user", "secret"), ("secret", "user")] {
        if fields.given(there) && !fields.given(lacking) {
            reader.missing(
                &path.child(there),
                format!("stands without {lacking}; allowed: both or neither"),
            );
        }
    }
    Some((fields.take("user")?, fields.take("secret")?))
}

fn receivers(reader: &mut Reader<'_>, path: &KeyPath, fields: &mut Fields) -> Option<Vec<Mailbox>> {
    let given: Vec<String> = fields.take("to")?;
    if given.is_empty() {
        reader.wrong(
            path,
            format!("is empty, so nobody would be told; allowed: a list of {ADDRESS}"),
        );
        return None;
    }
    let mut receivers = Vec::new();
    for (index, text) in given.iter().enumerate() {
        match address(text) {
            Some(address) => receivers.push(address),
            None => reader.add(Problem {
                place: reader.sources.item_place(path, index),
                key: path.to_string(),
                message: format!("{} is no address; allowed: {ADDRESS}", quoted(text)),
            }),
        }
    }
    (receivers.len() == given.len()).then_some(receivers)
}

/// A line break in a name would begin another header.
fn address(text: &str) -> Option<Mailbox> {
    let is_one_line = !text.chars().any(char::is_control);
    text.trim().parse().ok().filter(|_| is_one_line)
}
