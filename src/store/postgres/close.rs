//! The end of an import: what was proven gone is resolved, or all of it is held.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::{bytes, count};
use super::runs::must_be_running;
use super::scopes;
use super::standing;
use crate::finding::SourceKey;
use crate::store::codes::{RESOLVED, count_code, time_code};
use crate::store::dictionaries::Dictionaries;
use crate::store::standing::{Cause, Touched};
use crate::store::{Accepted, Closing, HoldLimits, Proof, RunId, ScopeId, Unseen};

const UNRESOLVED_OF_API: &str =
    "SELECT coalesce(sum(unresolved), 0)::bigint FROM scopes WHERE api_configuration_id = $1";
const CLOSED_ALREADY: &str = "SELECT id FROM scopes WHERE id = ANY($1) AND last_complete_run = $2";
const ALL_KEYS: &str =
    "SELECT key FROM sightings WHERE scope_id = $1 AND key > $2 ORDER BY key LIMIT $3";
const COUNT_DUE: &str = "
    SELECT count(*) FROM sightings
    WHERE scope_id = $1 AND key = ANY($2) AND status <> 6 AND run_id <> $3 AND misses + 1 >= $4";
const MISS_OR_RESOLVE: &str = "
    UPDATE sightings SET misses = misses + 1, digest = '\\x0000000000000000',
        last_seen = CASE misses WHEN 0 THEN greatest(last_seen, coalesce($5, 0)) ELSE last_seen END,
        status = CASE WHEN misses + 1 >= $4 THEN 6 ELSE status END,
        resolved_at = CASE WHEN misses + 1 >= $4 THEN $6 ELSE resolved_at END
    WHERE scope_id = $1 AND key = ANY($2) AND status <> 6 AND run_id <> $3
    RETURNING id, finding_id, status";
const LAST_COMPLETE: &str = "SELECT last_complete_at FROM scopes WHERE id = $1";
const COMPLETE: &str = "
    UPDATE scopes SET complete_runs = complete_runs + 1, last_complete_at = $2, last_complete_run = $3,
        read_run = $3, unresolved = unresolved - $4, changed_run = CASE WHEN $4 > 0 THEN $3 ELSE changed_run END
    WHERE id = $1";
const READ: &str = "UPDATE scopes SET read_run = $2 WHERE id = $1";
const COUNT_RESOLVED: &str = "UPDATE runs SET resolved = resolved + $2 WHERE id = $1";
const SET_HELD: &str = "UPDATE api_configurations SET held_run_id = $2, held = $3 WHERE id = $1";
const LOCK_HELD_RUN: &str =
    "SELECT held_run_id FROM api_configurations WHERE id = $1 FOR NO KEY UPDATE";
/// Seeing a held sighting again must be a change, so that `accept` leaves it alone: its digest is forgotten.
const HOLD: &str = "
    WITH gone AS (
        UPDATE sightings SET digest = '\\x0000000000000000'
        WHERE scope_id = $1 AND key = ANY($2) AND status <> 6 AND run_id <> $3 AND misses + 1 >= $4
        RETURNING id)
    INSERT INTO held (run_id, sighting_id) SELECT $3, id FROM gone ON CONFLICT DO NOTHING";
const DROP_HELD: &str = "DELETE FROM held WHERE run_id = $1";
const DROP_DECIDED: &str = "
    DELETE FROM held h USING sightings s WHERE h.run_id = $1 AND s.id = h.sighting_id AND s.scope_id = ANY($2)";
const COUNT_HELD: &str = "SELECT count(*) FROM held WHERE run_id = $1";
const API_BY_NAME: &str = "SELECT id FROM api_configurations WHERE name = $1";
const SCOPES_OF_API: &str = "SELECT id FROM scopes WHERE api_configuration_id = $1";
const IS_OVER: &str =
    "SELECT EXISTS (SELECT 1 FROM runs WHERE id = $1 AND state NOT IN ('queued', 'running'))";
