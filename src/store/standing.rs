//! A finding's standing: status, severity and what else follows from its sightings; and what of that is history.

use std::collections::{BTreeMap, btree_map};

use crate::finding::{Kind, Severity, Status};

/// Findings whose sightings have changed, each with the first change. Worked off together, so that a finding with
/// thousands of sightings is looked at once a batch.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeMap<i64, Cause>);

/// Why a finding has to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    sighting: i64,
    at: i64,
    /// What the sighting is and where, not only how it stands.
    is_content: bool,
}

impl Cause {
    /// Status or severity of a sighting changed.
    pub(super) fn standing(sighting: i64, at: i64) -> Self {
        Self {
            sighting,
            at,
            is_content: false,
        }
    }

    /// A sighting came, went, or is about something else now.
    pub(super) fn content(sighting: i64, at: i64) -> Self {
        Self {
            sighting,
            at,
            is_content: true,
        }
    }
}

impl Cause {
    /// The same of another sighting.
    pub(super) fn of_sighting(self, renumber: impl Fn(i64) -> i64) -> Self {
        Self {
            sighting: renumber(self.sighting),
            ..self
        }
    }
}

impl Touched {
    pub(super) fn note(&mut self, finding: i64, cause: Cause) {
        self.0
            .entry(finding)
            .and_modify(|first| first.is_content |= cause.is_content)
            .or_insert(cause);
    }

    pub(super) fn forget(&mut self, finding: i64) {
        self.0.remove(&finding);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Touched {
    type Item = (i64, Cause);
    type IntoIter = btree_map::IntoIter<i64, Cause>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A line of history.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) finding: i64,
    pub(super) at: i64,
    pub(super) sighting: Option<i64>,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

impl Event {
    pub(super) fn of_sighting(name: &'static str, finding: i64, at: i64, sighting: i64) -> Self {
        Self {
            name,
            finding,
            at,
            sighting: Some(sighting),
            old: None,
            new: None,
        }
    }
}

/// What a finding's row says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) resolved_at: Option<i64>,
    pub(super) kind: Kind,
    pub(super) canonical_id: Option<String>,
}

/// What follows from a finding's sightings: status of the most urgent one, the highest severity among the unresolved ones
/// (all resolved: the leading one's), and which one leads: the most urgent, then the oldest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    sightings: u64,
    severity: Severity,
    status: Status,
    /// The leading sighting.
    pub(super) leading: i64,
}

/// A [`Sum`] in the making.
#[derive(Debug, Default)]
pub(super) struct Summing {
    sightings: u64,
    leading: Option<((u8, i64, i64), Severity)>,
    most_urgent: Option<Status>,
    highest: Option<Severity>,
}

impl Summing {
    /// Adds a sighting.
    pub(super) fn add(&mut self, id: i64, status: Status, severity: Severity, first_seen: i64) {
        self.sightings += 1;
        let rank = (status.urgency(), first_seen, id);
        if self.leading.is_none_or(|(best, _)| rank < best) {
            self.leading = Some((rank, severity));
        }
        self.most_urgent = Some(self.most_urgent.map_or(status, |best| best.min(status)));
        if status != Status::Resolved {
            self.highest = Some(self.highest.map_or(severity, |best| best.min(severity)));
        }
    }

    /// None without a sighting.
    pub(super) fn end(self) -> Option<Sum> {
        let ((_, _, leading), its_severity) = self.leading?;
        Some(Sum {
            sightings: self.sightings,
            severity: self.highest.unwrap_or(its_severity),
            status: self.most_urgent?,
            leading,
        })
    }
}

impl Sum {
    /// Whether the leading sighting's words can be others than before, so that they have to be read.
    pub(super) fn asks_for_words(&self, cause: &Cause) -> bool {
        cause.is_content || self.sightings > 1
    }

    /// The finding's standing from now on.
    pub(super) fn standing(
        &self,
        old: &Standing,
        cause: &Cause,
        kind: Kind,
        canonical_id: Option<String>,
    ) -> Standing {
        Standing {
            severity: self.severity,
            status: self.status,
            resolved_at: match self.status {
                Status::Resolved => old.resolved_at.or(Some(cause.at)),
                _ => None,
            },
            kind,
            canonical_id,
        }
    }
}

/// What of a change is history.
pub(super) fn events(
    finding: i64,
    cause: &Cause,
    old: &Standing,
    new: &Standing,
) -> impl Iterator<Item = Event> {
    let event = |name, old: &str, new: &str| Event {
        name,
        finding,
        at: cause.at,
        sighting: Some(cause.sighting),
        old: Some(old.to_owned()),
        new: Some(new.to_owned()),
    };
    let status = (new.status != old.status).then(|| {
        let name = match (old.status, new.status) {
            (_, Status::Resolved) => "resolved",
            (Status::Resolved, _) => "reopened",
            _ => "status",
        };
        event(name, old.status.as_str(), new.status.as_str())
    });
    let severity = (new.severity != old.severity)
        .then(|| event("severity", old.severity.as_str(), new.severity.as_str()));
    status.into_iter().chain(severity)
}
