//! `secpull-simulators` as the quick start uses it.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_secpull-simulators"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn it_prints_a_line_for_each_tool_and_ends_with_its_standard_input() {
    let mut child = start(&["dependency-track", "trivy-operator-prometheus=127.0.0.1:0"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let (dependency_track, prometheus) = (next(), next());
    assert_eq!(dependency_track["simulator"], "dependency-track");
    assert_eq!(prometheus["simulator"], "trivy-operator-prometheus");

    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let client = client.build().unwrap();
    let projects = format!(
        "{}/api/v1/project",
        dependency_track["url"].as_str().unwrap()
    );
    let key = dependency_track["api_key"].as_str().unwrap();
    let projects = client.get(projects).header("X-Api-Key", key);
    assert_eq!(
        projects.send().await.unwrap().headers()["x-total-count"],
        "6"
    );

    drop(child.stdin.take());

    assert!(child.wait().unwrap().success());
}

#[test]
fn an_unknown_tool_is_told_with_those_that_there_are() {
    let output = start(&["acme"]).wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("checkmarx-one, defectdojo, dependency-track"),
        "{said}"
    );
}

#[test]
fn a_taken_address_is_an_error_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let output = start(&[&format!("burp={address}")])
        .wait_with_output()
        .unwrap();

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("secpull-simulators: "), "{said}");
    assert_eq!(said.lines().count(), 1);
}
