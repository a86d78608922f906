//! The daemon's life: reload, stop, kill, systemd's notifications.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use secpull_simulators::dependency_track::{Simulator, Version};
use secpull_simulators::misfortune::Misfortune;

use super::support::dependency_track::{project, server, tool};
use super::support::{Daemon, Installation, wait_for};

const IDLE: &str = "automatic_import = { enabled = false }\n";

fn shop() -> (Simulator, Installation) {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n{IDLE}",
        tool("dt", &server)
    ));
    (server, installation)
}

fn until_running(daemon: &Daemon) {
    wait_for("an import under way", || {
        (daemon.get("/v1/runs")["runs"][0]["status"] == "running").then_some(())
    });
}

#[test]
fn sigterm_ends_it_within_ten_seconds_with_imports_interrupted() {
    let (server, installation) = shop();
    server.inflict(Misfortune::NoAnswer);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    until_running(&daemon);
    let began = Instant::now();
    let status = daemon.stop();
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(!installation.socket().exists());
    // Where daemons share the store, another one is queued after it.
    let runs = installation.runs("shop");
    assert_eq!(runs.last().unwrap()["status"], "interrupted", "{runs:#?}");
}

#[test]
fn what_a_killed_daemon_left_is_interrupted_after_the_next_start_and_blocks_nothing() {
    let (server, installation) = shop();
    server.inflict(Misfortune::NoAnswer);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    until_running(&daemon);
    daemon.kill();
    server.calm();
    let daemon = installation.daemon();
    wait_for("what was left to be marked", || {
        let left = daemon.get("/v1/runs")["runs"].as_array()?.last()?.clone();
        (left["status"] == "interrupted").then_some(())
    });
    installation.secpull(&["run", "shop"]).exits(0);
    assert_eq!(installation.last_run("shop")["status"], "complete");
}

/// A slot whose import ended with the daemon is imported when it is back.
fn is_begun_anew_after(end: impl FnOnce(Daemon)) {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let missed = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nautomatic_import = {{ {} }}\n",
        tool("dt", &server),
        missed.format("hour = %-H, minute = %-M")
    ));
    server.inflict(Misfortune::NoAnswer);
    let daemon = installation.daemon();
    until_running(&daemon);
    end(daemon);
    server.calm();
    let daemon = installation.daemon();
    let runs = wait_for("the slot to be imported", || {
        let runs = daemon.get("/v1/runs")["runs"].as_array()?.clone();
        (runs.first()?["status"] == "complete").then_some(runs)
    });
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(runs[1]["status"], "interrupted", "{runs:#?}");
    assert_eq!(installation.findings().len(), 3);
    // And not once more.
    assert!(daemon.stop().success());
    let daemon = installation.daemon();
    let status = daemon.get("/v1/status");
    assert_eq!(status["daemon"]["queued"], 0, "{status}");
    assert_eq!(installation.runs("shop").len(), 2);
}

#[test]
fn a_slot_whose_import_a_stop_cut_short_is_imported_after_the_next_start() {
    is_begun_anew_after(|daemon| assert!(daemon.stop().success()));
}

#[test]
fn a_slot_whose_import_a_kill_cut_short_is_imported_after_the_next_start() {
    is_begun_anew_after(Daemon::kill);
}

#[test]
fn a_reload_takes_a_new_configuration_in_and_refuses_a_wrong_one() {
    let (server, installation) = shop();
    let daemon = installation.daemon();
    let names = |daemon: &Daemon| {
        daemon.get("/v1/status")["api_configurations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|api| api["api_configuration"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let two = format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n{IDLE}\
         [api_configurations.store]\ntool = \"dt\"\n{IDLE}",
        tool("dt", &server)
    );
    installation.configure(&two);
    let ran = installation.secpull(&["reload"]).exits(0);
    assert!(ran.stdout.contains("store"), "{ran:#?}");
    assert_eq!(names(&daemon), ["shop", "store"]);

    installation.configure(&format!("{two}\n[automatic_import]\nhour = 24\n"));
    let ran = installation.secpull(&["reload"]).exits(2);
    assert!(
        ran.stderr.contains("hour") && ran.stderr.contains("secpull.toml:"),
        "{ran:#?}"
    );
    assert_eq!(names(&daemon), ["shop", "store"]);
    let problems = daemon.get("/v1/status")["problems"].to_string();
    assert!(problems.contains("hour"), "{problems}");

    // The same by signal.
    installation.configure(&two.replace("[api_configurations.shop]", "[api_configurations.web]"));
    daemon.signal(Signal::SIGHUP);
    wait_for("the reload", || {
        (names(&daemon) == ["store", "web"]).then_some(())
    });
}

#[test]
fn a_second_daemon_on_the_same_socket_is_refused() {
    let (_server, installation) = shop();
    let _first = installation.daemon();
    let ran = installation.secpull(&["daemon"]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("another"), "{ran:#?}");
}

#[test]
fn systemd_is_told_ready_reloading_stopping_and_that_it_lives() {
    let (_server, installation) = shop();
    let path = installation.path("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let heard = |words: &str| {
        let mut message = [0; 4096];
        loop {
            let length = systemd.recv(&mut message).unwrap();
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            if text.lines().any(|line| line.starts_with(words)) {
                return text;
            }
        }
    };
    let daemon = Daemon::spawn(
        &installation,
        &[
            ("NOTIFY_SOCKET", path.to_str().unwrap()),
            ("WATCHDOG_USEC", "1000000"),
        ],
    );
    heard("READY=1");
    heard("WATCHDOG=1");
    daemon.signal(Signal::SIGHUP);
    assert!(heard("RELOADING=1").contains("MONOTONIC_USEC="));
    assert!(heard("READY=1").contains("STATUS="));
    daemon.signal(Signal::SIGTERM);
    heard("STOPPING=1");
}

#[test]
fn without_a_daemon_the_exit_code_is_three() {
    let (_server, installation) = shop();
    for command in [
        &["run", "shop"] as &[&str],
        &["status"],
        &["accept", "shop"],
        &["reload"],
    ] {
        let ran = installation.secpull(command).exits(3);
        assert!(!ran.stderr.is_empty(), "{ran:#?}");
    }
}
