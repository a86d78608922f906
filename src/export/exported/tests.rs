#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};

use super::*;
use crate::finding::PrintedSighting;

fn sighting(api: &str, id: &str, day: u32, severity: Severity, status: Status) -> PrintedSighting {
    let at = format!("2026-11-{day:02}T00:00:00Z").parse().unwrap();
    PrintedSighting {
        api_configuration: api.to_owned(),
        connector: "script".to_owned(),
        record: None,
        source_id: id.to_owned(),
        source_severity: None,
        source_status: None,
        severity,
        status,
        found_at: None,
        source_updated_at: None,
        first_seen: at,
        last_seen: at,
        resolved_at: None,
        raw: None,
        differing: Map::new(),
    }
}

fn finding(sightings: Vec<PrintedSighting>) -> Finding {
    let at = "2026-11-01T00:00:00Z".parse().unwrap();
    Finding {
        id: 1,
        product: "Shop".to_owned(),
        branch: None,
        service: None,
        fingerprint: "1:ab".to_owned(),
        kind: Kind::Other,
        title: "The leading one's".to_owned(),
        description: Some("text".to_owned()),
        recommendation: None,
        severity: Severity::Critical,
        status: Status::Open,
        vulnerability_id: None,
        aliases: Vec::new(),
        cwes: Vec::new(),
        cvss3_vector: None,
        cvss3_score: None,
        cvss4_vector: None,
        cvss4_score: None,
        epss_score: None,
        component: None,
        image: None,
        endpoint: None,
        source_location: None,
        cloud: None,
        kubernetes: None,
        host: None,
        references: Vec::new(),
        tags: Vec::new(),
        first_seen: at,
        last_seen: at,
        resolved_at: None,
        sightings,
        history: None,
    }
}

#[test]
fn a_finding_is_seen_as_its_own_sightings_stand_in_the_words_of_the_oldest() {
    let mut oldest = sighting("shop", "old", 1, Severity::Medium, Status::RiskAccepted);
    oldest.differing = match json!({"title": "Its own", "description": null}) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let finding = finding(vec![
        sighting("other", "x", 2, Severity::Critical, Status::Open),
        sighting("shop", "new", 3, Severity::Low, Status::InReview),
        oldest,
        sighting("shop", "gone", 4, Severity::High, Status::Resolved),
    ]);
    let seen = Exported::seen_by(&finding, "shop").unwrap().unwrap();
    assert_eq!((seen.title.as_str(), seen.description), ("Its own", None));
    assert_eq!(
        (seen.severity, seen.status),
        (Severity::Medium, Status::InReview)
    );
    assert_eq!(seen.sightings.len(), 1);
    assert_eq!(seen.sightings[0].source_id, "old");
}

#[test]
fn what_is_resolved_for_one_is_not_seen_by_it() {
    let finding = finding(vec![
        sighting("other", "x", 2, Severity::Critical, Status::Open),
        sighting("shop", "y", 1, Severity::Low, Status::Resolved),
    ]);
    assert!(Exported::seen_by(&finding, "shop").unwrap().is_none());
    assert!(Exported::seen_by(&finding, "nobody").unwrap().is_none());
    assert!(Exported::seen_by(&finding, "other").unwrap().is_some());
}
