//! The end of an import: what was proven gone is resolved, or all of it is held.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use super::codes::{RESOLVED, count, count_code, time_code};
use super::fault::Fault;
use super::runs::must_be_running;
use super::scopes::{self, note_change};
use super::standing;
use super::unpack::Unpacker;
use crate::finding::SourceKey;
use crate::store::standing::{Cause, Touched};
use crate::store::{Accepted, Closing, HoldLimits, Proof, RunId, ScopeId, Unseen};

const UNRESOLVED_OF_API: &str =
    "SELECT coalesce(sum(unresolved), 0) FROM scopes WHERE api_configuration_id = ?1";
const UNSEEN: &str = "
    SELECT s.id, s.finding_id, s.misses FROM sighting_keys k CROSS JOIN sightings s ON s.id = k.sighting_id
    WHERE k.scope_id = ?1 AND k.key = ?2 AND s.status <> 6 AND s.run_id <> ?3";
const ALL_KEYS: &str = "
    SELECT key FROM sighting_keys WHERE scope_id = ?1 AND key > ?2 ORDER BY key LIMIT 1000";
const MISS: &str = "
    UPDATE sightings SET misses = misses + 1,
        last_seen = CASE misses WHEN 0 THEN max(last_seen, coalesce(?2, 0)) ELSE last_seen END
    WHERE id = ?1";
const RESOLVE: &str = "
    UPDATE sightings SET misses = misses + 1,
        last_seen = CASE misses WHEN 0 THEN max(last_seen, coalesce(?2, 0)) ELSE last_seen END,
        status = 6, resolved_at = ?3
    WHERE id = ?1";
const LAST_COMPLETE: &str = "SELECT last_complete_at FROM scopes WHERE id = ?1";
const COMPLETE: &str = "
    UPDATE scopes SET complete_runs = complete_runs + 1, last_complete_at = ?2, last_complete_run = ?3, read_run = ?3
    WHERE id = ?1";
const READ: &str = "UPDATE scopes SET read_run = ?2 WHERE id = ?1";
const COUNT_RESOLVED: &str = "UPDATE runs SET resolved = resolved + ?2 WHERE id = ?1";
const API_HELD: &str = "
    SELECT a.id, a.held_run_id FROM api_configurations a CROSS JOIN runs r ON r.id = a.held_run_id
    WHERE a.name = ?1 AND r.state NOT IN ('queued', 'running')";
const HELD_RUN: &str = "SELECT held_run_id FROM api_configurations WHERE id = ?1";
const SET_HELD: &str = "UPDATE api_configurations SET held_run_id = ?2, held = ?3 WHERE id = ?1";
const HOLD: &str = "INSERT INTO held (run_id, sighting_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
/// Seeing a missed, resolved or held sighting again must be a change; of a held one, so that `accept` leaves it alone.
const FORGET_DIGEST: &str = "
    UPDATE sighting_keys SET digest = zeroblob(8)
    WHERE (scope_id, key) = (SELECT scope_id, key FROM sightings WHERE id = ?1)";
const DROP_HELD: &str = "DELETE FROM held WHERE run_id = ?1";
const HELD_SCOPES: &str = "
    SELECT h.sighting_id, s.scope_id FROM held h CROSS JOIN sightings s ON s.id = h.sighting_id
    WHERE h.run_id = ?1 AND h.sighting_id > ?2 ORDER BY h.sighting_id LIMIT 1000";
const DROP_ONE_HELD: &str = "DELETE FROM held WHERE run_id = ?1 AND sighting_id = ?2";
const COUNT_HELD: &str = "SELECT count(*) FROM held WHERE run_id = ?1";
const HELD: &str = "
    SELECT s.id, s.finding_id, s.scope_id, c.last_complete_at
    FROM held h CROSS JOIN sightings s ON s.id = h.sighting_id CROSS JOIN scopes c ON c.id = s.scope_id
        CROSS JOIN sighting_keys k ON k.scope_id = s.scope_id AND k.key = s.key
    WHERE h.run_id = ?1 AND h.sighting_id > ?2 AND s.status <> 6 AND k.digest = zeroblob(8)
    ORDER BY h.sighting_id LIMIT 1000";
const ACCEPTED: &str =
    "UPDATE runs SET state = 'complete', error = NULL, announced = 0 WHERE id = ?1";
const COMPLETED: &str = "UPDATE api_configurations SET last_complete_at = ?2 WHERE id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    UNRESOLVED_OF_API,
    UNSEEN,
    ALL_KEYS,
    MISS,
    RESOLVE,
    LAST_COMPLETE,
    COMPLETE,
    READ,
    COUNT_RESOLVED,
    API_HELD,
    HELD_RUN,
    SET_HELD,
    FORGET_DIGEST,
    DROP_HELD,
    HELD_SCOPES,
    DROP_ONE_HELD,
    COUNT_HELD,
    HELD,
    ACCEPTED,
    COMPLETED,
];

