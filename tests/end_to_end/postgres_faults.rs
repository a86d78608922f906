//! PostgreSQL fails the program: it takes no connections, cancels what it was asked, hangs, has no room. It is said clearly
//! and once, nothing is lost, and when the cause is gone all goes on by itself.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secpull_simulators::dependency_track::{Simulator, Version};
use secpull_simulators::real_postgres::RealPostgres;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::support::dependency_track::{project, server, tool};
use super::support::postgres::Database;
use super::support::small_disk::SmallDisk;
use super::support::{Daemon, Installation, Ran, wait_for};

const FINDINGS: u32 = 3000;

/// A tool with one project in 30 pages, and the configuration that imports it as `shop`.
fn shop() -> (Simulator, String) {
    let project = project("shop", 0..FINDINGS);
    let uuid = project.uuid.clone();
    let server = server(Version::V5_0, vec![project]);
    let toml = format!(
        "{}page_size = 100\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    );
    (server, toml)
}

#[track_caller]
fn said(ran: &Ran, words: &str) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains(words), "{words} is not said: {ran:#?}");
}

/// The run when it is over.
fn ended(installation: &Installation) -> Value {
    wait_for("the import to end", || {
        let ran = installation.secpull(&["runs", "shop", "--format", "jsonl"]);
        let run = (ran.code == 0).then(|| ran.lines().remove(0))?;
        let is_over = run["status"] != "running" && run["status"] != "queued";
        is_over.then_some(run)
    })
}

/// Each finding once, and none that looks as if it were gone.
#[track_caller]
fn all_is_there(installation: &Installation) {
    let findings = installation.findings();
    assert_eq!(findings.len(), FINDINGS as usize);
    assert!(findings.iter().all(|finding| finding["status"] == "open"));
}

/// Neither a line for each try, nor one for each connection.
#[track_caller]
fn little_is_logged(daemon: &Daemon) {
    let log = daemon.log();
    let loud = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    assert!(log.lines().filter(loud).count() <= 4, "{log}");
}

/// As many as that server takes.
const MOST_CONNECTIONS: usize = 12;

/// Whatever there is, and whatever the daemon has or gets meanwhile: a session that is ended keeps its place for a moment.
async fn take_all_connections(url: &str) -> Vec<PgConnection> {
    let mut taken = vec![PgConnection::connect(url).await.unwrap()];
    let deadline = Instant::now() + Duration::from_secs(60);
    while taken.len() < MOST_CONNECTIONS {
        assert!(Instant::now() < deadline, "the daemon kept a connection");
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'secpull'")
            .execute(&mut taken[0])
            .await
            .unwrap();
        while let Ok(connection) = PgConnection::connect(url).await {
            taken.push(connection);
        }
    }
    taken
}

#[test]
fn without_a_connection_left_imports_fail_in_words_and_work_again_when_there_is_one() {
    let (_tool, toml) = shop();
    let server = RealPostgres::start(&[
        ("max_connections", &MOST_CONNECTIONS.to_string()),
        ("superuser_reserved_connections", "0"),
        ("max_wal_senders", "0"),
    ])
    .unwrap();
    let database = Database::on(&server);
    let url = format!("{}?connect_timeout=1", database.url());
    let installation = Installation::with_store(Database::section_at(&url), &toml);
    let daemon = installation.daemon();
    installation.secpull(&["runs"]).exits(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Whatever it has or had goes to somebody else.
    let taken = runtime.block_on(take_all_connections(database.url()));
    let failed = wait_for("an import to fail", || {
        let ran = installation.secpull(&["run", "shop"]);
        (ran.code == 1).then_some(ran)
    });
    said(&failed, "no connection left");
    said(&failed, "raise max_connections");
    // The lease has its own look at the server, and says so at its next beat.
    wait_for("status to say why", || {
        let Ran { stdout, stderr, .. } = installation.secpull(&["status"]);
        let says = |words: &str| words.contains("no connection left");
        (says(&stdout) || says(&stderr)).then_some(())
    });
    runtime.block_on(async {
        for connection in taken {
            connection.close().await.unwrap();
        }
    });
    wait_for("an import to be complete", || {
        (installation.secpull(&["run", "shop"]).code == 0).then_some(())
    });
    all_is_there(&installation);
    little_is_logged(&daemon);
}

#[test]
fn timeouts_that_somebody_has_set_for_the_user_do_not_cut_imports_off() {
    let (_tool, toml) = shop();
    let server = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&server);
    for timeout in ["statement_timeout", "lock_timeout", "idle_session_timeout"] {
        let user = RealPostgres::USER;
        database.execute(&format!("ALTER ROLE {user} SET {timeout} = '5ms'"));
    }
    let installation = Installation::with_store(database.section(), &toml);
    installation.import("shop").exits(0);
    all_is_there(&installation);
}

