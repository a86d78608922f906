//! The control socket, as `curl --unix-socket` and other users see it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use secpull_simulators::dependency_track::{Simulator, Version};
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::{Installation, Ran, wait_for};

/// Debian's user and group without any rights.
const NOBODY: u32 = 65534;

fn shop(control: &str) -> (Simulator, Installation) {
    let server = server(Version::V5_0, vec![project("shop", 0..40)]);
    let installation = Installation::new(&format!(
        "{control}\n{}\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    ));
    (server, installation)
}

#[test]
fn every_call_works_and_is_in_the_document_that_is_served() {
    let (server, installation) = shop("");
    let daemon = installation.daemon();

    let (status, body) = daemon.request(
        "POST",
        "/v1/runs",
        Some(r#"{"api_configurations":["shop"]}"#),
    );
    assert_eq!(status, 202, "{body}");
    let started: Value = serde_json::from_str(&body).unwrap();
    let id = started["runs"][0]["id"].to_string();
    let (status, events) = daemon.request("GET", &format!("/v1/runs/{id}/events"), None);
    assert_eq!(status, 200);
    assert!(
        events.contains("event: end") && events.contains("\"complete\""),
        "{events}"
    );

    let status = daemon.get("/v1/status");
    let api = &status["api_configurations"][0];
    assert_eq!(api["unresolved"], 40, "{api}");
    assert_eq!(api["last_run"]["status"], "complete");
    assert_eq!(daemon.get("/v1/runs")["runs"][0]["new"], 40);

    let (status, findings) = daemon.request("GET", "/v1/findings?severity=high&limit=5", None);
    assert_eq!((status, findings.lines().count()), (200, 5));
    for line in findings.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        assert_eq!(finding["severity"], "high");
    }

    // Held, then accepted.
    let projects = server.portfolio().projects();
    server.portfolio().change(&projects[0].uuid, |project| {
        project.findings.remove(|_| true)
    });
    installation.secpull(&["run", "shop"]).exits(1);
    assert_eq!(daemon.get("/v1/runs")["runs"][0]["status"], "held");
    let (status, body) = daemon.request(
        "POST",
        "/v1/accept",
        Some(r#"{"api_configuration":"shop"}"#),
    );
    assert_eq!(status, 200, "{body}");
    let accepted: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(accepted["resolved"], 40);
    assert_eq!(daemon.get("/v1/runs")["runs"][0]["status"], "complete");

    let (status, metrics) = daemon.request("GET", "/metrics", None);
    assert_eq!(status, 200);
    assert!(
        metrics.contains("secpull_") && metrics.contains("shop"),
        "{metrics}"
    );
    assert_eq!(daemon.request("GET", "/healthz", None).0, 200);
    assert_eq!(daemon.request("POST", "/v1/reload", None).0, 200);

    let document = daemon.get("/openapi.json");
    for path in [
        "/v1/status",
        "/v1/runs",
        "/v1/runs/{id}/events",
        "/v1/findings",
        "/v1/accept",
        "/v1/reload",
        "/metrics",
        "/healthz",
    ] {
        assert!(
            document["paths"][path].is_object(),
            "{path} is not documented"
        );
    }
}

#[test]
fn wrong_requests_get_a_json_error_and_the_right_status() {
    let (_server, installation) = shop("");
    let daemon = installation.daemon();
    for (method, path, body, expected) in [
        ("GET", "/v1/nothing", None, 404),
        ("GET", "/v1/runs/999/events", None, 404),
        ("DELETE", "/v1/runs", None, 405),
        ("POST", "/v1/runs", Some("{"), 400),
        (
            "POST",
            "/v1/runs",
            Some(r#"{"api_configurations":["nope"]}"#),
            404,
        ),
        (
            "POST",
            "/v1/accept",
            Some(r#"{"api_configuration":"shop"}"#),
            409,
        ),
        ("GET", "/v1/findings?severity=terrible", None, 400),
    ] {
        let (status, answer) = daemon.request(method, path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_string(), "{method} {path}: {answer}");
    }
}

#[test]
fn the_peers_groups_decide_who_may_do_what() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not shown: only root can become another user");
        return;
    }
    let (_server, installation) = shop("");
    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    installation.write(
        "secpull.toml",
        &text.replace("[control]\n", "[control]\ngroup = \"nogroup\"\n"),
    );
    let _daemon = installation.daemon();
    let mode = fs::metadata(installation.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    // The way to the socket is open; the configuration stays root's.
    fs::set_permissions(installation.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = installation.path("secpull");
    fs::copy(env!("CARGO_BIN_EXE_secpull"), &binary).unwrap();
    let socket = installation.socket();
    let run = |uid, gid, arguments: &[&str]| -> Ran {
        let mut command = std::process::Command::new(&binary);
        command
            .args(["--socket", socket.to_str().unwrap()])
            .args(arguments)
            .env("NO_COLOR", "1")
            .uid(uid)
            .gid(gid);
        // A copy that another test's child still has open for writing cannot be run yet.
        wait_for("the copied binary", || match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            ran => Some(ran.unwrap().into()),
        })
    };

    let outsider = run(NOBODY, 1, &["runs"]);
    assert_eq!(outsider.code, 3, "{outsider:#?}");
    assert!(outsider.stderr.contains("not allowed"), "{outsider:#?}");

    let member = |arguments: &[&str]| run(NOBODY, NOBODY, arguments);
    member(&["run", "shop"]).exits(0);
    member(&["runs"]).exits(0);
    member(&["findings"]).exits(0);
    for command in [&["reload"] as &[&str], &["accept", "shop"]] {
        let refused = member(command);
        assert_ne!(refused.code, 0, "{refused:#?}");
        assert!(refused.stderr.contains("not allowed"), "{refused:#?}");
    }
}

#[test]
fn several_watchers_of_one_run_all_see_its_end() {
    let (server, installation) = shop("");
    let daemon = installation.daemon();
    server.inflict(secpull_simulators::misfortune::Misfortune::NoAnswer);
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the import", || {
        (daemon.get("/v1/runs")["runs"][0]["status"] == "running").then_some(())
    });
    let watchers: Vec<_> = (0..3)
        .map(|_| {
            installation
                .command(&["run", "shop"])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    wait_for("the joined runs", || {
        (daemon.get("/v1/status")["daemon"]["running"] == 1).then_some(())
    });
    daemon.stop();
    for mut watcher in watchers {
        let status = watcher.wait().unwrap();
        assert_ne!(status.code(), Some(0));
    }
}
