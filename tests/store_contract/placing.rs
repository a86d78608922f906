//! Which finding a sighting belongs to.

use secpull::finding::{Severity, Status};

use crate::world::{Read, World, sighting, with_severity, with_status};

#[tokio::test]
async fn two_tools_that_see_one_weakness_make_one_finding() {
    let world = World::new().await;
    world
        .import("dtrack", 0, &[sighting("a", "CVE-2026-1")])
        .await;
    let mut other = with_severity(sighting("b", "GHSA-x"), Severity::Critical);
    other.content.aliases = vec!["CVE-2026-1".to_owned()];
    other.content.title = "Bad thing".to_owned();
    world.import("trivy", 1, &[other]).await;
    let finding = world.only().await;
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.title, "CVE-2026-1 in lib");
    assert_eq!(finding.vulnerability_id.as_deref(), Some("CVE-2026-1"));
    let [leading, other] = &finding.sightings[..] else {
        panic!("{finding:#?}");
    };
    assert_eq!(leading.api_configuration, "dtrack");
    assert!(leading.differing.is_empty());
    assert_eq!(
        serde_json::to_value(&other.differing).unwrap(),
        serde_json::json!({
            "title": "Bad thing", "vulnerability_id": "GHSA-x", "aliases": ["CVE-2026-1"],
        })
    );
    assert_eq!(
        world.history(finding.id).await,
        ["first_seen", "sighting_added", "severity high critical"]
    );
}

#[tokio::test]
async fn a_field_that_only_the_leading_sighting_has_is_absent_in_the_other() {
    let world = World::new().await;
    let mut first = sighting("a", "CVE-1");
    first.content.description = Some("long".to_owned());
    first.content.tags = vec!["x".to_owned()];
    world.import("one", 0, &[first]).await;
    world.import("two", 1, &[sighting("b", "CVE-1")]).await;
    let finding = world.only().await;
    assert_eq!(
        serde_json::to_value(&finding.sightings[1].differing).unwrap(),
        serde_json::json!({"description": null, "tags": []})
    );
}

#[tokio::test]
async fn a_finding_is_open_until_its_last_sighting_is_resolved() {
    let world = World::new().await;
    let (a, b) = (sighting("a", "CVE-1"), sighting("b", "CVE-1"));
    let b = with_severity(b, Severity::Low);
    world.import("one", 0, &[a]).await;
    world.import("two", 1, &[b]).await;
    world.import("one", 2, &[]).await;
    let finding = world.only().await;
    assert_eq!(
        (finding.status, finding.severity),
        (Status::Open, Severity::Low)
    );
    // The open one leads now.
    assert_eq!(finding.sightings[0].source_id, "b");
    assert_eq!(finding.sightings[1].status, Status::Resolved);
    world.import("two", 3, &[]).await;
    let finding = world.only().await;
    assert_eq!(
        (finding.status, finding.resolved_at.is_some()),
        (Status::Resolved, true)
    );
    // All are resolved: the oldest leads, and the severity is its own.
    assert_eq!(finding.severity, Severity::High);
}

#[tokio::test]
async fn a_findings_status_is_its_most_urgent_sightings() {
    let world = World::new().await;
    let judged = with_status(sighting("a", "CVE-1"), Status::FalsePositive);
    world.import("one", 0, &[judged]).await;
    assert_eq!(world.only().await.status, Status::FalsePositive);
    let review = with_status(sighting("b", "CVE-1"), Status::InReview);
    world.import("two", 1, &[review]).await;
    assert_eq!(world.only().await.status, Status::InReview);
    world.import("three", 2, &[sighting("c", "CVE-1")]).await;
    assert_eq!(world.only().await.status, Status::Open);
}

