//! Figures that grow with the store or with the configuration: time and memory of ten times as many findings, the daemon's
//! start and rest, the first line of a listing.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{Timelike, Utc};

use crate::measure::{self, Taken};
use crate::secpull::{Engine, Installation};
use crate::source::{Kind, Source};
use crate::table::{Figure, Table, Target};
use crate::{Arguments, Result};

const START: Duration = Duration::from_millis(150);
const FIRST_LINE: Duration = Duration::from_millis(50);
const PEAK: u64 = 96;
const RESIDENT: u64 = 30;
/// Per ten times as many findings.
const GROWTH: f64 = 1.1;
/// How long a daemon at rest is watched.
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) fn growth(table: &mut Table, arguments: &Arguments, engine: Engine) -> Result<()> {
    let on = engine.words();
    let few = {
        let source = Source::start(Kind::Pages, arguments.findings)?;
        let installation = Installation::of(&source, engine)?;
        installation.import()?;
        measure::best((0..arguments.rounds).map(|_| {
            installation.forget()?;
            installation.import()
        }))?
    };
    let source = Source::start(Kind::Pages, arguments.many)?;
    let installation = Installation::of(&source, engine)?;
    installation.import()?;
    let many = measure::best((0..arguments.rounds.min(2)).map(|_| {
        installation.forget()?;
        installation.import()
    }))?;
    let again = installation.import()?;
    let (small, large) = (arguments.findings, arguments.many);
    table.add(Figure::ratio(
        format!("growth of a first import, {small} to {large} findings{on}"),
        few,
        many,
        Target::Ratio(GROWTH * large as f64 / small as f64),
    ))?;
    table.add(Figure::memory(
        format!("peak memory of a first import, {large} findings{on}"),
        many.peak,
        PEAK,
    ))?;
    table.add(Figure::memory(
        format!("peak memory of an unchanged import, {large} findings{on}"),
        again.peak,
        PEAK,
    ))?;
    table.note(&format!(
        "unchanged import of {large} findings: {:.2} s",
        again.time.as_secs_f64()
    ))?;
    if let Some(database) = installation.database() {
        let megabytes = database.size()? / 1_000_000;
        table.note(&format!("the database has {megabytes} MB"))?;
        database.analyze()?;
    }
    drop(source);
    listing(table, arguments, (&installation, engine))?;
    start(table, arguments, (&installation, engine))
}

fn listing(
    table: &mut Table,
    arguments: &Arguments,
    (installation, engine): (&Installation, Engine),
) -> Result<()> {
    for format in ["jsonl", "table"] {
        let command = ["findings", "--severity", "critical", "--format", format];
        let taken =
            measure::best((0..arguments.rounds).map(|_| installation.first_line(&command)))?;
        table.add(Figure::time(
            format!(
                "first line of critical findings as {format}, of {}{}",
                arguments.many,
                engine.words()
            ),
            taken,
            FIRST_LINE,
        ))?;
    }
    Ok(())
}

fn start(
    table: &mut Table,
    arguments: &Arguments,
    (installation, engine): (&Installation, Engine),
) -> Result<()> {
    installation.configure(&api_configurations(arguments.api_configurations)?)?;
    // The first start writes down what is new; the later ones are what happens again and again.
    installation.daemon()?;
    let taken = measure::best((0..arguments.rounds).map(|_| {
        let (_daemon, time) = installation.daemon()?;
        Ok(Taken {
            time,
            ..Taken::default()
        })
    }))?;
    table.add(Figure::time(
        format!(
            "start to ready, {} API configurations, {} findings{}",
            arguments.api_configurations,
            arguments.many,
            engine.words()
        ),
        taken,
        START,
    ))
}

pub(crate) fn idle(table: &mut Table, arguments: &Arguments, engine: Engine) -> Result<()> {
    let toml = api_configurations(arguments.api_configurations)?;
    let installation = Installation::new(&toml, engine)?;
    let (daemon, _) = installation.daemon()?;
    // What follows the start is not rest.
    std::thread::sleep(Duration::from_secs(5));
    let before = ticks(daemon.pid())?;
    std::thread::sleep(WATCHED);
    let ticks = ticks(daemon.pid())? - before;
    let resident = measure::memory(daemon.pid(), "VmRSS").ok_or("the daemon has ended")?;
    let what = format!(
        "idle daemon, {} API configurations{}",
        arguments.api_configurations,
        engine.words()
    );
    table.add(Figure::memory(
        format!("resident memory of an {what}"),
        resident,
        RESIDENT,
    ))?;
    table.note(&format!(
        "CPU: {} ms in {} s",
        // A tick is a hundredth of a second wherever Linux shows it.
        ticks * 10,
        WATCHED.as_secs()
    ))
}

/// User and system time of a process.
fn ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no stat of a process")?;
    let numbers: Vec<&str> = after_name.split_whitespace().collect();
    let number = |place: usize| -> Result<u64> {
        let number = numbers.get(place).ok_or("a short stat of a process")?;
        Ok(number.parse()?)
    };
    Ok(number(11)? + number(12)?)
}

/// So many, none of which is due while it is looked at.
fn api_configurations(count: u32) -> Result<String> {
    let mut toml = String::from(
        "[tools.source]\nconnector = \"dependency-track\"\nlocation = \"http://127.0.0.1:9\"\nsecret = \"unused\"\n",
    );
    let hour = (Utc::now().hour() + 12) % 24;
    writeln!(
        toml,
        "\n[automatic_import]\nhour = {hour}\ncatch_up_within = \"1h\"\n"
    )?;
    for number in 0..count {
        writeln!(
            toml,
            "[api_configurations.team-{number}]\ntool = \"source\"\nproduct = \"Product {number}\"\nproject_name = \"project-{number}\"\nproject_version = \"1\"\n"
        )?;
    }
    Ok(toml)
}
