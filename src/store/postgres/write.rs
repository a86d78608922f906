//! Writing a batch of new and changed sightings: a few statements, however many rows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

use sqlx::PgConnection;

use super::bodies::{self, Reader};
use super::fault::Fault;
use super::plan::{Known, Loaded, NewFinding, PROVISIONAL, Place, Plan, Planner, SightingChange};
use super::rows::{bytes, severity, status};
use super::runs::must_be_whole;
use super::scopes::{self, Scope};
use super::standing;
use super::under_way::SoFar;
use crate::finding::{Fingerprint, SourceKey, Status};
use crate::store::codes::{count_code, kind_code, severity_code, status_code};
use crate::store::dictionaries::Dictionaries;
use crate::store::names::KnownNames;
use crate::store::prepared::PreparedRow;
use crate::store::standing::Touched;
use crate::store::{Before, Prepared, RunId, ScopeId, WriteCounts};

/// One look into the index a key. What the planner may choose is the scope as a whole, as it grows while it is imported:
/// `OFFSET 0` takes the choice away.
const KNOWN: &str = "
    SELECT s.* FROM unnest($2::bytea[]) u(key) CROSS JOIN LATERAL (
        SELECT s.key, s.id, s.digest, s.finding_id, s.fingerprint, s.severity, s.status, s.run_id, s.first_seen,
            s.resolved_at, s.body
        FROM sightings s WHERE s.scope_id = $1 AND s.key = u.key OFFSET 0) s";
/// Some come twice.
const FINDINGS: &str = "
    SELECT f.* FROM unnest($1::bigint[]) u(id) CROSS JOIN LATERAL (
        SELECT id, fingerprint, filing_id FROM findings f WHERE f.id = u.id OFFSET 0) f
    UNION ALL SELECT f.* FROM unnest($3::bytea[]) u(fingerprint) CROSS JOIN LATERAL (
        SELECT id, fingerprint, filing_id FROM findings f
        WHERE f.filing_id = $2 AND f.fingerprint = u.fingerprint OFFSET 0) f";
const MEMBERS: &str =
    "SELECT finding_id, id, status, first_seen FROM sightings WHERE finding_id = ANY($1)";
const NUMBERS: &str = "
    SELECT array(SELECT nextval('finding_numbers') FROM generate_series(1, $1::bigint)),
        array(SELECT nextval('sighting_numbers') FROM generate_series(1, $2::bigint))";
const DELETE_FINDINGS: &str = "DELETE FROM findings WHERE id = ANY($1)";
const UPDATE_FINDINGS: &str = "
    UPDATE findings f SET fingerprint = coalesce(n.fingerprint, f.fingerprint),
        filing_id = coalesce(n.filing_id, f.filing_id), first_seen = least(f.first_seen, n.first_seen)
    FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[]) n(id, fingerprint, filing_id, first_seen)
    WHERE f.id = n.id";
const ADD_FINDINGS: &str = "
    INSERT INTO findings (id, fingerprint, filing_id, kind, severity, status, first_seen, canonical_id)
    SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::text[])";
const ADD_SIGHTINGS: &str = "
    INSERT INTO sightings (scope_id, run_id, id, key, digest, finding_id, fingerprint, severity, status, first_seen,
        last_seen, resolved_at, body)
    SELECT $1, $2, n.id, n.key, n.digest, n.finding_id, n.fingerprint, n.severity, n.status, n.at, n.at,
        n.resolved_at, n.body
    FROM unnest($3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bytea[], $8::bigint[], $9::bigint[],
        $10::bigint[], $11::bigint[], $12::bytea[])
        n(id, key, digest, finding_id, fingerprint, severity, status, at, resolved_at, body)";
const UPDATE_SIGHTINGS: &str = "
    UPDATE sightings s SET digest = n.digest, finding_id = n.finding_id, fingerprint = n.fingerprint,
        severity = n.severity, status = n.status, misses = CASE WHEN n.seen THEN 0 ELSE s.misses END, run_id = $1,
        last_seen = n.at, resolved_at = n.resolved_at, body = coalesce(n.body, s.body)
    FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[], $8::boolean[],
        $9::bigint[], $10::bigint[], $11::bytea[])
        n(id, digest, finding_id, fingerprint, severity, status, seen, at, resolved_at, body)
    WHERE s.id = n.id";
