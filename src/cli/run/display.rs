//! How far runs are, while they are being watched: bars on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::News;
use crate::cli::output::Notes;
use crate::cli::text::{clean, count, span, thousands};
use crate::daemon::control::api::RunEvent;
use crate::import::ProgressSnapshot;
use crate::store::{Run, RunState};

/// Outside a terminal, a run is spoken of at most so often.
const QUIET: Duration = Duration::from_secs(3);

/// On a terminal, a bar that hears nothing turns its wheel this often.
const TICK: Duration = Duration::from_millis(250);

/// Shows the runs that are being watched, on standard error.
pub(super) struct Display {
    notes: Notes,
    runs: Vec<Shown>,
}

struct Shown {
    name: String,
    bar: Option<ProgressBar>,
    warnings: usize,
    lines: Lines,
}

impl Display {
    /// For runs of these API configurations.
    pub(super) fn new(notes: Notes, names: &[&str]) -> Self {
        let widest = names.iter().map(|name| name.chars().count()).max();
        let runs = names
            .iter()
            .map(|name| Shown {
                name: (*name).to_owned(),
                bar: notes
                    .bars()
                    .map(|bars| new_bar(bars, name, widest.unwrap_or_default())),
                warnings: 0,
                lines: Lines::default(),
            })
            .collect();
        Self { notes, runs }
    }

    /// A line between the progress.
    pub(super) fn note(&self, line: &str) {
        self.notes.line(line);
    }

    /// Shows what is told of the run of this place.
    pub(super) fn show(&mut self, place: usize, news: &News) {
        let Some(shown) = self.runs.get_mut(place) else {
            return;
        };
        let event = match news {
            News::Event(event) => event,
            News::BegunAnew(run) => {
                shown.warnings = 0;
                if let Some(bar) = &shown.bar {
                    bar.reset();
                    bar.set_style(style(SPINNER));
                }
                let name = &shown.name;
                self.notes.line(format!(
                    "{name}: begun anew by run {run}; watching that one"
                ));
                return;
            }
            News::Lost(_) => return,
        };
        if let RunEvent::Progress { progress, .. } = &**event {
            for warning in progress.warnings.iter().skip(shown.warnings) {
                self.notes
                    .warning(format!("{}: {}", shown.name, clean(warning)));
            }
            shown.warnings = shown.warnings.max(progress.warnings.len());
        }
        match &shown.bar {
            Some(bar) => draw(bar, event),
            None => {
                if let Some(line) = shown.lines.next(event, Instant::now()) {
                    self.notes.line(format!("{}: {line}", shown.name));
                }
            }
        }
    }

    /// Takes the bars away; what follows is the summary.
    pub(super) fn close(&self) {
        for bar in self.runs.iter().filter_map(|run| run.bar.as_ref()) {
            bar.finish_and_clear();
        }
    }
}

/// Of a run of which it is not known how much there is to read.
const SPINNER: &str = "{prefix} {spinner} {wide_msg}";

fn new_bar(bars: &MultiProgress, name: &str, widest: usize) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner());
    bar.set_style(style(SPINNER));
    bar.set_prefix(format!("{name:widest$}"));
    bar.set_message("asked for");
    bar.enable_steady_tick(TICK);
    bar
}

/// The templates are constants; a wrong one would show the crate's plain bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

fn draw(bar: &ProgressBar, event: &RunEvent) {
    match event {
        RunEvent::Progress { run, .. } if run.status == RunState::Queued => {
            bar.set_message("waits for its turn");
        }
        RunEvent::Progress { progress, .. } => {
            match progress.findings_expected {
                Some(expected) if expected > 0 && bar.length() != Some(expected) => {
                    bar.set_style(style("{prefix} {bar:20} {percent:>3}% {wide_msg}"));
                    bar.set_length(expected);
                }
                _ => {}
            }
            bar.set_position(progress.findings);
            bar.set_message(progress_words(progress));
        }
        RunEvent::End { run } => {
            bar.set_style(style("{prefix} {wide_msg}"));
            bar.finish_with_message(end_words(run));
        }
    }
}

/// What is said of one run, line by line: its start, how far it is if that changed and some time passed, its end.
#[derive(Default)]
struct Lines {
    state: Option<RunState>,
    said: Option<(Instant, ProgressSnapshot)>,
}

