use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::net::TcpListener;

use super::server::{JSON, Server, Step, answer, beginning, json};
use super::{KEY, by_key, client, client_of, hasty, tool};
use crate::config::{ProxySetting, Secret};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

async fn failure(answer: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> HttpError {
    let server = Server::start(move |_, _| answer()).await;
    client(&server.url)
        .get("/api/x")
        .query("token", "in-the-query")
        .json::<Value>()
        .await
        .unwrap_err()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_status_says_what_the_tool_said_and_what_to_do() {
    for (status, hint) in [
        (401, "check `secret`"),
        (403, "`secpull connectors some-connector`"),
        (404, "check `location`"),
        (400, "does not accept the request"),
        (500, "its own log"),
        (429, "max_requests_per_second"),
        (503, "not available"),
    ] {
        let error = failure(move || answer(status, &[], "first \u{1b}[31m line\nsecond")).await;
        assert_eq!(error.status(), Some(status));
        assert!(error.message.contains(hint), "{error}");
        assert!(error.message.contains("\"first [31m line\""), "{error}");
        assert!(
            error.message.starts_with("GET http://127.0.0.1:"),
            "{error}"
        );
        assert!(error.message.contains("/api/x: "), "{error}");
        assert!(!error.message.contains("in-the-query"), "{error}");
        assert!(!error.message.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn a_tool_that_echoes_a_secret_gives_it_to_nobody() {
    // The last one lies across the cut after 4 KiB.
    let body = format!(
        "{KEY} {} Basic bWU6cGFzc3dvcmQ= {}{KEY}",
        "s3cret%2Fkey%2B1",
        " ".repeat(4096 - 70)
    );
    let server = Server::start(move |_, _| answer(401, &[], &body)).await;
    let authentication = Authentication {
        basic: Some(("me".to_owned(), Secret::new("password"))),
        ..by_key()
    };
    let client = Client::with_limits(&tool(&server.url), &authentication, hasty()).unwrap();
    let error = client.get("/").text().await.unwrap_err();
    let HttpErrorKind::Status { body, .. } = &error.kind else {
        panic!("{error}");
    };
    for text in [&error.message, body, &format!("{error:?}")] {
        assert!(text.contains("*** *** Basic *** "), "{text}");
        assert!(!text.contains("s3c"), "{text}");
    }
    assert!(body.len() <= 4096);
}

#[tokio::test]
async fn html_in_place_of_json_is_called_a_login_page() {
    let error = failure(|| {
        answer(
            200,
            &[("content-type", "text/html; charset=utf-8")],
            "<html>",
        )
    });
    let error = error.await;
    assert_eq!(error.kind, HttpErrorKind::NotJson);
    assert!(
        error.message.contains("text/html instead of JSON"),
        "{error}"
    );
    assert!(error.message.contains("login page"), "{error}");
}

#[tokio::test]
async fn broken_json_a_cut_body_and_another_shape_are_told_apart() {
    let error = failure(|| json("{]")).await;
    assert_eq!(error.kind, HttpErrorKind::NotJson);
    let error = failure(|| vec![beginning(100, r#"{"a":1"#)]).await;
    assert_eq!(error.kind, HttpErrorKind::Truncated);
    assert!(error.message.contains("cut off"), "{error}");
    let server = Server::start(|_, _| json(format!(r#"{{"a":"{KEY}"}}"#))).await;
    let request = client(&server.url).get("/");
    let error = request.json::<Vec<u8>>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::UnexpectedShape);
    let request = client(&server.url).get("/");
    let error = request
        .json::<std::collections::BTreeMap<String, u8>>()
        .await
        .unwrap_err();
    assert!(error.message.contains("at a: "), "{error}");
    assert!(!error.message.contains(KEY), "{error}");
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_much_is_stopped() {
    let bomb = gzip(&vec![b' '; 65 << 20]);
    assert!(bomb.len() < 100_000);
    let error = failure(move || answer(200, &[JSON, ("content-encoding", "gzip")], &bomb)).await;
    assert_eq!(error.kind, HttpErrorKind::TooLarge);
    assert!(error.message.contains("64 MiB"), "{error}");
}

#[tokio::test]
async fn an_announced_length_beyond_the_cap_is_refused_unread() {
    let error = failure(|| vec![beginning(70 << 20, ""), Step::Hang]).await;
    assert_eq!(error.kind, HttpErrorKind::TooLarge);
}

#[tokio::test]
async fn packed_answers_are_unpacked_and_badly_packed_ones_refused() {
    let packed = gzip(br#"{"a":1}"#);
    let server =
        Server::start(move |_, _| answer(200, &[JSON, ("content-encoding", "gzip")], &packed))
            .await;
    let answer_ = client(&server.url).get("/").json::<Value>().await.unwrap();
    assert_eq!(answer_.body["a"], 1);
    let error = failure(|| {
        answer(
            200,
            &[JSON, ("content-encoding", "gzip")],
            "{\"plain\": \"not packed\"}",
        )
    })
    .await;
    assert_eq!(error.kind, HttpErrorKind::NotJson);
    assert!(error.message.contains("content-encoding"), "{error}");
    let mut cut = gzip(
        &(0..200_000_u32)
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<_>>(),
    );
    cut.truncate(cut.len() / 2);
    let error = failure(move || answer(200, &[JSON, ("content-encoding", "gzip")], &cut)).await;
    assert_eq!(error.kind, HttpErrorKind::Truncated);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_called_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url.parse().unwrap())
        .get("/")
        .text()
        .await
        .unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(
        error
            .message
            .contains("connection refused, nothing listens"),
        "{error}"
    );
    assert!(error.message.ends_with("(tried 5 times)"), "{error}");
}

#[tokio::test]
async fn a_reset_connection_and_one_closed_without_an_answer_are_named() {
    let error = failure(|| vec![Step::Reset]).await;
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(error.message.contains("reset"), "{error}");
    let error = failure(Vec::new).await;
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(error.message.contains("no answer"), "{error}");
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let url = "http://secpull-has-no-such-host.invalid/".parse().unwrap();
    let error = client(&url).get("/").text().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(
        error.message.contains("host name cannot be resolved"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_host_is_told_from_a_resolver_that_is_down() {
    use crate::http::failure::Subject;
    use crate::http::retry::Retry;
    // The words of the C library, whatever this machine's own resolver says.
    struct Resolver(&'static str);
    impl reqwest::dns::Resolve for Resolver {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            let words = self.0;
            Box::pin(async move { Err(std::io::Error::other(words).into()) })
        }
    }
    let client = client(&"http://host.invalid/".parse().unwrap());
    let url = "http://host.invalid/".parse().unwrap();
    let subject = Subject::new(client.0.shared.clone(), &reqwest::Method::GET, &url);
    for (words, retry) in [
        (
            "failed to lookup address information: Name or service not known",
            Retry::Lookup,
        ),
        (
            "failed to lookup address information: Temporary failure in name resolution",
            Retry::Soon,
        ),
    ] {
        let resolving = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .dns_resolver(Resolver(words))
            .build()
            .unwrap();
        let error = resolving.get(url.clone()).send().await.unwrap_err();
        let failure = subject.no_answer(&error);
        assert_eq!(failure.retry, retry, "{}", failure.error);
        assert!(failure.error.message.contains(words), "{}", failure.error);
    }
}

#[tokio::test]
async fn the_limit_that_was_reached_is_named() {
    let ms = Duration::from_millis;
    let mut limits = hasty();
    limits.stall = ms(300);
    let server = Server::start(move |_, request| match request {
        request if request.starts_with("GET /silent") => vec![Step::Hang],
        request if request.starts_with("GET /stalls") => vec![beginning(9, "[1"), Step::Hang],
        _ => {
            let mut steps = vec![beginning(7, "[")];
            for piece in ["1", ",", "2", ",", "3", "]"] {
                steps.push(Step::Wait(ms(120)));
                steps.push(Step::Send(piece.into()));
            }
            steps
        }
    })
    .await;
    let client = Client::with_limits(&tool(&server.url), &by_key(), limits).unwrap();
    let request = client.get("/silent").timeout(ms(200));
    let error = request.json::<Value>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::TimedOut);
    assert!(error.message.contains("no answer within 200ms"), "{error}");
    let error = client.get("/stalls").json::<Value>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::TimedOut);
    assert!(error.message.contains("nothing came for 300ms"), "{error}");
    let answer = client.get("/trickles").json::<Vec<u8>>().await.unwrap();
    assert_eq!(answer.body, [1, 2, 3], "slow is no stall");
    let request = client.get("/trickles").timeout(ms(400));
    let error = request.json::<Value>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::TimedOut);
    assert!(
        error.message.contains("not complete within 400ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    for (status, words) in [
        (403, "refuses to connect"),
        (407, "does not accept the user name and password"),
    ] {
        let proxy = Server::start(move |_, _| answer(status, &[], "")).await;
        let mut tool = tool(&"https://tool.example/".parse().unwrap());
        let mut url = proxy.url.clone();
        url.set_username("me").unwrap();
        url.set_password(Some("hush-hush")).unwrap();
        tool.proxy = ProxySetting::Through(url);
        let error = client_of(&tool).get("/").text().await.unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Connection);
        assert!(error.message.contains(words), "{error}");
        assert!(
            error.message.contains("the proxy http://127.0.0.1:"),
            "{error}"
        );
        assert!(!error.message.contains("hush"), "{error}");
        assert!(proxy.requests()[0].starts_with("CONNECT tool.example:443"));
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut tool = tool(&"https://tool.example/".parse().unwrap());
    tool.proxy = ProxySetting::Through(proxy.parse().unwrap());
    let error = client_of(&tool).get("/").text().await.unwrap_err();
    assert!(
        error
            .message
            .contains("connection refused through the proxy"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_named_and_tried_again() {
    // Accepted by the system, but nobody shakes hands.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut tool = tool(&url.parse().unwrap());
    tool.trust.accept_invalid = true;
    let mut limits = hasty();
    limits.connect = Duration::from_millis(60);
    let client = Client::with_limits(&tool, &by_key(), limits).unwrap();
    let error = client.get("/").text().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Connection);
    assert!(
        error.message.contains("no connection within 60ms"),
        "{error}"
    );
    assert!(error.message.ends_with("(tried 5 times)"), "{error}");
}