const RESOLVE_HELD: &str = "
    UPDATE sightings s SET misses = s.misses + 1, status = 6, resolved_at = $2,
        last_seen = CASE s.misses WHEN 0 THEN greatest(s.last_seen, coalesce(c.last_complete_at, 0)) ELSE s.last_seen END
    FROM held h, scopes c
    WHERE h.run_id = $1 AND s.id = h.sighting_id AND c.id = s.scope_id AND s.status <> 6
        AND s.digest = '\\x0000000000000000'
    RETURNING s.id, s.finding_id, s.scope_id";
const FEWER_UNRESOLVED: &str = "
    UPDATE scopes s SET unresolved = s.unresolved - n.fewer, changed_run = $3 FROM unnest($1::bigint[], $2::bigint[]) n(id, fewer)
    WHERE s.id = n.id";
const ACCEPTED: &str = "UPDATE runs SET state = 'complete', error = NULL, resolved = resolved + $2, announced = 0 WHERE id = $1";
const COMPLETED: &str = "UPDATE api_configurations SET last_complete_at = $2, held_run_id = NULL, held = 0 WHERE id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    UNRESOLVED_OF_API,
    ALL_KEYS,
    COUNT_DUE,
    MISS_OR_RESOLVE,
    LAST_COMPLETE,
    COMPLETE,
    READ,
    COUNT_RESOLVED,
    SET_HELD,
    LOCK_HELD_RUN,
    HOLD,
    DROP_HELD,
    DROP_DECIDED,
    COUNT_HELD,
    API_BY_NAME,
    SCOPES_OF_API,
    IS_OVER,
    RESOLVE_HELD,
    FEWER_UNRESOLVED,
    ACCEPTED,
    COMPLETED,
];

/// So many sightings are concluded together, and their findings brought up to date with them.
const TOGETHER: usize = 10_000;

/// A run that concludes.
pub(super) struct Concluding<'a> {
    pub(super) holder: i64,
    pub(super) run: RunId,
    pub(super) dictionaries: &'a Dictionaries,
}

