//! The machine fails the program: no room, no lock, no descriptors, no permission. It is said clearly and once, nothing is
//! lost, and when the cause is gone all goes on by itself.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use secpull_simulators::dependency_track::{API_KEY, Project, Simulator, Version};
use secpull_simulators::scenario::many;
use serde_json::Value;

use super::support::dependency_track::{project, server, tool};
use super::support::small_disk::SmallDisk;
use super::support::{Daemon, Installation, Ran, wait_for};

/// Of about 2 KB each: several MB in the store.
const FINDINGS: u64 = 6000;

const NOBODY: u32 = 65_534;

fn generated() -> Simulator {
    let shop = Project::new("shop", None).with(many(FINDINGS, 1));
    server(Version::V5_0, vec![shop])
}

fn shop(server: &Simulator) -> String {
    format!(
        "{}page_size = 100\n[api_configurations.shop]\ntool = \"dt\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", server)
    )
}

/// Changes a limit of a running process.
fn limit(process: u32, limit: &str) {
    let process = process.to_string();
    let mut prlimit = Command::new("prlimit");
    let done = prlimit.args(["--pid", &process, limit]).status();
    assert!(done.unwrap().success());
}

fn problems(daemon: &Daemon) -> Vec<Value> {
    daemon.get("/v1/status")["problems"]
        .as_array()
        .unwrap()
        .clone()
}

fn until_status(daemon: &Daemon, status: &str) {
    wait_for(status, || {
        (daemon.get("/v1/runs")["runs"][0]["status"] == status).then_some(())
    });
}

#[track_caller]
fn said(ran: &Ran, words: &str) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains(words), "{words} is not said: {ran:#?}");
}

#[track_caller]
fn all_is_there(installation: &Installation, findings: u64) {
    assert_eq!(installation.integrity(), ["ok"]);
    let stored = installation.findings();
    assert_eq!(stored.len() as u64, findings);
    assert!(stored.iter().all(|finding| finding["status"] != "resolved"));
}

#[test]
fn an_import_onto_a_full_disk_waits_and_goes_on_when_there_is_room() {
    let server = generated();
    let installation = Installation::with_store_in("store", &shop(&server));
    let Some(disk) = SmallDisk::mount(installation.path("store"), "2m") else {
        return;
    };
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the full disk to be said", || {
        daemon
            .log()
            .contains("the disk is full: make room")
            .then_some(())
    });
    disk.grow("256m");
    until_status(&daemon, "complete");
    let log = daemon.log();
    assert_eq!(log.matches("the disk is full").count(), 1, "{log}");
    assert!(problems(&daemon).is_empty());
    assert!(daemon.stop().success());
    all_is_there(&installation, FINDINGS);
}

#[test]
fn an_import_that_finds_no_room_in_time_fails_in_words_and_the_next_one_is_whole() {
    let server = generated();
    let installation = Installation::new(&shop(&server));
    // As a quota would: no file may grow beyond 2 MB.
    let mut limited = Command::new("sh");
    let ran = limited
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_secpull"))
        .arg("--config")
        .arg(installation.folder())
        .args(["run", "--standalone", "shop"])
        .output();
    let ran = Ran::from(ran.unwrap()).exits(1);
    said(&ran, "could not read or write the file");
    said(&ran, installation.store().to_str().unwrap());
    assert_eq!(installation.integrity(), ["ok"]);
    installation.import("shop").exits(0);
    all_is_there(&installation, FINDINGS);
    let runs = installation.runs("shop");
    let runs: Vec<_> = runs.iter().map(|run| run["status"].as_str()).collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0], Some("complete"));
    assert!(
        matches!(runs[1], Some("failed" | "interrupted")),
        "{runs:?}"
    );
}

/// The write lock, as another program would keep it.
fn locked(store: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(store).unwrap();
    connection
        .busy_timeout(std::time::Duration::from_secs(20))
        .unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[test]
fn a_store_that_another_program_locks_is_waited_for_in_the_middle_of_an_import() {
    let server = server(Version::V5_0, vec![project("shop", 0..1500)]);
    let installation = Installation::new(&shop(&server));
    let daemon = installation.daemon();
    let held = Arc::new(Mutex::new(None));
    let (holder, store) = (Arc::clone(&held), installation.store());
    server.before_request(6, move || {
        *holder.lock().unwrap() = Some(locked(&store));
    });
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the lock to be said", || {
        daemon
            .log()
            .contains("another program has kept it locked")
            .then_some(())
    });
    drop(held.lock().unwrap().take());
    until_status(&daemon, "complete");
    let log = daemon.log();
    assert_eq!(log.matches("kept it locked").count(), 1, "{log}");
    assert!(daemon.stop().success());
    all_is_there(&installation, 1500);
}

