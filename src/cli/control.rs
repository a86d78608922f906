//! Commands that make the daemon do something at once: `accept`, `reload`.

use super::context::Context;
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing;
use super::text::count;
use crate::daemon::control::client::{Client, ClientError};

pub(super) async fn accept(context: &mut Context, name: &str) -> Result<Exit, Failure> {
    let client = context.client()?;
    let accepted = match client.accept(name).await {
        Ok(accepted) => accepted,
        Err(error) => return Err(with_known_names(&client, error).await),
    };
    context.output.line(format!(
        "run {} of {name} is accepted: {} resolved",
        accepted.run,
        count(accepted.resolved, "finding")
    ))?;
    Ok(Exit::Complete)
}

/// The refusal of a name that the daemon does not know, with those that it knows.
pub(super) async fn with_known_names(client: &Client, error: ClientError) -> Failure {
    let unknown = matches!(error, ClientError::Refused { status: 404, .. });
    let mut failure = Failure::from(error);
    if unknown
        && let Ok(status) = client.status().await
        && let Some(line) = failure.lines.last_mut()
    {
        let known = status.api_configurations.iter();
        let known: Vec<&str> = known.map(|api| api.api_configuration.as_str()).collect();
        if !known.is_empty() {
            line.push_str("; known: ");
            line.push_str(&known.join(", "));
        }
    }
    failure
}

pub(super) async fn reload(context: &mut Context, format: Format) -> Result<Exit, Failure> {
    let answer = context.client()?.reload().await?;
    let changes = [
        ("added", &answer.added),
        ("removed", &answer.removed),
        ("changed", &answer.changed),
    ];
    match format {
        Format::Table => {
            for (word, names) in changes.iter().filter(|(_, names)| !names.is_empty()) {
                context
                    .output
                    .line(format!("{word}: {}", names.join(", ")))?;
            }
            if changes.iter().all(|(_, names)| names.is_empty()) {
                context.output.line("reloaded; nothing has changed")?;
            }
        }
        Format::Json => listing::print_json(&mut context.output, &answer)?,
        Format::Jsonl => context.output.line(serde_json::to_string(&answer)?)?,
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut context.output);
            csv.write_record(["change", "name"])?;
            for (word, names) in changes {
                for name in names {
                    csv.write_record([word, name])?;
                }
            }
            csv.flush()?;
        }
    }
    Ok(Exit::Complete)
}
