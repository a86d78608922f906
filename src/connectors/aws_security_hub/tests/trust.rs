//! The SDK's requests go by the client that all tools have: its trust and its proxy hold for them too.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use secpull_simulators::forward_proxy::ForwardProxy;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

const HOST: &str = "securityhub.company.example";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// TLS in front of a hub that does not speak it.
async fn front(authority: &Authority, hub: SocketAddr) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Clients that do not trust the certificate go away here.
                if let Ok(mut outside) = acceptor.accept(stream).await {
                    let mut inside = TcpStream::connect(hub).await.unwrap();
                    let _ended = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_hub_behind_a_private_authority_and_a_proxy_with_an_account_is_read() {
    let hub = Simulated::new().findings(samples()).start().await.unwrap();
    let company = authority("Company CA");
    let front = front(&company, hub.address()).await;
    let proxy = ForwardProxy::new().account("me", "pass").host(HOST, front);
    let proxy = proxy.start_blocking().unwrap();
    let mut tool = tool(&format!("https://{HOST}"));
    let through = format!("http://me:pass@{}", proxy.address());
    tool.proxy = ProxySetting::Through(through.parse().unwrap());
    tool.trust = Trust {
        ca_bundle: Some(company.pem().into_bytes()),
        ca_bundle_only: true,
        ..Trust::default()
    };
    let read = SecurityHub::with_patience(&tool, HASTY).unwrap();
    assert!(pull(&read).await.unwrap().count() > 0);
    assert!(proxy.passages().iter().all(|passage| passage.granted));

    tool.trust.ca_bundle = Some(authority("Other CA").pem().into_bytes());
    let refused = SecurityHub::with_patience(&tool, HASTY).unwrap();
    let error = pull(&refused).await.unwrap_err().to_string();
    assert!(error.contains("its issuer is not trusted"), "{error}");
    assert!(error.contains("\"Company CA\""), "{error}");

    let wrong = format!("http://me:hush@{}", proxy.address());
    tool.proxy = ProxySetting::Through(wrong.parse().unwrap());
    let refused = SecurityHub::with_patience(&tool, HASTY).unwrap();
    let error = pull(&refused).await.unwrap_err().to_string();
    assert!(error.contains("does not accept the user name"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
