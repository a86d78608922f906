//! The command line against a daemon that says what the test wants: what is printed, and how it ends.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::{get, post};
use futures_util::stream;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UnixListener;

/// A daemon with these routes.
struct Daemon {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Daemon {
    fn serving(routes: Router) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let socket = folder.path().join("secpull.sock");
        let listener = {
            let _context = runtime.enter();
            UnixListener::bind(&socket).unwrap()
        };
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { folder, runtime }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("secpull.sock")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("secpull"));
        command
            .env_clear()
            .arg("--socket")
            .arg(self.socket())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let runtime = std::mem::replace(
            &mut self.runtime,
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        );
        runtime.shutdown_background();
    }
}

fn run_of(status: &str) -> Value {
    json!({
        "id": 17, "api_configuration": "shop", "trigger": "operator", "status": status,
        "started_at": "2026-11-24T06:40:00Z", "finished_at": null, "new": 3, "updated": 0, "unchanged": 5, "resolved": 0,
        "reopened": 0, "unreadable": 0, "pages": 1, "requests": 2, "retries": 0, "daemon": "host:1", "error": null
    })
}

fn progress(findings: u64, warnings: &[&str]) -> String {
    let progress = json!({
        "records": 0, "records_expected": 1, "record": "shop-api", "pages": 1, "findings": findings,
        "findings_expected": 8, "new": findings, "updated": 0, "unchanged": 0, "resolved": 0, "reopened": 0,
        "unreadable": 0, "requests": 1, "retries": 0, "warnings": warnings
    });
    let data = json!({"event": "progress", "progress": progress, "run": run_of("running")});
    format!("event: progress\ndata: {data}\n\n")
}

fn end(run: &Value) -> String {
    format!(
        "event: end\ndata: {}\n\n",
        json!({"event": "end", "run": run})
    )
}

fn started() -> Router {
    let answer =
        json!({"runs": [{"id": 17, "api_configuration": "shop", "already_running": false}]});
    Router::new().route(
        "/v1/runs",
        post(async move || (StatusCode::ACCEPTED, answer.to_string())),
    )
}

fn events(text: String) -> Router {
    started().route("/v1/runs/17/events", get(async move || text.clone()))
}

fn refusing(path: &str, status: u16, answer: Value) -> Router {
    let status = StatusCode::from_u16(status).unwrap();
    Router::new().route(path, post(async move || (status, answer.to_string())))
}

#[test]
fn a_run_is_watched_to_its_end() {
    let text = format!(
        ": hello\n\n{}{}",
        progress(3, &["certificates are not checked"]),
        end(&run_of("complete"))
    );
    let (code, out, err) = Daemon::serving(events(text)).run(&["run", "shop"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("API CONFIGURATION  RUN  STATE"), "{out}");
    assert!(out.contains("shop                17  complete"), "{out}");
    assert_eq!(
        err,
        "warning: shop: certificates are not checked\nshop: run 17 is under way\n\
         shop: run 17 complete: 3 new, 5 unchanged\n"
    );
}

#[test]
fn a_run_that_is_not_complete_exits_with_1_and_says_why() {
    let mut run = run_of("held");
    run["error"] = json!("would resolve 90 of 100 open findings");
    let (code, out, _) = Daemon::serving(events(end(&run))).run(&["run", "shop"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("shop: would resolve 90 of 100 open findings\n"),
        "{out}"
    );
    assert!(out.contains("secpull accept shop"), "{out}");
}

#[test]
fn the_summary_can_be_json() {
    let daemon = Daemon::serving(events(end(&run_of("failed"))));
    let (code, out, _) = daemon.run(&["run", "shop", "--format", "json"]);
    assert_eq!(code, 1);
    let runs: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(runs[0]["status"], "failed");
}

#[test]
fn a_broken_stream_of_events_is_opened_again() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let routes = started().route(
        "/v1/runs/17/events",
        get(async move || match count.fetch_add(1, Ordering::SeqCst) {
            // Ends in the middle of an event.
            0 => progress(3, &[]) + "event: end\nda",
            _ => end(&run_of("complete")),
        }),
    );
    let (code, _, err) = Daemon::serving(routes).run(&["run", "shop"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[test]
fn a_detached_run_prints_its_number() {
    let (code, out, _) = Daemon::serving(started()).run(&["run", "shop", "--detach"]);
    assert_eq!(code, 0);
    assert_eq!(out, "RUN  API CONFIGURATION\n 17  shop\n");
}

#[test]
fn an_interrupted_watcher_says_that_the_import_goes_on() {
    let routes = started().route(
        "/v1/runs/17/events",
        get(async || {
            let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(progress(3, &[])))]);
            Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()))
        }),
    );
    let daemon = Daemon::serving(routes);
    let mut child = daemon.start(&["run", "shop"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "shop: run 17 is under way\n");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the imports go on in the daemon"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let status = json!({
        "daemon": null,
        "api_configurations": [{
            "api_configuration": "shop", "tool": "dtrack", "connector": "dependency-track", "product": null,
            "enabled": true, "schedule": "daily 02:00", "next_run": null, "last_run": null, "progress": null,
            "last_complete_at": null, "unresolved": 0, "held": 0, "records": [], "problems": []
        }],
        "problems": []
    });
    for (path, arguments) in [
        ("/v1/runs", ["run", "shpo"]),
        ("/v1/accept", ["accept", "shpo"]),
    ] {
        let answer = json!({"error": "there is no API configuration \"shpo\""});
        let status = status.to_string();
        let routes =
            refusing(path, 404, answer).route("/v1/status", get(async move || status.clone()));
        let (code, _, err) = Daemon::serving(routes).run(&arguments);
        assert_eq!(code, 2);
        assert_eq!(
            err,
            "error: there is no API configuration \"shpo\"; known: shop\n"
        );
    }
}

