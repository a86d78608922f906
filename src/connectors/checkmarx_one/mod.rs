//! Checkmarx One: the results of the newest completed scans of one project, or of all.
//!
//! A scan holds only what the engines that it ran have found. So each engine on each branch of a project is a scope of its own,
//! and is read from the newest completed scan that ran it: neither a scan of another branch nor one by other engines can close
//! a finding.

mod api;
mod cvss;
mod engine;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod hosts;
mod import;
mod list;
mod project;
mod reading;
mod row;
mod scan;
mod spec;
mod tables;
mod time;
mod token;

use std::sync::Arc;

use async_trait::async_trait;

use self::api::Api;
use self::hosts::Hosts;
use self::import::Import;
use self::project::Project;
use self::spec::{Branches, Selection};
use self::tables::States;
use self::token::Tokens;
use super::{Connector, ConnectorError, Pulled, Record, Scope, Sink};
use crate::config::{ApiConfiguration, Secret, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind, Meter};

pub(super) use self::spec::SPEC;

/// After so many branches in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct CheckmarxOne {
    client: Client,
    tokens: Arc<Tokens>,
    states: States,
    /// Root of the pages for people.
    location: String,
    page_size: u64,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let unusable = |reason: String| HttpError {
        kind: HttpErrorKind::Setup,
        message: format!("tool {}: {reason}", tool.name),
    };
    let settings = &tool.settings;
    let hosts = Hosts::of(&tool.location, settings.text("iam_location")).map_err(unusable)?;
    let states = States::of(settings.list("state_map")).map_err(unusable)?;
    let secret = tool.secret.clone();
    let secret = secret.ok_or_else(|| unusable("secret is missing".to_owned()))?;
    let api = Tool {
        location: hosts.api.clone(),
        ..tool.clone()
    };
    let client = Client::new(&api, Authentication::default())?;
    let tokens = Tokens::new(
        client.beside(tool, &hosts.iam)?,
        &hosts.iam,
        settings.text("tenant").unwrap_or_default(),
        settings.text("client_id"),
        Secret::new(secret.expose()),
    );
    let page_size = settings.integer("page_size");
    Ok(Arc::new(CheckmarxOne {
        client,
        tokens: Arc::new(tokens),
        states,
        location: hosts.api.into(),
        page_size: page_size
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(1000),
    }))
}

#[async_trait]
impl Connector for CheckmarxOne {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.api(Arc::default());
        let (any, total) = server.any_project().await?;
        let selection = api.map(|api| Selection::of(&api.settings));
        let Some(selection) = selection else {
            let total = total.map_or_else(|| "its".to_owned(), |total| total.to_string());
            return Ok(match any {
                Some(_) => format!("Checkmarx One, key accepted, it sees {total} projects"),
                None => "Checkmarx One, key accepted, but it sees no project (with the new Access Management the key's user must be assigned to projects)".to_owned(),
            });
        };
        let project = server.selected(&selection.projects).await?.or(any);
        let Some(project) = project else {
            return Ok("Checkmarx One, key accepted, but it sees no project (with the new Access Management the key's user must be assigned to projects)".to_owned());
        };
        let branch = branches(&server, &project, &selection).await?;
        let branch = branch.into_iter().next().flatten();
        let scans = server
            .scans(&project, branch.as_deref(), &selection)
            .await?;
        let on = of_branch(branch.as_deref());
        let Some(newest) = scans.chosen.first() else {
            return Ok(format!(
                "Checkmarx One, key accepted, project {} readable, but it has no completed scan{on}",
                project.name
            ));
        };
        server.prove_results(&newest.scan.id).await?;
        Ok(format!(
            "Checkmarx One, key accepted, results of project {}{on} readable",
            project.name
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let list = self.api(Arc::default()).projects().await?;
        match list.doubt {
            None => Ok(list.items.iter().map(Project::record).collect()),
            Some(reason) => Err(ConnectorError::Refused(format!(
                "GET /api/projects: the list of projects could not be read as a whole: {reason}; try again"
            ))),
        }
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        match Selection::of(&api.settings).projects {
            spec::Projects::All => true,
            spec::Projects::Id(id) => record.id.eq_ignore_ascii_case(&id),
            spec::Projects::Named(name) => record.name == name,
        }
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.api(sink.meter());
        let selection = Selection::of(&api.settings);
        match server.selected(&selection.projects).await? {
            Some(project) => self.pull_one(&server, &project, &selection, sink).await,
            None => self.pull_all(&server, &selection, sink).await,
        }
    }
}

impl CheckmarxOne {
    fn api(&self, meter: Arc<Meter>) -> Api {
        Api::new(&self.client, Arc::clone(&self.tokens), meter)
    }

