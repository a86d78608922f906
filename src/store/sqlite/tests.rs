#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::*;
use crate::config::StoreUrl;
use crate::finding::{Content, Fingerprint, Sighting, Status};
use crate::store::{Before, NewMessage, Outbox, RunState, Trigger, open, open_read_only};

fn new_run() -> NewRun {
    NewRun {
        api_configuration: "shop".to_owned(),
        connector: "script".to_owned(),
        trigger: Trigger::Operator,
        slot: None,
        daemon: "host:1".to_owned(),
    }
}

/// A run under way and its scope.
async fn begin(store: &dyn Store) -> (RunId, ScopeId) {
    let run = store.enqueue(new_run()).await.unwrap().unwrap();
    assert_eq!(store.start(run).await.unwrap(), Claim::Running);
    let scope = ScopeKey {
        record_id: "r".to_owned(),
        record_name: "r".to_owned(),
        part: None,
        filing: crate::finding::Filing::default(),
        branch_is_label: false,
    };
    (run, store.open_scope(run, scope).await.unwrap().id)
}

fn ended() -> RunEnd {
    RunEnd::unread(RunState::Complete, None)
}

fn changes(numbers: std::ops::Range<u32>) -> Arc<[Change]> {
    let change = |number: u32| {
        let sighting = Sighting {
            source_id: format!("source {number}"),
            content: Content {
                title: format!("Weakness number {number}"),
                ..Content::default()
            },
            raw: format!(r#"{{"component":"lib","vulnerability":"long words","number":{number}}}"#),
            ..Sighting::default()
        };
        let mut fingerprint = [0; 16];
        fingerprint[..4].copy_from_slice(&number.to_be_bytes());
        Change {
            key: sighting.source_key(),
            digest: sighting.digest(b""),
            before: Before::Nothing,
            fingerprint: Fingerprint(fingerprint),
            canonical_id: None,
            at: Utc::now(),
            sighting: Box::new(sighting),
        }
    };
    numbers.map(change).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The whole message of an error of the engine.
fn words<T>(result: Result<T, StoreError>) -> String {
    match result {
        Ok(_) => panic!("this should have failed"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn no_statement_of_a_hot_path_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let _store = SqliteStore::open(&path).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let all = [
        adding::STATEMENTS,
        announcing::STATEMENTS,
        candidates::STATEMENTS,
        close::STATEMENTS,
        delivering::STATEMENTS,
        dictionary_rows::STATEMENTS,
        listing::STATEMENTS,
        news::STATEMENTS,
        placing::STATEMENTS,
        reading::STATEMENTS,
        runs::STATEMENTS,
        scopes::STATEMENTS,
        standing::STATEMENTS,
        write::STATEMENTS,
    ]
    .concat();
    assert!(all.len() > 50);
    for sql in all {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps: Vec<String> = statement
            .raw_query()
            .mapped(|row| row.get(3))
            .map(Result::unwrap)
            .collect();
        for step in &steps {
            assert!(!step.starts_with("SCAN"), "{sql}\n{steps:#?}");
        }
    }
}

#[tokio::test]
async fn a_listing_is_read_in_the_order_of_an_index_and_what_is_known_from_an_index_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let _store = SqliteStore::open(&path).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps: Vec<String> = statement
            .raw_query()
            .mapped(|row| row.get(3))
            .map(Result::unwrap)
            .collect();
        steps.join("; ")
    };
    for sql in candidates::STATEMENTS {
        assert!(!plan(sql).contains("TEMP B-TREE"), "{sql}: {}", plan(sql));
    }
    assert!(plan(scopes::KNOWN).contains("SEARCH sighting_keys USING PRIMARY KEY"));
    assert!(!plan(scopes::KNOWN).contains("TEMP B-TREE"));
}

#[tokio::test]
async fn every_finding_and_every_sighting_has_its_key_and_no_key_is_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..10)).await.unwrap();
    store.finish(run, ended()).await.unwrap();
    let (run, scope) = begin(&store).await;
    let mut moved = changes(0..3).to_vec();
    for change in &mut moved {
        change.digest = [9; 8];
    }
    // The first is somewhere else now, the second where the tenth is, and the third stays.
    moved[0].fingerprint = Fingerprint([7; 16]);
    moved[1].fingerprint = changes(9..10)[0].fingerprint;
    store.write(run, scope, moved.into()).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let count = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM findings"), 9);
    assert_eq!(count("SELECT count(*) FROM sightings"), 10);
    for (rows, keys, matching) in [
        (
            "findings",
            "finding_keys",
            "k.finding_id = t.id AND k.filing_id = t.filing_id AND k.fingerprint = t.fingerprint",
        ),
        (
            "sightings",
            "sighting_keys",
            "k.sighting_id = t.id AND k.scope_id = t.scope_id AND k.key = t.key",
        ),
    ] {
        let all = count(&format!("SELECT count(*) FROM {rows}"));
        assert_eq!(count(&format!("SELECT count(*) FROM {keys}")), all);
        let join = format!("SELECT count(*) FROM {rows} t JOIN {keys} k ON {matching}");
        assert_eq!(count(&join), all, "{rows}");
    }
}