impl Lines {
    fn next(&mut self, event: &RunEvent, now: Instant) -> Option<String> {
        match event {
            RunEvent::End { run } => Some(format!("run {} {}", run.id, end_words(run))),
            RunEvent::Progress { progress, run } => {
                if self.state != Some(run.status) {
                    self.state = Some(run.status);
                    self.said = Some((now, progress.clone()));
                    return Some(match run.status {
                        RunState::Queued => format!("run {} waits for its turn", run.id),
                        _ => format!("run {} is under way", run.id),
                    });
                }
                let quiet = self.said.as_ref().is_some_and(|(at, said)| {
                    now.duration_since(*at) < QUIET
                        || progress_words(said) == progress_words(progress)
                });
                if quiet {
                    return None;
                }
                self.said = Some((now, progress.clone()));
                Some(progress_words(progress))
            }
        }
    }
}

/// `2 of 5 records, 12 pages, 3,400 of 10,000 findings, 3,000 new, 2 resolved; reading shop-api`.
fn progress_words(progress: &ProgressSnapshot) -> String {
    let mut words = vec![
        of(progress.records, progress.records_expected, "record"),
        count(progress.pages, "page"),
        of(progress.findings, progress.findings_expected, "finding"),
    ];
    words.extend(changes(&[
        ("new", progress.new),
        ("updated", progress.updated),
        ("resolved", progress.resolved),
        ("reopened", progress.reopened),
        ("unreadable", progress.unreadable),
    ]));
    let words = words.join(", ");
    match &progress.record {
        Some(record) => format!("{words}; reading {}", clean(record)),
        None => words,
    }
}

/// `complete in 12 s: 3,000 new, 400 unchanged`, with the reason if it is not complete.
fn end_words(run: &Run) -> String {
    let state = run.status;
    let took = run
        .started_at
        .zip(run.finished_at)
        .map(|(start, end)| format!(" after {}", span(end - start)))
        .unwrap_or_default();
    let counts = changes(&[
        ("new", run.new),
        ("updated", run.updated),
        ("unchanged", run.unchanged),
        ("resolved", run.resolved),
        ("reopened", run.reopened),
        ("unreadable", run.unreadable),
    ]);
    let counts = if counts.is_empty() {
        "no findings".to_owned()
    } else {
        counts.join(", ")
    };
    match &run.error {
        Some(error) => format!("{state}{took}: {counts}; {}", clean(error)),
        None => format!("{state}{took}: {counts}"),
    }
}

fn of(done: u64, expected: Option<u64>, one: &str) -> String {
    match expected {
        Some(expected) => format!("{} of {}", thousands(done), count(expected, one)),
        None => count(done, one),
    }
}

fn changes(counts: &[(&str, u64)]) -> Vec<String> {
    counts
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(word, number)| format!("{} {word}", thousands(*number)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::runs::sample;
    use super::*;

    fn progress(status: RunState, findings: u64) -> RunEvent {
        RunEvent::Progress {
            progress: ProgressSnapshot {
                records: 2,
                records_expected: Some(5),
                record: Some("shop-api".to_owned()),
                pages: findings / 100,
                findings,
                findings_expected: Some(10_000),
                new: findings,
                ..ProgressSnapshot::default()
            },
            run: Run { status, ..sample() },
        }
    }

    #[test]
    fn progress_is_said_in_words() {
        let RunEvent::Progress { progress, .. } = progress(RunState::Running, 3_400) else {
            unreachable!()
        };
        assert_eq!(
            progress_words(&progress),
            "2 of 5 records, 34 pages, 3,400 of 10,000 findings, 3,400 new; reading shop-api"
        );
    }

    #[test]
    fn outside_a_terminal_a_line_comes_only_now_and_then_and_only_with_news() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut lines = Lines::default();
        assert_eq!(
            lines.next(&progress(RunState::Queued, 0), at(0)).unwrap(),
            "run 17 waits for its turn"
        );
        assert_eq!(
            lines.next(&progress(RunState::Running, 0), at(0)).unwrap(),
            "run 17 is under way"
        );
        assert_eq!(lines.next(&progress(RunState::Running, 100), at(1)), None);
        assert!(
            lines
                .next(&progress(RunState::Running, 200), at(4))
                .is_some()
        );
        assert_eq!(lines.next(&progress(RunState::Running, 300), at(5)), None);
        assert_eq!(lines.next(&progress(RunState::Running, 200), at(60)), None);
    }

    #[test]
    fn the_end_is_always_said() {
        let mut lines = Lines::default();
        let run = Run {
            error: Some("page 3: the tool answered 500".to_owned()),
            status: RunState::Partial,
            ..sample()
        };
        assert_eq!(
            lines.next(&RunEvent::End { run }, Instant::now()).unwrap(),
            "run 17 partial after 12 s: 3 new, 5 unchanged; page 3: the tool answered 500"
        );
    }
}
