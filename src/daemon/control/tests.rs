#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::daemon::engine::tests::Bench;
use crate::daemon::fakes::{config, finding};
use crate::daemon::notify::Notifier;
use crate::daemon::reload::{Loader, Reloader};
use crate::daemon::rounds::Rounds;
use crate::finding::Severity;
use crate::store::Waiting;

/// A daemon at a real socket, over a store in memory, that judges this test's own connections as the test wants.
struct Daemon {
    bench: Bench,
    http: reqwest::Client,
    control: Control,
    stop: CancellationToken,
    server: JoinHandle<()>,
    folder: tempfile::TempDir,
}

enum Caller {
    Root,
    Member,
    Stranger,
}

impl Daemon {
    async fn start(caller: Caller) -> Self {
        Self::with(Bench::new(config(&["a", "b"], 1)), caller).await
    }

    async fn with(bench: Bench, caller: Caller) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secpull.sock");
        let socket = Socket::bind(&path, None).await.unwrap();
        let stop = CancellationToken::new();
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), stop.child_token());
        let load: Loader = Arc::new(|| Err(vec!["secpull.toml:1:1: wrong".to_owned()]));
        let post = bench.post(Vec::new());
        let reloader = Reloader::new(
            bench.engine.clone(),
            rounds.clone(),
            post.clone(),
            load,
            Notifier::telling(bench.engine.clone(), Arc::new(|_| {})),
        );
        let (privileged, groups) = match caller {
            Caller::Root => (vec![nix::unistd::getuid().as_raw()], vec![]),
            Caller::Member => (vec![], vec![4_000_001]),
            Caller::Stranger => (vec![], vec![4_000_002]),
        };
        let authority = Authority::new(privileged, 4_000_001, Arc::new(move |_| groups.clone()));
        let control = Control::new(
            bench.engine.clone(),
            Arc::new(reloader),
            rounds,
            post,
            socket.group(),
            stop.clone(),
        )
        .judged_by(authority);
        let server = tokio::spawn(serve(socket, control.clone()));
        let http = reqwest::Client::builder()
            .unix_socket(path)
            .no_proxy()
            .tls_certs_only([])
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            bench,
            http,
            control,
            stop,
            server,
            folder,
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://localhost{path}");
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn watch(&self, run: i64) -> Events {
        let url = format!("http://localhost/v1/runs/{run}/events");
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Events {
            answer,
            text: String::new(),
        }
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let request = self
            .http
            .post(format!("http://localhost{path}"))
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A stream of server-sent events.
struct Events {
    answer: reqwest::Response,
    text: String,
}

impl Events {
    /// Name and data of the next event.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let found = events(event).pop();
                self.text = rest.to_owned();
                match found {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            let chunk = self.answer.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn last(&mut self) -> (String, Value) {
        let mut last = None;
        while let Some(event) = self.next().await {
            last = Some(event);
        }
        last.unwrap()
    }
}

/// Names and data of server-sent events.
fn events(text: &str) -> Vec<(String, Value)> {
    text.split("\n\n")
        .filter_map(|event| {
            let line = |key: &str| event.lines().find_map(|line| line.strip_prefix(key));
            Some((line("event: ")?.to_owned(), parsed(line("data: ")?)))
        })
        .collect()
}

#[tokio::test]
async fn a_run_is_started_watched_and_found_in_the_history() {
    let daemon = Daemon::start(Caller::Member).await;
    let (status, started) = daemon
        .post("/v1/runs", r#"{"api_configurations":["b"]}"#)
        .await;
    assert_eq!(status, 202);
    assert_eq!(
        started,
        json!({"runs": [{"id": 1, "api_configuration": "b", "already_running": false}]})
    );
    let (_, joined) = daemon
        .post("/v1/runs", r#"{"api_configurations":["b"]}"#)
        .await;
    assert_eq!(joined["runs"][0]["already_running"], true);

    let mut stream = daemon.watch(1).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first.0, "progress");
    assert_eq!(first.1["run"]["api_configuration"], "b");
    daemon.bench.may_end.add_permits(1);
    let last = stream.last().await;
    assert_eq!(last.0, "end");
    assert_eq!(last.1["run"]["status"], "complete");

    let (_, after) = daemon.get("/v1/runs/1/events").await;
    let seen = events(&after);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, "end");

    let (_, runs) = daemon.get("/v1/runs?api_configuration=b&limit=5").await;
    assert_eq!(parsed(&runs)["runs"][0]["status"], "complete");
    let (status, run) = daemon.get("/v1/runs/1").await;
    assert_eq!((status, parsed(&run)["id"].clone()), (200, json!(1)));
}

#[tokio::test]
async fn all_means_every_api_configuration() {
    let daemon = Daemon::start(Caller::Member).await;
    let (status, started) = daemon.post("/v1/runs", r#"{"all":true}"#).await;
    assert_eq!(status, 202);
    assert_eq!(started["runs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_status_tells_every_api_configuration_and_what_is_wrong() {
    let daemon = Daemon::start(Caller::Member).await;
    daemon.bench.start(&["a"]).await;
    daemon
        .bench
        .store
        .held
        .lock()
        .unwrap()
        .insert("a".to_owned(), 30);
    daemon.bench.store.full.store(true, Ordering::SeqCst);
    let (refused, _) = daemon.post("/v1/runs", r#"{"all":true}"#).await;
    assert_eq!(refused, 500);
    let (status, text) = daemon.get("/v1/status").await;
    assert_eq!(status, 200);
    let answer = parsed(&text);
    assert_eq!(answer["daemon"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        answer["problems"][0]
            .as_str()
            .unwrap()
            .contains("disk full")
    );
    let (a, b) = (
        &answer["api_configurations"][0],
        &answer["api_configurations"][1],
    );
    assert_eq!(a["schedule"], "daily 02:00");
    assert_eq!(a["next_run"], "2026-11-24T02:00:00Z");
    assert_eq!(a["connector"], "dependency-track");
    assert!(
        a["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line.as_str().unwrap().contains("`secpull accept a`"))
    );
    assert_eq!(b["last_run"], Value::Null);
}

#[tokio::test]
async fn the_status_tells_what_waits_also_for_a_destination_that_is_gone() {
    let daemon = Daemon::start(Caller::Member).await;
    let (_, status) = daemon.get("/v1/status").await;
    assert_eq!(parsed(&status)["waiting"], json!([]));
    daemon.bench.store.waits.lock().unwrap().push(Waiting {
        destination: "forwards.dojo".to_owned(),
        messages: 3,
        since: "2026-11-24T00:00:00Z".parse().unwrap(),
        attempts: 2,
        problem: Some("502".to_owned()),
        next_attempt_at: Some("2026-11-24T01:30:00Z".parse().unwrap()),
    });
    let (_, status) = daemon.get("/v1/status").await;
    assert_eq!(
        parsed(&status)["waiting"],
        json!([{
            "destination": "forwards.dojo", "configured": false, "messages": 3, "since": "2026-11-24T00:00:00Z",
            "attempts": 2, "problem": "502", "next_attempt_at": "2026-11-24T01:30:00Z"
        }])
    );
}

#[tokio::test]
async fn a_member_of_the_group_may_not_reload_or_accept() {
    let daemon = Daemon::start(Caller::Member).await;
    for (path, body) in [
        ("/v1/reload", ""),
        ("/v1/accept", r#"{"api_configuration":"a"}"#),
    ] {
        let (status, answer) = daemon.post(path, body).await;
        assert_eq!(status, 403, "{path}");
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.contains("only root and the service's own user"),
            "{error}"
        );
    }
    assert_eq!(daemon.get("/v1/status").await.0, 200);
}

#[tokio::test]
async fn somebody_outside_the_group_gets_nothing() {
    let daemon = Daemon::start(Caller::Stranger).await;
    for path in [
        "/v1/status",
        "/v1/findings",
        "/metrics",
        "/healthz",
        "/openapi.json",
    ] {
        let (status, text) = daemon.get(path).await;
        assert_eq!(status, 403, "{path}");
        assert!(
            parsed(&text)["error"]
                .as_str()
                .unwrap()
                .contains("not a member")
        );
    }
}

#[tokio::test]
async fn accept_resolves_what_is_held_and_says_where_nothing_is() {
    let daemon = Daemon::start(Caller::Root).await;
    daemon
        .bench
        .store
        .held
        .lock()
        .unwrap()
        .insert("a".to_owned(), 30);
    let accept = async |name: &str| {
        let body = json!({ "api_configuration": name }).to_string();
        daemon.post("/v1/accept", &body).await
    };
    assert_eq!(accept("a").await, (200, json!({"run": 1, "resolved": 30})));
    let (status, answer) = accept("a").await;
    assert_eq!(
        (status, &answer["error"]),
        (409, &json!("nothing is held for a"))
    );
    assert_eq!(accept("nobody").await.0, 404);
}

#[tokio::test]
async fn a_refused_reload_tells_every_mistake() {
    let daemon = Daemon::start(Caller::Root).await;
    let (status, answer) = daemon.post("/v1/reload", "").await;
    assert_eq!(status, 422);
    assert_eq!(answer["details"], json!(["secpull.toml:1:1: wrong"]));
}

#[tokio::test]
async fn findings_are_streamed_a_line_each_and_filtered() {
    let daemon = Daemon::start(Caller::Member).await;
    *daemon.bench.store.findings.lock().unwrap() = (1..=300)
        .map(|id| {
            let critical = id % 3 == 0;
            let severity = if critical {
                Severity::Critical
            } else {
                Severity::Low
            };
            finding(id, severity)
        })
        .collect();
    let (status, text) = daemon.get("/v1/findings?severity=critical").await;
    assert_eq!(status, 200);
    let ids: Vec<_> = text
        .lines()
        .map(|line| parsed(line)["id"].clone())
        .collect();
    assert_eq!(ids.len(), 100);
    assert_eq!(ids[0], 3);
    assert_eq!(
        daemon.get("/v1/findings?severity=high").await,
        (200, String::new())
    );
    let (status, one) = daemon.get("/v1/findings/7?raw=true").await;
    assert_eq!((status, parsed(&one)["id"].clone()), (200, json!(7)));
    assert_eq!(daemon.get("/v1/findings/9999").await.0, 404);
}

#[tokio::test]
async fn every_mistake_in_a_request_is_answered_with_its_status_and_a_line() {
    let daemon = Daemon::start(Caller::Root).await;
    for (path, status) in [
        ("/v1/nothing", 404),
        ("/v1/runs/99", 404),
        ("/v1/runs/99/events", 404),
        ("/v1/runs/ninety", 400),
        ("/v1/runs?limit=many", 400),
        ("/v1/runs?lmit=1", 400),
        ("/v1/findings?severity=hihg", 400),
        ("/v1/findings/1?raw=perhaps", 400),
        ("/v1/reload", 405),
    ] {
        let (found, text) = daemon.get(path).await;
        assert_eq!(found, status, "GET {path}: {text}");
        assert!(!parsed(&text)["error"].as_str().unwrap().is_empty());
    }
    for (path, body, status) in [
        ("/v1/runs", "{", 400),
        ("/v1/runs", "{}", 400),
        ("/v1/runs", r#"{"api_configurations":"a"}"#, 400),
        (
            "/v1/runs",
            r#"{"api_configurations":["a"],"all":true}"#,
            400,
        ),
        ("/v1/runs", r#"{"api_configurations":["a","nobody"]}"#, 404),
        ("/v1/accept", r#"{"name":"a"}"#, 400),
        ("/v1/status", "{}", 405),
    ] {
        let (found, answer) = daemon.post(path, body).await;
        assert_eq!(found, status, "POST {path} {body}: {answer}");
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    assert!(daemon.bench.store.all().is_empty());
}

#[tokio::test]
async fn health_is_lost_with_the_store_and_with_the_schedule() {
    let daemon = Daemon::start(Caller::Member).await;
    assert_eq!(daemon.get("/healthz").await, (200, "ok\n".to_owned()));
    daemon.bench.store.hangs.store(true, Ordering::SeqCst);
    let (status, text) = daemon.get("/healthz").await;
    assert_eq!(status, 503);
    assert!(
        parsed(&text)["error"]
            .as_str()
            .unwrap()
            .contains("does not answer")
    );
}

#[tokio::test]
async fn metrics_are_served_over_tcp_too_and_nothing_else_is() {
    let daemon = Daemon::start(Caller::Stranger).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_metrics(listener, daemon.control.clone()));
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let get = async |path: &str| {
        let answer = http
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("secpull_runs_running 0"), "{text}");
    assert!(text.contains("secpull_store_up 1"), "{text}");
    assert_eq!(get("/healthz").await.0, 200);
    assert_eq!(get("/v1/status").await.0, 404);
}

#[tokio::test]
async fn the_document_names_every_route_and_every_route_answers() {
    let daemon = Daemon::start(Caller::Root).await;
    let (status, text) = daemon.get("/openapi.json").await;
    assert_eq!(status, 200);
    assert_eq!(daemon.get("/v1/openapi.json").await.1, text);
    let document = parsed(&text);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["license"]["name"], "Apache-2.0");
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(format!("{method} {path}"));
            let url = format!("http://localhost{}", path.replace("{id}", "1"));
            let method = method.to_uppercase().parse().unwrap();
            let answer = daemon.http.request(method, url).send().await.unwrap();
            let status = answer.status().as_u16().to_string();
            assert!(
                operation["responses"].get(&status).is_some(),
                "{path} answers {status}, which the document does not tell"
            );
        }
    }
    routes.sort();
    assert_eq!(
        routes,
        [
            "get /healthz",
            "get /metrics",
            "get /openapi.json",
            "get /v1/findings",
            "get /v1/findings/{id}",
            "get /v1/openapi.json",
            "get /v1/runs",
            "get /v1/runs/{id}",
            "get /v1/runs/{id}/events",
            "get /v1/status",
            "post /v1/accept",
            "post /v1/reload",
            "post /v1/runs",
        ]
    );
    // No schema is referred to that is not there.
    for (at, _) in text.match_indices("#/components/schemas/") {
        let name = text[at..].split('"').next().unwrap();
        let name = name.trim_start_matches("#/components/schemas/");
        assert!(
            document["components"]["schemas"].get(name).is_some(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_watches_while_the_daemon_stops_learns_how_the_run_ended() {
    let daemon = Daemon::start(Caller::Member).await;
    daemon.bench.start(&["a"]).await;
    let mut stream = daemon.watch(1).await;
    assert_eq!(stream.next().await.unwrap().0, "progress");
    daemon.bench.engine.stop(Duration::from_secs(20)).await;
    let last = stream.last().await;
    assert_eq!(last.0, "end");
    assert_eq!(last.1["run"]["status"], "interrupted");
}

#[tokio::test]
async fn open_streams_end_with_the_daemon_and_the_socket_is_gone() {
    let daemon = Daemon::start(Caller::Member).await;
    daemon.bench.start(&["a"]).await;
    let mut stream = daemon.watch(1).await;
    assert_eq!(stream.next().await.unwrap().0, "progress");
    daemon.stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), daemon.server)
        .await
        .unwrap()
        .unwrap();
    while let Some((name, _)) = stream.next().await {
        assert_eq!(name, "progress");
    }
    assert!(!daemon.folder.path().join("secpull.sock").exists());
}
