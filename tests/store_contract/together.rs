//! Many rows that are written in one transaction.

use std::sync::Arc;

use proptest::prelude::*;
use secpull::finding::{Severity, Sighting, Status};
use secpull::store::{Prepared, WriteCounts};
use serde_json::Value;

use crate::place;
use crate::world::{Read, World, change, sighting, with_severity, with_status};

/// Few values, so that rows repeat, change and join what others say.
fn row() -> impl Strategy<Value = Sighting> {
    let status = prop::sample::select(vec![0, 0, 0, 3, 6_usize]);
    (0..8_u8, 0..5_u8, 0..2_usize, status).prop_map(|(source, cve, severity, status)| {
        let sighting = sighting(&format!("s{source}"), &format!("CVE-{cve}"));
        let sighting = with_severity(sighting, Severity::ALL[severity]);
        with_status(sighting, Status::ALL[status])
    })
}

/// What is printed of all findings. Their ids are in the same order, but there may be gaps.
async fn printed(world: &World) -> Vec<Value> {
    let print = |(place, mut finding): (i64, secpull::finding::Finding)| {
        finding.id = place;
        serde_json::to_value(finding).unwrap()
    };
    (0..).zip(world.all().await).map(print).collect()
}

async fn import_before(world: &World, before: &[Sighting]) {
    let mut seen: Vec<Sighting> = Vec::new();
    for row in before {
        if seen.iter().all(|known| known.source_id != row.source_id) {
            seen.push(row.clone());
        }
    }
    world.import_as(&Read::of("shop", 0).partly(), &seen).await;
}

/// What is left of it, and what it counted.
async fn left(
    before: &[Sighting],
    rows: &[Sighting],
    together: usize,
) -> (Vec<Value>, WriteCounts) {
    let world = World::new().await;
    import_before(&world, before).await;
    let run = world.begin("shop").await;
    let scope = Read::of("shop", 1).scope();
    let scope = world.store.open_scope(run, scope).await.unwrap().id;
    let mut counts = WriteCounts::default();
    for rows in rows.chunks(together) {
        let mut batches: Vec<Prepared> = Vec::new();
        for row in rows {
            let changes = Arc::new([change(row, b"1", 1)]);
            batches.push(world.store.prepare(scope, changes).await.unwrap());
        }
        let batches = batches.into();
        counts += world
            .store
            .write_prepared(run, scope, batches)
            .await
            .unwrap();
    }
    (printed(&world).await, counts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: place::CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_transaction_of_many_rows_leaves_what_one_of_each_leaves(
        before in prop::collection::vec(row(), 0..6),
        rows in prop::collection::vec(row(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let one_by_one = runtime.block_on(left(&before, &rows, 1));
        let together = runtime.block_on(left(&before, &rows, rows.len()));
        prop_assert_eq!(one_by_one, together);
    }
}

#[tokio::test]
async fn ids_go_up_as_rows_come_whatever_their_keys_are() {
    let world = World::new().await;
    let rows: Vec<_> = (0..200)
        .map(|n| sighting(&format!("s{n}"), &format!("CVE-{n:03}")))
        .collect();
    world.import("shop", 0, &rows).await;
    let listed = world.all().await.into_iter();
    let listed: Vec<_> = listed.map(|finding| finding.title).collect();
    let came: Vec<_> = rows.into_iter().map(|row| row.content.title).collect();
    assert_eq!(listed, came);
}