const MOVE_HISTORY: &str = "
    UPDATE history h SET finding_id = m.new FROM unnest($1::bigint[], $2::bigint[]) m(old, new)
    WHERE h.finding_id = m.old";
/// They come in an order, so that two who add some of the same never wait for each other.
const ADD_NAMES: &str = "
    INSERT INTO vulnerability_names (name, canonical_id)
    SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING";
const COUNT: &str = "
    UPDATE runs SET new = new + $2, updated = updated + $3, resolved = resolved + $4, reopened = reopened + $5
    WHERE id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    KNOWN,
    FINDINGS,
    MEMBERS,
    DELETE_FINDINGS,
    UPDATE_FINDINGS,
    UPDATE_SIGHTINGS,
    MOVE_HISTORY,
    COUNT,
];

/// Sightings that one statement adds: the driver has a statement's rows in memory twice. Fewer take no longer.
const TOGETHER: usize = 1000;

/// Who writes what.
pub(super) struct Writing<'a> {
    pub(super) holder: i64,
    pub(super) run: RunId,
    /// What this process knows of the run.
    pub(super) so_far: SoFar,
    pub(super) scope: ScopeId,
    pub(super) batches: &'a [Prepared],
    pub(super) dictionaries: &'a Dictionaries,
    pub(super) names: &'a Mutex<KnownNames>,
}

/// What was written.
pub(super) struct Written {
    pub(super) counts: WriteCounts,
    /// How many changes the run had written before.
    pub(super) before: u64,
    /// To be remembered once it is committed.
    pub(super) names: Vec<[u8; 16]>,
}

/// Whether a sighting was added that is there already.
pub(super) fn is_repeat(fault: &Fault) -> bool {
    let Fault::Sql(sqlx::Error::Database(error)) = fault else {
        return false;
    };
    error.constraint() == Some("sightings_by_key")
}