/// So many findings are brought up to date together: more would cost memory, fewer would show findings of several
/// sightings half resolved in their history.
const TOGETHER: usize = 10_000;

/// A sighting that was not seen and is not resolved yet.
struct Gone {
    id: i64,
    finding: i64,
    /// It has been missed often enough.
    is_due: bool,
}

/// Concludes from the proofs of a run.
pub(super) fn close(
    transaction: &Transaction<'_>,
    unpacker: &mut Unpacker,
    run: RunId,
    proofs: &[Proof],
    limits: HoldLimits,
) -> Result<Closing, Fault> {
    let api = must_be_running(transaction, run)?;
    for proof in proofs {
        scopes::load(transaction, api, proof.scope)?;
    }
    let mut due = 0;
    for proof in proofs {
        for_each_gone(transaction, run, proof, |gone| {
            due += u64::from(gone.is_due);
            Ok(())
        })?;
    }
    let open = transaction.query_row(UNRESOLVED_OF_API, [api], |row| count(row, 0))?;
    if limits.holds(due, open) {
        hold(transaction, api, run, proofs)?;
        return Ok(Closing::Held {
            would_resolve: due,
            open,
        });
    }
    let mut resolving = Resolving::new(transaction, unpacker, Some(run));
    for proof in proofs {
        resolving.conclude(run, proof)?;
    }
    let resolved = resolving.end()?;
    count_resolved(transaction, run, resolved)?;
    drop_superseded(transaction, api, proofs)?;
    Ok(Closing::Resolved(resolved))
}

fn for_each_gone(
    transaction: &Transaction<'_>,
    run: RunId,
    proof: &Proof,
    mut each: impl FnMut(Gone) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut conclude = |key: &SourceKey| match gone(transaction, run, proof, key)? {
        Some(gone) => each(gone),
        None => Ok(()),
    };
    match &proof.unseen {
        Unseen::These(keys) => keys.iter().try_for_each(conclude),
        Unseen::All => {
            // No key is smaller than no bytes at all.
            let mut last: Vec<u8> = Vec::new();
            loop {
                let keys = keys_after(transaction, proof.scope, &last)?;
                let Some(end) = keys.last() else { break };
                last = end.to_vec();
                keys.iter().try_for_each(&mut conclude)?;
            }
            Ok(())
        }
    }
}

