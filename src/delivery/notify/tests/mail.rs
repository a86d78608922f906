//! E-mail over the wire.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use secpull_simulators::mail::{MailServer, Postbox};
use tempfile::NamedTempFile;

use super::super::failure::Failure;
use super::super::mail;
use super::{notice, notification};
use crate::config::Receiver;

const PASSWORD: &str = "canary-password-of-mail";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn bundle(&self) -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.0.pem()).unwrap();
        file
    }

    /// Certificate and key for `localhost`.
    fn identity(&self) -> (String, String) {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        (certificate, key.serialize_pem())
    }
}

async fn send(postbox: &Postbox, keys: &str) -> Result<(), Failure> {
    let notification = notification(&format!(
        "kind = 'email'\nfrom_address = 'secpull <secpull@example.com>'\n\
         to = ['security@example.com', 'Ada <ada@example.com>']\nsmtp = 'localhost:{}'\n{keys}",
        postbox.port()
    ));
    let Receiver::Email(mail) = &notification.receiver else {
        panic!("no e-mail");
    };
    mail::send(mail, &notice(), &notification.templates).await
}

#[track_caller]
fn clean(failed: Result<(), Failure>) -> Failure {
    let failure = failed.unwrap_err();
    assert!(!failure.problem.contains("canary"), "{failure:?}");
    assert!(
        failure.problem.starts_with("mail server localhost:"),
        "{failure:?}"
    );
    failure
}

#[tokio::test]
async fn a_mail_goes_over_starttls_to_a_server_of_a_private_authority() {
    let authority = Authority::new();
    let (certificate, key) = authority.identity();
    let server = MailServer::new().login("me", PASSWORD);
    let server = server.starttls(&certificate, &key).unwrap();
    let postbox = server.start_blocking().unwrap();
    let bundle = authority.bundle();
    let login = format!("user = 'me'\nsecret = '{PASSWORD}'");
    let trusted = format!("{login}\nca_bundle = '{}'", bundle.path().display());

    send(&postbox, &trusted).await.unwrap();
    let mail = postbox.mails().remove(0);
    assert!(mail.over_tls);
    assert_eq!(mail.user.as_deref(), Some("me"));
    assert_eq!(mail.from, "secpull@example.com");
    assert_eq!(mail.to, ["security@example.com", "ada@example.com"]);
    assert_eq!(
        mail.header("Subject").as_deref(),
        Some("[secpull] shop: import failed")
    );
    assert_eq!(
        mail.header("Message-ID").as_deref(),
        Some("<0123456789abcdef0123456789abcdef@example.com>")
    );
    assert_eq!(
        mail.header("Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert!(
        mail.header("Content-Type")
            .unwrap()
            .starts_with("text/plain")
    );
    let date = mail.header("Date").unwrap();
    assert!(date.starts_with("Fri, 27 Nov 2026 02:01:10"), "{date}");

    let unknown = clean(send(&postbox, &login).await);
    assert!(unknown.problem.contains("UnknownIssuer"), "{unknown:?}");
    let other = Authority::new().bundle();
    let only = format!(
        "{login}\nca_bundle = '{}'\nca_bundle_only = true",
        other.path().display()
    );
    clean(send(&postbox, &only).await);
    assert_eq!(postbox.mails().len(), 1);
    send(&postbox, &format!("{login}\nverify_tls = false"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_mail_goes_over_tls_from_the_first_byte() {
    let authority = Authority::new();
    let (certificate, key) = authority.identity();
    let server = MailServer::new().tls(&certificate, &key).unwrap();
    let postbox = server.start_blocking().unwrap();
    let bundle = authority.bundle();
    let keys = format!("tls = 'tls'\nca_bundle = '{}'", bundle.path().display());
    send(&postbox, &keys).await.unwrap();
    assert!(postbox.mails()[0].over_tls);
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let postbox = MailServer::new().start_blocking().unwrap();
    let failure = clean(send(&postbox, "").await);
    assert!(
        failure.problem.contains("offers no STARTTLS"),
        "{failure:?}"
    );
    assert!(postbox.mails().is_empty());
    send(&postbox, "tls = 'none'").await.unwrap();
    assert!(!postbox.mails()[0].over_tls);
}

#[tokio::test]
async fn a_servers_refusals_are_told_without_what_it_echoes() {
    let server = MailServer::new().login("me", PASSWORD);
    let postbox = server.start_blocking().unwrap();
    let wrong = "tls = 'none'\nuser = 'me'\nsecret = 'canary-of-another'";
    let failure = clean(send(&postbox, wrong).await);
    assert!(
        failure.problem.contains("535") && failure.problem.contains("***"),
        "{failure:?}"
    );
    assert!(!failure.is_of_message);
    let right = format!("tls = 'none'\nuser = 'me'\nsecret = '{PASSWORD}'\ntimeout = '2s'");
    for (command, answer, is_of_message) in [
        ("MAIL", "451 4.3.0 Try again later", false),
        ("RCPT", "550 5.1.1 No such user", true),
        (".", "554 5.7.1 Looks like spam", true),
        ("DATA", "", false),
    ] {
        postbox.answer(command, answer);
        let failure = clean(send(&postbox, &right).await);
        assert_eq!(failure.is_of_message, is_of_message, "{failure:?}");
        let words = if answer.is_empty() {
            "within 2s"
        } else {
            answer.split_once(' ').unwrap().1
        };
        assert!(failure.problem.contains(words), "{failure:?}");
    }
    postbox.calm();
    send(&postbox, &right).await.unwrap();
    assert_eq!(postbox.mails().len(), 1);
}
