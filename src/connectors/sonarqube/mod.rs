//! SonarQube Server, Community Build and SonarQube Cloud: issues, hotspots and dependency risks of one project, or of all.
//!
//! What differs by version is decided once for a run, see [`version`]. Before anything is concluded a project is asked for by
//! itself: a search answers with nothing for whatever is not there, or not allowed.

mod api;
mod feed;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod hotspots;
mod import;
mod issues;
mod listing;
mod page;
mod place;
mod project;
mod reading;
mod risks;
mod row;
mod rule;
mod rules;
mod server;
mod site;
mod slice;
mod spec;
mod tables;
mod time;
mod version;
mod walk;

use std::sync::Arc;

use async_trait::async_trait;

use self::api::{Api, HOTSPOTS, ISSUES};
use self::feed::Target;
use self::import::{Import, pointless};
use self::place::Reference;
use self::rules::Rules;
use self::server::Server;
use self::spec::{Branches, Selection};
use self::version::Mode;
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Scope, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::HttpError;

pub(super) use self::spec::SPEC;

/// After so many projects in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct SonarQube(Server);

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    Ok(Arc::new(SonarQube(Server::of(tool)?)))
}

#[async_trait]
impl Connector for SonarQube {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.0.checked(Arc::default()).await?;
        let about = self.0.about(&server);
        let selection = api.map(|api| Selection::of(&api.settings));
        let Some(selection) = selection else {
            let page = server.projects(1, 1).await?;
            return Ok(match told(&page)? {
                0 => format!("{about}, token accepted, but its user may browse no project"),
                total => {
                    format!("{about}, token accepted, its user may browse {total} projects")
                }
            });
        };
        fit(&server, &selection)?;
        let Some(project) = &selection.project else {
            let page = server.projects(1, 1).await?;
            let total = told(&page)?;
            return Ok(format!(
                "{about}, token accepted, {} of {total} projects will be read",
                selection.words()
            ));
        };
        let references = references(&server, project, &selection.branches).await?;
        let reference = references
            .first()
            .map_or(&Reference::Main, |(reference, _)| reference);
        server.component(project, reference).await?;
        let counts = counts(&server, project, reference, &selection).await?;
        Ok(format!(
            "{about}, token accepted, project {project}{} readable: {counts}",
            reference.words()
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = self.0.connect(Arc::default()).await?;
        let list = listing::projects(&server).await?;
        match list.doubt {
            None => Ok(list.items.iter().map(project::Component::record).collect()),
            Some(reason) => Err(ConnectorError::Refused(format!(
                "the list of projects could not be read as a whole: {reason}"
            ))),
        }
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        Selection::of(&api.settings).selects(record)
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.0.connect(sink.meter()).await?;
        let selection = Selection::of(&api.settings);
        fit(&server, &selection)?;
        let mut run = Run {
            mode: server.mode().await?,
            rules: Rules::new(selection.rule_details),
            server: &server,
            selection: &selection,
            sink,
        };
        match &selection.project {
            Some(project) => run.one(project).await,
            None => run.all().await,
        }
    }
}

/// One run over one project, or over all.
struct Run<'a> {
    server: &'a Api<'a>,
    mode: Mode,
    rules: Rules,
    selection: &'a Selection,
    sink: &'a mut Sink,
}

