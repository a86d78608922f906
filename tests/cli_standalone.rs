//! Imports in the command's own process, without a daemon, from a simulated Dependency-Track.

#![allow(clippy::unwrap_used)]

use std::fs;

use assert_cmd::Command;
use secpull_simulators::dependency_track::{API_KEY, DependencyTrack, Simulator, Version};
use secpull_simulators::scenario;
use serde_json::Value;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    key: &'static str,
    _tool: Simulator,
}

impl Place {
    fn new() -> Self {
        Self::with_key(API_KEY)
    }

    fn with_key(key: &'static str) -> Self {
        let tool = DependencyTrack::new(Version::V5_0)
            .projects(scenario::shop())
            .start_blocking()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite:{0}/secpull.db\"\n[control]\nsocket = \"{0}/secpull.sock\"\n\
             [tools.dtrack]\nconnector = \"dependency-track\"\nlocation = \"{1}\"\nsecret = {{ env = \"DTRACK_KEY\" }}\n\
             [api_configurations.shop]\ntool = \"dtrack\"\nproduct = \"Shop\"\n\
             [api_configurations.some]\ntool = \"dtrack\"\nrecords = {{ include = [\"shop-payments\"] }}\n",
            folder.path().display(),
            tool.url()
        );
        fs::write(folder.path().join("secpull.toml"), text).unwrap();
        Self {
            folder,
            key,
            _tool: tool,
        }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("secpull").unwrap();
        command
            .env_clear()
            .env("SECPULL_CONFIG", self.folder.path())
            .env("DTRACK_KEY", self.key);
        let output = command.args(arguments).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let (_, out, err) = self.run(arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
    }
}

#[test]
fn an_import_without_a_daemon_fills_the_store_and_a_second_one_changes_nothing() {
    let place = Place::new();
    let arguments = ["run", "shop", "--standalone", "--format", "json"];
    let first = place.json(&arguments);
    assert_eq!(first[0]["status"], "complete");
    assert_eq!(first[0]["trigger"], "standalone");
    let new = first[0]["new"].as_u64().unwrap();
    assert!(new > 0);

    let second = place.json(&arguments);
    assert_eq!(second[0]["new"], 0);
    assert_eq!(second[0]["unchanged"], new);

    let (code, out, _) = place.run(&["findings", "--status", "all", "--format", "jsonl"]);
    assert_eq!(code, 0);
    assert!(out.lines().count() > 0);
    let id = serde_json::from_str::<Value>(out.lines().next().unwrap()).unwrap()["id"].to_string();
    let (code, out, _) = place.run(&["findings", "show", &id]);
    assert_eq!(code, 0);
    assert!(out.contains("\nHistory\n"), "{out}");
    assert_eq!(place.json(&["runs", "--format", "json"]).len(), 2);
}

#[test]
fn all_api_configurations_are_imported_once_each() {
    let place = Place::new();
    let (code, out, err) = place.run(&["run", "--all", "--standalone"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 3, "{out}");
    for name in ["shop", "some"] {
        assert!(err.contains(&format!("{name}: run ")), "{err}");
    }
}

#[test]
fn a_tool_that_refuses_the_key_fails_the_import_and_the_check() {
    let place = Place::with_key("not-the-key");
    let (code, out, _) = place.run(&["run", "shop", "--standalone"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("failed"), "{out}");
    let (code, out, _) = place.run(&["check", "dtrack"]);
    assert_eq!(code, 1);
    assert!(out.contains("tool dtrack: failed: "), "{out}");
    assert!(!out.contains("not-the-key"), "{out}");
}

#[test]
fn status_without_a_daemon_tells_what_is_known_and_exits_with_3() {
    let place = Place::new();
    place.run(&["run", "shop", "--standalone"]);
    let (code, out, err) = place.run(&["status"]);
    assert_eq!(code, 3);
    assert!(err.contains("no daemon is running"), "{err}");
    let line = |name| out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("shop").contains("complete"), "{out}");
    assert!(line("some").contains("never"), "{out}");
}

#[test]
fn discover_says_where_each_record_would_be_filed() {
    let place = Place::new();
    let records = place.json(&["discover", "dtrack", "--format", "json"]);
    let of = |name: &str, api: &str| {
        let found = records
            .iter()
            .find(|r| r["name"] == name && r["api_configuration"] == api);
        found.unwrap().clone()
    };
    assert_eq!(of("shop-checkout", "shop")["product"], "Shop");
    assert_eq!(of("shop-payments", "some")["product"], "shop-payments");
    let left_out = of("shop-checkout", "some");
    assert_eq!(left_out["imported"], false);
    assert_eq!(left_out["reason"], "not in some's records.include");
}
