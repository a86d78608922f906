//! New and changed sightings.

use secpull::finding::{Severity, Status};
use secpull::store::{Before, WriteCounts};

use crate::world::{Read, World, change, day, sighting, with_severity, with_status};

#[tokio::test]
async fn what_a_tool_said_is_printed_as_it_was_said() {
    let world = World::new().await;
    let mut said = sighting("a", "CVE-2026-1");
    said.source_severity = Some("HIGH".to_owned());
    said.source_status = Some("NOT_SET".to_owned());
    said.found_at = Some(day(-5));
    said.source_updated_at = Some(day(-3));
    said.content.description = Some("Long.\nVery long.".to_owned());
    said.content.aliases = vec!["GHSA-1".to_owned()];
    said.content.cwes = vec![79];
    said.content.cvss3_score = Some(7.5);
    said.raw = r#"{"b":1.50,"a":[null]}"#.to_owned();
    world
        .import_as(&Read::of("shop", 0).branch("main"), &[said.clone()])
        .await;
    let id = world.only().await.id;
    let finding = world.store.finding(id, true).await.unwrap().unwrap();
    assert_eq!(finding.product, "Shop");
    assert_eq!(finding.branch.as_deref(), Some("main"));
    assert_eq!(finding.service, None);
    assert_eq!(finding.title, "CVE-2026-1 in lib");
    assert_eq!(finding.description, said.content.description);
    assert_eq!(finding.aliases, ["GHSA-1"]);
    assert_eq!(finding.cwes, [79]);
    assert_eq!(finding.cvss3_score, Some(7.5));
    assert_eq!(finding.component, said.content.component);
    assert_eq!(
        (finding.severity, finding.status),
        (Severity::High, Status::Open)
    );
    assert!(finding.fingerprint.starts_with("1:"));
    assert_eq!((finding.first_seen, finding.last_seen), (day(0), day(0)));
    let printed = &finding.sightings[0];
    assert_eq!(printed.api_configuration, "shop");
    assert_eq!(printed.connector, "script");
    assert_eq!(printed.record.as_deref(), Some("r by name"));
    assert_eq!(printed.source_id, "a");
    assert_eq!(printed.source_severity.as_deref(), Some("HIGH"));
    assert_eq!(printed.source_status.as_deref(), Some("NOT_SET"));
    assert_eq!(
        (printed.found_at, printed.source_updated_at),
        (Some(day(-5)), Some(day(-3)))
    );
    // To the letter: also numbers and the order of keys.
    assert_eq!(printed.raw.as_ref().unwrap().get(), said.raw);
    assert!(printed.differing.is_empty());
}

#[tokio::test]
async fn raw_is_printed_only_where_asked_for_and_what_is_no_json_becomes_a_text() {
    let world = World::new().await;
    let mut said = sighting("a", "CVE-1");
    said.raw = "not json".to_owned();
    world.import("shop", 0, &[said]).await;
    let finding = world.only().await;
    assert!(finding.sightings[0].raw.is_none());
    let finding = world
        .store
        .finding(finding.id, true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        finding.sightings[0].raw.as_ref().unwrap().get(),
        "\"not json\""
    );
}

#[tokio::test]
async fn an_unchanged_import_writes_nothing_and_proves_that_they_are_still_there() {
    let world = World::new().await;
    let seen = [sighting("a", "CVE-1"), sighting("b", "CVE-2")];
    let first = world.import("shop", 0, &seen).await;
    assert_eq!(first.counts.new, 2);
    let second = world.import("shop", 1, &seen).await;
    let unchanged = WriteCounts {
        unchanged: 2,
        ..WriteCounts::default()
    };
    assert_eq!(second.counts, unchanged);
    for finding in world.all().await {
        assert_eq!((finding.first_seen, finding.last_seen), (day(0), day(1)));
        assert_eq!(finding.sightings[0].last_seen, day(1));
    }
    assert_eq!(world.unresolved("shop").await, 2);
}

