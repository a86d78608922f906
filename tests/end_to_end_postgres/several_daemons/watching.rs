//! Any host tells what all of them do.

use serde_json::Value;

use super::super::support::postgres::{self, Database};
use super::super::support::{Daemon, wait_for};
use super::{installations, world};

#[test]
fn a_run_is_joined_and_watched_from_another_host_and_status_says_who_is_at_it() {
    let (_tool, toml) = world(1, 3000, "enabled = false");
    // Half a minute, so that there is something to watch.
    let toml = toml.replace("page_size", "max_requests_per_second = 1\npage_size");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let daemons: Vec<Daemon> = installations.iter().map(|each| each.daemon()).collect();
    installations[0]
        .secpull(&["run", "--detach", "a0"])
        .exits(0);
    let watching = installations[1]
        .command(&["run", "a0"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let status = || -> Value {
        let status = installations[2].secpull(&["status", "--format", "json"]);
        status.exits(0).json()["api_configurations"][0].clone()
    };
    let name = wait_for("the third host to know how far the first is", || {
        let status = status();
        (status["progress"]["findings"].as_u64()? > 0).then_some(())?;
        Some(status["last_run"]["daemon"].as_str()?.to_owned())
    });
    assert!(name.ends_with(&format!(":{}", daemons[0].pid())), "{name}");
    let table = installations[2].secpull(&["status"]).exits(0).stdout;
    assert!(table.contains(&format!("running at {name}, ")), "{table}");

    let watched = watching.wait_with_output().unwrap();
    let said = String::from_utf8(watched.stderr).unwrap();
    assert_eq!(watched.status.code(), Some(0), "{said}");
    // Before its end it was told how far the other host was.
    let on_the_way = |line: &&str| line.starts_with("a0: ") && line.contains("00 findings");
    assert!(said.lines().filter(on_the_way).count() > 1, "{said}");
    assert_eq!(installations[1].runs("a0").len(), 1);
}
