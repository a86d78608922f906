#![allow(clippy::unwrap_used)]

mod sharing;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use secpull_simulators::real_postgres::RealPostgres;
use sqlx::{AssertSqlSafe, PgConnection};

use super::*;
use crate::config::{PostgresHost, PostgresServer, PostgresTls};
use crate::store::{NewMessage, Outbox, Trigger};

fn server() -> &'static RealPostgres {
    static SERVER: OnceLock<RealPostgres> = OnceLock::new();
    SERVER.get_or_init(|| RealPostgres::start(&[]).unwrap())
}

async fn url() -> PostgresUrl {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let database = format!("unit_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut url = PostgresUrl {
        hosts: vec![PostgresHost {
            server: PostgresServer::Folder(PathBuf::from(server().data().parent().unwrap())),
            port: server().port(),
        }],
        user: RealPostgres::USER.to_owned(),
        database: "postgres".to_owned(),
        password: None,
        tls: PostgresTls::Disable,
        root_certificates: None,
        client_identity: None,
        application_name: "secpull".to_owned(),
        connect_timeout: Duration::from_secs(60),
        lease: Duration::from_secs(60),
    };
    execute(&url, &format!("CREATE DATABASE {database}")).await;
    url.database = database;
    url
}

async fn connected(url: &PostgresUrl) -> PgConnection {
    Route::new(url).connect(Wish::Write).await.unwrap()
}

async fn execute(url: &PostgresUrl, sql: &str) {
    let mut connection = connected(url).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
}

fn words<T>(result: Result<T, StoreError>) -> String {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => error.to_string(),
    }
}

fn new_run() -> NewRun {
    NewRun {
        api_configuration: "shop".to_owned(),
        connector: "script".to_owned(),
        trigger: Trigger::Operator,
        slot: None,
        daemon: "host:1".to_owned(),
    }
}