#[tokio::test]
async fn what_has_another_digest_and_says_the_same_is_unchanged_and_known_by_the_new_digest() {
    let world = World::new().await;
    let a = sighting("a", "CVE-1");
    world.import("shop", 0, std::slice::from_ref(&a)).await;
    let run = world.begin("shop").await;
    let scope = Read::of("shop", 1).scope();
    let id = world.store.open_scope(run, scope.clone()).await.unwrap().id;
    // As another version of secpull reckons it.
    let changes = vec![change(&a, b"version 2", 1)];
    let counts = world.write(run, id, changes).await;
    let unchanged = WriteCounts {
        unchanged: 1,
        ..WriteCounts::default()
    };
    assert_eq!(counts, unchanged);
    assert_eq!(world.history(world.only().await.id).await, ["first_seen"]);
    let scope = world.store.open_scope(run, scope).await.unwrap();
    assert_eq!(scope.known, [(a.source_key(), a.digest(b"version 2"))]);
}

#[tokio::test]
async fn a_change_of_severity_and_of_status_is_history() {
    let world = World::new().await;
    let a = sighting("a", "CVE-1");
    world.import("shop", 0, std::slice::from_ref(&a)).await;
    let worse = with_severity(a, Severity::Critical);
    let import = world.import("shop", 1, std::slice::from_ref(&worse)).await;
    assert_eq!(import.counts.updated, 1);
    let accepted = with_status(worse, Status::RiskAccepted);
    world.import("shop", 2, &[accepted]).await;
    let finding = world.only().await;
    assert_eq!(
        (finding.severity, finding.status),
        (Severity::Critical, Status::RiskAccepted)
    );
    assert_eq!(
        world.history(finding.id).await,
        [
            "first_seen",
            "severity high critical",
            "status open risk_accepted"
        ]
    );
    let history = world
        .store
        .finding(finding.id, false)
        .await
        .unwrap()
        .unwrap()
        .history
        .unwrap();
    assert_eq!(history[1].at, day(1));
    assert_eq!(history[1].run, Some(import.run));
    assert_eq!(history[1].api_configuration.as_deref(), Some("shop"));
    assert_eq!(history[1].source_id.as_deref(), Some("a"));
}

#[tokio::test]
async fn the_tools_own_fixed_resolves_at_once_and_open_again_reopens() {
    let world = World::new().await;
    let a = sighting("a", "CVE-1");
    world.import("shop", 0, std::slice::from_ref(&a)).await;
    let fixed = with_status(a.clone(), Status::Resolved);
    let import = world
        .import_as(&Read::of("shop", 1).partly(), std::slice::from_ref(&fixed))
        .await;
    assert_eq!((import.counts.updated, import.counts.resolved), (1, 1));
    assert_eq!(world.only().await.resolved_at, Some(day(1)));
    assert_eq!(world.unresolved("shop").await, 0);
    let import = world.import("shop", 2, &[a]).await;
    assert_eq!((import.counts.updated, import.counts.reopened), (1, 1));
    let finding = world.only().await;
    assert_eq!(finding.resolved_at, None);
    assert_eq!(world.unresolved("shop").await, 1);
    assert_eq!(
        world.history(finding.id).await,
        [
            "first_seen",
            "resolved open resolved",
            "reopened resolved open"
        ]
    );
    let run = world.run(import.run).await;
    assert_eq!((run.new, run.updated, run.reopened), (0, 1, 1));
}

#[tokio::test]
async fn what_is_listed_as_fixed_and_was_never_seen_open_is_counted_not_stored() {
    let world = World::new().await;
    let fixed = with_status(sighting("a", "CVE-1"), Status::Resolved);
    let import = world.import("shop", 0, &[fixed]).await;
    assert_eq!((import.counts.new, import.counts.already_fixed), (0, 1));
    assert!(world.all().await.is_empty());
}

