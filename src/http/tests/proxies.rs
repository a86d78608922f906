//! Which way requests go, and what is said of a proxy that does not let them through.

use secpull_simulators::forward_proxy::{ForwardProxy, Running};
use url::Url;

use super::authority::{Ca, issue};
use super::server::{Server, answer, header};
use super::tls::server as tls_server;
use super::{by_key, client_of, hasty, tool};
use crate::config::{ProxySetting, Tool, Trust};
use crate::http::way::Ways;
use crate::http::{Client, HttpError, HttpErrorKind};

/// A host that only the proxy knows.
const HOST: &str = "tool.example";

fn proxy_to(server: &Server) -> ForwardProxy {
    let port = server.url.port().unwrap();
    ForwardProxy::new().host(HOST, ([127, 0, 0, 1], port).into())
}

fn url(scheme: &str, account: &str, proxy: &Running) -> Url {
    let text = format!("{scheme}://{account}{}", proxy.address());
    text.parse().unwrap()
}

/// A tool behind TLS that only the proxy can reach.
async fn hidden() -> (Server, Tool) {
    let ca = Ca::new("Company CA");
    let server = tls_server(&issue(&ca, HOST, |_| {}), None).await;
    let mut tool = tool(&format!("https://{HOST}/").parse().unwrap());
    tool.trust = Trust {
        ca_bundle: Some(ca.pem().into_bytes()),
        ca_bundle_only: true,
        ..Trust::default()
    };
    (server, tool)
}

async fn refusal(tool: &Tool) -> HttpError {
    let error = client_of(tool).get("/").text().await.unwrap_err();
    assert!(!error.message.contains("hush"), "{error}");
    assert!(!error.message.contains("aHVzaA"), "{error}");
    assert_eq!(error.message.lines().count(), 1);
    error
}

/// A client in this environment.
fn in_environment(tool: &Tool, variables: &[(&str, &str)]) -> Result<Client, HttpError> {
    let of = |name: &str| variables.iter().find(|(known, _)| *known == name);
    let ways = Ways::of(tool, |name| of(name).map(|(_, value)| (*value).to_owned()));
    Client::by(ways, tool, &by_key(), hasty())
}

#[tokio::test]
async fn a_tool_behind_a_proxy_is_reached_with_the_right_account_by_connect_and_by_socks() {
    let (server, mut tool) = hidden().await;
    let proxy = proxy_to(&server).account("me", "hush:p@ss");
    let proxy = proxy.start_blocking().unwrap();
    for scheme in ["http", "socks5h"] {
        tool.proxy = ProxySetting::Through(url(scheme, "me:hush%3Ap%40ss@", &proxy));
        client_of(&tool).get("/").text().await.unwrap();
        let passage = proxy.passages().pop().unwrap();
        assert_eq!(passage.target, format!("{HOST}:443"), "{scheme}");
        assert_eq!(passage.account.as_deref(), Some("me:hush:p@ss"));
    }
}

#[tokio::test]
async fn a_wrong_account_and_none_are_told_apart_and_not_tried_again() {
    let (server, mut tool) = hidden().await;
    let proxy = proxy_to(&server).account("me", "right");
    let proxy = proxy.start_blocking().unwrap();
    for (number, (scheme, account, words)) in [
        (
            "http",
            "me:hush@",
            "does not accept the user name and password",
        ),
        ("http", "", "wants a user name and password"),
        (
            "socks5h",
            "me:hush@",
            "does not accept the user name and password",
        ),
        ("socks5h", "", "wants a user name and password"),
    ]
    .into_iter()
    .enumerate()
    {
        tool.proxy = ProxySetting::Through(url(scheme, account, &proxy));
        let error = refusal(&tool).await;
        assert_eq!(error.kind, HttpErrorKind::Connection);
        let who = format!("the proxy {scheme}://{}", proxy.address());
        for words in [words, &who, "`proxy`", "https://tool.example/"] {
            assert!(error.message.contains(words), "{scheme} {account}: {error}");
        }
        assert_eq!(proxy.passages().len(), number + 1, "tried again: {error}");
    }
}

