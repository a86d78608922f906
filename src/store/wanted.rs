//! A filter in the store's own numbers, and which findings pass it.

use std::collections::HashSet;

use super::codes::time_code;
use super::names::search_name;
use super::printing::{FindingRow, ReadSighting};
use super::query::{FindingFilter, StatusFilter};
use crate::finding::{Kind, Severity, Status};

/// A filter in the store's own numbers.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) severities: HashSet<Severity>,
    pub(super) statuses: HashSet<Status>,
    pub(super) filings: Option<HashSet<i64>>,
    /// A finding must have a sighting in one of these.
    pub(super) scopes: Option<HashSet<i64>>,
    pub(super) kinds: Vec<Kind>,
    /// In capitals.
    pub(super) vulnerabilities: Vec<String>,
    pub(super) first_seen_since: Option<i64>,
}

impl Wanted {
    /// A filter whose names of products and API configurations have been looked up.
    pub(super) fn new(
        filter: &FindingFilter,
        filings: Option<HashSet<i64>>,
        scopes: Option<HashSet<i64>>,
    ) -> Self {
        let severities = if filter.severities.is_empty() {
            Severity::ALL.into_iter().collect()
        } else {
            filter.severities.iter().copied().collect()
        };
        let unresolved = |status: &Status| *status != Status::Resolved;
        let statuses = match &filter.status {
            StatusFilter::All => Status::ALL.into_iter().collect(),
            StatusFilter::Unresolved => Status::ALL.into_iter().filter(unresolved).collect(),
            StatusFilter::Only(these) => these.iter().copied().collect(),
        };
        let vulnerabilities = filter.vulnerabilities.iter();
        Self {
            severities,
            statuses,
            filings,
            scopes,
            kinds: filter.kinds.clone(),
            vulnerabilities: vulnerabilities.map(|name| search_name(name)).collect(),
            first_seen_since: filter.first_seen_since.map(time_code),
        }
    }

    /// By what a finding's own row says.
    pub(super) fn admits(&self, row: &FindingRow) -> bool {
        let filings = self.filings.as_ref();
        self.severities.contains(&row.severity)
            && self.statuses.contains(&row.status)
            && filings.is_none_or(|filings| filings.contains(&row.filing_id))
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && self
                .first_seen_since
                .is_none_or(|since| time_code(row.first_seen) >= since)
    }

    /// By the vulnerability's names: the canonical one, or those of the leading sighting.
    pub(super) fn admits_words(&self, row: &FindingRow, sightings: &[ReadSighting]) -> bool {
        if self.vulnerabilities.is_empty() {
            return true;
        }
        let leading = sightings.first().map(ReadSighting::content);
        let names = leading
            .into_iter()
            .flat_map(|content| content.vulnerability_id.iter().chain(&content.aliases));
        names
            .chain(&row.canonical_id)
            .any(|name| self.vulnerabilities.contains(&search_name(name)))
    }
}
