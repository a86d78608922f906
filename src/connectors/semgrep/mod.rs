//! Semgrep AppSec Platform: findings in code and packages, and secrets, of one project or of all.
//!
//! Each type of findings of a project is a scope of its own. Lists of findings have neither count nor cursor, see [`paging`].

mod api;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod import;
mod issue_type;
mod package;
mod paging;
mod project;
mod row;
mod secret;
mod spec;
mod tables;
mod time;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use self::api::Api;
use self::import::{Import, Reader};
use self::issue_type::IssueType;
use self::project::{Deployment, Project};
use self::spec::Selection;
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

/// After so many scopes in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct Semgrep {
    client: Client,
    /// Slug of the deployment that the token must be of.
    deployment: Option<String>,
    page_size: u64,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let tool = Tool {
        location: api_root(&tool.location),
        // Limits are documented nowhere, and the vendor's own scripts ask for one thing after the other.
        max_concurrent_requests: 1,
        ..tool.clone()
    };
    let authentication = Authentication {
        bearer: tool.secret.clone(),
        ..Authentication::default()
    };
    let page_size = tool.settings.integer("page_size");
    Ok(Arc::new(Semgrep {
        client: Client::new(&tool, authentication)?,
        deployment: spec::deployment(&tool.settings),
        page_size: page_size
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(3000),
    }))
}

/// The root of the API, which people give with `/api/v1` or without it.
fn api_root(location: &Url) -> Url {
    let mut root = location.clone();
    let path = location.path().trim_end_matches('/');
    let given = ["/api/v1", "/api"];
    let host = given.iter().find_map(|tail| path.strip_suffix(tail));
    root.set_path(&format!("{}/api/v1", host.unwrap_or(path)));
    root
}

#[async_trait]
impl Connector for Semgrep {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.api(self.client.clone());
        let deployment = self.deployment_of(&server).await?;
        let accepted = format!("Semgrep, token accepted for deployment {}", deployment.slug);
        let selection = api.map(|api| Selection::of(&api.settings));
        let named = selection.as_ref().and_then(|s| s.project.as_deref());
        let project = match named {
            Some(name) => Some(server.project(&deployment, name).await?),
            None => server.any_project(&deployment).await?,
        };
        let Some(project) = project else {
            return Ok(format!("{accepted}, but it has no project"));
        };
        let Some(selection) = selection else {
            return Ok(format!("{accepted}, projects readable"));
        };
        for issue_type in &selection.issue_types {
            prove(&server, &deployment, &project, &selection, *issue_type).await?;
        }
        let types: Vec<_> = selection.issue_types.iter().map(|t| t.word()).collect();
        let never = if project.scanned {
            ""
        } else {
            ", which was never scanned"
        };
        Ok(format!(
            "{accepted}, {} of project {}{never} readable",
            types.join(", "),
            project.name
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = self.api(self.client.clone());
        let deployment = self.deployment_of(&server).await?;
        let projects = server.projects(&deployment).await?;
        match projects.doubt {
            None => Ok(projects.list.iter().map(Project::record).collect()),
            Some(reason) => Err(ConnectorError::Refused(format!(
                "the list of projects could not be read as a whole: {reason}; try again"
            ))),
        }
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        let project = Selection::of(&api.settings).project;
        project.is_none_or(|name| record.name == name)
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.api(self.client.metered(sink.meter()));
        let selection = Selection::of(&api.settings);
        let deployment = self.deployment_of(&server).await?;
        let mut pull = Pull {
            server: &server,
            deployment: &deployment,
            selection: &selection,
            sink,
            failures: 0,
        };
        match &selection.project {
            Some(name) => pull.one(name).await,
            None => pull.all().await,
        }
    }
}

impl Semgrep {
    fn api(&self, client: Client) -> Api {
        Api::new(client, self.page_size)
    }

