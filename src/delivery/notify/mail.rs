//! E-mail, handed to the server that the admin names.

use std::error::Error;
use std::io;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Identity, Tls, TlsParameters,
};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use super::failure::Failure;
use crate::config::{Mail, MailTls, Secret};
use crate::notice::{Notice, Templates, email_message};
use crate::tls::{Authorities, Vocabulary, client_config, in_words};

const VOCABULARY: Vocabulary = Vocabulary {
    who: "the server",
    bundle: "ca_bundle",
    address: "`smtp`",
    identity: ["client_certificate", "client_key"],
};

/// Sends one mail to all receivers.
pub(super) async fn send(
    mail: &Mail,
    notice: &Notice,
    templates: &Templates,
) -> Result<(), Failure> {
    let message = message(mail, notice, templates).map_err(|what| Failure {
        problem: format!("the mail cannot be written: {what}"),
        after: None,
        is_of_message: true,
    })?;
    if mail.tls != MailTls::None {
        // The library that sends passes over authorities that cannot be read.
        client_config(&mail.trust, Authorities::Systems)
            .map_err(|error| Failure::of_receiver(format!("{}: {error}", server(mail))))?;
    }
    let transport = transport(mail).map_err(|error| unsent(mail, &error))?;
    match timeout(mail.timeout, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(unsent(mail, &error)),
        Err(_) => {
            let limit = humantime::format_duration(mail.timeout);
            Err(Failure::of_receiver(format!(
                "{}: it did not take the mail within {limit}; it hangs, or needs a longer `timeout`",
                server(mail)
            )))
        }
    }
}

fn message(
    mail: &Mail,
    notice: &Notice,
    templates: &Templates,
) -> Result<Message, lettre::error::Error> {
    let (subject, body) = email_message(notice, templates);
    // The same over all attempts, so that a mail that came twice can be known as one.
    let id = format!("<{}@{}>", notice.id, mail.from.email.domain());
    let mut builder = Message::builder()
        .from(mail.from.clone())
        .subject(subject)
        .message_id(Some(id))
        .date(SystemTime::from(notice.at))
        // RFC 3834: whoever is away does not answer.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN);
    for receiver in &mail.to {
        builder = builder.to(receiver.clone());
    }
    builder.body(body)
}

fn transport(
    mail: &Mail,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let protection = match mail.tls {
        MailTls::None => Tls::None,
        MailTls::StartTls => Tls::Required(trust(mail)?),
        MailTls::Implicit => Tls::Wrapper(trust(mail)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
        .port(mail.port)
        .tls(protection)
        .timeout(Some(mail.timeout));
    if let Some((user, password)) = &mail.login {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

fn trust(mail: &Mail) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let trust = &mail.trust;
    let mut builder = TlsParameters::builder(mail.host.clone());
    if trust.accept_invalid {
        tracing::warn!(
            "{}: verify_tls = false: whoever answers as the server is believed",
            server(mail)
        );
        builder = builder
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true);
    }
    if trust.ca_bundle_only {
        builder = builder.certificate_store(CertificateStore::None);
    }
    if let Some(pem) = &trust.ca_bundle {
        builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
    }
    if let Some(pem) = &trust.client_identity {
        // Each of the two readers takes its own part.
        builder = builder.identify_with(Identity::from_pem(pem, pem)?);
    }
    builder.build()
}

fn server(mail: &Mail) -> String {
    format!("mail server {}:{}", mail.host, mail.port)
}

fn unsent(mail: &Mail, error: &lettre::transport::smtp::Error) -> Failure {
    let words = match tls_error(error) {
        Some(error) => in_words(error, &VOCABULARY),
        None => own_words(error),
    };
    let words = redacted(mail.login.as_ref(), &words);
    Failure {
        problem: format!("{}: {words}", server(mail)),
        after: None,
        is_of_message: error.is_permanent() && !is_about_login(error),
    }
}

/// What went wrong with TLS, if it was that. An I/O error's source is not what it holds, but that one's.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Replies to a login (RFC 4954, 6), and to one that is wanted.
fn is_about_login(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(|code| code.to_string());
    matches!(code.as_deref(), Some("530" | "534" | "535" | "538"))
}

/// The innermost words, which are the telling ones, with the code before them; one line.
fn own_words(error: &lettre::transport::smtp::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let words = match (error.status(), innermost.to_string()) {
        (Some(code), words) => format!("it answered {code} {words:?}"),
        (None, words) if error.is_client() && words.contains("STARTTLS") => {
            "it offers no STARTTLS, without which nothing is sent; if it speaks TLS from the start, tls = \"tls\"".into()
        }
        (None, words) => words,
    };
    let words: String = words
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    words.chars().take(LONGEST_WORDS).collect()
}

const LONGEST_WORDS: usize = 300;

/// The words without what a server may echo: the password, plain and as a login sends it.
fn redacted(login: Option<&(String, Secret)>, words: &str) -> String {
    let Some((user, password)) = login else {
        return words.to_owned();
    };
    let password = password.expose();
    let forms = [
        password.to_owned(),
        STANDARD.encode(password),
        STANDARD.encode(format!("\0{user}\0{password}")),
    ];
    forms.iter().fold(words.to_owned(), |words, form| {
        words.replace(form.as_str(), "***")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_echoes_of_a_login_is_not_told() {
        let login = ("me".to_owned(), Secret::new("pass word"));
        let words = "535 failed: cGFzcyB3b3Jk, AG1lAHBhc3Mgd29yZA==, pass word";
        assert_eq!(redacted(Some(&login), words), "535 failed: ***, ***, ***");
    }
}
