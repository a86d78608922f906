//! What the runs came to: the summary and the exit code.

use super::News;
use crate::cli::failure::{Exit, Failure};
use crate::cli::format::Format;
use crate::cli::listing::{self, Listed};
use crate::cli::output::Output;
use crate::cli::table::{Column, Field, state_colour};
use crate::cli::text::{clean, span};
use crate::daemon::control::api::RunEvent;
use crate::store::{Run, RunState};

/// Collects how each run ended.
pub(super) struct Summary {
    ends: Vec<(String, Option<Ended>)>,
}

enum Ended {
    Run(Box<Run>),
    Lost(Failure),
}

impl Summary {
    /// Of runs of these API configurations.
    pub(super) fn new(names: &[&str]) -> Self {
        Self {
            ends: names
                .iter()
                .map(|name| ((*name).to_owned(), None))
                .collect(),
        }
    }

    /// Takes in what is told of the run of this place.
    pub(super) fn take(&mut self, place: usize, news: News) {
        let ended = match news {
            News::Event(event) => match *event {
                RunEvent::End { run } => Ended::Run(Box::new(run)),
                RunEvent::Progress { .. } => return,
            },
            News::BegunAnew(_) => return,
            News::Lost(failure) => Ended::Lost(failure),
        };
        if let Some((_, end)) = self.ends.get_mut(place) {
            *end = Some(ended);
        }
    }

    /// Prints the runs, says what went wrong, and gives the exit code.
    pub(super) fn print(self, output: &mut Output, format: Format) -> Result<Exit, Failure> {
        let mut exit = Exit::Complete;
        let mut runs = Vec::new();
        for (name, end) in self.ends {
            match end {
                Some(Ended::Run(run)) => {
                    exit = exit.max(exit_of(run.status));
                    runs.push(Ran(*run));
                }
                Some(Ended::Lost(failure)) => {
                    exit = exit.max(failure.exit);
                    for line in failure.lines {
                        output.notes().error(format!("{name}: {line}"));
                    }
                }
                None => exit = exit.max(Exit::Failed),
            }
        }
        listing::print(output, format, &runs)?;
        if format == Format::Table {
            for Ran(run) in &runs {
                for line in remarks(run) {
                    output.line(line)?;
                }
            }
        }
        Ok(exit)
    }
}

fn exit_of(state: RunState) -> Exit {
    match state {
        RunState::Complete => Exit::Complete,
        _ => Exit::Failed,
    }
}

fn remarks(run: &Run) -> Vec<String> {
    let name = &run.api_configuration;
    let mut remarks = Vec::new();
    if let Some(error) = &run.error {
        remarks.push(format!("{name}: {}", clean(error)));
    }
    if run.status == RunState::Held {
        remarks.push(format!(
            "{name}: if these findings are truly gone, say so: secpull accept {name}"
        ));
    }
    remarks
}

/// A run as the summary shows it.
#[derive(serde::Serialize)]
#[serde(transparent)]
struct Ran(Run);

impl Listed for Ran {
    const COLUMNS: &'static [Column] = &[
        Column::word("API CONFIGURATION"),
        Column::number("RUN"),
        Column::word("STATE"),
        Column::number("NEW"),
        Column::number("UPDATED"),
        Column::number("UNCHANGED"),
        Column::number("RESOLVED"),
        Column::number("REOPENED"),
        Column::number("UNREADABLE"),
        Column::number("TOOK"),
    ];
    const CSV: &'static [&'static str] = Run::CSV;

    fn fields(&self) -> Vec<Field> {
        let run = &self.0;
        let took = run
            .started_at
            .zip(run.finished_at)
            .map(|(start, end)| span(end - start))
            .unwrap_or_default();
        vec![
            (&run.api_configuration).into(),
            run.id.to_string().into(),
            Field::from(run.status.as_str()).coloured(state_colour(run.status)),
            run.new.to_string().into(),
            run.updated.to_string().into(),
            run.unchanged.to_string().into(),
            run.resolved.to_string().into(),
            run.reopened.to_string().into(),
            run.unreadable.to_string().into(),
            took.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::super::output::{Look, capture};
    use super::super::super::runs::sample;
    use super::*;

    fn ended(state: RunState, error: Option<&str>) -> News {
        let run = Run {
            status: state,
            error: error.map(str::to_owned),
            ..sample()
        };
        News::Event(Box::new(RunEvent::End { run }))
    }

    fn printed(ends: Vec<News>, format: Format) -> (Exit, String, String) {
        let names = vec!["shop"; ends.len()];
        let mut summary = Summary::new(&names);
        for (place, news) in ends.into_iter().enumerate() {
            summary.take(place, news);
        }
        let (mut output, text, notes) = capture::output(Look::default());
        let exit = summary.print(&mut output, format).unwrap();
        output.flush().unwrap();
        (exit, text.text(), notes.text())
    }

    #[test]
    fn only_complete_runs_exit_with_0() {
        assert_eq!(
            printed(vec![ended(RunState::Complete, None)], Format::Table).0,
            Exit::Complete
        );
        for state in [
            RunState::Partial,
            RunState::Failed,
            RunState::Held,
            RunState::Interrupted,
            RunState::Skipped,
        ] {
            let ends = vec![ended(RunState::Complete, None), ended(state, None)];
            assert_eq!(printed(ends, Format::Table).0, Exit::Failed, "{state}");
        }
    }

    #[test]
    fn a_held_run_says_why_and_what_to_do() {
        let ends = vec![ended(RunState::Held, Some("would resolve 90 of 100"))];
        let (_, text, _) = printed(ends, Format::Table);
        assert!(text.contains("shop: would resolve 90 of 100\n"), "{text}");
        assert!(text.contains("secpull accept shop"), "{text}");
    }

    #[test]
    fn a_daemon_that_went_away_exits_with_3() {
        let lost = News::Lost(Failure::new(Exit::Unreachable, "no daemon is running"));
        let (exit, _, notes) = printed(vec![ended(RunState::Complete, None), lost], Format::Table);
        assert_eq!(exit, Exit::Unreachable);
        assert_eq!(notes, "error: shop: no daemon is running\n");
    }

    #[test]
    fn the_summary_as_json_is_the_runs_as_listed() {
        let ends = vec![ended(RunState::Failed, Some("refused"))];
        let (_, text, _) = printed(ends, Format::Json);
        let runs: Vec<Run> = serde_json::from_str(&text).unwrap();
        assert_eq!(runs[0].error.as_deref(), Some("refused"));
    }
}