#[tokio::test]
async fn branches_and_products_never_share_findings() {
    let world = World::new().await;
    let a = [sighting("a", "CVE-1")];
    world
        .import_as(&Read::of("one", 0).branch("main"), &a)
        .await;
    world.import_as(&Read::of("one", 0).branch("dev"), &a).await;
    world
        .import_as(&Read::of("two", 0).product("Other"), &a)
        .await;
    assert_eq!(world.all().await.len(), 3);
    world
        .import_as(&Read::of("one", 1).branch("dev"), &[])
        .await;
    let open: Vec<_> = world
        .all()
        .await
        .into_iter()
        .filter(|finding| finding.status == Status::Open)
        .map(|finding| (finding.product, finding.branch))
        .collect();
    assert_eq!(
        open,
        [
            ("Shop".to_owned(), Some("main".to_owned())),
            ("Other".to_owned(), None)
        ]
    );
}

#[tokio::test]
async fn a_moved_line_is_the_same_finding_at_its_new_place() {
    let world = World::new().await;
    world.import("shop", 0, &[sighting("a", "CVE-1")]).await;
    let before = world.only().await;
    world.import("shop", 1, &[sighting("a", "CVE-2")]).await;
    let after = world.only().await;
    assert_eq!(after.id, before.id);
    assert_ne!(after.fingerprint, before.fingerprint);
    assert_eq!(after.first_seen, before.first_seen);
    assert_eq!(after.vulnerability_id.as_deref(), Some("CVE-2"));
    // What is found at the old place from now on is another one.
    world
        .import("shop", 2, &[sighting("a", "CVE-2"), sighting("b", "CVE-1")])
        .await;
    assert_eq!(world.all().await.len(), 2);
}

#[tokio::test]
async fn a_sighting_that_does_not_lead_stays_when_it_changes() {
    let world = World::new().await;
    world.import("one", 0, &[sighting("a", "CVE-1")]).await;
    world.import("two", 1, &[sighting("b", "CVE-1")]).await;
    let before = world.only().await;
    world.import("two", 2, &[sighting("b", "CVE-2")]).await;
    let after = world.only().await;
    assert_eq!(
        (after.id, &after.fingerprint),
        (before.id, &before.fingerprint)
    );
    assert_eq!(after.sightings.len(), 2);
}

#[tokio::test]
async fn a_sighting_moves_to_a_finding_that_has_its_new_fingerprint() {
    let world = World::new().await;
    world
        .import("one", 0, &[sighting("a", "CVE-1"), sighting("b", "CVE-2")])
        .await;
    world.import("two", 1, &[sighting("c", "CVE-1")]).await;
    let [first, second] = &world.all().await[..] else {
        panic!("two findings");
    };
    world.import("two", 2, &[sighting("c", "CVE-2")]).await;
    let [left, joined] = &world.all().await[..] else {
        panic!("two findings");
    };
    assert_eq!((left.id, joined.id), (first.id, second.id));
    assert_eq!((left.sightings.len(), joined.sightings.len()), (1, 2));
    let moved = format!("sighting_moved {} {}", first.id, second.id);
    assert_eq!(
        world.history(joined.id).await,
        ["first_seen".to_owned(), moved.clone()]
    );
    assert_eq!(
        world.history(left.id).await,
        ["first_seen".to_owned(), "sighting_added".to_owned(), moved]
    );
}

#[tokio::test]
async fn a_finding_without_sightings_is_gone_and_its_history_lives_on() {
    let world = World::new().await;
    world.import("one", 0, &[sighting("a", "CVE-1")]).await;
    let worse = with_severity(sighting("a", "CVE-1"), Severity::Critical);
    world.import("one", 1, &[worse]).await;
    world.import("two", 2, &[sighting("b", "CVE-2")]).await;
    let [old, kept] = &world.all().await[..] else {
        panic!("two findings");
    };
    world.import("one", 3, &[sighting("a", "CVE-2")]).await;
    let finding = world.only().await;
    assert_eq!(finding.id, kept.id);
    assert_eq!(finding.first_seen, old.first_seen);
    assert_eq!(
        world.history(finding.id).await,
        [
            "first_seen".to_owned(),
            "severity high critical".to_owned(),
            format!("sighting_moved {} {}", old.id, kept.id),
        ]
    );
    assert!(world.store.finding(old.id, false).await.unwrap().is_none());
}

