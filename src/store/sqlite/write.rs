//! Writing a batch of new and changed sightings.

use rusqlite::{OptionalExtension, Transaction, params};

use super::codes::{
    count_code, kind_code, severity, severity_code, status, status_code, time_code,
};
use super::fault::Fault;
use super::placing::{self, Place};
use super::runs::must_be_running;
use super::scopes::{self, Scope};
use super::standing;
use super::writer::Side;
use crate::finding::{Digest, Fingerprint, Severity, Sighting, Status};
use crate::store::import::{OtherName, PreparedRow};
use crate::store::pack;
use crate::store::standing::{Cause, Event, Touched};
use crate::store::{Prepared, RunId, ScopeId, WriteCounts};

const KNOWN: &str = "
    SELECT id, digest, finding_id, fingerprint, severity, status, run_id, first_seen, resolved_at,
        digest = zeroblob(8) AND body = ?3
    FROM sightings INDEXED BY sightings_by_key WHERE scope_id = ?1 AND key = ?2";
const ADD_FINDING: &str = "
    INSERT INTO findings (key, fingerprint, filing_id, kind, severity, status, first_seen, canonical_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO NOTHING";
const FINDING_BY_KEY: &str = "SELECT id FROM findings WHERE key = ?1";
const ADD_SIGHTING: &str = "
    INSERT INTO sightings (scope_id, key, digest, finding_id, fingerprint, severity, status, run_id,
        first_seen, last_seen, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)";
const REPLACE_SIGHTING: &str = "
    UPDATE sightings SET digest = ?2, finding_id = ?3, fingerprint = ?4, severity = ?5, status = ?6, misses = 0,
        run_id = ?7, last_seen = ?8, resolved_at = ?9, body = ?10
    WHERE id = ?1";
const BODY: &str = "SELECT body FROM sightings WHERE id = ?1";
const MERGE_SIGHTING: &str = "
    UPDATE sightings SET severity = ?2, status = ?3, resolved_at = ?4, run_id = ?5, last_seen = ?6, body = ?7
    WHERE id = ?1";
const ADD_NAME: &str = "
    INSERT INTO vulnerability_names (name, canonical_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const COUNT: &str = "
    UPDATE runs SET new = new + ?2, updated = updated + ?3, resolved = resolved + ?4, reopened = reopened + ?5
    WHERE id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    KNOWN,
    FINDING_BY_KEY,
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
    for row in batches.iter().flat_map(|batch| &batch.rows) {
        batch.apply(row)?;
    }
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
    /// It was missed, and says word for word what it said before.
    only_missed: bool,
}

impl Batch<'_> {
    fn apply(&mut self, row: &PreparedRow) -> Result<(), Fault> {
        match self.known(row)? {
            None if row.status == Status::Resolved => {
                self.counts.already_fixed += 1;
                Ok(())
            }
            None => self.add(row),
            Some(known) if row.again || known.run == self.run => self.merge(&known, row),
            Some(known) => self.replace(&known, row),
        }
    }

    fn known(&self, row: &PreparedRow) -> Result<Option<Known>, Fault> {
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
                only_missed: known.get(9)?,
            })
        });
        Ok(known.optional()?)
    }

    /// The common case of a first import: one finding, one sighting, nothing else is read or written.
    fn add(&mut self, row: &PreparedRow) -> Result<(), Fault> {
        let at = time_code(row.at);
        let (finding, is_new) = self.finding_for(row, at)?;
        self.transaction
            .prepare_cached(ADD_SIGHTING)?
            .execute(params![
                self.scope.id,
                row.key,
                row.digest,
                finding,
                row.fingerprint.0,
                severity_code(row.severity),
                status_code(row.status),
                self.run,
                at,
                row.body,
            ])?;
        if !is_new {
            let sighting = self.transaction.last_insert_rowid();
            let event = Event::of_sighting("sighting_added", finding, at, sighting);
            standing::record(self.transaction, Some(self.run), &event)?;
            self.touched.note(finding, Cause::content(sighting, at));
        }
        self.add_names(row)?;
        self.unresolved += 1;
        self.counts.new += 1;
        Ok(())
    }

    /// The finding of a change's key in the scope's filing, and whether it had to be added.
    fn finding_for(&self, row: &PreparedRow, at: i64) -> Result<(i64, bool), Fault> {
        let key = row.fingerprint.key_in(&self.scope.filing);
        let added = self
            .transaction
            .prepare_cached(ADD_FINDING)?
            .execute(params![
                key,
                row.fingerprint.0,
                self.scope.filing_id,
                kind_code(row.kind),
                severity_code(row.severity),
                status_code(row.status),
                at,
                row.canonical_id,
            ])?;
        if added == 1 {
            return Ok((self.transaction.last_insert_rowid(), true));
        }
        let id = self
            .transaction
            .prepare_cached(FINDING_BY_KEY)?
            .query_row([key], |row| row.get(0))?;
        Ok((id, false))
    }

    /// A sighting that an earlier run wrote.
    fn replace(&mut self, known: &Known, row: &PreparedRow) -> Result<(), Fault> {
        let at = time_code(row.at);
        let finding = self.place(known, row, at)?;
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
                row.digest,
                finding,
                row.fingerprint.0,
                severity_code(row.severity),
                status_code(row.status),
                self.run,
                at,
                resolved_at,
                row.body,
            ])?;
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
        self.add_names(row)?;
        self.unresolved += i64::from(was_resolved) - i64::from(is_resolved);
        self.counts.reopened += u64::from(was_resolved && !is_resolved);
        self.counts.resolved += u64::from(!was_resolved && is_resolved);
        if known.only_missed && same_standing && stays {
            self.counts.unchanged += 1;
        } else {
            self.counts.updated += 1;
        }
        Ok(())
    }

    /// The finding that the changed sighting belongs to from now on.
    fn place(&self, known: &Known, row: &PreparedRow, at: i64) -> Result<i64, Fault> {
        let place = Place {
            fingerprint: row.fingerprint,
            filing: &self.scope.filing,
            filing_id: self.scope.filing_id,
        };
        match placing::place(self.transaction, known.id, known.finding, &place)? {
            Some(finding) => Ok(finding),
            None => Ok(self.finding_for(row, at)?.0),
        }
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
    fn merge(&mut self, known: &Known, row: &PreparedRow) -> Result<(), Fault> {
        let at = time_code(row.at);
        if row.digest == known.digest {
            return Ok(());
        }
        let before = self.stored(known)?;
        let mut merged = before.clone();
        merged.merge(self.unpacked(&row.body, row.severity, row.status)?);
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
    fn add_names(&mut self, row: &PreparedRow) -> Result<(), Fault> {
        for OtherName { name, pair } in &row.names {
            if self.side.names.contains(pair) {
                continue;
            }
            self.transaction
                .prepare_cached(ADD_NAME)?
                .execute(params![name, row.canonical_id])?;
            self.names.push(*pair);
        }
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
        standing::settle(transaction, &mut side.unpacker, Some(run), self.touched)?;
        scopes::count_unresolved(transaction, scope.id, self.unresolved)?;
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
