//! Probely, now Snyk API & Web: the findings of some targets, or of all that the key sees.
//!
//! A key that lost its view is told nothing: its lists are empty, with status 200. So targets are listed first, and what
//! turned out empty is believed only of targets that are still there afterwards.

mod api;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod import;
mod kept;
mod reading;
mod row;
mod spec;
mod tables;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::api::{Api, Targets, is_of_gateway};
use self::import::Import;
use self::spec::Selection;
use self::target::Target;
use super::pages::Pages;
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Scope, Sink, SinkClosed};
use crate::config::{ApiConfiguration, Secret, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

/// After so many targets in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

/// What an empty list of targets means.
const SEES_NOTHING: &str = "connected, but the key sees no target: its role needs view_target, and the targets in its scope (without it the lists are empty and no error is told)";

struct Probely {
    client: Client,
    page_length: i64,
    /// The targets as last discovered: which labels one has is not said by its record.
    targets: Mutex<BTreeMap<String, Target>>,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let headers = tool.secret.iter();
    // The vendor's word for it is JWT, not Bearer.
    let headers = headers.map(|key| {
        let value = Secret::new(&format!("JWT {}", key.expose()));
        ("Authorization".to_owned(), value)
    });
    let authentication = Authentication {
        headers: headers.collect(),
        ..Authentication::default()
    };
    Ok(Arc::new(Probely {
        client: Client::new(tool, authentication)?,
        page_length: spec::page_length(&tool.settings),
        targets: Mutex::default(),
    }))
}

#[async_trait]
impl Connector for Probely {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.api(self.client.clone());
        server.prove_key().await?;
        let count = server.count_targets().await?;
        let Some(api) = api else {
            return Ok(match count {
                0 => format!("Probely: {SEES_NOTHING}"),
                count => format!("Probely, key accepted, targets visible: {count}"),
            });
        };
        if count == 0 {
            return Err(ConnectorError::Refused(SEES_NOTHING.to_owned()));
        }
        let targets = server.targets().await?;
        let selection = Selection::of(&api.settings);
        let chosen = choose(&selection, &targets)?;
        let Some(first) = chosen.first() else {
            return Err(ConnectorError::Refused(SEES_NOTHING.to_owned()));
        };
        server.prove_findings(first).await?;
        Ok(format!(
            "Probely, key accepted, targets visible: {count}, of which selected: {}, findings of {} readable",
            chosen.len(),
            first.name
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let targets = self.api(self.client.clone()).targets().await?;
        if let Some(reason) = targets.doubt {
            return Err(ConnectorError::Refused(format!(
                "the list of targets could not be read as a whole: {reason}; try again"
            )));
        }
        let records = targets.list.iter().map(Target::record).collect();
        let by_id = targets.list.into_iter();
        let by_id = by_id.map(|target| (target.id.clone(), target)).collect();
        *self.targets.lock().unwrap_or_else(PoisonError::into_inner) = by_id;
        Ok(records)
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let target = targets.get(&record.id);
        target.is_some_and(|target| Selection::of(&api.settings).includes(target))
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.api(self.client.metered(sink.meter()));
        let targets = server.targets().await?;
        if targets.list.is_empty() {
            return Err(ConnectorError::Refused(format!(
                "{SEES_NOTHING}; nothing is concluded from that"
            )));
        }
        let selection = Selection::of(&api.settings);
        let chosen = choose(&selection, &targets)?;
        announce(&selection, &targets, sink).await?;
        let empty = pull_targets(&server, &selection, &chosen, sink).await?;
        conclude_empty(&server, &empty, sink).await
    }
}

impl Probely {
    fn api(&self, client: Client) -> Api {
        Api::new(client, self.page_length)
    }
}

fn choose<'a>(
    selection: &Selection,
    targets: &'a Targets,
) -> Result<Vec<&'a Target>, ConnectorError> {
    selection.choose(&targets.list).map_err(|reason| {
        let doubt = targets.doubt.as_ref();
        let doubt = doubt.map(|doubt| format!(" (the list of targets may not be whole: {doubt})"));
        ConnectorError::Refused(format!("{reason}{}", doubt.unwrap_or_default()))
    })
}

/// Says which targets there are, if that is sure, and not told by the settings.
async fn announce(
    selection: &Selection,
    targets: &Targets,
    sink: &mut Sink,
) -> Result<(), SinkClosed> {
    match &targets.doubt {
        Some(reason) => {
            let warning = format!("the list of targets may not be whole: {reason}");
            sink.put(Pulled::Warning(warning)).await
        }
        None if selection.names_targets() => Ok(()),
        None => {
            let records = targets.list.iter().map(Target::record).collect();
            sink.put(Pulled::Records(records)).await
        }
    }
}

/// Imports the targets one after the other; gives those that turned out empty, whose scopes are not ended yet.
async fn pull_targets<'a>(
    server: &Api,
    selection: &Selection,
    targets: &[&'a Target],
    sink: &mut Sink,
) -> Result<Vec<&'a Target>, ConnectorError> {
    let mut empty = Vec::new();
    let mut failures = 0;
    for &target in targets {
        if !sink.wants(&target.record()) {
            if selection.names_targets() {
                let warning = format!("records leaves out the configured target {}", target.id);
                sink.put(Pulled::Warning(warning)).await?;
            }
            continue;
        }
        let mut import = Import::of(server, target, sink);
        match import.read().await {
            Ok(completeness) => {
                failures = 0;
                match completeness {
                    Completeness::Complete if import.is_empty() => empty.push(target),
                    completeness => import.end(completeness).await?,
                }
            }
            Err(failure) => {
                failures += u32::from(concerns_all(&failure));
                if is_pointless(&failure) || failures >= FAILURES_IN_A_ROW {
                    return Err(failure);
                }
                let reason = format!("{}: {failure}", target.name);
                import.end(Completeness::Incomplete(reason)).await?;
            }
        }
    }
    Ok(empty)
}

/// Ends the scopes of targets without findings: that is believed of those that the key still sees.
async fn conclude_empty(
    server: &Api,
    empty: &[&Target],
    sink: &mut Sink,
) -> Result<(), ConnectorError> {
    if empty.is_empty() {
        return Ok(());
    }
    let now = server.targets().await?;
    for target in empty {
        let is_there = now.list.iter().any(|other| other.id == target.id);
        let completeness = match is_there {
            true => Completeness::Complete,
            false => Completeness::Incomplete(format!(
                "{}: no findings came, and the key does not see the target any more; nothing is concluded from that",
                target.name
            )),
        };
        let scope = Scope {
            record: target.record(),
            branch: None,
            part: None,
        };
        Pages::of(scope).end(completeness, sink).await?;
    }
    Ok(())
}

/// Whether every other target would fail likewise.
fn is_pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) => true,
        ConnectorError::Refused(_) => false,
        ConnectorError::Http(error) => match &error.kind {
            HttpErrorKind::Status { status: 401, .. } => true,
            HttpErrorKind::Status {
                status: 403, body, ..
            } => is_of_gateway(body),
            HttpErrorKind::Redirected | HttpErrorKind::Setup => true,
            _ => false,
        },
    }
}

/// Whether the failure is the server's or the network's rather than one target's.
fn concerns_all(failure: &ConnectorError) -> bool {
    failure.concerns_all()
        || matches!(failure, ConnectorError::Http(error) if error.status() == Some(403))
}
