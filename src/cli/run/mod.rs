//! `secpull run`: imports now, in the daemon or in this process, and shows how far they are.

mod delivering;
mod display;
mod standalone;
mod summary;
mod watch;

use super::args::RunArguments;
use super::context::Context;
use super::control::with_known_names;
use super::failure::{Exit, Failure};
use super::listing;
use super::table::{Column, Field};
use crate::daemon::control::api::{RunEvent, StartRuns, StartedRun};
use crate::store::RunId;

/// What is told of the run of this place in the order asked for.
#[derive(Debug)]
struct Feed {
    place: usize,
    news: News,
}

#[derive(Debug)]
enum News {
    /// From the run itself; the last one is its end.
    Event(Box<RunEvent>),
    /// The run was cut short, and this one, which another daemon may run, takes its place.
    BegunAnew(RunId),
    /// Nothing more will be heard of the run, for this reason.
    Lost(Failure),
}

pub(crate) async fn run(context: &mut Context, arguments: &RunArguments) -> Result<Exit, Failure> {
    if arguments.standalone {
        return standalone::run(context, arguments).await;
    }
    let client = context.client()?;
    let start = StartRuns {
        api_configurations: without_repetition(&arguments.names),
        all: arguments.all,
    };
    let started = match client.start_runs(&start).await {
        Ok(started) => started.runs,
        Err(error) => return Err(with_known_names(&client, error).await),
    };
    if started.is_empty() {
        return Err(nothing_configured());
    }
    if arguments.detach {
        listing::print(&mut context.output, arguments.listing.format, &started)?;
        return Ok(Exit::Complete);
    }
    watch::run(context, &client, started, arguments.listing.format).await
}

/// The names in their order, each once.
fn without_repetition(names: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !once.contains(name) {
            once.push(name.clone());
        }
    }
    once
}

fn nothing_configured() -> Failure {
    Failure::usage("no API configuration is configured: there is nothing to import")
}

impl listing::Listed for StartedRun {
    const COLUMNS: &'static [Column] = &[
        Column::number("RUN"),
        Column::word("API CONFIGURATION"),
        Column::word(""),
    ];
    const CSV: &'static [&'static str] = &["id", "api_configuration", "already_running"];

    fn fields(&self) -> Vec<Field> {
        let note = if self.already_running {
            "was being imported already"
        } else {
            ""
        };
        vec![
            self.id.to_string().into(),
            (&self.api_configuration).into(),
            note.into(),
        ]
    }
}
