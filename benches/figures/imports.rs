//! First import and unchanged re-import.

use crate::Result;
use crate::floor::{self, Rows};
use crate::measure::Taken;
use crate::secpull::Installation;
use crate::source::{Kind, Source};
use crate::table::{Figure, Table, Target};

/// So much slower than the floor a first import may be.
const FIRST: f64 = 2.0;
/// And an import that brings nothing new.
const UNCHANGED: f64 = 1.3;

pub(crate) fn figures(table: &mut Table, kind: Kind, findings: u64, rounds: u32) -> Result<()> {
    let source = Source::start(kind, findings)?;
    let installation = Installation::of(&source)?;
    // Not measured: the source makes its answers now.
    installation.import()?;
    let questions = source.questions()?;
    let rows = Rows::of(&installation.store())?;
    let sightings = expect_new(&installation, findings)?;

    let (mut reading, mut inserting, mut first, mut unchanged) = <(_, _, _, _)>::default();
    for _ in 0..rounds {
        let (read, elements) = floor::download_and_parse(&source, &questions)?;
        if elements < findings {
            return Err(format!("the floor saw {elements} findings only").into());
        }
        let inserted = rows.insert(&installation.path("floor.db"))?;
        installation.forget()?;
        let imported = installation.import()?;
        let again = installation.import()?;
        keep(&mut reading, read);
        keep(&mut inserting, inserted);
        keep(&mut first, imported);
        keep(&mut unchanged, again);
    }
    let counts = installation.last_counts()?;
    if counts != [0, 0, sightings] {
        return Err(format!("an unchanged import counted {counts:?}").into());
    }
    let none = || "nothing was measured";
    let (reading, inserting) = (reading.ok_or_else(none)?, inserting.ok_or_else(none)?);
    let whole = Taken {
        time: reading.time + inserting.time,
        cpu: reading.cpu + inserting.cpu,
        peak: 0,
    };
    let what = match kind {
        Kind::Pages => "Dependency-Track findings, pages",
        Kind::OneAnswer => "Dependency-Track findings, one answer",
        Kind::Prometheus => "Prometheus series",
    };
    table.add(Figure::ratio(
        format!("first import, {findings} {what}"),
        whole,
        first.ok_or_else(none)?,
        Target::Ratio(FIRST),
    ))?;
    table.note(&format!(
        "floor: download and parse {:.2} s, insert {:.2} s",
        reading.time.as_secs_f64(),
        inserting.time.as_secs_f64()
    ))?;
    table.add(Figure::ratio(
        format!("unchanged import, {findings} {what}"),
        reading,
        unchanged.ok_or_else(none)?,
        Target::Ratio(UNCHANGED),
    ))
}

fn keep(best: &mut Option<Taken>, next: Taken) {
    *best = Some(best.map_or(next, |best| best.best(next)));
}

/// How many sightings the first import has made.
fn expect_new(installation: &Installation, findings: u64) -> Result<u64> {
    match installation.last_counts()? {
        [new, 0, 0] if new >= findings => Ok(new),
        counts => Err(format!("a first import counted {counts:?}").into()),
    }
}
