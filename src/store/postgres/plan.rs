//! What a batch of new and changed sightings does to the store, worked out in memory before anything is written.
//!
//! The rules are those of the SQLite engine, row by row and in the same order; only that here rows change what was loaded,
//! and what they have changed is written at the end, a table at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use super::bodies::Reader;
use super::fault::Fault;
use super::rows::name;
use super::scopes::Scope;
use crate::finding::{Digest, Fingerprint, Kind, Severity, Sighting, SourceKey, Status};
use crate::store::codes::time_code;
use crate::store::names::KnownNames;
use crate::store::pack::{self, Packer};
use crate::store::prepared::{OtherName, PreparedRow};
use crate::store::standing::{Cause, Event, Touched};
use crate::store::{Before, RunId, WriteCounts};

/// Numbers from here on stand for rows that have none yet. They are higher than all others, as the real ones will be.
pub(super) const PROVISIONAL: i64 = 1 << 62;

/// Where a finding is: there is one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) fingerprint: Fingerprint,
    pub(super) filing_id: i64,
}

/// A sighting as it is stored. What a row of the batch brought stays there: bodies are most of a batch's memory.
#[derive(Debug, Clone)]
pub(super) struct Known<'r> {
    pub(super) id: i64,
    pub(super) digest: Digest,
    pub(super) finding: i64,
    pub(super) fingerprint: Fingerprint,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) run: RunId,
    pub(super) first_seen: i64,
    pub(super) resolved_at: Option<i64>,
    pub(super) body: Cow<'r, [u8]>,
}

/// How a sighting ranks in its finding: the least leads.
pub(super) type Rank = (u8, i64, i64);

/// What was loaded for a batch.
#[derive(Debug, Default)]
pub(super) struct Loaded<'r> {
    pub(super) known: HashMap<SourceKey, Known<'r>>,
    /// The findings of what is known, and those that are where a row says to be.
    pub(super) findings: HashMap<i64, Place>,
    pub(super) by_place: HashMap<Place, i64>,
    /// All sightings of the findings that a row may move.
    pub(super) members: HashMap<i64, BTreeMap<i64, Rank>>,
}

impl Loaded<'_> {
    pub(super) fn add_finding(&mut self, id: i64, place: Place) {
        self.by_place.insert(place, id);
        self.findings.insert(id, place);
    }
}

/// A finding to be added.
#[derive(Debug)]
pub(super) struct NewFinding {
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) first_seen: i64,
    pub(super) canonical_id: Option<String>,
}

/// What changes of a finding's own row.
#[derive(Debug, Default)]
pub(super) struct FindingChange {
    pub(super) moved: Option<Place>,
    /// It is at least as old as this.
    pub(super) first_seen: Option<i64>,
}