#[test]
fn a_wrong_configuration_is_told_line_by_line_at_reload() {
    let answer = json!({
        "error": "the configuration is wrong: the old one stays in force",
        "details": ["a.toml:1:1: tools: unknown key", "a.toml:2:1: store: unknown key"]
    });
    let (code, _, err) = Daemon::serving(refusing("/v1/reload", 422, answer)).run(&["reload"]);
    assert_eq!(code, 2);
    assert_eq!(err.lines().count(), 3, "{err}");
}

#[test]
fn what_the_daemon_does_not_allow_exits_with_1() {
    let answer = json!({"error": "only root and the service's user may reload"});
    let (code, _, err) = Daemon::serving(refusing("/v1/reload", 403, answer)).run(&["reload"]);
    assert_eq!(code, 1);
    assert!(err.contains("only root"), "{err}");
}

#[test]
fn a_reload_says_what_changed() {
    let answer = json!({"added": ["eu", "us"], "removed": [], "changed": ["shop"]});
    let routes = Router::new().route("/v1/reload", post(async move || answer.to_string()));
    let (code, out, _) = Daemon::serving(routes).run(&["reload"]);
    assert_eq!(code, 0);
    assert_eq!(out, "added: eu, us\nchanged: shop\n");
}

#[test]
fn findings_in_jsonl_are_the_daemons_own_lines() {
    let lines = "{\"id\":1,\"z\":0}\n{\"id\":2, \"odd\" : \"spacing\"}\n";
    let asked = Arc::new(std::sync::Mutex::new(None));
    let query_seen = Arc::clone(&asked);
    let routes = Router::new().route(
        "/v1/findings",
        get(async move |RawQuery(query): RawQuery| {
            *query_seen.lock().unwrap() = query;
            lines
        }),
    );
    let daemon = Daemon::serving(routes);
    let (code, out, _) = daemon.run(&[
        "findings",
        "--format",
        "jsonl",
        "--severity",
        "critical,high",
        "--product",
        "Shop, old",
        "--status",
        "all",
    ]);
    assert_eq!((code, out.as_str()), (0, lines));
    assert_eq!(
        asked.lock().unwrap().as_deref(),
        Some("severity=critical%2Chigh&status=all&product=Shop%5C%2C+old")
    );
}

#[test]
fn a_listing_that_breaks_off_is_no_success() {
    let routes = Router::new().route("/v1/findings", get(async || "{\"id\":1}\n{\"id\":"));
    let (code, out, err) = Daemon::serving(routes).run(&["findings", "--format", "json"]);
    assert_eq!(code, 1);
    assert!(!out.trim_end().ends_with(']'), "{out}");
    assert!(err.contains("the listing is not complete"), "{err}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_listing_quietly() {
    let routes = Router::new().route(
        "/v1/findings",
        get(async || {
            let line = format!("{{\"id\":1,\"title\":\"{}\"}}\n", "x".repeat(4000));
            Body::from_stream(stream::repeat_with(move || {
                Ok::<_, std::io::Error>(Bytes::from(line.clone()))
            }))
        }),
    );
    let daemon = Daemon::serving(routes);
    let mut child = daemon.start(&["findings", "--format", "jsonl"]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"id\":1"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn all_runs_are_asked_for_without_the_daemons_own_limit() {
    let routes = Router::new().route(
        "/v1/runs",
        get(async |RawQuery(query): RawQuery| {
            assert_eq!(query.as_deref(), Some("limit=4294967295"));
            json!({"runs": [run_of("complete")]}).to_string()
        }),
    );
    let (code, out, _) = Daemon::serving(routes).run(&["runs", "--all", "--format", "csv"]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().count(), 2, "{out}");
}