#[tokio::test]
async fn rows_of_one_sighting_in_two_batches_of_a_run_are_merged() {
    let world = World::new().await;
    let run = world.begin("shop").await;
    let scope = world
        .store
        .open_scope(run, Read::of("shop", 0).scope())
        .await
        .unwrap();
    let low = with_severity(sighting("a", "CVE-1"), Severity::Low);
    let critical = with_severity(sighting("a", "CVE-1"), Severity::Critical);
    let mut counts = Vec::new();
    for row in [&low, &critical, &low, &critical] {
        counts.push(world.write(run, scope.id, vec![change(row, b"", 0)]).await);
    }
    assert_eq!(counts[0].new, 1);
    assert!(
        counts[1..]
            .iter()
            .all(|more| *more == WriteCounts::default())
    );
    assert_eq!(world.only().await.severity, Severity::Critical);
    assert_eq!(world.run(run).await.new, 1);
    // What the next run compares its first row with.
    let scope = world
        .store
        .open_scope(run, Read::of("shop", 0).scope())
        .await
        .unwrap();
    assert_eq!(scope.known, [(low.source_key(), low.digest(b""))]);
}

#[tokio::test]
async fn a_second_row_of_an_unchanged_sighting_is_merged_into_what_is_stored() {
    let world = World::new().await;
    let stored = with_severity(sighting("a", "CVE-1"), Severity::High);
    world.import("shop", 0, std::slice::from_ref(&stored)).await;
    let run = world.begin("shop").await;
    let scope = world
        .store
        .open_scope(run, Read::of("shop", 1).scope())
        .await
        .unwrap();
    let again = |severity| {
        let mut change = change(&with_severity(stored.clone(), severity), b"", 1);
        change.before = Before::Seen;
        vec![change]
    };
    let counts = world.write(run, scope.id, again(Severity::Low)).await;
    assert_eq!(counts, WriteCounts::default());
    assert_eq!(world.only().await.severity, Severity::High);
    let counts = world.write(run, scope.id, again(Severity::Critical)).await;
    assert_eq!(counts.updated, 1);
    assert_eq!(world.only().await.severity, Severity::Critical);
}

#[tokio::test]
async fn many_rows_of_one_connector_are_read_back_whole() {
    let world = World::new().await;
    let all: Vec<_> = (0..600)
        .map(|n| {
            let mut sighting = sighting(&format!("s{n:04}"), &format!("CVE-{n:04}"));
            sighting.content.description = Some(format!("Weakness number {n} of a long list"));
            sighting.raw = format!(r#"{{"component":"lib","purl":"pkg:npm/lib@1","number":{n}}}"#);
            sighting
        })
        .collect();
    // The first batches are too small to learn from; then rows are packed in another way.
    world
        .import_as(&Read::of("shop", 0).partly(), &all[..50])
        .await;
    world
        .import_as(&Read::of("shop", 1).partly(), &all[..350])
        .await;
    let reopened = world.place.open().await;
    world.import("shop", 2, &all).await;
    let filter = secpull::store::FindingFilter {
        raw: true,
        ..Default::default()
    };
    let mut stream = reopened.findings(filter).await.unwrap();
    let mut number = 0;
    while let Some(finding) = stream.recv().await {
        let finding = finding.unwrap();
        assert_eq!(finding.description, all[number].content.description);
        let raw = finding.sightings[0].raw.as_ref().unwrap();
        assert_eq!(raw.get(), all[number].raw);
        number += 1;
    }
    assert_eq!(number, all.len());
}

#[tokio::test]
async fn a_scope_of_another_api_configuration_is_refused() {
    let world = World::new().await;
    let shop = world.begin("shop").await;
    let web = world.begin("web").await;
    let scope = world
        .store
        .open_scope(shop, Read::of("shop", 0).scope())
        .await
        .unwrap();
    let changes = vec![change(&sighting("a", "CVE-1"), b"", 0)];
    let refused = world.store.write(web, scope.id, changes.into()).await;
    assert!(refused.unwrap_err().to_string().contains("does not belong"));
}