/// A sighting as it is to be written.
#[derive(Debug)]
pub(super) struct SightingChange<'r> {
    pub(super) digest: Digest,
    pub(super) finding: i64,
    pub(super) fingerprint: Fingerprint,
    pub(super) severity: Severity,
    pub(super) status: Status,
    /// It was seen: the misses are forgotten.
    pub(super) seen: bool,
    pub(super) at: i64,
    pub(super) resolved_at: Option<i64>,
    /// None: as before.
    pub(super) body: Option<Cow<'r, [u8]>>,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Plan<'r> {
    pub(super) new_findings: Vec<NewFinding>,
    pub(super) findings: BTreeMap<i64, FindingChange>,
    pub(super) deleted: BTreeSet<i64>,
    /// With their keys.
    pub(super) new_sightings: Vec<(SourceKey, SightingChange<'r>)>,
    pub(super) sightings: BTreeMap<i64, SightingChange<'r>>,
    /// Whose history goes where.
    pub(super) moved_history: BTreeMap<i64, i64>,
    pub(super) events: Vec<Event>,
    pub(super) touched: Touched,
    /// Vulnerabilities' other names, each with the canonical one.
    pub(super) names: BTreeSet<(String, String)>,
    /// To be remembered once the plan is committed.
    pub(super) pairs: Vec<[u8; 16]>,
    pub(super) counts: WriteCounts,
    /// How many more sightings are unresolved than before.
    pub(super) unresolved: i64,
}

/// Makes a plan, row by row.
pub(super) struct Planner<'a, 'r> {
    run: RunId,
    scope: &'a Scope,
    names: &'a Mutex<KnownNames>,
    loaded: Loaded<'r>,
    reader: Reader<'a>,
    plan: Plan<'r>,
}

impl<'a, 'r> Planner<'a, 'r> {
    pub(super) fn new(
        run: RunId,
        scope: &'a Scope,
        names: &'a Mutex<KnownNames>,
        loaded: Loaded<'r>,
        reader: Reader<'a>,
    ) -> Self {
        Self {
            run,
            scope,
            names,
            loaded,
            reader,
            plan: Plan::default(),
        }
    }

    pub(super) fn plan(
        mut self,
        rows: impl Iterator<Item = PreparedRow<'r>>,
    ) -> Result<Plan<'r>, Fault> {
        for row in rows {
            self.apply(&row)?;
        }
        Ok(self.plan)
    }

    fn apply(&mut self, row: &PreparedRow<'r>) -> Result<(), Fault> {
        match self.loaded.known.get(&row.key).cloned() {
            None if row.status == Status::Resolved => {
                self.plan.counts.already_fixed += 1;
                Ok(())
            }
            None => {
                self.add(row);
                Ok(())
            }
            Some(known) if row.before == Before::Seen || known.run == self.run => {
                self.merge(known, row)
            }
            Some(known) => {
                self.replace(known, row);
                Ok(())
            }
        }
    }

    fn add(&mut self, row: &PreparedRow<'r>) {
        let at = time_code(row.at);
        let (finding, is_new) = self.finding_for(row, at);
        let id = PROVISIONAL + self.plan.new_sightings.len() as i64;
        let change = SightingChange {
            digest: row.digest,
            finding,
            fingerprint: row.fingerprint,
            severity: row.severity,
            status: row.status,
            seen: true,
            at,
            resolved_at: None,
            body: Some(Cow::Borrowed(row.body)),
        };
        self.plan.new_sightings.push((row.key, change));
        self.know(
            row.key,
            Known {
                id,
                digest: row.digest,
                finding,
                fingerprint: row.fingerprint,
                severity: row.severity,
                status: row.status,
                run: self.run,
                first_seen: at,
                resolved_at: None,
                body: Cow::Borrowed(row.body),
            },
        );
        if !is_new {
            let event = Event::of_sighting("sighting_added", finding, at, id);
            self.plan.events.push(event);
            self.plan.touched.note(finding, Cause::content(id, at));
        }
        self.add_names(row);
        self.plan.unresolved += 1;
        self.plan.counts.new += 1;
    }

    /// Takes note of how a sighting stands now.
    fn know(&mut self, key: SourceKey, known: Known<'r>) {
        let rank = (known.status.urgency(), known.first_seen, known.id);
        if let Some(members) = self.loaded.members.get_mut(&known.finding) {
            members.insert(known.id, rank);
        }
        self.loaded.known.insert(key, known);
    }

    /// The finding of a row's key in the scope's filing, and whether it had to be added.
    fn finding_for(&mut self, row: &PreparedRow<'_>, at: i64) -> (i64, bool) {
        let place = self.place_of(row);
        if let Some(finding) = self.loaded.by_place.get(&place) {
            return (*finding, false);
        }
        let id = PROVISIONAL + self.plan.new_findings.len() as i64;
        self.plan.new_findings.push(NewFinding {
            place,
            kind: row.kind,
            severity: row.severity,
            status: row.status,
            first_seen: at,
            canonical_id: row.canonical_id.map(|id| name(id).into_owned()),
        });
        self.loaded.add_finding(id, place);
        (id, true)
    }

    fn place_of(&self, row: &PreparedRow<'_>) -> Place {
        Place {
            fingerprint: row.fingerprint,
            filing_id: self.scope.filing_id,
        }
    }

    /// A sighting that an earlier run wrote.
    fn replace(&mut self, known: Known<'r>, row: &PreparedRow<'r>) {
        let at = time_code(row.at);
        let own = self.loaded.findings.get(&known.finding).copied();
        let is_refiled = own.is_some_and(|own| own.filing_id != self.scope.filing_id);
        let finding = self.place(&known, own, row, at);
        let was_resolved = known.status == Status::Resolved;
        let is_resolved = row.status == Status::Resolved;
        let resolved_at = match (is_resolved, was_resolved) {
            (false, _) => None,
            (true, true) => known.resolved_at,
            (true, false) => Some(at),
        };
        let stays = finding == known.finding && known.fingerprint == row.fingerprint;
        let same_standing = (known.severity, known.status) == (row.severity, row.status);
        if !stays {
            self.note(finding, Cause::content(known.id, at));
        } else if !same_standing {
            self.note(finding, Cause::standing(known.id, at));
        }
        let says_the_same = *known.body == *row.body;
        if finding != known.finding {
            self.leave(&known, finding, at);
        }
        self.plan.sightings.insert(
            known.id,
            SightingChange {
                digest: row.digest,
                finding,
                fingerprint: row.fingerprint,
                severity: row.severity,
                status: row.status,
                seen: true,
                at,
                resolved_at,
                body: (!says_the_same).then_some(Cow::Borrowed(row.body)),
            },
        );
        self.know(
            row.key,
            Known {
                digest: row.digest,
                finding,
                fingerprint: row.fingerprint,
                severity: row.severity,
                status: row.status,
                run: self.run,
                resolved_at,
                body: Cow::Borrowed(row.body),
                ..known
            },
        );
        self.add_names(row);
        self.plan.unresolved += i64::from(was_resolved) - i64::from(is_resolved);
        self.plan.counts.reopened += u64::from(was_resolved && !is_resolved);
        self.plan.counts.resolved += u64::from(!was_resolved && is_resolved);
        if says_the_same && same_standing && stays && !is_refiled {
            self.plan.counts.unchanged += 1;
        } else {
            self.plan.counts.updated += 1;
        }
    }

    fn note(&mut self, finding: i64, cause: Cause) {
        self.plan.touched.note(finding, cause);
    }

    /// The finding that the changed sighting belongs to from now on. It stays with its own when its title, line or
    /// description changes, and moves only to one that already has its new fingerprint, or to another filing.
    fn place(
        &mut self,
        known: &Known<'_>,
        own: Option<Place>,
        row: &PreparedRow<'_>,
        at: i64,
    ) -> i64 {
        let wanted = self.place_of(row);
        let Some(own) = own else {
            return self.finding_for(row, at).0;
        };
        if own == wanted {
            return known.finding;
        }
        if let Some(there) = self.loaded.by_place.get(&wanted) {
            return *there;
        }
        if own.filing_id == wanted.filing_id {
            if self.leads(known) {
                self.move_finding(known.finding, own, wanted);
            }
            return known.finding;
        }
        if self.has_others(known) {
            return self.finding_for(row, at).0;
        }
        self.move_finding(known.finding, own, wanted);
        known.finding
    }

    fn members(&self, finding: i64) -> impl Iterator<Item = (i64, Rank)> {
        let members = self.loaded.members.get(&finding);
        members.into_iter().flatten().map(|(id, rank)| (*id, *rank))
    }

    fn leads(&self, known: &Known<'_>) -> bool {
        let leading = self.members(known.finding).min_by_key(|(_, rank)| *rank);
        leading.is_some_and(|(id, _)| id == known.id)
    }

    fn has_others(&self, known: &Known<'_>) -> bool {
        self.members(known.finding).any(|(id, _)| id != known.id)
    }

    fn move_finding(&mut self, finding: i64, from: Place, to: Place) {
        self.loaded.by_place.remove(&from);
        self.loaded.add_finding(finding, to);
        self.plan.findings.entry(finding).or_default().moved = Some(to);
    }

    /// A sighting has left its finding for another one: both histories say so. The last one takes the history along.
    fn leave(&mut self, known: &Known<'_>, to: i64, at: i64) {
        let from = known.finding;
        self.age(to, known.first_seen);
        let event = |finding| Event {
            old: Some(from.to_string()),
            new: Some(to.to_string()),
            ..Event::of_sighting("sighting_moved", finding, at, known.id)
        };
        let others = self.has_others(known);
        if let Some(members) = self.loaded.members.get_mut(&from) {
            members.remove(&known.id);
        }
        if others {
            self.plan.events.push(event(from));
            self.plan.events.push(event(to));
            self.note(from, Cause::content(known.id, at));
            return;
        }
        for event in &mut self.plan.events {
            if event.finding == from {
                event.finding = to;
            }
        }
        for whose in self.plan.moved_history.values_mut() {
            if *whose == from {
                *whose = to;
            }
        }
        self.plan.moved_history.insert(from, to);
        self.plan.events.push(event(to));
        self.plan.touched.forget(from);
        self.plan.findings.remove(&from);
        self.plan.deleted.insert(from);
        if let Some(place) = self.loaded.findings.remove(&from) {
            self.loaded.by_place.remove(&place);
        }
    }

    /// The finding is at least as old as its oldest sighting.
    fn age(&mut self, finding: i64, first_seen: i64) {
        let new = usize::try_from(finding - PROVISIONAL).ok();
        match new.and_then(|place| self.plan.new_findings.get_mut(place)) {
            Some(new) => new.first_seen = new.first_seen.min(first_seen),
            None => {
                let change = self.plan.findings.entry(finding).or_default();
                let known = change.first_seen.unwrap_or(first_seen);
                change.first_seen = Some(known.min(first_seen));
            }
        }
    }

    /// Another row of a sighting of which this run has seen one already. What the sighting is and where stays as in the
    /// first row, and so does the digest: the next run compares its first row with it.
    fn merge(&mut self, known: Known<'r>, row: &PreparedRow<'r>) -> Result<(), Fault> {
        let at = time_code(row.at);
        if row.digest == known.digest {
            return Ok(());
        }
        let before = self.unpacked(&known.body, known.severity, known.status)?;
        let mut merged = before.clone();
        merged.merge(self.unpacked(row.body, row.severity, row.status)?);
        if merged == before {
            return Ok(());
        }
        let was_resolved = before.status == Status::Resolved;
        let is_resolved = merged.status == Status::Resolved;
        let body = Packer::plain()?.pack(&pack::plain(&merged)?)?.to_vec();
        let after = Known {
            severity: merged.severity,
            status: merged.status,
            resolved_at: known.resolved_at.filter(|_| is_resolved),
            run: self.run,
            body: Cow::Owned(body),
            ..known.clone()
        };
        self.write_merged(&after, at);
        self.plan.unresolved += i64::from(was_resolved) - i64::from(is_resolved);
        self.note(known.finding, Cause::standing(known.id, at));
        if known.run != self.run {
            self.plan.counts.updated += 1;
            self.plan.counts.reopened += u64::from(was_resolved && !is_resolved);
        }
        self.know(row.key, after);
        Ok(())
    }

    fn write_merged(&mut self, after: &Known<'r>, at: i64) {
        let change = SightingChange {
            digest: after.digest,
            finding: after.finding,
            fingerprint: after.fingerprint,
            severity: after.severity,
            status: after.status,
            seen: false,
            at,
            resolved_at: after.resolved_at,
            body: Some(after.body.clone()),
        };
        let new = usize::try_from(after.id - PROVISIONAL).ok();
        match new.and_then(|place| self.plan.new_sightings.get_mut(place)) {
            // Its first row says when it was seen first.
            Some((_, new)) => {
                *new = SightingChange {
                    at: new.at,
                    ..change
                }
            }
            None => {
                let seen = self.plan.sightings.get(&after.id).is_some_and(|c| c.seen);
                let change = SightingChange { seen, ..change };
                self.plan.sightings.insert(after.id, change);
            }
        }
    }

    fn unpacked(
        &mut self,
        body: &[u8],
        severity: Severity,
        status: Status,
    ) -> Result<Sighting, Fault> {
        Ok(self.reader.unpack(body)?.sighting(severity, status)?)
    }

    /// Lets people search by the vulnerability's other names.
    fn add_names(&mut self, row: &PreparedRow<'_>) {
        let Some(canonical) = row.canonical_id else {
            return;
        };
        let known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        for OtherName { name: other, pair } in row.names() {
            if !known.contains(pair) {
                let pair_of_names = (name(other).into_owned(), name(canonical).into_owned());
                self.plan.names.insert(pair_of_names);
                self.plan.pairs.push(*pair);
            }
        }
    }
}
