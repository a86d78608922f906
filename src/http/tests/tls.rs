use std::sync::Arc;

use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::authority::{Ca, Issued, issue, self_signed};
use super::server::{Server, answer};
use super::{by_key, client_of, hasty, tool};
use crate::config::{Tool, Trust};
use crate::http::{Client, HttpError, HttpErrorKind};

fn ca() -> Ca {
    Ca::new("Company CA")
}

/// A server with this certificate; with `clients`, it wants certificates that this CA issued.
pub(super) async fn server(issued: &Issued, clients: Option<&Ca>) -> Server {
    server_of(&[&version::TLS12, &version::TLS13], issued, clients).await
}

async fn server_of(
    versions: &[&'static SupportedProtocolVersion],
    issued: &Issued,
    clients: Option<&Ca>,
) -> Server {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(ca.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(issued.certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = builder.with_single_cert(chain.unwrap(), key).unwrap();
    Server::start_tls(config, |_, _| answer(200, &[], "ok")).await
}

fn trusting(server: &Server, ca: &Ca) -> Tool {
    let mut tool = tool(&server.url);
    tool.trust = Trust {
        ca_bundle: Some(ca.pem().into_bytes()),
        ca_bundle_only: true,
        ..Trust::default()
    };
    tool
}

async fn refusal(tool: &Tool) -> HttpError {
    let error = client_of(tool).get("/").text().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(
        !error.message.contains("tried"),
        "it was tried again: {error}"
    );
    error
}

#[tokio::test]
async fn a_private_ca_is_trusted_beside_the_systems_or_alone() {
    let ca = ca();
    let server = server(&issue(&ca, "localhost", |_| {}), None).await;
    let mut tool = trusting(&server, &ca);
    client_of(&tool).get("/").text().await.unwrap();
    tool.trust.ca_bundle_only = false;
    client_of(&tool).get("/").text().await.unwrap();
}

#[tokio::test]
async fn an_unknown_ca_is_refused_with_a_word_about_ca_bundle() {
    let server = server(&issue(&ca(), "localhost", |_| {}), None).await;
    let error = refusal(&trusting(&server, &Ca::new("Other CA"))).await;
    assert!(error.message.contains("issuer is not trusted"), "{error}");
    assert!(error.message.contains("ca_bundle"), "{error}");
    assert!(error.message.contains("\"Company CA\""), "{error}");
    let error = refusal(&tool(&server.url)).await;
    assert!(error.message.contains("issuer is not trusted"), "{error}");
}

#[tokio::test]
async fn a_missing_intermediate_is_named_and_may_come_from_either_side() {
    let root = ca();
    let issuing = root.below("Issuing CA");
    let mut issued = issue(&issuing, "localhost", |_| {});
    let alone = server(&issued, None).await;
    let error = refusal(&trusting(&alone, &root)).await;
    for words in [
        "\"Issuing CA\"",
        "the tool sends no intermediate certificate",
        "have the tool send it along",
        "ca_bundle",
        "https://localhost:",
    ] {
        assert!(error.message.contains(words), "{words}: {error}");
    }
    for bundle in [root.pem() + &issuing.pem(), issuing.pem()] {
        let mut tool = trusting(&alone, &root);
        tool.trust.ca_bundle = Some(bundle.into_bytes());
        client_of(&tool).get("/").text().await.unwrap();
    }
    issued.certificate += &issuing.pem();
    let whole = server(&issued, None).await;
    client_of(&trusting(&whole, &root))
        .get("/")
        .text()
        .await
        .unwrap();
    let error = refusal(&trusting(&whole, &Ca::new("Other CA"))).await;
    assert!(
        error.message.contains("\"Company CA\", at the end"),
        "{error}"
    );
    issued.certificate += &root.pem();
    let with_root = server(&issued, None).await;
    let error = refusal(&trusting(&with_root, &Ca::new("Other CA"))).await;
    assert!(
        error.message.contains("\"Company CA\"; put that CA's"),
        "{error}"
    );
}

#[tokio::test]
async fn a_self_signed_certificate_is_called_so_and_can_be_trusted_itself() {
    let issued = self_signed("localhost");
    let server = server(&issued, None).await;
    let mut tool = trusting(&server, &ca());
    let error = refusal(&tool).await;
    assert!(
        error
            .message
            .contains("it is self-signed, as \"localhost\""),
        "{error}"
    );
    tool.trust.ca_bundle = Some(issued.certificate.into_bytes());
    client_of(&tool).get("/").text().await.unwrap();
}

#[tokio::test]
async fn a_server_with_one_version_of_tls_is_spoken_to() {
    let ca = ca();
    let issued = issue(&ca, "localhost", |_| {});
    for version in [&version::TLS12, &version::TLS13] {
        let server = server_of(&[version], &issued, None).await;
        client_of(&trusting(&server, &ca))
            .get("/")
            .text()
            .await
            .unwrap();
    }
}

/// One that answers every hello with these bytes.
async fn answering(record: &'static [u8]) -> Tool {
    let raw = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", raw.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = raw.accept().await {
            let mut hello = [0; 5];
            let _ = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut hello).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, record).await;
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        }
    });
    let mut tool = tool(&url.parse().unwrap());
    tool.trust.accept_invalid = true;
    tool
}