#[test]
fn while_the_store_is_locked_no_run_begins_and_status_says_so_until_it_is_free() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&shop(&server));
    let daemon = installation.daemon();
    // It has opened the store once it answers.
    assert!(problems(&daemon).is_empty());
    let lock = locked(&installation.store());
    for _ in 0..2 {
        let ran = installation.secpull(&["run", "shop"]).exits(1);
        said(&ran, "kept it locked");
    }
    let standing = problems(&daemon);
    assert!(
        standing.len() == 1 && standing[0].to_string().contains("cannot be written"),
        "{standing:?}"
    );
    let status = installation.secpull(&["status"]);
    said(&status, "kept it locked");
    // What is stored can be read all the while.
    installation.secpull(&["findings"]).exits(0);
    drop(lock);
    installation.secpull(&["run", "shop"]).exits(0);
    assert!(problems(&daemon).is_empty());
    let log = daemon.log();
    assert_eq!(
        log.matches("the store cannot be written").count(),
        1,
        "{log}"
    );
    assert_eq!(log.matches("the store works again").count(), 1, "{log}");
}

/// How many descriptors a process has open; none where this user may not know.
fn open_descriptors(process: u32) -> Option<usize> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    Some(open.count())
}

#[test]
fn without_descriptors_imports_fail_in_words_and_work_again_when_there_are_some() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    // Each tool keeps a connection of its own open.
    let names: Vec<_> = (0..9).map(|number| format!("t{number}")).collect();
    let configured = names.iter().map(|name| {
        format!(
            "{}[api_configurations.{name}]\ntool = \"{name}\"\nautomatic_import = {{ enabled = false }}\n",
            tool(name, &server)
        )
    });
    let installation = Installation::new(&configured.collect::<String>());
    let daemon = installation.daemon();
    installation.secpull(&["run", "t0"]).exits(0);
    let Some(open) = open_descriptors(daemon.pid()) else {
        eprintln!(
            "not tested: only root may count the descriptors of a process that guards its memory"
        );
        return;
    };
    // Soon there is one left for the question over the socket, and none for the tool.
    limit(daemon.pid(), &format!("--nofile={}:", open + 3));
    let failed = names[1..].iter().find(|name| {
        let ran = installation.secpull(&["run", name]);
        if ran.code != 0 {
            said(&ran, "no file descriptor left");
            said(&ran, "LimitNOFILE");
        }
        ran.code != 0
    });
    let failed = failed.expect("all imports found a descriptor");
    limit(daemon.pid(), "--nofile=1024:");
    installation.secpull(&["run", failed]).exits(0);
    assert!(problems(&daemon).is_empty());
    assert!(daemon.stop().success());
    all_is_there(&installation, 3);
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn own_all(folder: &Path, owner: u32, mode: u32) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
        }
        permit(&path, mode);
    }
}

#[test]
fn a_read_only_store_is_refused_with_what_to_do_and_can_still_be_read() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let with_key_from_environment =
        shop(&server).replace(&format!("\"{API_KEY}\""), "{ env = \"DT_KEY\" }");
    let installation = Installation::with_store_in("store", &with_key_from_environment);
    // Root writes everywhere, so it is somebody else who comes.
    let as_another = |arguments: &[&str]| {
        let mut command = installation.command(arguments);
        command.env("DT_KEY", API_KEY);
        if nix::unistd::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        Ran::from(command.output().unwrap())
    };
    permit(installation.folder(), 0o777);
    permit(&installation.path("secpull.toml"), 0o644);
    permit(&installation.path("store"), 0o777);
    as_another(&["run", "--standalone", "shop"]).exits(0);

    let (store, folder) = (installation.store(), installation.path("store"));
    let mode = std::fs::metadata(&store).unwrap().permissions().mode();
    // As after a restore by root: for everybody to read, for nobody else to write.
    own_all(&folder, 0, 0o444);
    permit(&folder, 0o555);
    for command in [&["run", "--standalone", "shop"][..], &["daemon"]] {
        let ran = as_another(command).exits(1);
        said(&ran, "must belong to the user that runs secpull");
        said(&ran, store.to_str().unwrap());
    }
    let read = as_another(&["findings", "--format", "jsonl"]).exits(0);
    assert_eq!(read.lines().len(), 3);

    permit(&folder, 0o777);
    own_all(&folder, NOBODY, mode);
    as_another(&["run", "--standalone", "shop"]).exits(0);
    assert_eq!(
        as_another(&["findings", "--format", "jsonl"]).lines().len(),
        3
    );
}
