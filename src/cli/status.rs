//! `secpull status`: each API configuration at a glance.

use chrono::{DateTime, Utc};

use super::context::{Context, answered};
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing::{self, Listed};
use super::output::Output;
use super::table::{Column, Field, state_colour};
use super::text::{clean, count, relative, span};
use super::waiting::words as waiting_words;
use crate::config::Config;
use crate::daemon::control::api::{ApiStatus, DaemonStatus, StatusAnswer};
use crate::daemon::control::{api_statuses, waiting_statuses};
use crate::delivery;
use crate::store::{self, ApiState, RunState, StoreError, Waiting};

const MISSING: &str = "missing";

pub(super) async fn run(context: &mut Context, format: Format) -> Result<Exit, Failure> {
    let (status, exit) = match answered(context.client()?.status().await)? {
        Ok(status) => (status, Exit::Complete),
        Err(unreachable) => {
            let (config, known) = known(context)
                .await
                .map_err(|failure| failure.after(&unreachable))?;
            let notes = context.output.notes();
            notes.error(unreachable);
            notes.line(
                "what follows is what the store knows; nothing is imported until a daemon runs",
            );
            (without_daemon(&config, known), Exit::Unreachable)
        }
    };
    print(&mut context.output, format, status)?;
    Ok(exit)
}

/// What the store knows.
#[derive(Default)]
struct Known {
    states: Vec<ApiState>,
    waiting: Vec<Waiting>,
}

/// What is known without a daemon. A store that does not exist yet knows nothing.
async fn known(context: &Context) -> Result<(Config, Known), Failure> {
    let config = context.load()?;
    let known = match store::open_read_only(&config.store).await {
        Ok(store) => Known {
            states: store.api_states().await?,
            waiting: store.waiting().await?,
        },
        Err(StoreError::Absent(_)) => Known::default(),
        Err(error) => return Err(error.into()),
    };
    Ok((config, known))
}

fn print(output: &mut Output, format: Format, status: StatusAnswer) -> Result<(), Failure> {
    match format {
        Format::Json => return listing::print_json(output, &status),
        Format::Table => {}
        Format::Jsonl | Format::Csv => {
            return listing::print(output, format, &status.api_configurations);
        }
    }
    if let Some(daemon) = &status.daemon {
        output.line(daemon_words(daemon, Utc::now()))?;
        output.line("")?;
    }
    if status.api_configurations.is_empty() {
        output.notes().line("no API configuration is configured");
    }
    listing::print(output, format, &status.api_configurations)?;
    if !status.waiting.is_empty() {
        output.line("")?;
        output.line("Waiting to be delivered")?;
        for waiting in &status.waiting {
            output.line(format!("  {}", waiting_words(waiting, Utc::now())))?;
        }
    }
    let problems = problems(&status);
    if !problems.is_empty() {
        output.line("")?;
        output.line("Problems")?;
        for problem in problems {
            output.line(format!("  {problem}"))?;
        }
    }
    Ok(())
}

fn daemon_words(daemon: &DaemonStatus, now: DateTime<Utc>) -> String {
    let schedule = if daemon.automatic_import {
        ""
    } else {
        "; automatic import is off"
    };
    format!(
        "secpull {} at {}, up for {}; {} under way, {} waiting{schedule}",
        clean(&daemon.version),
        clean(&daemon.name),
        span(now - daemon.started_at),
        count(daemon.running, "import"),
        daemon.queued,
    )
}

fn problems(status: &StatusAnswer) -> Vec<String> {
    let general = status.problems.iter().map(|problem| clean(problem));
    let own = status.api_configurations.iter().flat_map(|api| {
        let name = &api.api_configuration;
        api.problems
            .iter()
            .map(move |problem| format!("{name}: {}", clean(problem)))
    });
    general.chain(own).collect()
}

/// What is known while no daemon runs: nothing comes next.
fn without_daemon(config: &Config, known: Known) -> StatusAnswer {
    let mut api_configurations = api_statuses(config, known.states, Utc::now());
    for api in &mut api_configurations {
        api.next_run = None;
    }
    StatusAnswer {
        daemon: None,
        api_configurations,
        waiting: waiting_statuses(known.waiting, &delivery::destinations(config)),
        problems: Vec::new(),
    }
}

impl Listed for ApiStatus {
    const COLUMNS: &'static [Column] = &[
        Column::word("API CONFIGURATION"),
        Column::word("TOOL"),
        Column::word("AUTOMATIC"),
        Column::word("NEXT"),
        Column::word("LAST IMPORT"),
        Column::number("NEW"),
        Column::number("UPDATED"),
        Column::number("RESOLVED"),
        Column::number("UNRESOLVED"),
        Column::number("HELD"),
        Column::word("RECORDS"),
    ];
    const CSV: &'static [&'static str] = &[
        "api_configuration",
        "tool",
        "connector",
        "product",
        "enabled",
        "schedule",
        "next_run",
        "last_run.id",
        "last_run.status",
        "last_run.started_at",
        "last_run.finished_at",
        "last_run.new",
        "last_run.updated",
        "last_run.unchanged",
        "last_run.resolved",
        "last_run.reopened",
        "last_run.unreadable",
        "last_run.error",
        "last_complete_at",
        "unresolved",
        "held",
        "records.name",
        "records.state",
        "problems",
    ];

    fn fields(&self) -> Vec<Field> {
        let now = Utc::now();
        let automatic = if self.enabled { &self.schedule } else { "off" };
        let run = self.last_run.as_ref();
        let number =
            |number: Option<u64>| Field::from(number.map_or(String::new(), |n| n.to_string()));
        vec![
            (&self.api_configuration).into(),
            (&self.tool).into(),
            automatic.into(),
            self.next_run
                .map(|next| relative(next, now))
                .unwrap_or_default()
                .into(),
            Field::from(last_words(self, now))
                .coloured(run.and_then(|run| state_colour(run.status))),
            number(run.map(|run| run.new)),
            number(run.map(|run| run.updated)),
            number(run.map(|run| run.resolved)),
            self.unresolved.to_string().into(),
            self.held.to_string().into(),
            records_words(self).into(),
        ]
    }
}

