//! Any sequence of complete, partial and held imports over several scopes leaves what a simple model says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use secpull::finding::{Severity, Sighting, Status};
use secpull::store::{Closing, HoldLimits};

use crate::place;
use crate::world::{Read, World, day, sighting, with_severity, with_status};

const RECORDS: [&str; 2] = ["r0", "r1"];
const SOURCES: usize = 6;

/// One import of one record: what each source says there, if it is listed at all.
#[derive(Debug, Clone)]
struct Step {
    record: usize,
    rows: [Option<Row>; SOURCES],
    complete: bool,
    resolve_after: u32,
    /// Held if more than this share would resolve.
    share: Option<f64>,
    /// `accept` afterwards.
    accept: bool,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    cve: u8,
    severity: usize,
    status: usize,
}

#[derive(Debug, Clone)]
struct Modelled {
    severity: Severity,
    status: Status,
    misses: u32,
    held: bool,
}

/// Few values, so that a source often says again what it said before: most of what can go wrong is there.
fn row() -> impl Strategy<Value = Option<Row>> {
    let status = prop::sample::select(vec![0, 0, 0, 3, 6_usize]);
    let row = (0..2_u8, 0..2_usize, status).prop_map(|(cve, severity, status)| Row {
        cve,
        severity,
        status,
    });
    prop::option::weighted(0.6, row)
}

fn step() -> impl Strategy<Value = Step> {
    (
        0..RECORDS.len(),
        [row(), row(), row(), row(), row(), row()],
        any::<bool>(),
        1..3_u32,
        prop::option::of(0.2..0.8),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(record, rows, complete, resolve_after, share, accept)| Step {
                record,
                rows,
                complete,
                resolve_after,
                share,
                accept,
            },
        )
}

fn sighting_of(source: usize, row: Row) -> Sighting {
    let sighting = sighting(&format!("s{source}"), &format!("CVE-{}", row.cve));
    let sighting = with_severity(sighting, Severity::ALL[row.severity]);
    with_status(sighting, Status::ALL[row.status])
}

type Model = BTreeMap<(usize, usize), Modelled>;

/// What the import does to the model, and whether it is held.
fn apply(model: &mut Model, step: &Step) -> bool {
    for (source, row) in step.rows.iter().enumerate() {
        let Some(row) = row else { continue };
        let (severity, status) = (Severity::ALL[row.severity], Status::ALL[row.status]);
        let key = (step.record, source);
        if model.contains_key(&key) || status != Status::Resolved {
            let seen = Modelled {
                severity,
                status,
                misses: 0,
                held: false,
            };
            model.insert(key, seen);
        }
    }
    if !step.complete {
        return false;
    }
    let gone: Vec<_> = (0..SOURCES)
        .filter(|source| step.rows[*source].is_none())
        .map(|source| (step.record, source))
        .filter(|key| {
            model
                .get(key)
                .is_some_and(|known| known.status != Status::Resolved)
        })
        .collect();
    let is_due = |known: &Modelled| known.misses + 1 >= step.resolve_after;
    let due = gone.iter().filter(|key| is_due(&model[*key])).count();
    let open = model
        .values()
        .filter(|known| known.status != Status::Resolved)
        .count();
    if step
        .share
        .is_some_and(|share| due > 0 && due as f64 > share * open as f64)
    {
        model.values_mut().for_each(|known| known.held = false);
        for key in gone {
            if let Some(known) = model.get_mut(&key) {
                known.held = is_due(known);
            }
        }
        return true;
    }
    for key in gone {
        if let Some(known) = model.get_mut(&key) {
            if is_due(known) {
                known.status = Status::Resolved;
            }
            known.misses += 1;
        }
    }
    for ((record, _), known) in model.iter_mut() {
        known.held &= *record != step.record;
    }
    false
}

fn accept(model: &mut Model) {
    for known in model.values_mut().filter(|known| known.held) {
        known.status = Status::Resolved;
        known.held = false;
    }
}

async fn check(steps: &[Step]) {
    let world = World::new().await;
    let mut model = Model::new();
    for (at, step) in (0..).zip(steps) {
        let sightings: Vec<_> = step
            .rows
            .iter()
            .enumerate()
            .filter_map(|(source, row)| Some(sighting_of(source, (*row)?)))
            .collect();
        let limits = HoldLimits {
            max_resolved_fraction: step.share.unwrap_or(1.0),
            min_held: if step.share.is_some() { 0 } else { u64::MAX },
        };
        let read = Read {
            complete: step.complete,
            ..Read::of("shop", at)
                .record(RECORDS[step.record])
                .resolve_after(step.resolve_after)
                .limits(limits)
        };
        let import = world.import_as(&read, &sightings).await;
        let held = apply(&mut model, step);
        assert_eq!(
            matches!(import.closing, Closing::Held { .. }),
            held,
            "{import:?}"
        );
        if step.accept {
            world.store.accept("shop", day(at)).await.unwrap();
            accept(&mut model);
        }
        compare(&world, &model).await;
    }
}

async fn compare(world: &World, model: &Model) {
    let findings = world.all().await;
    let mut stored = BTreeMap::new();
    for finding in &findings {
        let first = finding.sightings.first().unwrap();
        let open = finding
            .sightings
            .iter()
            .filter(|sighting| sighting.status != Status::Resolved);
        let severity = open.map(|sighting| sighting.severity).min();
        assert_eq!(finding.severity, severity.unwrap_or(first.severity));
        let status = finding.sightings.iter().map(|sighting| sighting.status);
        assert_eq!(Some(finding.status), status.min());
        assert_eq!(
            finding.resolved_at.is_some(),
            finding.status == Status::Resolved
        );
        for sighting in &finding.sightings {
            assert_eq!(
                sighting.resolved_at.is_some(),
                sighting.status == Status::Resolved
            );
            let record = sighting.record.clone().unwrap();
            let key = (record, sighting.source_id.clone());
            let standing = (sighting.severity, sighting.status);
            assert_eq!(stored.insert(key, standing), None, "stored twice");
        }
    }
    let modelled: BTreeMap<_, _> = model
        .iter()
        .map(|((record, source), known)| {
            let key = (
                format!("{} by name", RECORDS[*record]),
                format!("s{source}"),
            );
            (key, (known.severity, known.status))
        })
        .collect();
    assert_eq!(stored, modelled);
    let state = world.state("shop").await;
    let open = modelled
        .values()
        .filter(|(_, status)| *status != Status::Resolved)
        .count();
    assert_eq!(state.unresolved, open as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: place::CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn imports_leave_what_the_model_says(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&steps));
    }
}
