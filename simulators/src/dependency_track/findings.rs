//! The findings of a project: some that are listed, and as many as wanted that are made when they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Finding;
use crate::scenario::Many;

/// Findings of one project, in the server's order: generated ones first.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    many: Option<Many>,
    /// Of the generated ones, by their number.
    removed: BTreeSet<u64>,
    changed: BTreeMap<u64, Finding>,
    listed: Vec<Finding>,
}

impl From<Vec<Finding>> for Findings {
    fn from(listed: Vec<Finding>) -> Self {
        Self {
            listed,
            ..Self::default()
        }
    }
}

impl From<Many> for Findings {
    fn from(many: Many) -> Self {
        Self {
            many: Some(many),
            ..Self::default()
        }
    }
}

impl Findings {
    /// How many there are, suppressed ones included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.generated_len() + self.listed.len() as u64
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, made one by one.
    pub fn iter(&self) -> impl Iterator<Item = Finding> + '_ {
        self.range(0..self.len())
    }

    /// Those at some positions, made one by one.
    pub fn range(&self, positions: Range<u64>) -> impl Iterator<Item = Finding> + '_ {
        let generated = self.generated_len();
        let start = positions.start.min(generated);
        let wanted = positions.end.min(generated) - start;
        let numbers = (self.number_at(start)..)
            .filter(|number| !self.removed.contains(number))
            .take(usize::try_from(wanted).unwrap_or(usize::MAX));
        let index = |position: u64| {
            let listed = position.saturating_sub(generated);
            usize::try_from(listed).map_or(self.listed.len(), |index| index.min(self.listed.len()))
        };
        let listed = &self.listed[index(positions.start)..index(positions.end)];
        numbers
            .filter_map(|number| self.generated(number))
            .chain(listed.iter().cloned())
    }

    /// Adds one.
    pub fn add(&mut self, finding: Finding) {
        self.listed.push(finding);
    }

    /// Removes those that fit and says how many.
    pub fn remove(&mut self, mut fits: impl FnMut(&Finding) -> bool) -> u64 {
        let before = self.len();
        let gone = self.generated_that(&mut fits);
        self.removed.extend(gone);
        self.listed.retain(|finding| !fits(finding));
        before - self.len()
    }

    /// Changes those that fit and says how many.
    pub fn change(
        &mut self,
        mut fits: impl FnMut(&Finding) -> bool,
        mut change: impl FnMut(&mut Finding),
    ) -> u64 {
        let mut count = 0;
        for number in self.generated_that(&mut fits) {
            if let Some(mut finding) = self.generated(number) {
                change(&mut finding);
                self.changed.insert(number, finding);
                count += 1;
            }
        }
        for finding in self.listed.iter_mut().filter(|finding| fits(finding)) {
            change(finding);
            count += 1;
        }
        count
    }

    /// Sets the severity of those that fit and says how many.
    pub fn set_severity(&mut self, fits: impl FnMut(&Finding) -> bool, severity: &str) -> u64 {
        self.change(fits, |finding| {
            severity.clone_into(&mut finding.vulnerability.severity);
        })
    }

    /// Sets state and suppression of those that fit and says how many.
    pub fn analyse(
        &mut self,
        fits: impl FnMut(&Finding) -> bool,
        state: Option<&str>,
        suppressed: bool,
    ) -> u64 {
        self.change(fits, |finding| {
            finding.analysis.state = state.map(str::to_owned);
            finding.analysis.suppressed = suppressed;
        })
    }

    fn generated_len(&self) -> u64 {
        let many = self.many.as_ref().map_or(0, Many::len);
        many - self.removed.len() as u64
    }

    /// The number of the generated finding at a position: behind the removed ones before it.
    fn number_at(&self, position: u64) -> u64 {
        self.removed.iter().fold(position, |number, removed| {
            number + u64::from(*removed <= number)
        })
    }

    fn generated(&self, number: u64) -> Option<Finding> {
        let changed = self.changed.get(&number).cloned();
        changed.or_else(|| Some(self.many.as_ref()?.finding(number)))
    }

    fn generated_that(&self, fits: &mut impl FnMut(&Finding) -> bool) -> Vec<u64> {
        (0..self.many.as_ref().map_or(0, Many::len))
            .filter(|number| !self.removed.contains(number))
            .filter(|number| {
                self.generated(*number)
                    .is_some_and(|finding| fits(&finding))
            })
            .collect()
    }
}