/// With other ways forbidden the planner shows whether there is an index for each.
#[tokio::test]
async fn no_statement_of_a_hot_path_reads_a_whole_table() {
    let url = url().await;
    let _store = PostgresStore::open(&url).await.unwrap();
    let mut connection = connected(&url).await;
    sqlx::raw_sql("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        .execute(&mut connection)
        .await
        .unwrap();
    let all = [
        announcing::STATEMENTS,
        bodies::STATEMENTS,
        candidates::STATEMENTS,
        close::STATEMENTS,
        delivering::STATEMENTS,
        documents::STATEMENTS,
        listing::STATEMENTS,
        news::STATEMENTS,
        reading::STATEMENTS,
        runs::STATEMENTS,
        scopes::STATEMENTS,
        standing::STATEMENTS,
        write::STATEMENTS,
    ]
    .concat();
    assert!(all.len() > 50);
    for sql in all {
        sqlx::raw_sql(AssertSqlSafe(format!("PREPARE s AS {sql}")))
            .execute(&mut connection)
            .await
            .unwrap();
        let parameters: i32 = sqlx::query_scalar(
            "SELECT coalesce(cardinality(parameter_types), 0) FROM pg_prepared_statements WHERE name = 's'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let nulls = vec!["NULL"; parameters as usize].join(", ");
        let call = match nulls.as_str() {
            "" => "EXPLAIN EXECUTE s".to_owned(),
            nulls => format!("EXPLAIN EXECUTE s({nulls})"),
        };
        let steps: Vec<String> = sqlx::query_scalar(AssertSqlSafe(call))
            .persistent(false)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for step in &steps {
            assert!(!step.contains("Seq Scan on"), "{sql}\n{steps:#?}");
        }
        sqlx::raw_sql("DEALLOCATE s")
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_for_writing_and_for_reading() {
    let url = url().await;
    drop(PostgresStore::open(&url).await.unwrap());
    execute(&url, "INSERT INTO secpull_schema (version) VALUES (99)").await;
    for message in [
        words(PostgresStore::open(&url).await),
        words(PostgresStore::open_read_only(&url).await),
    ] {
        assert!(message.contains("schema version 99"), "{message}");
        assert!(message.contains("use the newer secpull"), "{message}");
    }
}

#[tokio::test]
async fn a_listing_makes_no_tables_and_writes_nothing() {
    let url = url().await;
    let absent = PostgresStore::open_read_only(&url).await;
    assert!(matches!(absent, Err(StoreError::Absent(_))), "{absent:?}");
    drop(PostgresStore::open(&url).await.unwrap());
    let store = PostgresStore::open_read_only(&url).await.unwrap();
    let refused = words(store.enqueue(new_run()).await);
    assert!(refused.contains("for listings only"), "{refused}");
}

#[tokio::test]
async fn the_database_of_another_program_is_not_made_a_store() {
    let url = url().await;
    execute(&url, "CREATE TABLE mails (id BIGINT)").await;
    let message = words(PostgresStore::open(&url).await);
    assert!(message.contains("another program"), "{message}");
}

#[tokio::test]
async fn what_is_wrong_with_the_server_is_said_with_what_to_do() {
    let mut wrong = url().await;
    wrong.database = "nowhere".to_owned();
    let message = words(PostgresStore::open(&wrong).await);
    assert!(message.contains("create the database first"), "{message}");
    wrong.hosts[0].server = PostgresServer::Folder("/nowhere".into());
    let message = words(PostgresStore::open(&wrong).await);
    assert!(message.contains("cannot be reached"), "{message}");
    wrong.tls = PostgresTls::VerifyFull;
    wrong.root_certificates = Some("/nowhere/ca.pem".into());
    let message = words(PostgresStore::open(&wrong).await);
    assert!(
        message.contains("/nowhere/ca.pem of sslrootcert"),
        "{message}"
    );
}

#[tokio::test]
async fn two_that_open_an_empty_database_together_both_succeed() {
    let url = url().await;
    let (one, two) = tokio::join!(PostgresStore::open(&url), PostgresStore::open(&url));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.enqueue(new_run()).await.unwrap(), Some(1));
    assert_eq!(two.enqueue(new_run()).await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_lease_survives_that_its_session_is_killed() {
    let url = url().await;
    let store = PostgresStore::open(&url).await.unwrap();
    let other = PostgresStore::open(&url).await.unwrap();
    let run = store.enqueue(new_run()).await.unwrap().unwrap();
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    let sessions = || async {
        let pid: Option<i32> = sqlx::query_scalar(
            "SELECT h.pid FROM holders h JOIN pg_stat_activity a ON a.pid = h.pid AND a.backend_start = h.backend_start
             WHERE h.id = (SELECT holder_id FROM runs WHERE id = $1)",
        )
        .bind(run)
        .fetch_optional(&mut connected(&url).await)
        .await
        .unwrap();
        pid
    };
    let before = sessions().await.unwrap();
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(before)
        .execute(&mut connected(&url).await)
        .await
        .unwrap();
    let mut now = sessions().await;
    while now.is_none_or(|pid| pid == before) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = sessions().await;
    }
    let second = other.enqueue(new_run()).await.unwrap().unwrap();
    let busy = other.start(second).await.unwrap();
    assert!(
        matches!(busy, Claim::Busy { run: first, .. } if first == run),
        "{busy:?}"
    );
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_and_its_holder_writes_nothing() {
    let mut url = url().await;
    let store = PostgresStore::open(&url).await.unwrap();
    url.lease = Duration::from_secs(30);
    let other = PostgresStore::open(&url).await.unwrap();
    let run = store.enqueue(new_run()).await.unwrap().unwrap();
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    // Its session is there, but it has not renewed for long: it hangs.
    sqlx::query(
        "UPDATE holders SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1",
    )
    .bind(store.holder.as_ref().unwrap().id)
    .execute(&mut connected(&url).await)
    .await
    .unwrap();
    let wish = TakeOver {
        names: &["shop"],
        present: &[],
        most: 4,
        daemon: "other:2",
    };
    let taken = other.take_over(wish).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(other.start(taken[0].run).await.unwrap(), Claim::Running);
    let lost = store
        .close(
            run,
            vec![],
            crate::store::HoldLimits {
                max_resolved_fraction: 1.0,
                min_held: 0,
            },
        )
        .await;
    assert!(
        matches!(lost, Err(StoreError::ClaimLost(id)) if id == run),
        "{lost:?}"
    );
    let first = other
        .runs(RunFilter {
            id: Some(run),
            ..RunFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(first[0].status, crate::store::RunState::Interrupted);
    assert_eq!(other.take_over(wish).await.unwrap(), []);
}

#[tokio::test]
async fn a_waiting_run_is_taken_once_and_its_first_owner_is_told() {
    let url = url().await;
    let store = PostgresStore::open(&url).await.unwrap();
    let (one, two) = (
        PostgresStore::open(&url).await.unwrap(),
        PostgresStore::open(&url).await.unwrap(),
    );
    let run = store.enqueue(new_run()).await.unwrap().unwrap();
    let wish = TakeOver {
        names: &["shop"],
        present: &[],
        most: 4,
        daemon: "other:2",
    };
    // It has only just been queued: its owner may be about to start it.
    assert_eq!(one.take_over(wish).await.unwrap(), []);
    sqlx::query("UPDATE runs SET queued_at = queued_at - 60000")
        .execute(&mut connected(&url).await)
        .await
        .unwrap();
    let others = TakeOver {
        names: &["web"],
        ..wish
    };
    assert_eq!(one.take_over(others).await.unwrap(), []);
    let (first, second) = tokio::join!(one.take_over(wish), two.take_over(wish));
    assert_eq!(first.unwrap().len() + second.unwrap().len(), 1);
    let told = store.start(run).await.unwrap();
    assert!(matches!(told, Claim::Taken { .. }), "{told:?}");
}

#[tokio::test]
async fn nothing_old_is_announced_after_an_upgrade() {
    let url = url().await;
    let before = concat!(
        include_str!("../../../migrations/postgres/0001_store.sql"),
        "CREATE TABLE secpull_schema (version BIGINT PRIMARY KEY, since TIMESTAMPTZ NOT NULL DEFAULT now());
        INSERT INTO secpull_schema (version) VALUES (1);
        INSERT INTO api_configurations (name, connector) VALUES ('shop', 'script');
        INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon, holder_id, queued_at)
        VALUES (1, 'operator', 'complete', 'h:1', 0, 0), (1, 'operator', 'running', 'h:1', 0, 0);"
    );
    execute(&url, before).await;
    let store = PostgresStore::open(&url).await.unwrap();
    assert!(store.unannounced_runs(9).await.unwrap().is_empty());
    // Its daemon is gone: that is news.
    assert_eq!(store.interrupt_leftovers().await.unwrap(), 1);
    let news = store.unannounced_runs(9).await.unwrap();
    assert_eq!((news.len(), news[0].run.id), (1, 2));
}

#[tokio::test]
async fn what_waits_moves_along_with_what_is_remembered() {
    const TO: &str = "forwards.dojo";
    let lease = Duration::from_secs(600);
    let folder = tempfile::tempdir().unwrap();
    let from = crate::config::StoreUrl::Sqlite(folder.path().join("a.db"));
    let sqlite = crate::store::open(&from).await.unwrap();
    let run = sqlite.enqueue(new_run()).await.unwrap().unwrap();
    sqlite.start(run).await.unwrap();
    let end = RunEnd {
        credentials_refused: true,
        ..RunEnd::unread(crate::store::RunState::Failed, None)
    };
    sqlite.finish(run, end).await.unwrap();
    let message = |topic: &str| NewMessage {
        destination: TO.to_owned(),
        topic: Some(topic.to_owned()),
        content: topic.to_owned(),
    };
    let messages = vec![message("a"), message("b")];
    assert!(
        sqlite
            .announce_once("key", messages, Utc::now())
            .await
            .unwrap()
    );
    let taken = sqlite.take_message(TO, "me", lease, Utc::now()).await;
    let taken = taken.unwrap().unwrap();
    assert!(sqlite.note_message(&taken, "me", "sent").await.unwrap());
    let kept = sqlite.keep_destination_state(&taken, "me", "test", "7");
    assert!(kept.await.unwrap());
    let back = sqlite.put_back(&taken, "me", Some("502"), DateTime::UNIX_EPOCH);
    assert!(back.await.unwrap());
    let waiting = sqlite.waiting().await.unwrap();
    drop(sqlite);

    let url = url().await;
    let to = crate::config::StoreUrl::Postgres(Box::new(url.clone()));
    crate::store::migrate(&from, &to).await.unwrap();
    let postgres = PostgresStore::open(&url).await.unwrap();
    assert_eq!(postgres.waiting().await.unwrap(), waiting);
    let news = postgres.unannounced_runs(9).await.unwrap();
    assert!(news.len() == 1 && news[0].credentials_refused, "{news:?}");
    // New messages get numbers of their own, and what was said once is not said again.
    for (key, is_new) in [("key", false), ("other", true)] {
        let said = postgres.announce_once(key, vec![message("c")], Utc::now());
        assert_eq!(said.await.unwrap(), is_new);
    }
    let again = postgres.take_message(TO, "you", lease, Utc::now()).await;
    let again = again.unwrap().unwrap();
    assert_eq!(
        (again.id, again.attempts, again.note.as_deref()),
        (taken.id, 1, Some("sent"))
    );
    let state = postgres.destination_state(TO, "test").await.unwrap();
    assert_eq!(state.as_deref(), Some("7"));
    assert_eq!(postgres.waiting().await.unwrap()[0].messages, 3);
}

/// A table or column that one engine has and a move forgets would be lost.
#[tokio::test]
async fn every_column_of_sqlite_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(
        super::super::sqlite::SqliteStore::open(&path)
            .await
            .unwrap(),
    );
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    let mut statement = sqlite
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        )
        .unwrap();
    let columns = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap);
    let mut stored: Vec<String> = columns
        .filter(|(table, _): &(String, String)| table != "finding_keys" && table != "sighting_keys")
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    // What is known of a sighting is in a table of its own there.
    stored.push("sightings.digest".to_owned());
    stored.sort();
    let mut moved: Vec<String> = crate::store::tables::TABLES
        .iter()
        .flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(|(column, _)| format!("{}.{column}", table.name))
        })
        .collect();
    moved.sort();
    assert_eq!(moved, stored);
}

/// As after a failover to a standby that was behind: what an import believes to be written is not there.
#[tokio::test]
async fn an_import_whose_writes_the_server_has_lost_does_not_conclude() {
    let url = url().await;
    let store = PostgresStore::open(&url).await.unwrap();
    let run = store.enqueue(new_run()).await.unwrap().unwrap();
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    let counts = crate::store::WriteCounts {
        new: 3,
        ..Default::default()
    };
    store.under_way.confirm(run, 0, counts);
    let limits = HoldLimits {
        max_resolved_fraction: 1.0,
        min_held: 0,
    };
    let lost = words(store.close(run, vec![], limits).await);
    assert!(
        lost.contains("has lost what this import wrote last"),
        "{lost}"
    );
    execute(&url, "UPDATE runs SET new = 3").await;
    let closed = store.close(run, vec![], limits).await;
    assert!(matches!(closed, Ok(Closing::Resolved(0))), "{closed:?}");
}
