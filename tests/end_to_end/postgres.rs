//! The store in PostgreSQL: nothing else changes.

use secpull_simulators::dependency_track::{Simulator, Version};
use secpull_simulators::real_postgres::RealPostgres;
use serde_json::Value;

use super::support::dependency_track::{finding, project, server, tool};
use super::support::postgres::{self, Database};
use super::support::tls::Authority;
use super::support::{Installation, wait_for};

/// A tool with one project of `count` findings, and the configuration that imports it as `shop`.
fn shop(count: u32) -> (Simulator, String, String) {
    let project = project("shop", 0..count);
    let uuid = project.uuid.clone();
    let server = server(Version::V5_0, vec![project]);
    let toml = format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    );
    (server, toml, uuid)
}

fn on_postgres(toml: &str) -> (Database, Installation) {
    let database = Database::on(postgres::server());
    let installation = Installation::with_store(database.section(), toml);
    (database, installation)
}

fn open(findings: &[Value]) -> usize {
    findings.iter().filter(|f| f["status"] == "open").count()
}

#[test]
fn findings_come_out_as_from_sqlite() {
    let (_tool, toml, _) = shop(120);
    let sqlite = Installation::new(&toml);
    let (_database, postgres) = on_postgres(&toml);
    let printed = |installation: &Installation| -> Vec<Value> {
        installation.import("shop").exits(0);
        let listed = ["findings", "--status", "all", "--format", "jsonl", "--raw"];
        let mut findings = installation.secpull(&listed).exits(0).lines();
        for finding in &mut findings {
            let (sighting, times) = (
                "/sightings/0",
                ["first_seen", "last_seen", "resolved_at", "found_at"],
            );
            for time in times {
                finding[time] = Value::Null;
                finding.pointer_mut(sighting).unwrap()[time] = Value::Null;
            }
        }
        findings
    };
    let (one, other) = (printed(&sqlite), printed(&postgres));
    assert_eq!(one.len(), 120);
    assert_eq!(one, other);
}

#[test]
fn a_second_import_of_the_same_writes_no_row() {
    let (_tool, toml, _) = shop(250);
    let (database, installation) = on_postgres(&toml);
    // The transaction that wrote a row last is kept with it.
    let rows = || {
        database.texts(
            "SELECT f.xmin || ' ' || f::text FROM findings f UNION ALL SELECT s.xmin || ' ' || s::text FROM sightings s ORDER BY 1",
        )
    };
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["new"], 250);
    let before = rows();
    assert_eq!(before.len(), 500);
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    assert_eq!(run["unchanged"], 250, "{run}");
    assert_eq!(rows(), before);
}

#[test]
fn a_daemon_imports_holds_accepts_and_reloads() {
    let (tool, toml, uuid) = shop(60);
    let (_database, installation) = on_postgres(&toml);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    assert_eq!(open(&installation.findings()), 60);
    let status = installation.secpull(&["status", "--format", "json"]);
    let status = status.exits(0).json();
    assert_eq!(
        status["api_configurations"][0]["unresolved"], 60,
        "{status}"
    );

    tool.portfolio().change(&uuid, |project| {
        project
            .findings
            .remove(|f| f.vulnerability.id > finding(9).vulnerability.id)
    });
    installation.secpull(&["run", "shop"]).exits(1);
    assert_eq!(installation.last_run("shop")["status"], "held");
    assert_eq!(open(&installation.findings()), 60);
    installation.secpull(&["accept", "shop"]).exits(0);
    assert_eq!(open(&installation.findings()), 10);

    installation.configure(&toml.replace("\"Shop\"", "\"Store\""));
    installation.secpull(&["reload"]).exits(0);
    installation.secpull(&["run", "shop"]).exits(0);
    let findings = installation.findings();
    let of_store = |f: &&Value| f["product"] == "Store" && f["status"] == "open";
    assert_eq!(findings.iter().filter(of_store).count(), 10);
    assert!(daemon.stop().success());
    // Without a daemon the store is read directly.
    let listed = installation.secpull(&["findings", "--format", "jsonl"]);
    assert_eq!(listed.lines().len(), 10);
}

#[test]
fn a_store_moves_from_sqlite_with_nothing_lost() {
    let (tool, toml, uuid) = shop(700);
    let sqlite = Installation::new(&toml);
    sqlite.import("shop").exits(0);
    tool.portfolio().change(&uuid, |project| {
        project
            .findings
            .remove(|f| f.vulnerability.id == finding(7).vulnerability.id)
    });
    sqlite.import("shop").exits(0);
    let (database, postgres) = on_postgres(&toml);
    let from = format!("sqlite:{}", sqlite.store().display());
    let to = database.url();
    let moved = postgres.secpull(&["migrate-store", &from, to]).exits(0);
    assert!(moved.stdout.contains("rows moved"), "{moved:?}");
    assert_eq!(postgres.findings(), sqlite.findings());
    assert_eq!(postgres.runs("shop"), sqlite.runs("shop"));
    let id = sqlite.findings()[7]["id"].to_string();
    assert_eq!(database.number("SELECT count(*) FROM history"), 1, "{id}");
    // And goes on there: nothing is new, and numbers are not given twice.
    tool.portfolio()
        .change(&uuid, |project| project.findings.add(finding(900)));
    postgres.import("shop").exits(0);
    let run = postgres.last_run("shop");
    assert_eq!(
        (&run["new"], &run["unchanged"]),
        (&1.into(), &699.into()),
        "{run}"
    );
    let again = postgres.secpull(&["migrate-store", &from, to]).exits(1);
    assert!(again.stderr.contains("empty database"), "{again:?}");
    let nowhere = postgres.secpull(&["migrate-store", to, &from]).exits(1);
    assert!(
        nowhere.stderr.contains("only into PostgreSQL"),
        "{nowhere:?}"
    );
    let secret = postgres.secpull(&["migrate-store", &from, "postgres://u:C4NARY@127.0.0.1/x"]);
    assert_eq!((secret.code, secret.stderr.contains("C4NARY")), (2, false));
}

