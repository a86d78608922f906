//! Pages of findings and of targets, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding;
use super::reading::{Envelope, Reading};
use super::target::{Target, is_id};

/// Whose findings the seeds are.
const TARGET: &str = "46aGYvJUPCtW";

/// A page: each row is read as a finding and as a target.
pub(in crate::connectors) fn page(input: &[u8]) {
    let Some((rows, envelope)) = elements(input, &["results"]) else {
        return;
    };
    let mut reading = Reading::default();
    for row in &rows {
        let finding = finding::map(row, TARGET);
        if let Ok(sighting) = &finding {
            let number = sighting.source_id.strip_prefix("46aGYvJUPCtW-");
            assert!(number.is_some_and(|number| !number.is_empty()));
        }
        reading.row(finding.as_ref().ok().map(|one| one.source_id.as_str()));
        hold(finding);
        if let Ok(target) = Target::parse(row) {
            assert!(is_id(&target.record().id), "a target without identity");
        }
    }
    let _step = reading.close_page(Envelope::parse(&envelope));
}