#[tokio::test]
async fn others_on_the_machine_cannot_read_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..10)).await.unwrap();
    for suffix in ["", "-wal", "-shm", "-claims"] {
        let file = beside(&path, suffix);
        assert_eq!(mode(&file) & 0o027, 0, "{}", file.display());
    }
}

#[tokio::test]
async fn a_restored_file_that_all_can_read_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).await.unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    begin(&store).await;
    assert_eq!(mode(&path), 0o660);
    assert_eq!(mode(&beside(&path, "-wal")), 0o660);
}

#[tokio::test]
async fn a_newer_schema_is_refused_for_writing_and_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).await.unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let url = StoreUrl::Sqlite(path);
    for result in [open(&url).await, open_read_only(&url).await] {
        let message = words(result);
        assert!(message.contains("schema version 99"), "{message}");
        assert!(message.contains("use the newer secpull"), "{message}");
    }
}

/// A store as it was before anything could leave.
fn before_the_outbox(path: &Path) {
    let connection = Connection::open(path).unwrap();
    for step in [
        include_str!("../../../migrations/sqlite/0001_store.sql"),
        include_str!("../../../migrations/sqlite/0002_documents.sql"),
    ] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", 2).unwrap();
    connection
        .execute_batch(
            "INSERT INTO api_configurations (id, name, connector) VALUES (1, 'shop', 'script');
             INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon)
             VALUES (1, 'operator', 'complete', 'h:1'), (1, 'operator', 'failed', 'h:1'),
                (1, 'operator', 'running', 'h:1');",
        )
        .unwrap();
}

#[tokio::test]
async fn nothing_old_is_announced_after_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    before_the_outbox(&path);
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(store.unannounced_runs(9).await.unwrap().is_empty());
    // Its daemon is gone: that is news.
    assert_eq!(store.interrupt_leftovers().await.unwrap(), 1);
    let news = store.unannounced_runs(9).await.unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].run.id, 3);
    // A lease that was taken before the clock was set back is no lease.
    let message = NewMessage {
        destination: "forwards.dojo".to_owned(),
        topic: None,
        content: "{}".to_owned(),
    };
    let posted = store.announce_once("a", vec![message], Utc::now());
    assert!(posted.await.unwrap());
    let year = std::time::Duration::from_secs(365 * 86400);
    for holder in ["one", "other"] {
        let taken = store.take_message("forwards.dojo", holder, year, Utc::now());
        assert!(taken.await.unwrap().is_some(), "{holder}");
    }
}

#[tokio::test]
async fn an_older_schema_is_not_migrated_by_a_listing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).await.unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 0)
        .unwrap();
    let message = words(open_read_only(&StoreUrl::Sqlite(path)).await);
    assert!(message.contains("start the daemon once"), "{message}");
}

