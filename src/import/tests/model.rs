//! Any sequence of complete, partial, failed and held imports over several scopes leaves exactly what a simple model says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;

const SCOPES: [&str; 3] = ["r0", "r1", "r2"];
const SOURCES: usize = 6;
const MIN_HELD: u64 = 4;
const FRACTION: f64 = 0.5;

/// One import, and whether somebody accepts what is held after it.
#[derive(Debug, Clone)]
struct Step {
    scopes: [Option<Told>; SCOPES.len()],
    end: RunEnds,
    accept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunEnds {
    Well,
    /// The connector gives up when it has said all the rest.
    Fails,
}

/// What is said of one scope.
#[derive(Debug, Clone)]
struct Told {
    rows: [Option<Row>; SOURCES],
    end: ScopeEnds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopeEnds {
    Complete,
    Incomplete,
    /// Its end is never said.
    Open,
    /// Complete, as the connector sees it, but for a row that cannot be read.
    Unreadable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    severity: Severity,
    status: Status,
}

#[derive(Debug, Clone)]
struct Known {
    row: Row,
    misses: u32,
    held: bool,
}

/// By scope and source.
type Model = BTreeMap<(usize, usize), Known>;

fn row() -> impl Strategy<Value = Option<Row>> {
    let severity = prop::sample::select(vec![Severity::High, Severity::Low]);
    let status = prop::sample::select(vec![
        Status::Open,
        Status::Open,
        Status::Open,
        Status::RiskAccepted,
        Status::Resolved,
    ]);
    let row = (severity, status).prop_map(|(severity, status)| Row { severity, status });
    prop::option::weighted(0.6, row)
}

/// All of them, or none, often enough for an import to smell.
fn rows() -> impl Strategy<Value = [Option<Row>; SOURCES]> {
    let row_of_old = Row {
        severity: Severity::High,
        status: Status::Open,
    };
    prop_oneof![
        3 => [row(), row(), row(), row(), row(), row()],
        2 => Just([Some(row_of_old); SOURCES]),
        2 => Just([None; SOURCES]),
    ]
}

fn told() -> impl Strategy<Value = Option<Told>> {
    let end = prop_oneof![
        8 => Just(ScopeEnds::Complete),
        1 => Just(ScopeEnds::Incomplete),
        1 => Just(ScopeEnds::Open),
        1 => Just(ScopeEnds::Unreadable),
    ];
    let told = (rows(), end).prop_map(|(rows, end)| Told { rows, end });
    prop::option::weighted(0.8, told)
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![7 => Just(RunEnds::Well), 1 => Just(RunEnds::Fails)];
    ([told(), told(), told()], end, prop::bool::weighted(0.3)).prop_map(|(scopes, end, accept)| {
        Step {
            scopes,
            end,
            accept,
        }
    })
}

impl Step {
    fn told(&self) -> impl Iterator<Item = (usize, &Told)> {
        let told = self.scopes.iter().enumerate();
        told.filter_map(|(scope, told)| Some((scope, told.as_ref()?)))
    }

    fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        for (scope, told) in self.told() {
            let name = SCOPES[scope];
            let rows = told.rows.iter().enumerate();
            let sightings: Vec<_> = rows
                .filter_map(|(source, row)| Some(sighting_of(scope, source, (*row)?)))
                .collect();
            // In two pages, as it may come.
            let (first, second) = sightings.split_at(sightings.len() / 2);
            acts.push(page_of(name, first.to_vec()));
            acts.push(Act::Say(Pulled::Page {
                scope: super::scope(name),
                sightings: second.to_vec(),
                unreadable: u64::from(told.end == ScopeEnds::Unreadable),
                unreadable_reason: None,
            }));
            match told.end {
                ScopeEnds::Complete | ScopeEnds::Unreadable => acts.push(complete(name)),
                ScopeEnds::Incomplete => acts.push(incomplete(name)),
                ScopeEnds::Open => {}
            }
        }
        if self.end == RunEnds::Fails {
            acts.push(Act::Fail("reset"));
        }
        acts
    }
}

/// Every third weakness is in all records: one finding with several sightings.
fn title(scope: usize, source: usize) -> String {
    match source % 3 {
        0 => format!("everywhere-{source}"),
        _ => format!("{}-{source}", SCOPES[scope]),
    }
}

fn sighting_of(scope: usize, source: usize, row: Row) -> Sighting {
    let mut sighting = sighting(&title(scope, source));
    sighting.source_id = format!("s{source}");
    sighting.severity = row.severity;
    sighting.status = row.status;
    sighting
}

/// What the import does to the model, and how it ends.
fn apply(model: &mut Model, step: &Step, resolve_after: u32) -> RunState {
    let mut read_any = false;
    for (scope, told) in step.told() {
        for (source, row) in told.rows.iter().enumerate() {
            let Some(row) = *row else { continue };
            read_any = true;
            let key = (scope, source);
            // What the tool lists as fixed and was never seen open here is not stored.
            if model.contains_key(&key) || row.status != Status::Resolved {
                let seen = Known {
                    row,
                    misses: 0,
                    held: false,
                };
                model.insert(key, seen);
            }
        }
    }
    let complete = |told: &Told| told.end == ScopeEnds::Complete;
    if step.end == RunEnds::Fails || !step.told().all(|(_, told)| complete(told)) {
        let some_complete = step.told().any(|(_, told)| complete(told));
        return match read_any || some_complete {
            true => RunState::Partial,
            false => RunState::Failed,
        };
    }
    resolve(model, step, resolve_after)
}

fn resolve(model: &mut Model, step: &Step, resolve_after: u32) -> RunState {
    let is_open = |known: &Known| known.row.status != Status::Resolved;
    let open = model.values().filter(|known| is_open(known)).count();
    let mut gone = Vec::new();
    for (scope, told) in step.told() {
        let unseen = (0..SOURCES).filter(|source| told.rows[*source].is_none());
        gone.extend(
            unseen
                .map(|source| (scope, source))
                .filter(|key| model.get(key).is_some_and(is_open)),
        );
    }
    let is_due = |known: &Known| known.misses + 1 >= resolve_after;
    let due = gone.iter().filter(|key| is_due(&model[*key])).count();
    if due as u64 >= MIN_HELD && due as f64 > FRACTION * open as f64 {
        model.values_mut().for_each(|known| known.held = false);
        for key in gone {
            if let Some(known) = model.get_mut(&key) {
                known.held = is_due(known);
            }
        }
        return RunState::Held;
    }
    for key in gone {
        if let Some(known) = model.get_mut(&key) {
            if is_due(known) {
                known.row.status = Status::Resolved;
            }
            known.misses += 1;
        }
    }
    // What was held of these scopes is decided.
    for ((scope, _), known) in model.iter_mut() {
        known.held &= step.scopes[*scope].is_none();
    }
    RunState::Complete
}

fn accept(model: &mut Model) {
    for known in model.values_mut().filter(|known| known.held) {
        known.held = false;
        known.misses += 1;
        known.row.status = Status::Resolved;
    }
}

/// Every sighting: its record, its source, severity and status. Each finding's own standing is checked on the way.
async fn stored(house: &House) -> BTreeMap<(String, String), Row> {
    let mut stored = BTreeMap::new();
    let mut titles = std::collections::BTreeSet::new();
    for finding in house.findings().await {
        assert!(titles.insert(finding.title.clone()), "twice: {finding:?}");
        let statuses = finding.sightings.iter().map(|sighting| sighting.status);
        let urgency = |status: Status| match status {
            Status::Open => 0,
            Status::Resolved => 2,
            _ => 1,
        };
        let most_urgent = statuses.min_by_key(|status| urgency(*status)).unwrap();
        assert_eq!(urgency(finding.status), urgency(most_urgent), "{finding:?}");
        for sighting in finding.sightings {
            let row = Row {
                severity: sighting.severity,
                status: sighting.status,
            };
            let before = stored.insert((sighting.record.unwrap(), sighting.source_id), row);
            assert!(before.is_none(), "a sighting is there twice");
        }
    }
    stored
}

fn modelled(model: &Model) -> BTreeMap<(String, String), Row> {
    let name = |(scope, source): &(usize, usize)| (SCOPES[*scope].to_owned(), format!("s{source}"));
    model
        .iter()
        .map(|(key, known)| (name(key), known.row))
        .collect()
}

async fn follow(steps: Vec<Step>, resolve_after: u32) {
    let mut house = House::new().await;
    house.api.resolve_after = resolve_after;
    house.limits.max_resolved_fraction = FRACTION;
    house.limits.min_held = MIN_HELD;
    let mut model = Model::new();
    for step in steps {
        let expected = apply(&mut model, &step, resolve_after);
        let run = house
            .import_until(step.acts(), CancellationToken::new())
            .await;
        assert_eq!(run.status, expected, "{step:?} {run:?}");
        if expected != RunState::Complete {
            assert!(run.error.is_some(), "{run:?}");
        }
        if step.accept {
            accept(&mut model);
            let now = chrono::Utc::now();
            house.store.accept("shop", now).await.unwrap();
        }
        assert_eq!(stored(&house).await, modelled(&model), "{step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48),
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]

    #[test]
    fn imports_over_several_scopes_leave_what_the_model_says(
        steps in prop::collection::vec(step(), 1..9),
        resolve_after in 1..3_u32,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(follow(steps, resolve_after));
    }
}
