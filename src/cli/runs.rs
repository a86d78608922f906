//! `secpull runs`: the history of imports.

use chrono::Utc;

use super::args::RunsArguments;
use super::context::{Context, answered};
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing::{self, Listed};
use super::table::{Column, Field, state_colour};
use super::text::{span, stamp};
use crate::store::{Run, RunFilter};

pub(super) async fn run(context: &mut Context, arguments: &RunsArguments) -> Result<Exit, Failure> {
    let filter = RunFilter {
        api_configuration: arguments.name.clone(),
        id: None,
        limit: (!arguments.all).then_some(arguments.limit),
    };
    let runs = match answered(context.client()?.runs(&filter).await)? {
        Ok(runs) => runs,
        Err(unreachable) => {
            let store = context.store_instead(&unreachable).await?;
            store.runs(filter).await?
        }
    };
    if runs.is_empty() && arguments.listing.format == Format::Table {
        context.output.notes().line(match &arguments.name {
            Some(name) => format!("no imports of {name} yet"),
            None => "no imports yet".to_owned(),
        });
    }
    listing::print(&mut context.output, arguments.listing.format, &runs)?;
    Ok(Exit::Complete)
}

impl Listed for Run {
    const COLUMNS: &'static [Column] = &[
        Column::number("RUN"),
        Column::word("API CONFIGURATION"),
        Column::word("TRIGGER"),
        Column::word("STATE"),
        Column::word("STARTED"),
        Column::number("TOOK"),
        Column::number("NEW"),
        Column::number("UPDATED"),
        Column::number("UNCHANGED"),
        Column::number("RESOLVED"),
        Column::number("REOPENED"),
        Column::text("ERROR"),
    ];
    const CSV: &'static [&'static str] = &[
        "id",
        "api_configuration",
        "trigger",
        "status",
        "started_at",
        "finished_at",
        "new",
        "updated",
        "unchanged",
        "resolved",
        "reopened",
        "unreadable",
        "pages",
        "requests",
        "retries",
        "daemon",
        "error",
    ];

    fn fields(&self) -> Vec<Field> {
        let took = self.started_at.map(|start| {
            let end = self.finished_at.unwrap_or_else(Utc::now);
            span(end - start)
        });
        vec![
            self.id.to_string().into(),
            (&self.api_configuration).into(),
            self.trigger.as_str().into(),
            Field::from(self.status.as_str()).coloured(state_colour(self.status)),
            self.started_at.map(stamp).unwrap_or_default().into(),
            took.unwrap_or_default().into(),
            self.new.to_string().into(),
            self.updated.to_string().into(),
            self.unchanged.to_string().into(),
            self.resolved.to_string().into(),
            self.reopened.to_string().into(),
            self.error.as_deref().unwrap_or_default().into(),
        ]
    }
}

/// A run to test with: number 17, complete after 12 seconds.
#[cfg(test)]
pub(super) fn sample() -> Run {
    Run {
        id: 17,
        api_configuration: "shop".to_owned(),
        trigger: crate::store::Trigger::Operator,
        status: crate::store::RunState::Complete,
        started_at: "2026-11-24T06:40:00Z".parse().ok(),
        finished_at: "2026-11-24T06:40:12Z".parse().ok(),
        new: 3,
        updated: 0,
        unchanged: 5,
        resolved: 0,
        reopened: 0,
        unreadable: 0,
        pages: 1,
        requests: 2,
        retries: 0,
        daemon: "host:1".to_owned(),
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::output::{Look, capture};
    use super::*;

    fn printed(format: Format) -> String {
        let (mut output, text, _) = capture::output(Look::default());
        listing::print(&mut output, format, &[sample()]).unwrap();
        output.flush().unwrap();
        text.text()
    }

    #[test]
    fn the_fields_in_json_have_the_names_and_order_of_the_contract() {
        let text = printed(Format::Jsonl);
        let mut places = Vec::new();
        for key in Run::CSV {
            let place = text.find(&format!("\"{key}\":"));
            assert!(place.is_some(), "{key} is missing in {text}");
            places.push(place);
        }
        assert!(places.is_sorted(), "{text}");
        assert!(text.trim_end().ends_with("\"error\":null}"), "{text}");
    }

    #[test]
    fn csv_has_the_same_columns() {
        assert_eq!(
            printed(Format::Csv),
            "id,api_configuration,trigger,status,started_at,finished_at,new,updated,unchanged,resolved,reopened,unreadable,pages,\
             requests,retries,daemon,error\n\
             17,shop,operator,complete,2026-11-24T06:40:00Z,2026-11-24T06:40:12Z,3,0,5,0,0,0,1,2,0,host:1,\n"
        );
    }

    #[test]
    fn the_table_is_compact() {
        let text = printed(Format::Table);
        assert!(text.contains("2026-11-24 06:40Z  12 s"), "{text}");
    }
}
