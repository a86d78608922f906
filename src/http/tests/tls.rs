use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::server::{Server, answer};
use super::{by_key, client_of, hasty, tool};
use crate::config::{Tool, Trust};
use crate::http::{Client, HttpError, HttpErrorKind};

type Ca = CertifiedIssuer<'static, KeyPair>;

/// Certificate and key, as PEM.
struct Issued {
    certificate: String,
    key: String,
}

fn ca() -> Ca {
    ca_of_name("Company CA")
}

fn ca_of_name(name: &str) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(ca: &Ca, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    Issued {
        certificate: params.signed_by(&key, ca).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

/// A server with this certificate; with `clients`, it wants certificates that this CA issued.
async fn server(issued: &Issued, clients: Option<&Ca>) -> Server {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
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
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = builder.with_single_cert(vec![certificate], key).unwrap();
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
    let error = refusal(&trusting(&server, &ca_of_name("Other CA"))).await;
    assert!(error.message.contains("issuer is not trusted"), "{error}");
    assert!(error.message.contains("ca_bundle"), "{error}");
    let error = refusal(&tool(&server.url)).await;
    assert!(error.message.contains("issuer is not trusted"), "{error}");
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
    let other = issue(&ca_of_name("Other CA"), "client", |_| {});
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