fn last_words(api: &ApiStatus, now: DateTime<Utc>) -> String {
    let Some(run) = &api.last_run else {
        return "never".to_owned();
    };
    // Whoever it is: where daemons share a store, another one may be at it.
    let by = clean(&run.daemon);
    match (&api.progress, run.finished_at.or(run.started_at)) {
        (Some(progress), _) if run.status == RunState::Running => {
            format!("running at {by}, {}", count(progress.findings, "finding"))
        }
        (None, Some(at)) if run.status == RunState::Running => {
            format!("running at {by}, begun {}", relative(at, now))
        }
        (_, Some(at)) => format!("{} {}", run.status, relative(at, now)),
        (_, None) => run.status.to_string(),
    }
}

fn records_words(api: &ApiStatus) -> String {
    let missing = api.records.iter().filter(|r| r.state == MISSING).count();
    let others = api.records.len() - missing;
    match missing {
        0 => others.to_string(),
        missing => format!("{others}, {missing} missing"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::output::{Look, capture};
    use super::super::runs::sample;
    use super::super::waiting;
    use super::*;
    use crate::import::ProgressSnapshot;
    use crate::store::RecordState;

    fn record(name: &str, state: &str) -> RecordState {
        RecordState {
            id: name.to_owned(),
            name: name.to_owned(),
            state: state.to_owned(),
            missing_since: None,
            last_complete_at: None,
        }
    }

    fn shop() -> ApiStatus {
        ApiStatus {
            api_configuration: "shop".to_owned(),
            tool: "dtrack".to_owned(),
            connector: "dependency-track".to_owned(),
            product: Some("Shop".to_owned()),
            enabled: true,
            schedule: "daily 02:00".to_owned(),
            next_run: None,
            last_run: Some(sample()),
            progress: None,
            last_complete_at: None,
            unresolved: 8,
            held: 0,
            records: vec![record("shop-api", "present"), record("old", "missing")],
            problems: vec!["record old is missing".to_owned()],
        }
    }

    fn printed(format: Format) -> String {
        let (mut output, text, _) = capture::output(Look::default());
        let status = StatusAnswer {
            daemon: None,
            api_configurations: vec![shop()],
            waiting: vec![waiting::sample()],
            problems: vec!["the new configuration was refused".to_owned()],
        };
        print(&mut output, format, status).unwrap();
        output.flush().unwrap();
        text.text()
    }

    #[test]
    fn who_runs_an_import_is_named_and_how_far_it_is() {
        let now = "2026-11-24T06:40:05Z".parse().unwrap();
        let mut api = shop();
        let run = api.last_run.as_mut().unwrap();
        (run.status, run.finished_at) = (RunState::Running, None);
        assert_eq!(last_words(&api, now), "running at host:1, begun 5 s ago");
        api.progress = Some(ProgressSnapshot {
            findings: 1200,
            ..ProgressSnapshot::default()
        });
        assert_eq!(last_words(&api, now), "running at host:1, 1,200 findings");
    }

    #[test]
    fn problems_stand_below_the_table() {
        let text = printed(Format::Table);
        let (table, problems) = text.split_once("\nProblems\n").unwrap();
        assert!(
            table.contains("1, 1 missing") && table.contains("complete"),
            "{text}"
        );
        assert_eq!(
            problems,
            "  the new configuration was refused\n  shop: record old is missing\n"
        );
    }

    #[test]
    fn what_waits_stands_between_the_table_and_the_problems() {
        let text = printed(Format::Table);
        let (table, rest) = text
            .split_once("\nWaiting to be delivered\n  forwards.dojo: 3 messages")
            .unwrap();
        assert!(table.contains("complete"), "{text}");
        assert!(rest.contains("\nProblems\n"), "{text}");
    }

    #[test]
    fn json_is_the_daemons_whole_answer_and_jsonl_an_api_configuration_a_line() {
        let whole: StatusAnswer = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(whole.problems.len(), 1);
        assert_eq!(whole.waiting, [waiting::sample()]);
        let line: ApiStatus = serde_json::from_str(&printed(Format::Jsonl)).unwrap();
        assert_eq!(line.unresolved, 8);
    }

    #[test]
    fn csv_tells_of_records_in_one_field() {
        let text = printed(Format::Csv);
        assert!(text.contains("shop-api; old,present; missing"), "{text}");
    }
}
