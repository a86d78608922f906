//! Pages of findings, products, engagements and tests, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding;
use super::inventory::{Engagement, Product, Test};
use super::reading::{Envelope, Reading};

/// A page: each row is read as everything that there are lists of.
pub(in crate::connectors) fn page(input: &[u8]) {
    let Some((rows, envelope)) = elements(input, &["results"]) else {
        return;
    };
    let mut reading = Reading::with_limit(100);
    for row in &rows {
        let finding = finding::map(row);
        if let Ok(finding) = &finding {
            assert!(finding.id > 0 && finding.test > 0);
            assert_eq!(finding.sighting.source_id, finding.id.to_string());
        }
        reading.row(finding.as_ref().ok().map(|finding| finding.id));
        hold(finding.map(|finding| finding.sighting));
        if let Ok(product) = Product::parse(row) {
            assert!(!product.record().name.is_empty(), "a product without name");
        }
        let owners = [
            Engagement::parse(row).map(|one| (one.id, one.product)),
            Test::parse(row).map(|one| (one.id, one.engagement)),
        ];
        for (id, owner) in owners.into_iter().flatten() {
            assert!(id > 0 && owner > 0, "no identity, or of nothing");
        }
    }
    let _step = reading.close_page(&Envelope::parse(&envelope));
}