#[tokio::test]
async fn a_number_is_never_given_to_another_finding() {
    let world = World::new().await;
    world.import("one", 0, &[sighting("a", "CVE-1")]).await;
    world.import("two", 1, &[sighting("b", "CVE-2")]).await;
    let gone = world.all().await[1].id;
    world.import("two", 2, &[sighting("b", "CVE-1")]).await;
    world
        .import("two", 3, &[sighting("b", "CVE-1"), sighting("c", "CVE-3")])
        .await;
    let ids: Vec<_> = world.all().await.iter().map(|finding| finding.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(!ids.contains(&gone));
}

#[tokio::test]
async fn a_renamed_product_takes_its_findings_along() {
    let world = World::new().await;
    let a = [sighting("a", "CVE-1")];
    world.import("shop", 0, &a).await;
    let before = world.only().await;
    world
        .import_as(&Read::of("shop", 1).product("Store"), &a)
        .await;
    let after = world.only().await;
    assert_eq!((after.id, after.product.as_str()), (before.id, "Store"));
}

#[tokio::test]
async fn a_changed_label_of_a_branch_takes_its_findings_along() {
    let world = World::new().await;
    let all = [sighting("a", "CVE-1"), sighting("b", "CVE-2")];
    // From the tool's own branch to a label, and from one label to another.
    world
        .import_as(&Read::of("shop", 0).branch("master"), &all)
        .await;
    let before: Vec<_> = world.all().await.iter().map(|finding| finding.id).collect();
    for (day, label) in [(1, "main"), (2, "trunk")] {
        world
            .import_as(&Read::of("shop", day).label(label), &all)
            .await;
        let after = world.all().await;
        assert_eq!(after.iter().map(|f| f.id).collect::<Vec<_>>(), before);
        assert!(after.iter().all(|f| f.branch.as_deref() == Some(label)));
    }
    // What is gone from the tool is closed, under whatever label it was found.
    world
        .import_as(&Read::of("shop", 3).label("main"), &all[..1])
        .await;
    assert_eq!(world.unresolved("shop").await, 1);
}

#[tokio::test]
async fn a_label_does_not_take_one_of_several_branches() {
    let world = World::new().await;
    let a = [sighting("a", "CVE-1")];
    world
        .import_as(&Read::of("shop", 0).branch("one"), &a)
        .await;
    world
        .import_as(&Read::of("shop", 1).branch("two"), &a)
        .await;
    world
        .import_as(&Read::of("shop", 2).label("main"), &a)
        .await;
    let mut branches: Vec<_> = world
        .all()
        .await
        .into_iter()
        .filter_map(|f| f.branch)
        .collect();
    branches.sort();
    assert_eq!(branches, ["main", "one", "two"]);
}

#[tokio::test]
async fn a_sighting_that_is_filed_elsewhere_leaves_the_others_where_they_are() {
    let world = World::new().await;
    world.import("one", 0, &[sighting("a", "CVE-1")]).await;
    world.import("two", 1, &[sighting("b", "CVE-1")]).await;
    let before = world.only().await;
    world
        .import_as(
            &Read::of("two", 2).product("Store"),
            &[sighting("b", "CVE-1")],
        )
        .await;
    let [stayed, moved] = &world.all().await[..] else {
        panic!("two findings");
    };
    assert_eq!((stayed.id, stayed.product.as_str()), (before.id, "Shop"));
    assert_eq!(moved.product, "Store");
    assert_eq!(moved.first_seen, crate::world::day(1));
    // And the other one follows to where the first has gone.
    world
        .import_as(
            &Read::of("one", 3).product("Store"),
            &[sighting("a", "CVE-1")],
        )
        .await;
    let finding = world.only().await;
    assert_eq!((finding.id, finding.sightings.len()), (moved.id, 2));
}
