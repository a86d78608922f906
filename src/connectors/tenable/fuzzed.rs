//! Chunks and statuses of exports, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding;
use super::selection::Source;
use super::status::{JobStatus, Ledger};

/// A chunk of either product, or a job's status.
pub(in crate::connectors) fn page(input: &[u8]) {
    for element in elements(input, &[]).into_iter().flat_map(|(list, _)| list) {
        let Ok(text) = std::str::from_utf8(&element) else {
            continue;
        };
        for source in [Source::Vm, Source::Was] {
            hold(finding::map(text, source).map(|mapped| mapped.sighting));
        }
    }
    let status = std::str::from_utf8(input).map(JobStatus::parse);
    if let Ok(Ok(status)) = status {
        let mut ledger = Ledger::default();
        for chunk in ledger.open(&status) {
            ledger.read(chunk);
        }
        assert!(ledger.open(&status).is_empty(), "a chunk is never read");
        ledger.verdict(&status);
    }
}
