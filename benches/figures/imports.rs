//! First import and unchanged re-import.

use crate::Result;
use crate::floor::{self, Rows};
use crate::measure::Taken;
use crate::postgres::Copies;
use crate::secpull::{Engine, Installation};
use crate::source::{Kind, Source};
use crate::table::{Figure, Table, Target};

/// So much slower than the floor a first import may be.
const FIRST: f64 = 2.0;
/// And an import that brings nothing new.
const UNCHANGED: f64 = 1.3;

/// The rows that secpull has written, ready to be written with nothing else done.
enum Floor {
    Sqlite(Rows),
    Postgres(Copies),
}

impl Floor {
    fn of(installation: &Installation) -> Result<Self> {
        Ok(match installation.database() {
            None => Self::Sqlite(Rows::of(&installation.store())?),
            Some(database) => Self::Postgres(Copies::of(database)?),
        })
    }

    fn insert(&self, installation: &Installation) -> Result<Taken> {
        match self {
            Self::Sqlite(rows) => rows.insert(&installation.path("floor.db")),
            Self::Postgres(copies) => copies.insert(),
        }
    }
}

pub(crate) fn figures(
    table: &mut Table,
    (kind, engine): (Kind, Engine),
    findings: u64,
    rounds: u32,
) -> Result<()> {
    let source = Source::start(kind, findings)?;
    let installation = Installation::of(&source, engine)?;
    // Not measured: the source makes its answers now.
    installation.import()?;
    let questions = source.questions()?;
    let floor = Floor::of(&installation)?;
    let sightings = expect_new(&installation, findings)?;

    let (mut reading, mut inserting, mut first, mut unchanged) = <(_, _, _, _)>::default();
    for _ in 0..rounds {
        let (read, elements) = floor::download_and_parse(&source, &questions)?;
        if elements < findings {
            return Err(format!("the floor saw {elements} findings only").into());
        }
        let inserted = floor.insert(&installation)?;
        installation.forget()?;
        let imported = installation.import()?;
        let again = unchanged_import(&installation)?;
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
    let what = format!("{what}{}", engine.words());
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

/// Imports again. Where the server counts what is written it must be nothing.
fn unchanged_import(installation: &Installation) -> Result<Taken> {
    let written = || {
        installation
            .database()
            .map(|database| database.rows_written())
    };
    let before = written().transpose()?;
    let taken = installation.import()?;
    let after = written().transpose()?;
    if before != after {
        return Err(format!("an unchanged import wrote rows: {before:?}, then {after:?}").into());
    }
    Ok(taken)
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