impl Run<'_> {
    /// Imports the configured project. That it is gone, or forbidden, is an error of the run and not "no findings".
    async fn one(&mut self, project: &str) -> Result<(), ConnectorError> {
        let record = Record {
            id: project.to_owned(),
            name: project.to_owned(),
            detail: None,
        };
        if !self.sink.wants(&record) {
            let warning = format!("records leaves out the configured project {project}");
            return Ok(self.sink.put(Pulled::Warning(warning)).await?);
        }
        self.project(project).await
    }

    /// Imports all projects, one after the other.
    async fn all(&mut self) -> Result<(), ConnectorError> {
        let list = listing::projects(self.server).await?;
        if list.items.is_empty() {
            return Err(ConnectorError::Refused(
                "the token's user may browse no project; nothing is concluded from that".to_owned(),
            ));
        }
        match list.doubt {
            None => {
                let records = list.items.iter().map(project::Component::record).collect();
                self.sink.put(Pulled::Records(records)).await?;
            }
            Some(reason) => {
                let warning = format!("the list of projects may not be whole: {reason}");
                self.sink.put(Pulled::Warning(warning)).await?;
            }
        }
        let mut failures = 0;
        for project in &list.items {
            let record = project.record();
            if !self.sink.wants(&record) {
                continue;
            }
            match self.project(&project.key).await {
                Ok(()) => failures = 0,
                Err(failure) => {
                    failures += u32::from(failure.concerns_all());
                    if pointless(&failure) || failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                    let reason = format!("{}: {failure}", project.key);
                    self.incomplete(record, None, reason).await?;
                }
            }
        }
        Ok(())
    }

    /// Imports a project: its main branch, the one that is named, or every one.
    async fn project(&mut self, project: &str) -> Result<(), ConnectorError> {
        let branches = &self.selection.branches;
        let references = references(self.server, project, branches).await?;
        let several = references.len() > 1;
        for (reference, branch) in references {
            match self.branch(project, reference, branch.clone()).await {
                // It may have been deleted after it was listed.
                Err(failure) if several && !pointless(&failure) && !failure.concerns_all() => {
                    let name = branch.as_deref().unwrap_or_default();
                    let reason = format!("{project} on branch {name}: {failure}");
                    let record = Record {
                        id: project.to_owned(),
                        name: project.to_owned(),
                        detail: None,
                    };
                    self.incomplete(record, branch, reason).await?;
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn branch(
        &mut self,
        project: &str,
        reference: Reference,
        branch: Option<String>,
    ) -> Result<(), ConnectorError> {
        let component = self.server.component(project, &reference).await?;
        let target = Target {
            record: component.record(),
            reference,
            branch,
        };
        let mut import = Import {
            api: self.server,
            mode: self.mode,
            rules: &mut self.rules,
            target: &target,
            selection: self.selection,
            sink: self.sink,
            rows: 0,
        };
        import.read().await
    }

    async fn incomplete(
        &mut self,
        record: Record,
        branch: Option<String>,
        reason: String,
    ) -> Result<(), ConnectorError> {
        let end = Pulled::End {
            scope: Scope {
                record,
                branch,
                part: None,
            },
            completeness: Completeness::Incomplete(reason),
        };
        Ok(self.sink.put(end).await?)
    }
}

/// Refuses what the server would silently take for something else.
fn fit(server: &Api<'_>, selection: &Selection) -> Result<(), ConnectorError> {
    match (selection.has_qualities(), server.dialect.version) {
        (true, Some(version)) if !server.dialect.has_impacts => {
            Err(ConnectorError::Refused(format!(
                "software_qualities: SonarQube {version} does not know them, they came with 10.2; use types"
            )))
        }
        _ => Ok(()),
    }
}

/// What to read of a project, each with the name that its findings are filed under.
async fn references(
    server: &Api<'_>,
    project: &str,
    branches: &Branches,
) -> Result<Vec<(Reference, Option<String>)>, ConnectorError> {
    Ok(match branches {
        Branches::Main => vec![(Reference::Main, None)],
        Branches::PullRequest(number) => {
            let reference = Reference::PullRequest(number.clone());
            vec![(reference, Some(number.clone()))]
        }
        Branches::One(name) => {
            // Community editions have one branch, and may not take its name for a parameter.
            let is_main = match server.branches(project).await {
                Ok(list) => list.iter().any(|one| one.is_main && one.name == *name),
                Err(ConnectorError::Http(error)) if matches!(error.status(), Some(403 | 404)) => {
                    // The project itself is asked for next, and says what is wrong.
                    false
                }
                Err(failure) => return Err(failure),
            };
            vec![(reference_to(name, is_main), Some(name.clone()))]
        }
        Branches::All => {
            let list = server.branches(project).await?.into_iter();
            list.map(|one| (reference_to(&one.name, one.is_main), Some(one.name)))
                .collect()
        }
    })
}

fn reference_to(name: &str, is_main: bool) -> Reference {
    match is_main {
        true => Reference::Main,
        false => Reference::Branch(name.to_owned()),
    }
}

fn told(page: &page::Page) -> Result<u64, ConnectorError> {
    let total = page.total;
    total.map_err(|miscount| ConnectorError::Refused(miscount.to_string()))
}

/// `12 VULNERABILITY issues, 3 hotspots`; proves that they can be read.
async fn counts(
    server: &Api<'_>,
    project: &str,
    reference: &Reference,
    selection: &Selection,
) -> Result<String, ConnectorError> {
    let mut counts = Vec::new();
    for selected in &selection.issues {
        let (name, word) = selected.parameter();
        let mut query = server.issues_of(project, reference);
        query.push((name, word.to_owned()));
        let page = server.page(ISSUES, query, 1, 1).await?;
        counts.push(format!("{} {word} issues", told(&page)?));
    }
    if selection.hotspots {
        let query = server.hotspots_of(project, reference);
        let page = server.page(HOTSPOTS, query, 1, 1).await?;
        counts.push(format!("{} hotspots", told(&page)?));
    }
    if selection.risks {
        let page = server.risks(project, reference, 1).await?;
        counts.push(format!("{} dependency risks", told(&page)?));
    }
    Ok(counts.join(", "))
}