/// A lock on the rows of all runs, until it is dropped.
struct Locked {
    runtime: tokio::runtime::Runtime,
    connection: PgConnection,
}

impl Locked {
    fn runs_of(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connection = runtime.block_on(async {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql("BEGIN; SELECT 1 FROM runs FOR UPDATE")
                .execute(&mut connection)
                .await
                .unwrap();
            connection
        });
        Self {
            runtime,
            connection,
        }
    }

    fn release(self) {
        self.runtime.block_on(self.connection.close()).unwrap();
    }
}

#[test]
fn a_statement_that_somebody_cancels_is_done_again() {
    let (tool, toml) = shop();
    let server = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&server);
    let installation = Installation::with_store(database.section(), &toml);
    let daemon = installation.daemon();
    let lock = Arc::new(Mutex::new(None));
    let (holder, url) = (Arc::clone(&lock), database.url().to_owned());
    tool.before_request(6, move || {
        *holder.lock().unwrap() = std::thread::spawn(move || Some(Locked::runs_of(&url)))
            .join()
            .unwrap();
    });
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("a statement to be cancelled", || {
        database.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'secpull' AND wait_event_type = 'Lock'",
        );
        daemon
            .log()
            .contains("somebody has cancelled it")
            .then_some(())
    });
    let lock = lock.lock().unwrap().take().unwrap();
    lock.release();
    assert_eq!(ended(&installation)["status"], "complete");
    all_is_there(&installation);
    little_is_logged(&daemon);
}

#[test]
fn a_server_that_hangs_holds_nobody_up_and_the_import_goes_on_with_it() {
    let (tool, toml) = shop();
    let server = Arc::new(RealPostgres::start(&[]).unwrap());
    let database = Database::on(&server);
    let url = format!("{}?connect_timeout=2", database.url());
    let installation = Installation::with_store(Database::section_at(&url), &toml);
    let daemon = installation.daemon();
    let hanging = Arc::new(Mutex::new(None));
    let (holder, hangs) = (Arc::clone(&hanging), Arc::clone(&server));
    tool.before_request(12, move || {
        *holder.lock().unwrap() = Some(hangs.hang().unwrap());
    });
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the silence to be said", || {
        daemon.log().contains("has not answered").then_some(())
    });
    let status = installation.secpull(&["status"]).exits(1);
    said(&status, "has not answered");
    let run = installation.secpull(&["run", "shop"]).exits(1);
    said(&run, "has not answered");
    drop(hanging.lock().unwrap().take());
    wait_for("the store to answer", || {
        (installation.secpull(&["status"]).code == 0).then_some(())
    });
    let run = ended(&installation);
    let status = run["status"].as_str().unwrap();
    assert!(
        ["complete", "failed", "interrupted"].contains(&status),
        "{run}"
    );
    if status != "complete" {
        installation.secpull(&["run", "shop"]).exits(0);
    }
    all_is_there(&installation);
    assert_eq!(database.number("SELECT count(*) FROM history"), 0);
    little_is_logged(&daemon);
}

#[test]
fn a_full_disk_of_the_server_is_waited_for() {
    let (_tool, toml) = shop();
    let server = RealPostgres::start(&[]).unwrap();
    let folder = server.data().parent().unwrap().join("small");
    std::fs::create_dir(&folder).unwrap();
    // The tables fit, 3000 findings do not.
    let Some(disk) = SmallDisk::mount(folder.clone(), "2m") else {
        return;
    };
    server.give(&folder).unwrap();
    let database = Database::on(&server);
    database.execute(&format!(
        "CREATE TABLESPACE small LOCATION '{}'",
        folder.display()
    ));
    database.execute(&format!(
        "ALTER DATABASE {} SET default_tablespace = small",
        database.name()
    ));
    let installation = Installation::with_store(database.section(), &toml);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop", "--detach"]).exits(0);
    wait_for("the full disk to be said", || {
        daemon
            .log()
            .contains("the server's disk is full: make room")
            .then_some(())
    });
    disk.grow("256m");
    assert_eq!(ended(&installation)["status"], "complete");
    all_is_there(&installation);
    little_is_logged(&daemon);
}