#[tokio::test]
async fn a_listing_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let result = open_read_only(&StoreUrl::Sqlite(path.clone())).await;
    assert!(matches!(result, Err(StoreError::Absent(_))));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_store_is_listed_while_it_is_written_and_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..3)).await.unwrap();
    let beside_it = SqliteStore::open_read_only(&path).await.unwrap();
    let count = |store: SqliteStore| async move {
        let mut stream = store.findings(FindingFilter::default()).await.unwrap();
        let mut count = 0;
        while let Some(finding) = stream.recv().await {
            finding.unwrap();
            count += 1;
        }
        count
    };
    assert_eq!(count(beside_it).await, 3);
    drop(store);
    let alone = SqliteStore::open_read_only(&path).await.unwrap();
    let refused = words(alone.enqueue(new_run()).await);
    assert!(refused.contains("for listings only"), "{refused}");
    assert_eq!(count(alone).await, 3);
}

#[tokio::test]
async fn what_is_no_store_is_not_made_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "these are notes, and more than a hundred bytes of them ".repeat(20),
    )
    .unwrap();
    let message = words(SqliteStore::open(&text).await);
    assert!(message.contains("no SQLite database"), "{message}");
    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE mails (id INTEGER)")
        .unwrap();
    let message = words(SqliteStore::open(&other).await);
    assert!(message.contains("another program"), "{message}");
    let message = words(SqliteStore::open(folder.path()).await);
    assert!(message.contains("is a folder"), "{message}");
    let message = words(SqliteStore::open(&folder.path().join("no/a.db")).await);
    assert!(message.contains("does not exist: create it"), "{message}");
}

#[tokio::test]
async fn a_damaged_row_is_said_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..3)).await.unwrap();
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE sightings SET body = x'00' WHERE id = 2", [])
        .unwrap();
    let mut stream = store.findings(FindingFilter::default()).await.unwrap();
    let error = loop {
        match stream.recv().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[tokio::test]
async fn a_lock_that_another_program_keeps_is_said_to_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.enqueue(new_run()).await;
    assert!(
        matches!(&refused, Err(StoreError::Engine { passing: true, reason, .. }) if reason.contains("another program")),
        "{refused:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    // Nothing of the refused run is left, also no claim.
    assert_eq!(store.enqueue(new_run()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_said_to_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..10)).await.unwrap();
    let limit = |pages: i64| {
        store.writer().unwrap().transaction(move |transaction, _| {
            // As many pages as there may be stand for a disk that is full.
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(transaction.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
        })
    };
    limit(1).await.unwrap();
    let refused = store.write(run, scope, changes(10..2000)).await;
    assert!(
        matches!(&refused, Err(StoreError::Engine { passing: true, reason, .. }) if reason.contains("disk is full")),
        "{refused:?}"
    );
    limit(1_000_000).await.unwrap();
    let counts = store.write(run, scope, changes(10..2000)).await.unwrap();
    assert_eq!(counts.new, 1990);
}

#[tokio::test]
async fn a_dictionary_makes_rows_small_and_another_store_can_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..150)).await.unwrap();
    store.write(run, scope, changes(150..1000)).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let dictionaries: i64 = connection
        .query_row("SELECT count(*) FROM dictionaries", [], |row| row.get(0))
        .unwrap();
    assert_eq!(dictionaries, 1);
    let size = |ids: &str| -> f64 {
        let sql = format!("SELECT avg(length(body)) FROM sightings WHERE id {ids}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert!(size("> 150") * 2.0 < size("<= 150"));
    let fresh = SqliteStore::open_read_only(&path).await.unwrap();
    let finding = fresh.finding(900, true).await.unwrap().unwrap();
    assert_eq!(finding.title, "Weakness number 899");
    assert_eq!(finding.status, Status::Open);
}

#[tokio::test]
async fn settling_empties_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (run, scope) = begin(&store).await;
    store.write(run, scope, changes(0..300)).await.unwrap();
    let log = beside(&path, "-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    store.settle().await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    // Somebody who reads is no failure, and is not waited for.
    store.write(run, scope, changes(300..310)).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM findings;")
        .unwrap();
    store.settle().await.unwrap();
}

#[tokio::test]
async fn two_stores_that_open_an_empty_file_together_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let (one, two) = tokio::join!(SqliteStore::open(&path), SqliteStore::open(&path));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.enqueue(new_run()).await.unwrap(), Some(1));
    assert_eq!(two.enqueue(new_run()).await.unwrap(), Some(2));
}