impl Concluding<'_> {
    /// Concludes from the proofs of the run.
    pub(super) async fn close(
        &self,
        transaction: &mut PgConnection,
        proofs: &[Proof],
        limits: HoldLimits,
    ) -> Result<Closing, Fault> {
        let api = must_be_running(transaction, self.holder, self.run).await?;
        let scopes: Vec<ScopeId> = proofs.iter().map(|proof| proof.scope).collect();
        scopes::lock_all(transaction, api, &scopes).await?;
        // Done before, only that the answer was lost on the way: a second miss must not be counted.
        let closed: Vec<ScopeId> = sqlx::query_scalar(CLOSED_ALREADY)
            .bind(&scopes)
            .bind(self.run)
            .fetch_all(&mut *transaction)
            .await?;
        let proofs: Vec<&Proof> = proofs
            .iter()
            .filter(|proof| !closed.contains(&proof.scope))
            .collect();
        let mut due = 0;
        for proof in &proofs {
            due += self.count_due(transaction, proof).await?;
        }
        let open: i64 = sqlx::query_scalar(UNRESOLVED_OF_API)
            .bind(api)
            .fetch_one(&mut *transaction)
            .await?;
        let open = count(open)?;
        if limits.holds(due, open) {
            self.hold(transaction, api, &proofs).await?;
            return Ok(Closing::Held {
                would_resolve: due,
                open,
            });
        }
        let mut resolved = 0;
        for proof in &proofs {
            resolved += self.conclude(transaction, proof).await?;
        }
        sqlx::query(COUNT_RESOLVED)
            .bind(self.run)
            .bind(count_code(resolved))
            .execute(&mut *transaction)
            .await?;
        drop_decided(transaction, api, &scopes).await?;
        Ok(Closing::Resolved(resolved))
    }

    async fn count_due(&self, transaction: &mut PgConnection, proof: &Proof) -> Result<u64, Fault> {
        let mut due = 0;
        let mut keys = Keys::of(proof);
        while let Some(some) = keys.next(transaction).await? {
            let found: i64 = sqlx::query_scalar(COUNT_DUE)
                .bind(proof.scope)
                .bind(slices(&some))
                .bind(self.run)
                .bind(i64::from(proof.resolve_after))
                .fetch_one(&mut *transaction)
                .await?;
            due += count(found)?;
        }
        Ok(due)
    }

    /// Counts a complete import of the proof's scope; how many it resolved.
    async fn conclude(&self, transaction: &mut PgConnection, proof: &Proof) -> Result<u64, Fault> {
        let seen_until: Option<i64> = sqlx::query_scalar(LAST_COMPLETE)
            .bind(proof.scope)
            .fetch_one(&mut *transaction)
            .await?;
        let at = time_code(proof.at);
        let mut resolved = 0;
        let mut keys = Keys::of(proof);
        while let Some(some) = keys.next(transaction).await? {
            let gone: Vec<(i64, i64, i64)> = sqlx::query_as(MISS_OR_RESOLVE)
                .bind(proof.scope)
                .bind(slices(&some))
                .bind(self.run)
                .bind(i64::from(proof.resolve_after))
                .bind(seen_until)
                .bind(at)
                .fetch_all(&mut *transaction)
                .await?;
            let mut touched = Touched::default();
            for (sighting, finding, status) in gone {
                if status == RESOLVED {
                    resolved += 1;
                    touched.note(finding, Cause::standing(sighting, at));
                }
            }
            standing::settle(transaction, self.dictionaries, Some(self.run), touched).await?;
        }
        sqlx::query(COMPLETE)
            .bind(proof.scope)
            .bind(at)
            .bind(self.run)
            .bind(count_code(resolved))
            .execute(transaction)
            .await?;
        Ok(resolved)
    }

    /// Keeps what the run would have resolved, in place of what an older one would have.
    async fn hold(
        &self,
        transaction: &mut PgConnection,
        api: i64,
        proofs: &[&Proof],
    ) -> Result<(), Fault> {
        if let Some(older) = held_run(transaction, api).await? {
            sqlx::query(DROP_HELD)
                .bind(older)
                .execute(&mut *transaction)
                .await?;
        }
        for proof in proofs {
            let mut keys = Keys::of(proof);
            while let Some(some) = keys.next(transaction).await? {
                sqlx::query(HOLD)
                    .bind(proof.scope)
                    .bind(slices(&some))
                    .bind(self.run)
                    .bind(i64::from(proof.resolve_after))
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query(READ)
                .bind(proof.scope)
                .bind(self.run)
                .execute(&mut *transaction)
                .await?;
        }
        count_held(transaction, api, self.run).await
    }
}

/// The unseen keys of a proof, some at a time.
struct Keys<'a> {
    proof: &'a Proof,
    taken: usize,
    last: Vec<u8>,
}

impl<'a> Keys<'a> {
    fn of(proof: &'a Proof) -> Self {
        Self {
            proof,
            taken: 0,
            // No key is smaller than no bytes at all.
            last: Vec::new(),
        }
    }

    async fn next(
        &mut self,
        transaction: &mut PgConnection,
    ) -> Result<Option<Vec<SourceKey>>, Fault> {
        let keys: Vec<SourceKey> = match &self.proof.unseen {
            Unseen::These(keys) => keys
                .iter()
                .skip(self.taken)
                .take(TOGETHER)
                .copied()
                .collect(),
            Unseen::All => {
                let keys: Vec<Vec<u8>> = sqlx::query_scalar(ALL_KEYS)
                    .bind(self.proof.scope)
                    .bind(&self.last)
                    .bind(TOGETHER as i64)
                    .fetch_all(transaction)
                    .await?;
                keys.iter()
                    .map(|key| bytes(key))
                    .collect::<Result<_, _>>()?
            }
        };
        self.taken += keys.len();
        match keys.last() {
            Some(last) => self.last = last.to_vec(),
            None => return Ok(None),
        }
        Ok(Some(keys))
    }
}