#[tokio::test]
async fn a_server_that_speaks_old_tls_only_is_refused_and_told_why() {
    // RFC 5246: a fatal alert, protocol_version (70).
    let alert = answering(&[21, 3, 2, 0, 2, 2, 70]).await;
    // RFC 4346: a hello of TLS 1.1 with 32 random bytes, no session, AES128-SHA, no compression.
    const HELLO: [u8; 47] = {
        let mut hello = [7; 47];
        let head = [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        let mut at = 0;
        while at < head.len() {
            hello[at] = head[at];
            at += 1;
        }
        hello[43] = 0;
        hello[44] = 0;
        hello[45] = 0x2f;
        hello[46] = 0;
        hello
    };
    let hello = answering(&HELLO).await;
    for tool in [alert, hello] {
        let error = refusal(&tool).await;
        let words = "the tool speaks neither TLS 1.2 nor 1.3";
        assert!(error.message.contains(words), "{error}");
        assert!(error.message.contains("update it"), "{error}");
    }
    // handshake_failure (40): no cipher in common, or, before TLS 1.3, no client certificate.
    let error = refusal(&answering(&[21, 3, 3, 0, 2, 2, 40]).await).await;
    assert!(error.message.contains("old ciphers"), "{error}");
    assert!(error.message.contains("set client_certificate"), "{error}");
}

#[tokio::test]
async fn a_renewed_ca_of_the_same_name_is_told_from_an_unknown_one() {
    let server = server(&issue(&ca(), "localhost", |_| {}), None).await;
    let error = refusal(&trusting(&server, &ca())).await;
    assert!(
        error.message.contains("another CA of the same name"),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    let ca = ca();
    let server = server(&issue(&ca, "tool.example", |_| {}), None).await;
    let error = refusal(&trusting(&server, &ca)).await;
    assert!(error.message.contains("not valid for name"), "{error}");
    assert!(error.message.contains("tool.example"), "{error}");
}

#[tokio::test]
async fn an_expired_certificate_and_one_from_the_future_are_refused() {
    let ca = ca();
    let old = issue(&ca, "localhost", |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let server_ = server(&old, None).await;
    let error = refusal(&trusting(&server_, &ca)).await;
    assert!(
        error.message.contains("it expired on 2020-01-01"),
        "{error}"
    );
    let future = issue(&ca, "localhost", |params| {
        params.not_before = date_time_ymd(2090, 1, 1);
    });
    let server = server(&future, None).await;
    let error = refusal(&trusting(&server, &ca)).await;
    assert!(
        error
            .message
            .contains("not valid before 2090-01-01; check this host's clock"),
        "{error}"
    );
}

#[tokio::test]
async fn a_ca_certificate_used_by_a_server_is_explained() {
    let ca = ca();
    let own = issue(&ca, "localhost", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let server = server(&own, None).await;
    let error = refusal(&trusting(&server, &ca)).await;
    assert!(
        error.message.contains("it is a CA's certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn unchecked_certificates_are_accepted_only_on_demand() {
    let server = server(&issue(&ca(), "tool.example", |_| {}), None).await;
    let mut tool = tool(&server.url);
    tool.trust.accept_invalid = true;
    client_of(&tool).get("/").text().await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_absence_explained() {
    let ca = ca();
    let server = server(&issue(&ca, "localhost", |_| {}), Some(&ca)).await;
    let mut tool = trusting(&server, &ca);
    let error = refusal(&tool).await;
    assert!(
        error.message.contains("wants a client certificate"),
        "{error}"
    );
    let client = issue(&ca, "client", |_| {});
    tool.trust.client_identity = Some((client.certificate + &client.key).into_bytes());
    client_of(&tool).get("/").text().await.unwrap();
    let other = issue(&Ca::new("Other CA"), "client", |_| {});
    tool.trust.client_identity = Some((other.certificate + &other.key).into_bytes());
    let error = refusal(&tool).await;
    assert!(
        error.message.contains("refuses the client certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn plain_http_behind_an_https_location_is_explained() {
    let raw = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", raw.local_addr().unwrap());
    let mut tool = tool(&url.parse().unwrap());
    tool.trust.accept_invalid = true;
    let answering = tokio::spawn(async move {
        let (mut stream, _) = raw.accept().await.unwrap();
        let text = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, text)
            .await
            .unwrap();
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    });
    let error = refusal(&tool).await;
    assert!(error.message.contains("does not speak TLS"), "{error}");
    answering.abort();
}

#[test]
fn what_cannot_be_set_up_is_said_when_the_client_is_built() {
    let ca = ca();
    let one = issue(&ca, "client", |_| {});
    let other = issue(&ca, "client", |_| {});
    let base = || tool(&"https://tool.example/".parse().unwrap());
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let with = |change: &dyn Fn(&mut Trust)| {
        let mut tool = base();
        tool.trust.ca_bundle = Some(ca.pem().into_bytes());
        tool.trust.ca_bundle_only = true;
        change(&mut tool.trust);
        Client::with_limits(&tool, &by_key(), hasty()).unwrap_err()
    };
    let mismatch = (one.certificate.clone() + &other.key).into_bytes();
    for (error, words) in [
        (
            with(&|trust| trust.ca_bundle = Some(b"no PEM".to_vec())),
            "ca_bundle holds no certificate",
        ),
        (
            with(&|trust| trust.ca_bundle = None),
            "there is no ca_bundle",
        ),
        (
            with(&|trust| trust.ca_bundle = Some(broken.into())),
            "ca_bundle",
        ),
        (
            with(&|trust| trust.client_identity = Some(one.certificate.clone().into_bytes())),
            "client_key",
        ),
        (
            with(&|trust| trust.client_identity = Some(mismatch.clone())),
            "client_key does not belong to client_certificate",
        ),
    ] {
        assert_eq!(error.kind, HttpErrorKind::Setup);
        assert!(error.message.starts_with("tool tested: "), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn a_secret_that_no_header_can_hold_is_named_but_not_shown() {
    let mut authentication = by_key();
    authentication.headers[0].1 = crate::config::Secret::new("first\nsecond");
    let tool = tool(&"http://127.0.0.1/".parse().unwrap());
    let error = Client::new(&tool, authentication).unwrap_err();
    assert!(error.message.contains("X-Api-Key"), "{error}");
    assert!(!error.message.contains("second"), "{error}");
}