#[test]
fn a_password_comes_from_a_secret_and_shows_nowhere() {
    const PASSWORD: &str = "C4NARY-of-the-store";
    let (_tool, toml, _) = shop(3);
    let server = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&server);
    database.execute(&format!("ALTER USER secpull PASSWORD '{PASSWORD}'"));
    let section = |secret: &str| {
        format!(
            "{}\npassword = {{ env = \"{secret}\" }}",
            database.section()
        )
    };
    let installation = Installation::with_store(section("STORE_PASSWORD"), &toml);
    server
        .write("pg_hba.conf", "local all all scram-sha-256\n")
        .unwrap();
    server.stop().unwrap();
    server.start_again().unwrap();
    let run = |password: &str| {
        let mut command = installation.command(&["run", "--standalone", "shop"]);
        command
            .env("STORE_PASSWORD", password)
            .env("SECPULL_LOG", "trace");
        super::support::Ran::from(command.output().unwrap())
    };
    let right = run(PASSWORD).exits(0);
    assert!(!format!("{}{}", right.stdout, right.stderr).contains(PASSWORD));
    let wrong = run("C4NARY-wrong");
    assert_ne!(wrong.code, 0);
    assert!(
        wrong.stderr.contains("[store] password"),
        "{}",
        wrong.stderr
    );
    assert!(!wrong.stderr.contains("C4NARY"), "{}", wrong.stderr);
}

#[test]
fn over_the_network_the_server_and_the_client_prove_who_they_are() {
    let (_tool, toml, _) = shop(3);
    let authority = Authority::new();
    let server = postgres::server_over_tls(&authority);
    let database = Database::on(&server);
    let (certificate, key) = postgres::client_of(&authority);
    let files = Installation::new("");
    files.write("ca.pem", &authority.pem());
    files.write("other.pem", &Authority::new().pem());
    files.write("client.pem", &certificate);
    files.write("client.key", &key);
    let path = |name: &str| files.path(name).display().to_string();
    let run = |host: &str, parameters: &str| {
        let url = format!(
            "postgres://secpull@{host}:{}/{}?{parameters}",
            server.port(),
            database.name()
        );
        let section = Database::section_at(&url);
        Installation::with_store(section, &toml).import("shop")
    };
    let (ca, other) = (path("ca.pem"), path("other.pem"));
    let client = format!(
        "sslcert={}&sslkey={}",
        path("client.pem"),
        path("client.key")
    );
    run("localhost", &format!("sslrootcert={ca}&{client}")).exits(0);
    for (host, parameters, wrong) in [
        (
            "localhost",
            format!("sslrootcert={other}&{client}"),
            "signed by another CA of the same name",
        ),
        (
            "127.0.0.1",
            format!("sslrootcert={ca}&{client}"),
            "not valid for name",
        ),
        (
            "localhost",
            format!("sslmode=verify-full&{client}"),
            "UnknownIssuer",
        ),
        ("localhost", format!("sslrootcert={ca}"), "certificate"),
    ] {
        let refused = run(host, &parameters).exits(1);
        assert!(refused.stderr.contains(wrong), "{wrong}: {refused:?}");
    }
}

#[test]
fn a_restart_of_the_server_in_mid_import_loses_nothing() {
    let (tool, toml, _) = shop(3000);
    let server = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&server);
    let toml = toml.replace("secret =", "page_size = 100\nsecret =");
    let installation = Installation::with_store(database.section(), &toml);
    let daemon = installation.daemon();
    installation.secpull(&["run", "--detach", "shop"]).exits(0);
    wait_for("the first rows", || {
        (database.number("SELECT count(*) FROM sightings") > 0).then_some(())
    });
    server.stop().unwrap();
    server.start_again().unwrap();
    let run = wait_for("the import to end", || {
        let run = installation.last_run("shop");
        let over = run["status"] != "running" && run["status"] != "queued";
        over.then_some(run)
    });
    if run["status"] != "complete" {
        assert_ne!(run["resolved"].as_u64(), None);
        installation.secpull(&["run", "shop"]).exits(0);
    }
    let findings = installation.findings();
    assert_eq!((findings.len(), open(&findings)), (3000, 3000), "{run}");
    let log = daemon.log();
    let said = log
        .lines()
        .filter(|line| line.contains("trying again"))
        .count();
    assert!(said <= 3, "{log}");
    drop(tool);
}

#[test]
fn a_read_only_server_fails_the_import_and_says_so_once() {
    let (_tool, toml, _) = shop(30);
    let (database, installation) = on_postgres(&toml);
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    database.set_read_only(postgres::server(), true);
    let refused = installation.secpull(&["run", "shop"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("read-only"), "{refused:?}");
    let status = installation.secpull(&["status"]);
    assert!(
        format!("{}{}", status.stdout, status.stderr).contains("cannot be written"),
        "{status:?}"
    );
    database.set_read_only(postgres::server(), false);
    wait_for("the store to work again", || {
        (installation.secpull(&["run", "shop"]).code == 0).then_some(())
    });
    let said = daemon.log().matches("the store cannot be written").count();
    assert!(said <= 2, "{}", daemon.log());
}