fn slices(keys: &[SourceKey]) -> Vec<&[u8]> {
    keys.iter().map(SourceKey::as_slice).collect()
}

async fn held_run(transaction: &mut PgConnection, api: i64) -> Result<Option<RunId>, Fault> {
    Ok(sqlx::query_scalar(LOCK_HELD_RUN)
        .bind(api)
        .fetch_one(transaction)
        .await?)
}

async fn count_held(transaction: &mut PgConnection, api: i64, run: RunId) -> Result<(), Fault> {
    let held: i64 = sqlx::query_scalar(COUNT_HELD)
        .bind(run)
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query(SET_HELD)
        .bind(api)
        .bind((held > 0).then_some(run))
        .bind(held)
        .execute(transaction)
        .await?;
    Ok(())
}

/// What was held of the scopes that have now been read to their end is decided.
async fn drop_decided(
    transaction: &mut PgConnection,
    api: i64,
    scopes: &[ScopeId],
) -> Result<(), Fault> {
    let Some(held_run) = held_run(transaction, api).await? else {
        return Ok(());
    };
    sqlx::query(DROP_DECIDED)
        .bind(held_run)
        .bind(scopes)
        .execute(&mut *transaction)
        .await?;
    count_held(transaction, api, held_run).await
}

/// Resolves what the last held run would have resolved, but for what has been seen since.
pub(super) async fn accept(
    transaction: &mut PgConnection,
    dictionaries: &Dictionaries,
    api_configuration: &str,
    at: DateTime<Utc>,
) -> Result<Option<Accepted>, Fault> {
    let api: Option<i64> = sqlx::query_scalar(API_BY_NAME)
        .bind(super::rows::text(api_configuration))
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(api) = api else {
        return Ok(None);
    };
    // Filings before the API configuration's row, as at the end of an import: the two never wait for each other.
    let scopes: Vec<ScopeId> = sqlx::query_scalar(SCOPES_OF_API)
        .bind(api)
        .fetch_all(&mut *transaction)
        .await?;
    scopes::lock_filings(transaction, &scopes).await?;
    let Some(run) = held_run(transaction, api).await? else {
        return Ok(None);
    };
    let is_over: bool = sqlx::query_scalar(IS_OVER)
        .bind(run)
        .fetch_one(&mut *transaction)
        .await?;
    if !is_over {
        return Ok(None);
    }
    let at = time_code(at);
    let gone: Vec<(i64, i64, ScopeId)> = sqlx::query_as(RESOLVE_HELD)
        .bind(run)
        .bind(at)
        .fetch_all(&mut *transaction)
        .await?;
    let mut fewer: BTreeMap<ScopeId, i64> = BTreeMap::new();
    for some in gone.chunks(TOGETHER) {
        let mut touched = Touched::default();
        for (sighting, finding, scope) in some {
            touched.note(*finding, Cause::standing(*sighting, at));
            *fewer.entry(*scope).or_default() += 1;
        }
        standing::settle(transaction, dictionaries, None, touched).await?;
    }
    sqlx::query(FEWER_UNRESOLVED)
        .bind(fewer.keys().copied().collect::<Vec<_>>())
        .bind(fewer.values().copied().collect::<Vec<_>>())
        .bind(run)
        .execute(&mut *transaction)
        .await?;
    let resolved = gone.len() as u64;
    sqlx::query(ACCEPTED)
        .bind(run)
        .bind(count_code(resolved))
        .execute(&mut *transaction)
        .await?;
    sqlx::query(COMPLETED)
        .bind(api)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(DROP_HELD)
        .bind(run)
        .execute(transaction)
        .await?;
    Ok(Some(Accepted { run, resolved }))
}

// The statements above spell the number out.
const _: () = assert!(RESOLVED == 6);
