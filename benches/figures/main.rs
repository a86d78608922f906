//! The figures of secpull: what it takes, as ratios to a floor that is measured in the same sitting. `scripts/bench` runs it;
//! `docs/performance.md` says how to read it.
//!
//! Three processes take part: this one measures, one of its own kind answers as the tools do ([`source`]), and the real
//! binary is what is measured ([`secpull`]).

mod floor;
mod imports;
mod measure;
mod postgres;
mod secpull;
mod source;
mod standing;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use self::secpull::Engine;
use self::source::Kind;
use self::table::Table;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures secpull and prints the figures.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these parts.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Findings of an import.
    #[arg(long, default_value_t = 100_000)]
    findings: u64,
    /// Findings that an import grows to, and that a daemon starts and a listing begins with.
    #[arg(long, default_value_t = 1_000_000)]
    many: u64,
    /// Everything is measured so often; the quickest counts.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// API configurations of a daemon.
    #[arg(long, default_value_t = 500)]
    api_configurations: u32,
    /// End with a failure if a figure is missed.
    #[arg(long)]
    strict: bool,
    /// Be the process that answers.
    #[arg(long, hide = true, value_enum)]
    serve: Option<Kind>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Dependency-Track 5.x, in pages.
    Pages,
    /// Dependency-Track 4.x, in one answer.
    OneAnswer,
    /// Prometheus with Trivy Operator's series.
    Prometheus,
    /// Ten times as many findings, and what is done with a store of that size.
    Growth,
    /// A daemon that has nothing to do.
    Idle,
    /// Imports in pages with the store in PostgreSQL.
    Postgres,
    /// What growth and idleness are there.
    PostgresGrowth,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.serve {
        Some(kind) => source::serve(kind, arguments.findings).map(|()| true),
        None => figures(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every figure was reached, or need not be.
fn figures(arguments: &Arguments) -> Result<bool> {
    let wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let mut table = Table::begin()?;
    for (part, kind) in [
        (Part::Pages, Kind::Pages),
        (Part::OneAnswer, Kind::OneAnswer),
        (Part::Prometheus, Kind::Prometheus),
    ] {
        if wanted(part) {
            let what = (kind, Engine::Sqlite);
            imports::figures(&mut table, what, arguments.findings, arguments.rounds)?;
        }
    }
    if wanted(Part::Growth) {
        standing::growth(&mut table, arguments, Engine::Sqlite)?;
    }
    if wanted(Part::Idle) {
        standing::idle(&mut table, arguments, Engine::Sqlite)?;
    }
    if wanted(Part::Postgres) {
        let what = (Kind::Pages, Engine::Postgres);
        imports::figures(&mut table, what, arguments.findings, arguments.rounds)?;
    }
    if wanted(Part::PostgresGrowth) {
        standing::growth(&mut table, arguments, Engine::Postgres)?;
        standing::idle(&mut table, arguments, Engine::Postgres)?;
    }
    Ok(table.all_reached() || !arguments.strict)
}