impl Writing<'_> {
    /// Whether it has to be looked up. What is open and was not known when the run began is added, and if that fails the run
    /// has brought it before; what is resolved already would not be added, so that would not be noticed.
    fn may_be_stored(&self, row: &PreparedRow<'_>) -> bool {
        self.so_far.repeats || row.before != Before::Nothing || row.status == Status::Resolved
    }

    fn rows(&self) -> impl Iterator<Item = PreparedRow<'_>> {
        self.batches.iter().flat_map(Prepared::rows)
    }

    /// Writes batches.
    pub(super) async fn write(&self, transaction: &mut PgConnection) -> Result<Written, Fault> {
        let held = must_be_whole(transaction, self.holder, self.run, self.so_far.confirmed).await?;
        let scope = scopes::lock(transaction, held.api, self.scope).await?;
        let loaded = self.load(transaction, &scope).await?;
        let stored = loaded.known.values().map(|known| &*known.body);
        let brought = self.rows().map(|row| row.body);
        let bodies: Vec<&[u8]> = stored.chain(brought).collect();
        bodies::learn(transaction, self.dictionaries, bodies.into_iter()).await?;
        let reader = Reader::new(self.dictionaries)?;
        let planner = Planner::new(self.run, &scope, self.names, loaded, reader);
        let plan = planner.plan(self.rows())?;
        let (counts, names) = self.carry_out(transaction, plan).await?;
        Ok(Written {
            counts,
            before: held.written,
            names,
        })
    }

    async fn load<'r>(
        &self,
        transaction: &mut PgConnection,
        scope: &Scope,
    ) -> Result<Loaded<'r>, Fault> {
        let mut loaded = Loaded {
            known: self.known(transaction).await?,
            ..Loaded::default()
        };
        // The first row of a sighting says where it belongs.
        let mut wanted: HashMap<SourceKey, Place> = HashMap::new();
        for row in self.rows() {
            wanted.entry(row.key).or_insert(Place {
                fingerprint: row.fingerprint,
                filing_id: scope.filing_id,
            });
        }
        let own: HashSet<i64> = loaded.known.values().map(|known| known.finding).collect();
        type Columns = (i64, Vec<u8>, i64);
        // Of every row: one that is fixed and was never seen open leaves its place to a later row.
        let prints: BTreeSet<[u8; 16]> = self.rows().map(|row| row.fingerprint.0).collect();
        let rows: Vec<Columns> = sqlx::query_as(FINDINGS)
            .bind(own.into_iter().collect::<Vec<_>>())
            .bind(scope.filing_id)
            .bind(
                prints
                    .iter()
                    .map(|print| print.as_slice())
                    .collect::<Vec<_>>(),
            )
            .fetch_all(&mut *transaction)
            .await?;
        for (id, print, filing_id) in rows {
            let fingerprint = Fingerprint(bytes(&print)?);
            let place = Place {
                fingerprint,
                filing_id,
            };
            loaded.add_finding(id, place);
        }
        let is_elsewhere = |(key, known): &(&SourceKey, &Known<'_>)| {
            let own = loaded.findings.get(&known.finding);
            own.is_some_and(|own| wanted.get(*key).is_some_and(|wanted| own != wanted))
        };
        let moving: HashSet<i64> = loaded
            .known
            .iter()
            .filter(is_elsewhere)
            .map(|(_, known)| known.finding)
            .collect();
        self.load_members(transaction, moving, &mut loaded).await?;
        Ok(loaded)
    }

    async fn known<'r>(
        &self,
        transaction: &mut PgConnection,
    ) -> Result<HashMap<SourceKey, Known<'r>>, Fault> {
        let rows = self.rows().filter(|row| self.may_be_stored(row));
        let asked: BTreeSet<SourceKey> = rows.map(|row| row.key).collect();
        let keys: Vec<&[u8]> = asked.iter().map(SourceKey::as_slice).collect();
        type Columns = (
            Vec<u8>,
            i64,
            Vec<u8>,
            i64,
            Vec<u8>,
            i64,
            i64,
            i64,
            i64,
            Option<i64>,
            Vec<u8>,
        );
        let rows: Vec<Columns> = sqlx::query_as(KNOWN)
            .bind(self.scope)
            .bind(keys)
            .fetch_all(transaction)
            .await?;
        rows.into_iter()
            .map(|row| {
                let (key, id, digest, finding, print, sev, stat, run, first_seen, resolved, body) =
                    row;
                let known = Known {
                    id,
                    digest: bytes(&digest)?,
                    finding,
                    fingerprint: Fingerprint(bytes(&print)?),
                    severity: severity(sev)?,
                    status: status(stat)?,
                    run,
                    first_seen,
                    resolved_at: resolved,
                    body: body.into(),
                };
                Ok((bytes(&key)?, known))
            })
            .collect()
    }

    async fn load_members(
        &self,
        transaction: &mut PgConnection,
        findings: HashSet<i64>,
        loaded: &mut Loaded<'_>,
    ) -> Result<(), Fault> {
        if findings.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = findings.into_iter().collect();
        let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(MEMBERS)
            .bind(ids)
            .fetch_all(transaction)
            .await?;
        for (finding, id, its_status, first_seen) in rows {
            let rank = (status(its_status)?.urgency(), first_seen, id);
            let members = loaded.members.entry(finding).or_default();
            members.insert(id, rank);
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        transaction: &mut PgConnection,
        mut plan: Plan<'_>,
    ) -> Result<(WriteCounts, Vec<[u8; 16]>), Fault> {
        let numbers = Numbers::take(transaction, &plan).await?;
        numbers.give(&mut plan);
        delete_findings(transaction, &plan).await?;
        update_findings(transaction, &plan).await?;
        add_findings(transaction, &numbers.findings, &plan.new_findings).await?;
        let new = numbers.sightings.iter().zip(&plan.new_sightings);
        let mut new: Vec<NewSighting<'_>> = new
            .map(|(number, (key, change))| (*number, key, change))
            .collect();
        // In the order of the largest index, so that each of its pages is visited once.
        new.sort_unstable_by_key(|(_, key, _)| *key);
        for new in new.chunks(TOGETHER) {
            self.add_sightings(transaction, new).await?;
        }
        self.update_sightings(transaction, &plan).await?;
        move_history(transaction, &plan).await?;
        standing::record(transaction, Some(self.run), &plan.events).await?;
        let touched = std::mem::take(&mut plan.touched);
        // A further row of a sighting may change its finding without being counted.
        let is_change = plan.counts.is_change() || !touched.is_empty();
        standing::settle(transaction, self.dictionaries, Some(self.run), touched).await?;
        add_names(transaction, &plan).await?;
        if is_change {
            scopes::note_change(transaction, self.scope, self.run, plan.unresolved).await?;
        }
        sqlx::query(COUNT)
            .bind(self.run)
            .bind(count_code(plan.counts.new))
            .bind(count_code(plan.counts.updated))
            .bind(count_code(plan.counts.resolved))
            .bind(count_code(plan.counts.reopened))
            .execute(transaction)
            .await?;
        Ok((plan.counts, plan.pairs))
    }

    async fn add_sightings(
        &self,
        transaction: &mut PgConnection,
        new: &[NewSighting<'_>],
    ) -> Result<(), Fault> {
        let column = |of: fn(&SightingChange<'_>) -> i64| -> Vec<i64> {
            new.iter().map(|(_, _, sighting)| of(sighting)).collect()
        };
        sqlx::query(ADD_SIGHTINGS)
            .bind(self.scope)
            .bind(self.run)
            .bind(new.iter().map(|(number, ..)| *number).collect::<Vec<_>>())
            .bind(
                new.iter()
                    .map(|(_, key, _)| key.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(
                new.iter()
                    .map(|(_, _, s)| s.digest.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(column(|s| s.finding))
            .bind(
                new.iter()
                    .map(|(_, _, s)| s.fingerprint.0.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(column(|s| severity_code(s.severity)))
            .bind(column(|s| status_code(s.status)))
            .bind(column(|s| s.at))
            .bind(
                new.iter()
                    .map(|(_, _, s)| s.resolved_at)
                    .collect::<Vec<_>>(),
            )
            .bind(
                new.iter()
                    .map(|(_, _, s)| s.body.as_deref())
                    .collect::<Vec<_>>(),
            )
            .execute(transaction)
            .await?;
        Ok(())
    }

    async fn update_sightings(
        &self,
        transaction: &mut PgConnection,
        plan: &Plan<'_>,
    ) -> Result<(), Fault> {
        let changed = &plan.sightings;
        if changed.is_empty() {
            return Ok(());
        }
        let column =
            |of: fn(&SightingChange<'_>) -> i64| -> Vec<i64> { changed.values().map(of).collect() };
        sqlx::query(UPDATE_SIGHTINGS)
            .bind(self.run)
            .bind(changed.keys().copied().collect::<Vec<_>>())
            .bind(
                changed
                    .values()
                    .map(|s| s.digest.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(column(|s| s.finding))
            .bind(
                changed
                    .values()
                    .map(|s| s.fingerprint.0.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(column(|s| severity_code(s.severity)))
            .bind(column(|s| status_code(s.status)))
            .bind(changed.values().map(|s| s.seen).collect::<Vec<_>>())
            .bind(column(|s| s.at))
            .bind(changed.values().map(|s| s.resolved_at).collect::<Vec<_>>())
            .bind(
                changed
                    .values()
                    .map(|s| s.body.as_deref())
                    .collect::<Vec<_>>(),
            )
            .execute(transaction)
            .await?;
        Ok(())
    }
}

/// A sighting to be added: its number, its key, what it is.
type NewSighting<'p> = (i64, &'p SourceKey, &'p SightingChange<'p>);

/// Numbers for what is new.
struct Numbers {
    findings: Vec<i64>,
    sightings: Vec<i64>,
}

impl Numbers {
    async fn take(transaction: &mut PgConnection, plan: &Plan<'_>) -> Result<Self, Fault> {
        let (new_findings, new_sightings) = (plan.new_findings.len(), plan.new_sightings.len());
        if new_findings + new_sightings == 0 {
            return Ok(Self {
                findings: Vec::new(),
                sightings: Vec::new(),
            });
        }
        let (mut findings, mut sightings): (Vec<i64>, Vec<i64>) = sqlx::query_as(NUMBERS)
            .bind(new_findings as i64)
            .bind(new_sightings as i64)
            .fetch_one(transaction)
            .await?;
        findings.sort_unstable();
        sightings.sort_unstable();
        Ok(Self {
            findings,
            sightings,
        })
    }

    fn of(numbers: &[i64], id: i64) -> i64 {
        let place = usize::try_from(id - PROVISIONAL).ok();
        place
            .and_then(|place| numbers.get(place))
            .copied()
            .unwrap_or(id)
    }

    /// Puts them in the place of the provisional ones.
    fn give(&self, plan: &mut Plan<'_>) {
        let finding = |id| Self::of(&self.findings, id);
        let sighting = |id| Self::of(&self.sightings, id);
        for (_, new) in &mut plan.new_sightings {
            new.finding = finding(new.finding);
        }
        for change in plan.sightings.values_mut() {
            change.finding = finding(change.finding);
        }
        for to in plan.moved_history.values_mut() {
            *to = finding(*to);
        }
        for event in &mut plan.events {
            event.finding = finding(event.finding);
            event.sighting = event.sighting.map(sighting);
            if event.name == "sighting_moved" {
                let to = event.new.as_deref().and_then(|word| word.parse().ok());
                event.new = to.map(|id: i64| finding(id).to_string());
            }
        }
        let mut touched = Touched::default();
        for (id, cause) in std::mem::take(&mut plan.touched) {
            touched.note(finding(id), cause.of_sighting(sighting));
        }
        plan.touched = touched;
    }
}

async fn delete_findings(transaction: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Fault> {
    if !plan.deleted.is_empty() {
        sqlx::query(DELETE_FINDINGS)
            .bind(plan.deleted.iter().copied().collect::<Vec<_>>())
            .execute(transaction)
            .await?;
    }
    Ok(())
}

async fn update_findings(transaction: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Fault> {
    let changed = &plan.findings;
    if changed.is_empty() {
        return Ok(());
    }
    let moved = || changed.values().map(|change| change.moved.as_ref());
    sqlx::query(UPDATE_FINDINGS)
        .bind(changed.keys().copied().collect::<Vec<_>>())
        .bind(
            moved()
                .map(|place| place.map(|place| place.fingerprint.0.as_slice()))
                .collect::<Vec<_>>(),
        )
        .bind(
            moved()
                .map(|place| place.map(|place| place.filing_id))
                .collect::<Vec<_>>(),
        )
        .bind(
            changed
                .values()
                .map(|change| change.first_seen)
                .collect::<Vec<_>>(),
        )
        .execute(transaction)
        .await?;
    Ok(())
}

async fn add_findings(
    transaction: &mut PgConnection,
    numbers: &[i64],
    new: &[NewFinding],
) -> Result<(), Fault> {
    if new.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&NewFinding) -> i64| -> Vec<i64> { new.iter().map(of).collect() };
    sqlx::query(ADD_FINDINGS)
        .bind(numbers)
        .bind(
            new.iter()
                .map(|f| f.place.fingerprint.0.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(column(|f| f.place.filing_id))
        .bind(column(|f| kind_code(f.kind)))
        .bind(column(|f| severity_code(f.severity)))
        .bind(column(|f| status_code(f.status)))
        .bind(column(|f| f.first_seen))
        .bind(
            new.iter()
                .map(|f| f.canonical_id.as_deref())
                .collect::<Vec<_>>(),
        )
        .execute(transaction)
        .await?;
    Ok(())
}

async fn move_history(transaction: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Fault> {
    if !plan.moved_history.is_empty() {
        sqlx::query(MOVE_HISTORY)
            .bind(plan.moved_history.keys().copied().collect::<Vec<_>>())
            .bind(plan.moved_history.values().copied().collect::<Vec<_>>())
            .execute(transaction)
            .await?;
    }
    Ok(())
}

async fn add_names(transaction: &mut PgConnection, plan: &Plan<'_>) -> Result<(), Fault> {
    if !plan.names.is_empty() {
        let (names, canonical): (Vec<&str>, Vec<&str>) = plan
            .names
            .iter()
            .map(|(name, canonical)| (name.as_str(), canonical.as_str()))
            .unzip();
        sqlx::query(ADD_NAMES)
            .bind(names)
            .bind(canonical)
            .execute(transaction)
            .await?;
    }
    Ok(())
}
