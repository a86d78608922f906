//! Pages of findings, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding;

/// An answer to GetFindings.
pub(in crate::connectors) fn page(input: &[u8]) {
    let findings = elements(input, &["Findings"]);
    for element in findings.into_iter().flat_map(|(list, _)| list) {
        let Ok(text) = std::str::from_utf8(&element) else {
            continue;
        };
        let mapped = finding::map(text);
        if let Ok(mapped) = &mapped {
            assert!(
                !mapped.account.is_empty() && !mapped.region.is_empty(),
                "no record"
            );
        }
        hold(
            mapped
                .map(|mapped| mapped.sighting)
                .map_err(|row| row.reason),
        );
    }
}
