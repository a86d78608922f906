//! `secpull check`: is the configuration right, do the tools answer?

use std::sync::Arc;

use futures_util::StreamExt;
use serde::Serialize;

use super::args::CheckArguments;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing::{self, Listed};
use super::table::{Color, Column, Field};
use super::text::{clean, count};
use crate::config::{ApiConfiguration, Config};
use crate::connectors::Connectors;

/// So many are asked at the same time; a tool's own limits come on top.
const AT_ONCE: usize = 16;

/// What was checked, and how it went.
#[derive(Debug, Clone, Serialize)]
struct Checked {
    /// `configuration`, `tool`, `api_configuration`.
    what: &'static str,
    name: String,
    ok: bool,
    message: String,
}

pub(super) async fn run(
    context: &mut Context,
    arguments: &CheckArguments,
) -> Result<Exit, Failure> {
    let config = context.load()?;
    let subjects = choose(&config, &arguments.names)?;
    let mut checked = vec![Checked {
        what: "configuration",
        name: context.config.display().to_string(),
        ok: true,
        message: counted(&config),
    }];
    let format = arguments.listing.format;
    if format == Format::Table {
        say(context, &checked)?;
    }
    if !arguments.offline {
        let connectors = Connectors::open(&config);
        let mut answers = futures_util::stream::iter(subjects)
            .map(|subject| subject.check(&connectors))
            .buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            checked.push(answer);
            if format == Format::Table {
                say(context, &checked)?;
            }
        }
    }
    if format != Format::Table {
        listing::print(&mut context.output, format, &checked)?;
    }
    Ok(if checked.iter().all(|one| one.ok) {
        Exit::Complete
    } else {
        Exit::Failed
    })
}

/// What is configured.
fn counted(config: &Config) -> String {
    let mut parts = vec![
        count(config.tools.len() as u64, "tool"),
        count(config.api_configurations.len() as u64, "API configuration"),
    ];
    if !config.forwards.is_empty() {
        parts.push(count(config.forwards.len() as u64, "forward"));
    }
    parts.join(", ")
}

/// The newest one, at once: some tools take long to answer.
fn say(context: &mut Context, checked: &[Checked]) -> Result<(), Failure> {
    if let Some(newest) = checked.last() {
        context.output.line(newest.words())?;
        std::io::Write::flush(&mut context.output)?;
    }
    Ok(())
}

/// One tool, or one API configuration of a tool.
struct Subject {
    tool: String,
    api: Option<Arc<ApiConfiguration>>,
}

impl Subject {
    async fn check(self, connectors: &Connectors) -> Checked {
        let answer = match connectors.get(&self.tool) {
            Ok(connector) => connector.check(self.api.as_deref()).await,
            Err(error) => Err(error),
        };
        let (what, name) = match self.api {
            Some(api) => ("api_configuration", api.name.clone()),
            None => ("tool", self.tool),
        };
        let (ok, message) = match answer {
            Ok(message) => (true, message),
            Err(error) => (false, error.to_string()),
        };
        Checked {
            what,
            name,
            ok,
            message,
        }
    }
}

/// Each tool, followed by its API configurations; only those named, if any are. A tool's name stands for the tool alone.
fn choose(config: &Config, names: &[String]) -> Result<Vec<Subject>, Failure> {
    for name in names {
        if !config.tools.contains_key(name) && !config.api_configurations.contains_key(name) {
            let known = config.tools.keys().chain(config.api_configurations.keys());
            let known = known.map(String::as_str);
            return Err(Failure::unknown("tool or API configuration", name, known));
        }
    }
    let wanted = |name: &String| names.is_empty() || names.contains(name);
    let mut subjects = Vec::new();
    for tool in config.tools.keys() {
        if wanted(tool) {
            subjects.push(Subject {
                tool: tool.clone(),
                api: None,
            });
        }
        let apis = config.api_configurations.values();
        for api in apis.filter(|api| api.tool == *tool && wanted(&api.name)) {
            subjects.push(Subject {
                tool: tool.clone(),
                api: Some(Arc::clone(api)),
            });
        }
    }
    Ok(subjects)
}

impl Checked {
    /// `tool dtrack: ok: …`, `API configuration shop: failed: …`.
    fn words(&self) -> String {
        let what = match self.what {
            "api_configuration" => "API configuration",
            what => what,
        };
        let verdict = if self.ok { "ok" } else { "failed" };
        format!("{what} {}: {verdict}: {}", self.name, clean(&self.message))
    }
}

impl Listed for Checked {
    const COLUMNS: &'static [Column] = &[
        Column::word("WHAT"),
        Column::word("NAME"),
        Column::word("RESULT"),
        Column::text("MESSAGE"),
    ];
    const CSV: &'static [&'static str] = &["what", "name", "ok", "message"];

    fn fields(&self) -> Vec<Field> {
        let result = if self.ok {
            Field::from("ok").coloured(Some(Color::Green))
        } else {
            Field::from("failed").coloured(Some(Color::Red))
        };
        vec![
            self.what.into(),
            (&self.name).into(),
            result,
            (&self.message).into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_one_line() {
        let mut checked = Checked {
            what: "api_configuration",
            name: "shop".to_owned(),
            ok: false,
            message: "GET http://d/api/version: refused\n(401)".to_owned(),
        };
        assert_eq!(
            checked.words(),
            "API configuration shop: failed: GET http://d/api/version: refused (401)"
        );
        checked.what = "tool";
        checked.ok = true;
        checked.message = "Dependency-Track 4.13".to_owned();
        assert_eq!(checked.words(), "tool shop: ok: Dependency-Track 4.13");
    }
}
