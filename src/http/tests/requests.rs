use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::server::{JSON, Server, Step, answer, header, json as json_answer};
use super::{KEY, by_key, client, client_of, hasty, tool};
use crate::config::{ProxySetting, Secret};
use crate::http::{Authentication, Client, HttpErrorKind, Meter};

#[tokio::test]
async fn a_request_says_who_asks_and_keeps_the_locations_prefix() {
    let server = Server::start(|_, _| json_answer(r#"{"version":"4.12"}"#)).await;
    let client = client(&server.url.join("/prefix/").unwrap());
    let answer = client
        .get("/api/a?b c")
        .query("q", "x&y")
        .header("x-trace", "1")
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(answer.body["version"], "4.12");
    assert_eq!(answer.headers["content-type"], "application/json");
    let request = &server.requests()[0];
    assert!(
        request.starts_with("GET /prefix/api/a%3Fb%20c?q=x%26y HTTP/1.1"),
        "{request}"
    );
    assert_eq!(header(request, "x-api-key"), Some(KEY));
    assert_eq!(header(request, "accept"), Some("application/json"));
    assert_eq!(header(request, "x-trace"), Some("1"));
    let agent = header(request, "user-agent").unwrap();
    assert!(agent.starts_with("secpull/"), "{agent}");
}

#[tokio::test]
async fn forms_and_json_are_sent_with_their_content_types() {
    let server = Server::start(|_, _| json_answer("{}")).await;
    let client = client(&server.url);
    let form = client.post("/token").form(&[("a b", "c&d")]);
    form.json::<Value>().await.unwrap();
    let body = client.post("/query").body(&json!({"x": 1}));
    body.json::<Value>().await.unwrap();
    let requests = server.requests();
    assert!(
        requests[0].ends_with("\r\n\r\na+b=c%26d"),
        "{}",
        requests[0]
    );
    assert_eq!(
        header(&requests[0], "content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(
        requests[1].ends_with("\r\n\r\n{\"x\":1}"),
        "{}",
        requests[1]
    );
    assert_eq!(
        header(&requests[1], "content-type"),
        Some("application/json")
    );
}

#[tokio::test]
async fn basic_and_bearer_are_sent_as_authorization() {
    let server = Server::start(|_, _| answer(200, &[], "ok")).await;
    for (authentication, sent) in [
        (
            Authentication {
                basic: Some(("me".to_owned(), Secret::new("pass"))),
                ..Authentication::default()
            },
            "Basic bWU6cGFzcw==",
        ),
        (
            Authentication {
                bearer: Some(Secret::new("token")),
                ..Authentication::default()
            },
            "Bearer token",
        ),
    ] {
        let client = Client::new(&tool(&server.url), authentication).unwrap();
        assert_eq!(client.get("/").text().await.unwrap().body, "ok");
        let requests = server.requests();
        let request = requests.last().unwrap();
        assert_eq!(header(request, "authorization"), Some(sent));
    }
}

#[tokio::test]
async fn a_redirect_to_another_port_is_refused_and_carries_no_key_there() {
    let other = Server::start(|_, _| json_answer("{}")).await;
    let target = format!("{}login?next=token", other.url);
    let server = Server::start(move |_, _| answer(302, &[("location", target.as_str())], "")).await;
    let error = client(&server.url)
        .get("/a")
        .query("token", "in-the-query")
        .json::<Value>()
        .await
        .unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Redirected);
    let port = other.url.port().unwrap();
    let target = format!("another origin, http://127.0.0.1:{port}, which");
    assert!(error.message.contains(&target), "{error}");
    assert!(!error.message.contains("token"), "{error}");
    assert_eq!(other.requests().len(), 0);
    assert_eq!(server.requests().len(), 1, "it would be refused again");
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_five_times_without_a_referer() {
    let server = Server::start(|_, request| {
        let step: usize = request[5..6].parse().unwrap();
        if step == 0 {
            return json_answer("[]");
        }
        answer(307, &[("location", &format!("/{}", step - 1))], "")
    })
    .await;
    let client = client(&server.url);
    client
        .get("/5")
        .query("q", 1)
        .json::<Value>()
        .await
        .unwrap();
    let requests = server.requests();
    let last = requests.last().unwrap();
    assert_eq!(header(last, "x-api-key"), Some(KEY));
    assert_eq!(header(last, "referer"), None);
    let error = client.get("/6").json::<Value>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Redirected);
    assert!(error.message.contains("more than 5 times"), "{error}");
}

#[tokio::test]
async fn passing_troubles_are_tried_again_and_counted() {
    let server = Server::start(|number, _| match number {
        0 => answer(503, &[], ""),
        1 => vec![Step::Reset],
        2 => answer(429, &[("retry-after", "0")], ""),
        3 => vec![super::server::beginning(100, "{\"cut")],
        _ => json_answer("{}"),
    })
    .await;
    let meter = Arc::new(Meter::default());
    let client = client(&server.url).metered(Arc::clone(&meter));
    client.get("/").json::<Value>().await.unwrap();
    assert_eq!((meter.requests(), meter.retries()), (5, 4));
}

#[tokio::test]
async fn a_trouble_that_does_not_pass_is_tried_five_times_in_all() {
    let server = Server::start(|_, _| answer(502, &[], "")).await;
    let error = client(&server.url).get("/").text().await.unwrap_err();
    assert_eq!(error.status(), Some(502));
    assert!(error.message.ends_with("(tried 5 times)"), "{error}");
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_post_is_sent_again_only_if_it_is_idempotent() {
    let server = Server::start(|number, _| match number {
        0 | 1 => answer(503, &[], ""),
        _ => json_answer("{}"),
    })
    .await;
    let client = client(&server.url);
    let error = client.post("/").body(&1).json::<Value>().await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(server.requests().len(), 1);
    let request = client.post("/").body(&1).idempotent();
    request.json::<Value>().await.unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests()[2].ends_with("\r\n\r\n1"));
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for status in [400, 401, 403, 404, 501] {
        let server = Server::start(move |_, _| answer(status, &[], "")).await;
        let error = client(&server.url).get("/").text().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_retry_after_is_kept_by_all_requests_to_the_tool() {
    let server = Server::start(|number, _| match number {
        0 => answer(429, &[("retry-after", "1")], ""),
        _ => json_answer("{}"),
    })
    .await;
    let client = client(&server.url);
    let begun = Instant::now();
    // A POST is not sent again, but what comes after it waits.
    client.post("/").text().await.unwrap_err();
    client.get("/").text().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_fails_at_once_and_says_so() {
    let server = Server::start(|_, _| answer(429, &[("retry-after", "7200")], "")).await;
    let error = client(&server.url).get("/").text().await.unwrap_err();
    assert!(
        error
            .message
            .contains("wants no request for 2h, and secpull waits 5m at most"),
        "{error}"
    );
    let HttpErrorKind::Status { retry_after, .. } = error.kind else {
        panic!("{error}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7200)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn waits_are_bounded_in_all() {
    let server = Server::start(|_, _| answer(503, &[], "")).await;
    let mut limits = hasty();
    limits.retries.total = Duration::ZERO;
    let client = Client::with_limits(&tool(&server.url), &by_key(), limits).unwrap();
    client.get("/").text().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn dropping_a_request_ends_its_waiting() {
    let server = Server::start(|_, _| answer(503, &[("retry-after", "60")], "")).await;
    let client = client(&server.url);
    let request = tokio::spawn(async move { client.get("/").text().await });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn requests_go_through_the_configured_proxy_with_its_credentials() {
    let proxy = Server::start(|_, _| json_answer("{}")).await;
    let mut tool = tool(&"http://tool.example/".parse().unwrap());
    let mut url = proxy.url.clone();
    url.set_username("me").unwrap();
    url.set_password(Some("p@ss")).unwrap();
    tool.proxy = ProxySetting::Through(url);
    client_of(&tool).get("/a").json::<Value>().await.unwrap();
    let request = &proxy.requests()[0];
    assert!(
        request.starts_with("GET http://tool.example/a "),
        "{request}"
    );
    // me:p@ss
    assert_eq!(
        header(request, "proxy-authorization"),
        Some("Basic bWU6cEBzcw==")
    );
}

#[tokio::test]
async fn requests_go_through_a_socks_proxy() {
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut tool = tool(&"http://tool.example/".parse().unwrap());
    let url = format!("socks5h://{}", proxy.local_addr().unwrap());
    tool.proxy = ProxySetting::Through(url.parse().unwrap());
    let client = client_of(&tool);
    tokio::spawn(async move { client.get("/a").text().await });
    let (mut stream, _) = proxy.accept().await.unwrap();
    let mut greeting = [0; 2];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting)
        .await
        .unwrap();
    assert_eq!(greeting[0], 5, "the protocol's version");
}

#[tokio::test]
async fn a_value_that_no_header_can_hold_is_said_and_nothing_is_sent() {
    let server = Server::start(|_, _| answer(200, &[JSON], "{}")).await;
    let request = client(&server.url).get("/").header("x-trace", "a\nb");
    let error = request.text().await.unwrap_err();
    assert!(error.message.contains("x-trace"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn requests_can_be_awaited_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let client = client(&"http://127.0.0.1:1/".parse().unwrap());
    sendable(async { client.get("/").json::<Value>().await });
    sendable(async { client.get("/").text().await });
    sendable(async { client.get("/").elements(&[]).await.unwrap().next().await });
}

#[test]
fn debug_output_shows_no_secret() {
    let client = client(&"http://127.0.0.1:1/".parse().unwrap());
    let request = client.get("/").query("token", KEY).form(&[("a", KEY)]);
    let shown = format!("{client:?} {request:?} {:?}", by_key());
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_token_fetched_at_run_time_takes_the_place_of_the_clients_own_and_is_shown_nowhere() {
    const TOKEN: &str = "t0ken/at+run.time";
    let echo = format!(r#"{{"error":"token {TOKEN} of {KEY} is not known"}}"#);
    let server = Server::start(move |_, _| answer(403, &[JSON], &echo)).await;
    let authentication = Authentication {
        bearer: Some(Secret::new(KEY)),
        ..Authentication::default()
    };
    let client = Client::with_limits(&tool(&server.url), &authentication, hasty()).unwrap();
    let request = client.get("/api").bearer(&Secret::new(TOKEN));
    let debug = format!("{request:?}");
    let error = request.json::<Value>().await.unwrap_err();
    let sent = server.requests().remove(0);
    assert_eq!(
        header(&sent, "authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    for text in [debug, format!("{error:?}"), error.to_string()] {
        assert!(!text.contains(TOKEN) && !text.contains(KEY), "{text}");
    }
    assert!(error.message.contains("token *** of ***"), "{error}");
}

#[tokio::test]
async fn a_token_that_no_header_may_hold_is_not_sent_and_not_shown() {
    let server = Server::start(|_, _| json_answer("{}")).await;
    let request = client(&server.url).get("/").bearer(&Secret::new("a\nb"));
    let error = request.json::<Value>().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Setup);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_second_host_of_a_tool_gets_none_of_its_credentials_and_shares_its_limits() {
    let first = Server::start(|_, _| json_answer("{}")).await;
    let second = Server::start(|_, _| answer(403, &[], format!("who is {KEY}?"))).await;
    let tool = tool(&first.url);
    let client = client_of(&tool);
    let beside = client.beside(&tool, &second.url).unwrap();
    let error = beside.get("/token").json::<Value>().await.unwrap_err();
    assert!(error.message.contains("who is ***?"), "{error}");
    assert_eq!(header(&second.requests()[0], "x-api-key"), None);
    assert!(Arc::ptr_eq(&client.0.shared.gate, &beside.0.shared.gate));
}

fn signed(url: &url::Url) -> reqwest::Request {
    let mut request = reqwest::Request::new(reqwest::Method::POST, url.join("/signed").unwrap());
    let value = "made elsewhere".parse().unwrap();
    request.headers_mut().insert("authorization", value);
    *request.body_mut() = Some("exactly this".into());
    request
}

#[tokio::test]
async fn a_relayed_request_goes_out_as_it_is_and_any_status_is_an_answer() {
    let server = Server::start(|_, _| answer(503, &[JSON], "{\"why\":1}")).await;
    let client = client(&server.url);
    let relayed = client.relay(signed(&server.url), 2, None).await.unwrap();
    assert_eq!(
        (relayed.status, &relayed.body[..]),
        (503, &b"{\"why\":1}"[..])
    );
    assert!(!relayed.wants_a_long_rest);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        header(&requests[0], "authorization"),
        Some("made elsewhere")
    );
    assert_eq!(header(&requests[0], "x-api-key"), None);
    assert!(requests[0].ends_with("exactly this"));
    assert_eq!(
        (client.0.meter.requests(), client.0.meter.retries()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_relayed_request_without_an_answer_says_whether_another_may_have_one() {
    let client = client(&"http://127.0.0.1:9".parse().unwrap());
    let url = "http://127.0.0.1:9".parse().unwrap();
    let unanswered = client.relay(signed(&url), 1, None).await.unwrap_err();
    assert!(unanswered.passing);
    assert!(unanswered.error.message.contains("refused"));

    let server = Server::start(|_, _| vec![Step::Hang]).await;
    let client = client_of(&tool(&server.url));
    let limit = Some(Duration::from_millis(100));
    let unanswered = client
        .relay(signed(&server.url), 1, limit)
        .await
        .unwrap_err();
    assert!(!unanswered.passing);
    assert_eq!(unanswered.error.kind, HttpErrorKind::TimedOut);
}

#[tokio::test]
async fn a_long_rest_is_told_and_a_short_one_is_kept_for_all() {
    let server = Server::start(|_, _| answer(429, &[("retry-after", "3600")], "")).await;
    let relayed = client(&server.url)
        .relay(signed(&server.url), 1, None)
        .await;
    assert!(relayed.unwrap().wants_a_long_rest);
}

#[test]
fn a_presentable_text_is_one_line_without_secrets() {
    let client = client(&"http://127.0.0.1:9".parse().unwrap());
    let text = format!("no\n{KEY} \u{1b}[31m");
    assert_eq!(client.presentable(&text), "no *** [31m");
}
