//! The primary fails, and its standby is promoted.

use std::sync::{Arc, Mutex};

use secpull_simulators::dependency_track::{Simulator, Version};
use secpull_simulators::real_postgres::RealPostgres;
use serde_json::Value;

use super::support::dependency_track::{finding, project, server, tool};
use super::support::postgres::Database;
use super::support::{Installation, wait_for};

const FINDINGS: u32 = 3000;

/// A primary, and a standby that has whatever was committed.
fn pair() -> (Arc<Mutex<Option<RealPostgres>>>, RealPostgres, Database) {
    let primary = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&primary);
    let standby = primary.standby().unwrap();
    wait_for("the standby to follow", || {
        let following = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        (database.number(following) == 1).then_some(())
    });
    database.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
    database.execute("SELECT pg_reload_conf()");
    (Arc::new(Mutex::new(Some(primary))), standby, database)
}

fn shop() -> (Simulator, String, String) {
    let project = project("shop", 0..FINDINGS);
    let uuid = project.uuid.clone();
    let server = server(Version::V5_0, vec![project]);
    let toml = format!(
        "{}page_size = 100\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    );
    (server, toml, uuid)
}

fn ended(installation: &Installation) -> Value {
    wait_for("the import to end", || {
        let ran = installation.secpull(&["runs", "shop", "--format", "jsonl"]);
        let run = (ran.code == 0).then(|| ran.lines().first().cloned())??;
        let is_over = run["status"] != "running" && run["status"] != "queued";
        is_over.then_some(run)
    })
}

/// Imports, promotes in the middle, and sees that nothing is missing, doubled or falsely resolved, then and later.
fn imports_over_a_failover(
    installation: &Installation,
    tool: &Simulator,
    uuid: &str,
    failover: impl FnOnce() + Send + 'static,
) {
    let daemon = installation.daemon();
    tool.before_request(14, failover);
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    let run = ended(installation);
    assert_eq!(run["status"], "complete", "{run}\n{}", daemon.log());
    let findings = installation.findings();
    assert_eq!(findings.len(), FINDINGS as usize);
    assert!(findings.iter().all(|finding| finding["status"] == "open"));
    tool.portfolio()
        .change(uuid, |project| project.findings.add(finding(90_000)));
    installation.secpull(&["run", "shop"]).exits(0);
    let run = installation.last_run("shop");
    let counts = ["new", "unchanged", "updated", "resolved"].map(|what| run[what].as_u64());
    assert_eq!(counts, [Some(1), Some(FINDINGS.into()), Some(0), Some(0)]);
    let log = daemon.log();
    let loud = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    assert!(log.lines().filter(loud).count() <= 4, "{log}");
    assert!(daemon.stop().success());
}

#[test]
fn of_several_servers_the_promoted_one_is_found_in_mid_import() {
    let (tool, toml, uuid) = shop();
    let (primary, standby, database) = pair();
    let standby = Arc::new(standby);
    let folder = |server: &RealPostgres| server.data().parent().unwrap().display().to_string();
    let url = {
        let primary = primary.lock().unwrap();
        let primary = primary.as_ref().unwrap();
        // The standby first: it is no use as long as it is one.
        format!(
            "postgres:///{}?user={}&host={},{}&port={},{}&target_session_attrs=read-write",
            database.name(),
            RealPostgres::USER,
            folder(&standby),
            folder(primary),
            standby.port(),
            primary.port(),
        )
    };
    let installation = Installation::with_store(Database::section_at(&url), &toml);
    let promoted = Arc::clone(&standby);
    imports_over_a_failover(&installation, &tool, &uuid, move || {
        let primary = primary.lock().unwrap().take().unwrap();
        primary.stop().unwrap();
        promoted.promote().unwrap();
    });
    // A daemon that starts now finds it too, and listings without one.
    installation.secpull(&["findings"]).exits(0);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    assert!(daemon.stop().success());
}

#[test]
fn an_address_that_moves_to_the_promoted_server_is_enough() {
    let (tool, toml, uuid) = shop();
    let (primary, standby, database) = pair();
    let standby = Arc::new(standby);
    let installation = Installation::with_store(database.section(), &toml);
    let promoted = Arc::clone(&standby);
    let kept = Arc::clone(&primary);
    imports_over_a_failover(&installation, &tool, &uuid, move || {
        let primary = kept.lock().unwrap();
        let primary = primary.as_ref().unwrap();
        primary.stop().unwrap();
        promoted.take_the_place_of(primary).unwrap();
        promoted.promote().unwrap();
    });
    drop(primary);
}

#[test]
fn without_a_primary_the_reason_names_every_server() {
    let (_tool, toml, _) = shop();
    let (primary, standby, database) = pair();
    let folder = standby.data().parent().unwrap().display().to_string();
    primary.lock().unwrap().as_ref().unwrap().stop().unwrap();
    let url = format!(
        "postgres:///{}?user={}&host=/nowhere,{folder}&port={}",
        database.name(),
        RealPostgres::USER,
        standby.port(),
    );
    let installation = Installation::with_store(Database::section_at(&url), &toml);
    let refused = installation.import("shop").exits(1);
    for words in [
        "none of the servers can be written",
        "/nowhere",
        "cannot be reached",
        &folder,
        "a standby, or read-only",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
}