fn keys_after(
    transaction: &Transaction<'_>,
    scope: ScopeId,
    last: &[u8],
) -> Result<Vec<SourceKey>, Fault> {
    let mut statement = transaction.prepare_cached(ALL_KEYS)?;
    let keys = statement.query_map(params![scope, last], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn gone(
    transaction: &Transaction<'_>,
    run: RunId,
    proof: &Proof,
    key: &SourceKey,
) -> Result<Option<Gone>, Fault> {
    let mut statement = transaction.prepare_cached(UNSEEN)?;
    let gone = statement.query_row(params![proof.scope, key, run], |row| {
        let misses: u32 = row.get(2)?;
        Ok(Gone {
            id: row.get(0)?,
            finding: row.get(1)?,
            is_due: misses + 1 >= proof.resolve_after,
        })
    });
    Ok(gone.optional()?)
}

/// Keeps what the run would have resolved, in place of what an older one would have.
fn hold(
    transaction: &Transaction<'_>,
    api: i64,
    run: RunId,
    proofs: &[Proof],
) -> Result<(), Fault> {
    if let Some(older) = held_run(transaction, api)? {
        transaction.execute(DROP_HELD, [older])?;
    }
    for proof in proofs {
        for_each_gone(transaction, run, proof, |gone| {
            if gone.is_due {
                transaction.prepare_cached(HOLD)?.execute([run, gone.id])?;
                forget_digest(transaction, gone.id)?;
            }
            Ok(())
        })?;
        transaction.execute(READ, [proof.scope, run])?;
    }
    count_held(transaction, api, run)
}

fn forget_digest(transaction: &Transaction<'_>, sighting: i64) -> Result<(), Fault> {
    transaction
        .prepare_cached(FORGET_DIGEST)?
        .execute([sighting])?;
    Ok(())
}

fn held_run(transaction: &Transaction<'_>, api: i64) -> Result<Option<RunId>, Fault> {
    Ok(transaction.query_row(HELD_RUN, [api], |row| row.get(0))?)
}

fn count_held(transaction: &Transaction<'_>, api: i64, run: RunId) -> Result<(), Fault> {
    let held: i64 = transaction.query_row(COUNT_HELD, [run], |row| row.get(0))?;
    let held_run = (held > 0).then_some(run);
    transaction.execute(SET_HELD, params![api, held_run, held])?;
    Ok(())
}

/// What was held of the scopes that have now been read to their end is decided.
fn drop_superseded(transaction: &Transaction<'_>, api: i64, proofs: &[Proof]) -> Result<(), Fault> {
    let Some(held_run) = held_run(transaction, api)? else {
        return Ok(());
    };
    let decided: HashSet<ScopeId> = proofs.iter().map(|proof| proof.scope).collect();
    let mut last = 0;
    loop {
        let some: Vec<(i64, ScopeId)> = transaction
            .prepare_cached(HELD_SCOPES)?
            .query_map([held_run, last], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let Some((end, _)) = some.last() else { break };
        last = *end;
        for (sighting, scope) in &some {
            if decided.contains(scope) {
                transaction
                    .prepare_cached(DROP_ONE_HELD)?
                    .execute([held_run, *sighting])?;
            }
        }
    }
    count_held(transaction, api, held_run)
}

fn count_resolved(transaction: &Transaction<'_>, run: RunId, resolved: u64) -> Result<(), Fault> {
    transaction.execute(COUNT_RESOLVED, params![run, count_code(resolved)])?;
    Ok(())
}

/// Resolves sightings, and brings their findings up to date along the way.
struct Resolving<'a> {
    transaction: &'a Transaction<'a>,
    unpacker: &'a mut Unpacker,
    run: Option<RunId>,
    touched: Touched,
    resolved: u64,
}

impl<'a> Resolving<'a> {
    fn new(
        transaction: &'a Transaction<'a>,
        unpacker: &'a mut Unpacker,
        run: Option<RunId>,
    ) -> Self {
        Self {
            transaction,
            unpacker,
            run,
            touched: Touched::default(),
            resolved: 0,
        }
    }

    /// Counts a complete import of the proof's scope.
    fn conclude(&mut self, run: RunId, proof: &Proof) -> Result<(), Fault> {
        let transaction = self.transaction;
        let seen_until: Option<i64> =
            transaction.query_row(LAST_COMPLETE, [proof.scope], |row| row.get(0))?;
        let at = time_code(proof.at);
        let before = self.resolved;
        for_each_gone(transaction, run, proof, |gone| {
            if gone.is_due {
                self.resolve(&gone, seen_until, at)
            } else {
                transaction
                    .prepare_cached(MISS)?
                    .execute(params![gone.id, seen_until])?;
                forget_digest(transaction, gone.id)
            }
        })?;
        transaction
            .prepare_cached(COMPLETE)?
            .execute(params![proof.scope, at, run])?;
        let resolved = self.resolved - before;
        if resolved > 0 {
            note_change(transaction, proof.scope, run, -count_code(resolved))?;
        }
        Ok(())
    }

    fn resolve(&mut self, gone: &Gone, seen_until: Option<i64>, at: i64) -> Result<(), Fault> {
        self.transaction
            .prepare_cached(RESOLVE)?
            .execute(params![gone.id, seen_until, at])?;
        forget_digest(self.transaction, gone.id)?;
        self.resolved += 1;
        self.touched
            .note(gone.finding, Cause::standing(gone.id, at));
        if self.touched.len() >= TOGETHER {
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        let touched = std::mem::take(&mut self.touched);
        standing::settle(self.transaction, self.unpacker, self.run, touched)
    }

    fn end(mut self) -> Result<u64, Fault> {
        self.settle()?;
        Ok(self.resolved)
    }
}

/// Resolves what the last held run would have resolved, but for what has been seen since.
pub(super) fn accept(
    transaction: &Transaction<'_>,
    unpacker: &mut Unpacker,
    api_configuration: &str,
    at: DateTime<Utc>,
) -> Result<Option<Accepted>, Fault> {
    let found: Option<(i64, RunId)> = transaction
        .query_row(API_HELD, [api_configuration], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((api, run)) = found else {
        return Ok(None);
    };
    let at = time_code(at);
    let mut resolving = Resolving::new(transaction, unpacker, None);
    let mut last = 0;
    loop {
        let held = held_after(transaction, run, last)?;
        let Some(end) = held.last() else { break };
        last = end.sighting.id;
        for Held {
            sighting,
            scope,
            seen_until,
        } in held
        {
            resolving.resolve(&sighting, seen_until, at)?;
            note_change(transaction, scope, run, -1)?;
        }
    }
    let resolved = resolving.end()?;
    count_resolved(transaction, run, resolved)?;
    transaction.execute(ACCEPTED, [run])?;
    transaction.execute(COMPLETED, params![api, at])?;
    transaction.execute(DROP_HELD, [run])?;
    transaction.execute(SET_HELD, params![api, None::<i64>, 0])?;
    Ok(Some(Accepted { run, resolved }))
}

struct Held {
    sighting: Gone,
    scope: ScopeId,
    seen_until: Option<i64>,
}

fn held_after(transaction: &Transaction<'_>, run: RunId, last: i64) -> Result<Vec<Held>, Fault> {
    let mut statement = transaction.prepare_cached(HELD)?;
    let rows = statement.query_map([run, last], |row| {
        Ok(Held {
            sighting: Gone {
                id: row.get(0)?,
                finding: row.get(1)?,
                is_due: true,
            },
            scope: row.get(2)?,
            seen_until: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

// The statements above spell the number out.
const _: () = assert!(RESOLVED == 6);
