//! Rows that are mapped only where they are new or have changed.

use super::*;
use crate::connectors::Row;
use crate::finding::source_key;

/// `name severity`; without a severity it cannot be read.
fn map(json: &[u8]) -> Result<Sighting, String> {
    let text = std::str::from_utf8(json).map_err(|error| error.to_string())?;
    let (name, severity) = text.split_once(' ').ok_or("no severity")?;
    Ok(Sighting {
        severity: severity.parse().unwrap_or(Severity::Unknown),
        raw: format!("{text:?}"),
        ..sighting(name)
    })
}

fn panics(_: &[u8]) -> Result<Sighting, String> {
    panic!("a row that has not changed is mapped")
}

fn rows_by(texts: &[&str], map: fn(&[u8]) -> Result<Sighting, String>) -> Act {
    let row = |text: &&str| Row {
        key: source_key(None, text.split(' ').next().unwrap_or_default()),
        json: bytes::Bytes::copy_from_slice(text.as_bytes()),
        map: Arc::new(map),
    };
    Act::Say(Pulled::Rows {
        scope: scope("r"),
        rows: texts.iter().map(row).collect(),
    })
}

fn rows(texts: &[&str]) -> Act {
    rows_by(texts, map)
}

#[tokio::test]
async fn a_row_that_has_not_changed_is_not_mapped_and_is_seen() {
    let house = House::new().await;
    let told = ["a high", "b low"];
    let first = house.import(vec![rows(&told), complete("r")]).await;
    assert_eq!((first.status, first.new), (RunState::Complete, 2));
    let second = house
        .import(vec![rows_by(&told, panics), complete("r")])
        .await;
    assert_eq!(
        (second.status, second.unchanged, second.resolved),
        (RunState::Complete, 2, 0)
    );
    let third = house
        .import(vec![rows(&["a critical"]), complete("r")])
        .await;
    assert_eq!((third.updated, third.resolved), (1, 1));
}

#[tokio::test]
async fn labels_and_filing_are_part_of_what_has_not_changed() {
    let mut house = House::new().await;
    house.import(vec![rows(&["a high"]), complete("r")]).await;
    house.api.labels.kubernetes_cluster = Some("prod".to_owned());
    let run = house.import(vec![rows(&["a high"]), complete("r")]).await;
    assert_eq!((run.updated, run.unchanged), (1, 0));
    house.api.product = Some("Other".to_owned());
    let run = house.import(vec![rows(&["a high"]), complete("r")]).await;
    assert_eq!((run.updated, run.unchanged), (1, 0));
    let finding = house.findings().await.remove(0);
    assert_eq!(finding.product, "Other");
    assert_eq!(
        finding
            .kubernetes
            .and_then(|place| place.cluster)
            .as_deref(),
        Some("prod")
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_mapped_makes_its_scope_incomplete() {
    let house = House::new().await;
    house
        .import(vec![rows(&["a high", "b low"]), complete("r")])
        .await;
    let run = house
        .import(vec![rows(&["a high", "c"]), complete("r")])
        .await;
    assert_eq!(
        (run.status, run.unreadable, run.unchanged, run.resolved),
        (RunState::Partial, 1, 1, 0)
    );
    assert_eq!(
        run.error.as_deref(),
        Some("r: 1 rows could not be read: no severity")
    );
}

#[tokio::test]
async fn rows_of_one_finding_are_merged() {
    let house = House::new().await;
    let run = house
        .import(vec![rows(&["a low", "a high"]), complete("r")])
        .await;
    assert_eq!((run.status, run.new), (RunState::Complete, 1));
    assert_eq!(house.findings().await[0].severity, Severity::High);
    let again = house
        .import(vec![rows(&["a low", "a high"]), complete("r")])
        .await;
    assert_eq!((again.new, again.updated, again.unchanged), (0, 0, 1));
}
