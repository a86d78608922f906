//! Pages of issues and of their evidence, for fuzzing.

use serde_json::value::RawValue;

use super::super::fuzzed::{elements, hold};
use super::finding::{self, Source};
use super::{evidence, identity};

/// An answer: each issue is read as one and as evidence.
pub(in crate::connectors) fn page(input: &[u8]) {
    let issues = elements(input, &["data", "scan", "issues"]);
    let source = Source {
        site: "11".to_owned(),
        scan: "7".to_owned(),
        scanned_at: None,
    };
    for element in issues.into_iter().flat_map(|(list, _)| list) {
        let Ok(row) = serde_json::from_slice::<&RawValue>(&element) else {
            continue;
        };
        let row_of = |issue: finding::Issue| {
            let id = identity::source_id("11", &issue.key, 0);
            issue.into_sighting(id)
        };
        let mut issue = finding::map(row, &source);
        if let (Ok(issue), Some((_, evidence))) = (&mut issue, evidence::of(row)) {
            issue.keep(evidence);
        }
        hold(issue.map(row_of));
    }
}
