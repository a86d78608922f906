//! The findings of a group as they stand in the store, as a report.

use std::collections::{HashMap, HashSet};

use super::file::{Draft, File};
use super::group::Group;
use super::ledger::{Key, Ledger, Line, key};
use super::standing::Standing;
use super::words::{FirstWords, words};
use crate::config::Forward;
use crate::export::{Exported, generic_findings};
use crate::finding::Severity;
use crate::store::{FindingFilter, Store, StoreError};

/// How much goes into one test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Findings. DefectDojo was seen to take 200 s for 10,000 new ones on two busy cores, and its own nginx gives up after
    /// 1,800 s.
    pub(super) findings: usize,
    /// Bytes, of the 100 MB that DefectDojo takes: texts may grow.
    pub(super) bytes: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            findings: 25_000,
            bytes: 64 << 20,
        }
    }
}

/// A report, and what is in it.
pub(super) struct Gathered {
    pub(super) file: File,
    pub(super) lines: HashMap<Key, Line>,
    /// Known there under other words, which are not at hand.
    pub(super) reworded: HashSet<Key>,
    /// Found no room, and is in no other test either.
    pub(super) left: u64,
}

/// Reads the group and makes the report for one of its tests. A finding stays in the test that has it; new ones come into the
/// first that has room.
pub(super) async fn gather(
    store: &dyn Store,
    forward: &Forward,
    group: &Group,
    ledgers: &[Ledger],
    first: &FirstWords,
    part: usize,
    room: Room,
) -> Result<Gathered, StoreError> {
    let filter = FindingFilter {
        products: vec![group.product.clone()],
        branches: group.branch.iter().cloned().collect(),
        services: group.service.iter().cloned().collect(),
        api_configurations: vec![group.api_configuration.clone()],
        ..FindingFilter::default()
    };
    let mut draft = Draft::new(forward.test_type.as_deref()).map_err(not_packed)?;
    let mut lines = HashMap::new();
    let mut reworded = HashSet::new();
    let mut left = 0;
    let mut places = room
        .findings
        .saturating_sub(ledgers.get(part).map_or(0, Ledger::sent));
    let mut found = store.findings(filter).await?;
    while let Some(finding) = found.recv().await {
        let finding = finding?;
        // No branch is not every branch.
        if finding.branch != group.branch || finding.service != group.service {
            continue;
        }
        let seen = Exported::seen_by(&finding, &group.api_configuration);
        let Some(seen) = seen.map_err(not_packed)? else {
            continue;
        };
        let mut name = name(&seen).to_owned();
        if lines.contains_key(&key(&name)) {
            // Two records may each have an id of their own that is the same.
            name = format!("{name} ({})", seen.fingerprint);
        }
        let key = key(&name);
        let known = ledgers.iter().position(|ledger| ledger.holds(key));
        match known {
            Some(other) if other != part => continue,
            Some(_) => {}
            None if seen.severity.min(Severity::Info) > forward.minimum_severity => continue,
            None if places == 0 || draft.length() >= room.bytes => {
                left += 1;
                continue;
            }
            None => places -= 1,
        }
        let mut written = generic_findings::named_finding(&seen, &name);
        let line = Line {
            standing: Standing::of(&written),
            words: words(&written),
        };
        let last = ledgers.get(part).and_then(|ledger| ledger.get(key));
        if first.holds(key) {
            first.put(key, &mut written);
        } else if last.is_some_and(|last| last.words != line.words) {
            reworded.insert(key);
        }
        lines.insert(key, line);
        draft.add(&written).map_err(not_packed)?;
    }
    Ok(Gathered {
        file: draft.finish().map_err(not_packed)?,
        lines,
        reworded,
        left,
    })
}

/// What a finding is called there: the vendor's id, which stays when title, line and place change. It is the same for as long
/// as the API configuration has the sighting.
fn name(seen: &Exported) -> &str {
    let source_id = seen.sightings.first().map(|seen| seen.source_id.trim());
    source_id
        .filter(|id| !id.is_empty())
        .unwrap_or(&seen.fingerprint)
}

fn not_packed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Engine {
        place: "(a report for DefectDojo)".to_owned(),
        reason: format!("a finding cannot be written: {error}"),
        passing: false,
    }
}