    async fn deployment_of(&self, server: &Api) -> Result<Deployment, ConnectorError> {
        server.deployment(self.deployment.as_deref()).await
    }
}

/// Proves that findings of a type can be read, by the beginning of their list.
async fn prove(
    server: &Api,
    deployment: &Deployment,
    project: &Project,
    selection: &Selection,
    issue_type: IssueType,
) -> Result<(), ConnectorError> {
    let branch = selection.branch.as_deref();
    let proven = match issue_type {
        IssueType::Secrets => server.secrets(deployment, project, None).await,
        _ => {
            let page = server.findings(deployment, issue_type, project, branch, 0);
            page.await
        }
    };
    proven
        .map(drop)
        .map_err(|failure| match hint(&failure, issue_type) {
            Some(hint) => ConnectorError::Refused(format!("{failure}; {hint}")),
            None => failure,
        })
}

/// An import under way.
struct Pull<'a> {
    server: &'a Api,
    deployment: &'a Deployment,
    selection: &'a Selection,
    sink: &'a mut Sink,
    /// Scopes in a row that failed for the server's or the network's sake.
    failures: u32,
}

impl Pull<'_> {
    /// Imports the configured project. That it is gone is an error of the run, and not "no findings".
    async fn one(&mut self, name: &str) -> Result<(), ConnectorError> {
        let project = self.server.project(self.deployment, name).await?;
        if !self.sink.wants(&project.record()) {
            let warning = format!("records leaves out the configured project {}", project.name);
            return Ok(self.sink.put(Pulled::Warning(warning)).await?);
        }
        self.project(&project, true).await
    }

    /// Imports all projects, one after the other.
    async fn all(&mut self) -> Result<(), ConnectorError> {
        let projects = self.server.projects(self.deployment).await?;
        let said = match projects.doubt {
            None => Pulled::Records(projects.list.iter().map(Project::record).collect()),
            Some(reason) => {
                Pulled::Warning(format!("the list of projects may not be whole: {reason}"))
            }
        };
        self.sink.put(said).await?;
        for project in &projects.list {
            if self.sink.wants(&project.record()) {
                self.project(project, false).await?;
            }
        }
        Ok(())
    }

    /// Imports each type of findings of a project; `seen` if the project was found there just now.
    async fn project(&mut self, project: &Project, mut seen: bool) -> Result<(), ConnectorError> {
        for issue_type in &self.selection.issue_types {
            let reader = Reader {
                api: self.server,
                deployment: self.deployment,
                project,
                selection: self.selection,
                issue_type: *issue_type,
            };
            let mut import = Import::of(reader, self.sink);
            let mut outcome = import.read().await;
            // The findings of a project that was deleted meanwhile are an empty list, too.
            if outcome.is_ok() && import.is_empty() && !seen {
                let there = self.server.project(self.deployment, &project.name).await;
                seen = there.is_ok();
                outcome = there.and(outcome);
            }
            let completeness = match outcome {
                Ok(completeness) => {
                    self.failures = 0;
                    completeness
                }
                Err(failure) => {
                    self.failures += u32::from(failure.concerns_all());
                    if pointless(&failure) || self.failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                    incomplete(&reader, &failure)
                }
            };
            import.end(completeness).await?;
        }
        Ok(())
    }
}

/// The end of a scope that could not be read.
fn incomplete(reader: &Reader<'_>, failure: &ConnectorError) -> Completeness {
    match hint(failure, reader.issue_type) {
        Some(hint) => reader.incomplete(&format!("{failure}; {hint}")),
        None => reader.incomplete(&failure.to_string()),
    }
}

/// What to do where one type of findings is refused.
fn hint(failure: &ConnectorError, issue_type: IssueType) -> Option<String> {
    match failure {
        ConnectorError::Http(error) if matches!(error.status(), Some(403 | 404)) => Some(format!(
            "if the deployment does not have this product, take \"{issue_type}\" out of issue_types"
        )),
        _ => None,
    }
}

/// Whether everything else would fail likewise.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_location_is_taken_with_or_without_the_path_of_the_api() {
        for (location, root) in [
            ("https://semgrep.dev", "https://semgrep.dev/api/v1"),
            ("https://semgrep.dev/", "https://semgrep.dev/api/v1"),
            ("https://semgrep.dev/api", "https://semgrep.dev/api/v1"),
            ("https://semgrep.dev/api/v1", "https://semgrep.dev/api/v1"),
            ("https://semgrep.dev/api/v1/", "https://semgrep.dev/api/v1"),
            (
                "https://proxy.example.com/semgrep/",
                "https://proxy.example.com/semgrep/api/v1",
            ),
        ] {
            assert_eq!(
                api_root(&location.parse().unwrap()).as_str(),
                root,
                "{location}"
            );
        }
    }
}
