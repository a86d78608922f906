//! Writing a batch of new and changed sightings.

use rusqlite::{OptionalExtension, Transaction, params};

use super::adding::{self, Added, KeySweep};
use super::codes::{count_code, severity, severity_code, status, status_code, time_code};
use super::fault::Fault;
use super::placing::{self, Place};
use super::runs::must_be_running;
use super::scopes::{self, Scope};
use super::standing;
use super::writer::Side;
use crate::finding::{Digest, Fingerprint, Severity, Sighting, Status};
use crate::store::pack;
use crate::store::prepared::PreparedRow;
use crate::store::standing::{Cause, Event, Touched};
use crate::store::{Before, Prepared, RunId, ScopeId, WriteCounts};

const KNOWN: &str = "
    SELECT s.id, k.digest, s.finding_id, s.fingerprint, s.severity, s.status, s.run_id, s.first_seen, s.resolved_at,
        s.body = ?3
    FROM sighting_keys k CROSS JOIN sightings s ON s.id = k.sighting_id WHERE k.scope_id = ?1 AND k.key = ?2";
const REPLACE_DIGEST: &str =
    "UPDATE sighting_keys SET digest = ?3 WHERE scope_id = ?1 AND key = ?2";
const REPLACE_SIGHTING: &str = "
    UPDATE sightings SET finding_id = ?2, fingerprint = ?3, severity = ?4, status = ?5, misses = 0,
        run_id = ?6, last_seen = ?7, resolved_at = ?8, body = ?9
    WHERE id = ?1";
const BODY: &str = "SELECT body FROM sightings WHERE id = ?1";
const MERGE_SIGHTING: &str = "
    UPDATE sightings SET severity = ?2, status = ?3, resolved_at = ?4, run_id = ?5, last_seen = ?6, body = ?7
    WHERE id = ?1";
const COUNT: &str = "
    UPDATE runs SET new = new + ?2, updated = updated + ?3, resolved = resolved + ?4, reopened = reopened + ?5
    WHERE id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    KNOWN,
    REPLACE_DIGEST,
    REPLACE_SIGHTING,
    BODY,
    MERGE_SIGHTING,
    COUNT,
];

/// Writes batches. The names are to be remembered once it is committed.
pub(super) fn write(
    transaction: &Transaction<'_>,
    side: &mut Side,
    run: RunId,
    scope: ScopeId,
    batches: &[Prepared],
) -> Result<(WriteCounts, Vec<[u8; 16]>), Fault> {
    let api = must_be_running(transaction, run)?;
    let scope = scopes::load(transaction, api, scope)?;
    let mut batch = Batch {
        transaction,
        side,
        run,
        scope,
        counts: WriteCounts::default(),
        unresolved: 0,
        touched: Touched::default(),
        names: Vec::new(),
    };
    let rows: Vec<_> = batches.iter().flat_map(Prepared::rows).collect();
    batch.write(&rows)?;
    batch.end()
}

struct Batch<'a> {
    transaction: &'a Transaction<'a>,
    side: &'a mut Side,
    run: RunId,
    scope: Scope,
    counts: WriteCounts,
    /// How many more sightings are unresolved than before.
    unresolved: i64,
    touched: Touched,
    names: Vec<[u8; 16]>,
}

/// A sighting as it is stored.
struct Known {
    id: i64,
    digest: Digest,
    finding: i64,
    fingerprint: Fingerprint,
    severity: Severity,
    status: Status,
    run: RunId,
    first_seen: i64,
    resolved_at: Option<i64>,
    /// It says word for word what it said before: it was missed, or another version of secpull wrote it.
    says_the_same: bool,
}