#[tokio::test]
async fn a_proxy_of_plain_http_gets_the_account_and_may_show_it_without_harm() {
    let server = Server::start(|_, _| answer(200, &[], "ok")).await;
    let mut tool = tool(&format!("http://{HOST}/").parse().unwrap());
    let proxy = proxy_to(&server).account("me", "right");
    let proxy = proxy.start_blocking().unwrap();
    tool.proxy = ProxySetting::Through(url("http", "me:right@", &proxy));
    client_of(&tool).get("/a").text().await.unwrap();
    assert!(server.requests()[0].starts_with("GET /a "));
    assert_eq!(header(&server.requests()[0], "proxy-authorization"), None);
    // `me:hush` in base64 is `bWU6aHVzaA==`.
    tool.proxy = ProxySetting::Through(url("http", "me:hush@", &proxy));
    let error = refusal(&tool).await;
    assert_eq!(error.status(), Some(407));
    assert!(error.message.contains("not allowed: Basic ***"), "{error}");
    assert!(error.message.contains("does not accept"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_forbids_and_one_that_is_none_are_named() {
    let (server, mut tool) = hidden().await;
    let proxy = ForwardProxy::new().start_blocking().unwrap();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let at = |scheme: &str, address| format!("{scheme}://{address}").parse::<Url>().unwrap();
    for (url, words) in [
        (at("http", proxy.address()), "refuses to connect"),
        (at("socks5h", proxy.address()), "refuses to connect"),
        (at("socks5h", closed), "cannot be reached"),
        (at("http", closed), "connection refused through the proxy"),
        // Speaks TLS only.
        (
            at(
                "socks5h",
                ([127, 0, 0, 1], server.url.port().unwrap()).into(),
            ),
            "does not answer as such a proxy does",
        ),
    ] {
        tool.proxy = ProxySetting::Through(url.clone());
        let error = refusal(&tool).await;
        assert!(error.message.contains(words), "{url}: {error}");
        assert!(
            error.message.contains(url.as_str().trim_end_matches('/')),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_is_reached_by_tls_is_trusted_or_not_as_the_tool_is() {
    let ca = Ca::new("Company CA");
    let proxy = tls_server(&issue(&ca, "localhost", |_| {}), None).await;
    let mut tool = tool(&format!("http://{HOST}/").parse().unwrap());
    tool.proxy = ProxySetting::Through(proxy.url.clone());
    tool.trust.ca_bundle_only = true;
    tool.trust.ca_bundle = Some(ca.pem().into_bytes());
    client_of(&tool).get("/a").text().await.unwrap();
    assert!(proxy.requests()[0].starts_with(&format!("GET http://{HOST}/a ")));

    tool.trust.ca_bundle = Some(Ca::new("Other CA").pem().into_bytes());
    for location in ["http://tool.example/", "https://tool.example/"] {
        tool.location = location.parse().unwrap();
        let error = refusal(&tool).await;
        let words = "the proxy's certificate is refused: its issuer is not trusted";
        assert!(error.message.contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_environment_names_the_proxy_and_no_proxy_wins() {
    let (server, mut tool) = hidden().await;
    tool.proxy = ProxySetting::Environment;
    let proxy = proxy_to(&server).account("me", "right");
    let proxy = proxy.start_blocking().unwrap();
    // Without a scheme, as curl takes it.
    let named = format!("me:right@{}", proxy.address());
    let socks = format!("socks5h://{named}");
    for (name, value) in [
        ("HTTPS_PROXY", &named),
        ("https_proxy", &named),
        ("ALL_PROXY", &socks),
        ("all_proxy", &socks),
    ] {
        let before = proxy.passages().len();
        let client = in_environment(&tool, &[(name, value), ("NO_PROXY", "other.example")]);
        client.unwrap().get("/").text().await.unwrap();
        assert_eq!(proxy.passages().len(), before + 1, "{name}");
    }
    let passed = proxy.passages().len();
    // An empty one is none, one for http is not for https.
    for variables in [
        &[("HTTPS_PROXY", ""), ("http_proxy", &named)][..],
        &[("HTTPS_PROXY", &named), ("NO_PROXY", ".example")],
        &[("ALL_PROXY", &socks), ("no_proxy", "*")],
    ] {
        let client = in_environment(&tool, variables).unwrap();
        let error = client.get("/").text().await.unwrap_err();
        assert!(error.message.contains("cannot be resolved"), "{error}");
        assert!(!error.message.contains("proxy"), "{error}");
    }
    let wrong = format!("me:hush@{}", proxy.address());
    let client = in_environment(&tool, &[("HTTPS_PROXY", &wrong)]).unwrap();
    let error = client.get("/").text().await.unwrap_err();
    assert!(
        error.message.contains("(HTTPS_PROXY) does not accept"),
        "{error}"
    );
    assert!(
        error.message.contains("correct them in HTTPS_PROXY"),
        "{error}"
    );
    assert!(!error.message.contains("hush"), "{error}");
    // What the configuration says goes before the environment.
    tool.proxy = ProxySetting::Direct;
    let client = in_environment(&tool, &[("HTTPS_PROXY", &named)]).unwrap();
    client.get("/").text().await.unwrap_err();
    assert_eq!(proxy.passages().len(), passed + 1);
}

#[tokio::test]
async fn this_machine_is_reached_without_the_environments_proxy() {
    let server = Server::start(|_, _| answer(200, &[], "ok")).await;
    let proxy = ForwardProxy::new().start_blocking().unwrap();
    let named = format!("http://{}", proxy.address());
    let mut tool = tool(&server.url);
    tool.proxy = ProxySetting::Environment;
    for host in ["127.0.0.1", "localhost"] {
        tool.location.set_host(Some(host)).unwrap();
        for variables in [
            &[("HTTP_PROXY", named.as_str())][..],
            &[("ALL_PROXY", &named), ("NO_PROXY", "other.example")],
        ] {
            let client = in_environment(&tool, variables).unwrap();
            client.get("/").text().await.unwrap();
        }
    }
    assert_eq!(proxy.passages(), []);
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_is_refused_without_being_shown() {
    let mut tool = tool(&format!("https://{HOST}/").parse().unwrap());
    tool.trust.accept_invalid = true;
    tool.proxy = ProxySetting::Environment;
    for value in [
        "socks4://hush@proxy.example",
        "http://hush:p@ss@",
        "ftp://hush",
    ] {
        let error = in_environment(&tool, &[("HTTPS_PROXY", value)]).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Setup);
        assert!(
            error.message.starts_with("tool tested: HTTPS_PROXY "),
            "{error}"
        );
        assert!(!error.message.contains("hush"), "{error}");
    }
    // Set by a web server out of a request's header, not by an admin.
    let cgi = [("HTTP_PROXY", "ftp://x"), ("REQUEST_METHOD", "GET")];
    in_environment(&tool, &cgi).unwrap();
}