    /// Imports the configured project. That it has nothing to import is an error of the run, and not "no findings".
    async fn pull_one(
        &self,
        server: &Api,
        project: &Project,
        selection: &Selection,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        if !sink.wants(&project.record()) {
            let warning = format!("records leaves out the configured project {}", project.name);
            return Ok(sink.put(Pulled::Warning(warning)).await?);
        }
        let mut scanned = false;
        let mut rows = 0;
        for branch in branches(server, project, selection).await? {
            let read = self
                .pull_branch(
                    server,
                    project,
                    branch.as_deref(),
                    selection,
                    sink,
                    &mut rows,
                )
                .await;
            match read {
                Ok(true) => scanned = true,
                Ok(false) => {
                    self.warn_unscanned(project, branch.as_deref(), sink)
                        .await?
                }
                Err(failure) => return Err(failure),
            }
        }
        match scanned {
            true => Ok(()),
            false => Err(ConnectorError::Refused(format!(
                "project {} has no completed scan to read; nothing is concluded from that (scans that failed do not count, and old ones are deleted by the tenant's data retention)",
                project.name
            ))),
        }
    }

    /// Imports all projects, one after the other.
    async fn pull_all(
        &self,
        server: &Api,
        selection: &Selection,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        let list = server.projects().await?;
        match list.doubt {
            None => {
                let records = list.items.iter().map(Project::record).collect();
                sink.put(Pulled::Records(records)).await?;
            }
            Some(reason) => {
                let warning = format!("the list of projects may not be whole: {reason}");
                sink.put(Pulled::Warning(warning)).await?;
            }
        }
        let mut failures = 0;
        for project in &list.items {
            if !sink.wants(&project.record()) {
                continue;
            }
            match self.pull_project(server, project, selection, sink).await {
                Ok(()) => failures = 0,
                Err(failure) => {
                    failures += u32::from(failure.concerns_all());
                    if pointless(&failure) || failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                    let reason = format!("{}: {failure}", project.name);
                    let scope = Scope {
                        record: project.record(),
                        branch: None,
                        part: None,
                    };
                    let completeness = super::Completeness::Incomplete(reason);
                    sink.put(Pulled::End {
                        scope,
                        completeness,
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// One of many projects: that one has no scan yet, or no branch to go by, keeps the others from nothing.
    async fn pull_project(
        &self,
        server: &Api,
        project: &Project,
        selection: &Selection,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        let branches = match branches(server, project, selection).await {
            Err(ConnectorError::Refused(reason)) => {
                return Ok(sink.put(Pulled::Warning(reason)).await?);
            }
            branches => branches?,
        };
        let mut rows = 0;
        for branch in branches {
            let branch = branch.as_deref();
            let scanned = self
                .pull_branch(server, project, branch, selection, sink, &mut rows)
                .await?;
            if !scanned {
                self.warn_unscanned(project, branch, sink).await?;
            }
        }
        Ok(())
    }

    /// Whether there was a scan to read.
    async fn pull_branch(
        &self,
        server: &Api,
        project: &Project,
        branch: Option<&str>,
        selection: &Selection,
        sink: &mut Sink,
        rows: &mut u64,
    ) -> Result<bool, ConnectorError> {
        let mut scans = server.scans(project, branch, selection).await?;
        let scanned = !scans.chosen.is_empty();
        for one in &mut scans.chosen {
            one.engines
                .retain(|engine| !scans.given_up.iter().any(|gone| gone == engine));
        }
        scans.chosen.retain(|one| !one.engines.is_empty());
        let mut import = Import {
            api: server,
            project,
            branch,
            selection,
            states: &self.states,
            location: &self.location,
            page_size: self.page_size,
            sink,
            rows: *rows,
        };
        let read = import.read(&scans.chosen).await;
        *rows = import.rows;
        read?;
        import.give_up(&scans.given_up).await?;
        Ok(scanned)
    }

    async fn warn_unscanned(
        &self,
        project: &Project,
        branch: Option<&str>,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        let warning = format!(
            "project {} has no completed scan{}; its findings stay as they are",
            project.name,
            of_branch(branch)
        );
        Ok(sink.put(Pulled::Warning(warning)).await?)
    }
}

/// The branches whose scans count; none as a branch where the project's scans have no branch at all.
async fn branches(
    server: &Api,
    project: &Project,
    selection: &Selection,
) -> Result<Vec<Option<String>>, ConnectorError> {
    let main = match &selection.branches {
        Branches::One(branch) => return Ok(vec![Some(branch.clone())]),
        Branches::Main => project.main_branch.clone(),
        Branches::All => None,
    };
    if let Some(main) = main {
        return Ok(vec![Some(main)]);
    }
    let branches = server.branches(project).await?;
    match (&selection.branches, branches.as_slice()) {
        (_, []) => Ok(vec![None]),
        // Whichever was scanned last would close the findings of the others.
        (Branches::Main, [one, other, ..]) => Err(ConnectorError::Refused(format!(
            "project {} has no main branch in Checkmarx One, and scans of {} branches ({one}, {other}, …): set scan_branch, or branches = \"all\"",
            project.name,
            branches.len()
        ))),
        _ => Ok(branches.into_iter().map(Some).collect()),
    }
}

fn of_branch(branch: Option<&str>) -> String {
    branch.map_or_else(String::new, |branch| format!(" of branch {branch}"))
}

/// Whether every other project would fail likewise.
fn pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) => true,
        ConnectorError::Refused(_) => false,
        ConnectorError::Http(error) => {
            error.status() == Some(401)
                || matches!(error.kind, HttpErrorKind::Redirected | HttpErrorKind::Setup)
        }
    }
}