impl Batch<'_> {
    /// New ones that follow one another are added together; for all others it counts what has been written before them.
    fn write(&mut self, rows: &[PreparedRow<'_>]) -> Result<(), Fault> {
        let sweep = KeySweep::over(self.transaction, &self.scope, rows)?;
        let mut at = 0;
        while let Some(row) = rows.get(at) {
            let new = sweep.new_from(at);
            if new == 0 {
                self.apply(row, sweep.id_of(at))?;
                at += 1;
            } else {
                self.add(&rows[at..at + new], sweep.id_of(at))?;
                at += new;
            }
        }
        Ok(())
    }

    /// `id` is for it if it is new after all.
    fn apply(&mut self, row: &PreparedRow<'_>, id: i64) -> Result<(), Fault> {
        match self.known(row)? {
            None if row.status == Status::Resolved => {
                self.counts.already_fixed += 1;
                Ok(())
            }
            None => {
                adding::take_key(self.transaction, &self.scope, row, id)?;
                self.add(&[*row], id)
            }
            Some(known) if row.before == Before::Seen || known.run == self.run => {
                self.merge(&known, row)
            }
            Some(known) => self.replace(&known, row),
        }
    }

    fn known(&self, row: &PreparedRow<'_>) -> Result<Option<Known>, Fault> {
        let mut statement = self.transaction.prepare_cached(KNOWN)?;
        let known = statement.query_row(params![self.scope.id, row.key, row.body], |known| {
            Ok(Known {
                id: known.get(0)?,
                digest: known.get(1)?,
                finding: known.get(2)?,
                fingerprint: Fingerprint(known.get(3)?),
                severity: severity(known, 4)?,
                status: status(known, 5)?,
                run: known.get(6)?,
                first_seen: known.get(7)?,
                resolved_at: known.get(8)?,
                says_the_same: known.get(9)?,
            })
        });
        Ok(known.optional()?)
    }

    /// The common case of a first import: each a finding and a sighting, nothing else is read or written. Their keys are
    /// taken already, for ids from `first_id` on.
    fn add(&mut self, rows: &[PreparedRow<'_>], first_id: i64) -> Result<(), Fault> {
        let findings = adding::findings(self.transaction, self.scope.filing_id, rows)?;
        adding::sightings(
            self.transaction,
            &self.scope,
            self.run,
            first_id,
            rows.iter().zip(&findings),
        )?;
        for ((id, row), finding) in (first_id..).zip(rows).zip(&findings) {
            if let Added::Joined(finding) = *finding {
                let at = time_code(row.at);
                let event = Event::of_sighting("sighting_added", finding, at, id);
                standing::record(self.transaction, Some(self.run), &event)?;
                self.touched.note(finding, Cause::content(id, at));
            }
        }
        self.add_names(rows)?;
        self.unresolved += count_code(rows.len() as u64);
        self.counts.new += rows.len() as u64;
        Ok(())
    }

    /// A sighting that an earlier run wrote.
    fn replace(&mut self, known: &Known, row: &PreparedRow<'_>) -> Result<(), Fault> {
        let at = time_code(row.at);
        let (finding, is_refiled) = self.place(known, row)?;
        let was_resolved = known.status == Status::Resolved;
        let is_resolved = row.status == Status::Resolved;
        let resolved_at = match (is_resolved, was_resolved) {
            (false, _) => None,
            (true, true) => known.resolved_at,
            (true, false) => Some(at),
        };
        self.transaction
            .prepare_cached(REPLACE_SIGHTING)?
            .execute(params![
                known.id,
                finding,
                row.fingerprint.0,
                severity_code(row.severity),
                status_code(row.status),
                self.run,
                at,
                resolved_at,
                row.body,
            ])?;
        self.transaction
            .prepare_cached(REPLACE_DIGEST)?
            .execute(params![self.scope.id, row.key, row.digest])?;
        let stays = finding == known.finding && known.fingerprint == row.fingerprint;
        let same_standing = (known.severity, known.status) == (row.severity, row.status);
        if !stays {
            self.touched.note(finding, Cause::content(known.id, at));
        } else if !same_standing {
            self.touched.note(finding, Cause::standing(known.id, at));
        }
        if finding != known.finding {
            self.leave(known, finding, at)?;
        }
        self.add_names(&[*row])?;
        self.unresolved += i64::from(was_resolved) - i64::from(is_resolved);
        self.counts.reopened += u64::from(was_resolved && !is_resolved);
        self.counts.resolved += u64::from(!was_resolved && is_resolved);
        if known.says_the_same && same_standing && stays && !is_refiled {
            self.counts.unchanged += 1;
        } else {
            self.counts.updated += 1;
        }
        Ok(())
    }

    /// The finding that the changed sighting belongs to from now on.
    /// And whether it was filed elsewhere before.
    fn place(&self, known: &Known, row: &PreparedRow<'_>) -> Result<(i64, bool), Fault> {
        let place = Place {
            fingerprint: row.fingerprint,
            filing_id: self.scope.filing_id,
        };
        let placed = placing::place(self.transaction, known.id, known.finding, place)?;
        let finding = match placed.finding {
            Some(finding) => finding,
            None => adding::finding(self.transaction, self.scope.filing_id, row)?,
        };
        Ok((finding, placed.is_refiled))
    }

    /// A sighting has left its finding for another one.
    fn leave(&mut self, known: &Known, to: i64, at: i64) -> Result<(), Fault> {
        let left = placing::leave(
            self.transaction,
            self.run,
            placing::Move {
                sighting: known.id,
                first_seen: known.first_seen,
                from: known.finding,
                to,
                at,
            },
        )?;
        match left {
            placing::Left::Deleted => self.touched.forget(known.finding),
            placing::Left::HasOthers => self
                .touched
                .note(known.finding, Cause::content(known.id, at)),
        }
        Ok(())
    }

    /// Another row of a sighting of which this run has seen one already. What the sighting is and where stays as in the
    /// first row, and so does the digest: the next run compares its first row with it.
    fn merge(&mut self, known: &Known, row: &PreparedRow<'_>) -> Result<(), Fault> {
        let at = time_code(row.at);
        if row.digest == known.digest {
            return Ok(());
        }
        let before = self.stored(known)?;
        let mut merged = before.clone();
        merged.merge(self.unpacked(row.body, row.severity, row.status)?);
        if merged == before {
            return Ok(());
        }
        let was_resolved = before.status == Status::Resolved;
        let is_resolved = merged.status == Status::Resolved;
        let body = self.side.packer.pack(&pack::plain(&merged)?)?;
        self.transaction
            .prepare_cached(MERGE_SIGHTING)?
            .execute(params![
                known.id,
                severity_code(merged.severity),
                status_code(merged.status),
                known.resolved_at.filter(|_| is_resolved),
                self.run,
                at,
                body,
            ])?;
        self.unresolved += i64::from(was_resolved) - i64::from(is_resolved);
        self.touched
            .note(known.finding, Cause::standing(known.id, at));
        if known.run != self.run {
            self.counts.updated += 1;
            self.counts.reopened += u64::from(was_resolved && !is_resolved);
        }
        Ok(())
    }

    fn stored(&mut self, known: &Known) -> Result<Sighting, Fault> {
        let body: Vec<u8> = self
            .transaction
            .prepare_cached(BODY)?
            .query_row([known.id], |row| row.get(0))?;
        self.unpacked(&body, known.severity, known.status)
    }

    fn unpacked(
        &mut self,
        body: &[u8],
        severity: Severity,
        status: Status,
    ) -> Result<Sighting, Fault> {
        let unpacked = self.side.unpacker.unpack(self.transaction, body)?;
        Ok(unpacked.sighting(severity, status)?)
    }

    /// Lets people search by the vulnerability's other names.
    fn add_names(&mut self, rows: &[PreparedRow<'_>]) -> Result<(), Fault> {
        let known = &self.side.names;
        let added = adding::names(self.transaction, rows, |pair| known.contains(pair))?;
        self.names.extend(added);
        Ok(())
    }

    fn end(self) -> Result<(WriteCounts, Vec<[u8; 16]>), Fault> {
        let Self {
            transaction,
            side,
            run,
            scope,
            counts,
            ..
        } = self;
        // A further row of a sighting may change its finding without being counted.
        if counts.is_change() || !self.touched.is_empty() {
            scopes::note_change(transaction, scope.id, run, self.unresolved)?;
        }
        standing::settle(transaction, &mut side.unpacker, Some(run), self.touched)?;
        transaction.prepare_cached(COUNT)?.execute(params![
            run,
            count_code(counts.new),
            count_code(counts.updated),
            count_code(counts.resolved),
            count_code(counts.reopened),
        ])?;
        Ok((counts, self.names))
    }
}
