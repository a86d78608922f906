//! The calls, and what their failures mean.

use serde_json::value::RawValue;
use url::form_urlencoded::byte_serialize;

use super::issue_type::IssueType;
use super::paging::{READINGS, Reading, Step, Verdict};
use super::project::{Deployment, Project};
use crate::connectors::ConnectorError;
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Request};

/// Projects of a page: the documented default; the largest page is documented nowhere.
const PROJECTS: u64 = 100;

/// Secrets of a page: what other clients ask for; the largest page is documented nowhere.
const SECRETS: u64 = 500;

/// One host, and one run's meter.
pub(super) struct Api {
    client: Client,
    page_size: u64,
}

/// All projects, and why the list may not be whole, if so.
pub(super) struct Projects {
    pub(super) list: Vec<Project>,
    pub(super) doubt: Option<String>,
}

impl Api {
    /// `page_size`: findings to ask for at once.
    pub(super) fn new(client: Client, page_size: u64) -> Self {
        Self { client, page_size }
    }

    /// The deployment that the token is of; proves host and token.
    pub(super) async fn deployment(
        &self,
        wanted: Option<&str>,
    ) -> Result<Deployment, ConnectorError> {
        let path = "/deployments";
        let answer = self.client.get(path).json::<Box<RawValue>>().await;
        let body = answer.map_err(explain)?.body;
        Deployment::of_answer(body.get(), wanted)
            .map_err(|reason| ConnectorError::Refused(format!("GET {path}: {reason}")))
    }

    /// The project of this name. Asked before its findings are: the list of findings of an unknown project is empty, without
    /// an error.
    pub(super) async fn project(
        &self,
        deployment: &Deployment,
        name: &str,
    ) -> Result<Project, ConnectorError> {
        let slug = segment(&deployment.slug);
        let path = format!("/deployments/{slug}/projects/{}", segment(name));
        let answer = self.client.get(&path).json::<Box<RawValue>>().await;
        let answer = answer.map_err(|error| match error.status() {
            Some(404) => ConnectorError::Refused(format!(
                "{error}: there is no project {name:?} in deployment {} (the name is exact), or the token lacks the Web API scope; nothing is concluded from that",
                deployment.slug
            )),
            _ => explain(error),
        })?;
        Project::of_answer(answer.body.get(), name).map_err(ConnectorError::Refused)
    }

    /// One of the projects, if there is any.
    pub(super) async fn any_project(
        &self,
        deployment: &Deployment,
    ) -> Result<Option<Project>, ConnectorError> {
        let mut elements = self.page_of_projects(deployment, 0).await?;
        let first = elements.next().await.map_err(explain)?;
        let first = first.and_then(|rows| rows.into_iter().next());
        let project = first.map(|json| Project::parse(&json)).transpose();
        project.map_err(ConnectorError::Refused)
    }

    /// All projects, by name.
    pub(super) async fn projects(
        &self,
        deployment: &Deployment,
    ) -> Result<Projects, ConnectorError> {
        let mut earlier: Option<Reading> = None;
        let mut readings = 0;
        loop {
            let (list, mut reading) = self.read_projects(deployment).await?;
            readings += 1;
            let doubt = match reading.verdict(earlier.as_ref()) {
                Verdict::Whole => None,
                Verdict::Doubtful(_) if readings < READINGS => {
                    earlier = Some(reading);
                    continue;
                }
                Verdict::Doubtful(reason) | Verdict::Hopeless(reason) => Some(reason),
            };
            return Ok(Projects { list, doubt });
        }
    }

    async fn read_projects(
        &self,
        deployment: &Deployment,
    ) -> Result<(Vec<Project>, Reading), ConnectorError> {
        let mut reading = Reading::default();
        let mut projects: Vec<Project> = Vec::new();
        loop {
            let mut elements = self.page_of_projects(deployment, reading.page()).await?;
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let project = Project::parse(&row).map_err(ConnectorError::Refused)?;
                    reading.row(Some(&project.record().id), None);
                    projects.push(project);
                }
            }
            if reading.close_page() == Step::Stop {
                projects.sort_by(|a, b| a.name.cmp(&b.name));
                projects.dedup_by(|a, b| a.record().id == b.record().id);
                return Ok((projects, reading));
            }
        }
    }

    async fn page_of_projects(
        &self,
        deployment: &Deployment,
        page: u64,
    ) -> Result<Elements, ConnectorError> {
        let path = format!("/deployments/{}/projects", segment(&deployment.slug));
        let request = self.client.get(&path);
        let request = request.query("page", page).query("page_size", PROJECTS);
        request.elements(&["projects"]).await.map_err(explain)
    }

    /// A page of a project's findings, of whatever status: a filter by status would make what was triaged look gone.
    pub(super) async fn findings(
        &self,
        deployment: &Deployment,
        issue_type: IssueType,
        project: &Project,
        branch: Option<&str>,
        page: u64,
    ) -> Result<Elements, ConnectorError> {
        let path = format!("/deployments/{}/findings", segment(&deployment.slug));
        let request = self
            .client
            .get(&path)
            .query("issue_type", issue_type)
            .query("page", page)
            .query("page_size", self.page_size)
            .query("repos", &project.name);
        send(match branch {
            Some(branch) => request.query("ref", branch),
            // Else each finding comes once for every pull request.
            None => request.query("dedup", true),
        })
        .await
    }

    /// A page of a project's secrets, of whatever status.
    pub(super) async fn secrets(
        &self,
        deployment: &Deployment,
        project: &Project,
        cursor: Option<&str>,
    ) -> Result<Elements, ConnectorError> {
        let id = deployment.id.as_deref().ok_or_else(|| {
            ConnectorError::Refused(format!(
                "GET /deployments: deployment {} has no id, by which secrets are asked for",
                deployment.slug
            ))
        })?;
        let request = self
            .client
            .get(&format!("/deployments/{}/secrets", segment(id)))
            .query("limit", SECRETS)
            .query("repo", &project.name);
        send(match cursor {
            Some(cursor) => request.query("cursor", cursor),
            None => request,
        })
        .await
    }
}

/// Both lists are under the same key.
async fn send(request: Request) -> Result<Elements, ConnectorError> {
    request.elements(&["findings"]).await.map_err(explain)
}

/// A text as one segment of a path, whatever characters it holds.
fn segment(text: &str) -> String {
    let encoded: String = byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Adds to a failure what only Semgrep's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            "it must be an API token that was not revoked (Settings, Tokens, API tokens)"
        }
        HttpErrorKind::Status { status: 404, .. } => {
            "wrong URL, deployment or project, or the token lacks the Web API scope (a token for CI gets 404 for everything)"
        }
        HttpErrorKind::NotJson => {
            "location must be that of the API, such as https://semgrep.dev/api/v1/"
        }
        _ => return ConnectorError::Http(error),
    };
    ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_the_path() {
        assert_eq!(segment("acme/shop"), "acme%2Fshop");
        assert_eq!(segment("a b+c?d#100%é"), "a%20b%2Bc%3Fd%23100%25%C3%A9");
        assert_eq!(segment("acme-prod_1.x"), "acme-prod_1.x");
    }

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "GET https://semgrep.dev/api/v1/deployments: failed".to_owned();
            explain(HttpError { kind, message }).to_string()
        };
        let status = |status| HttpErrorKind::Status {
            status,
            body: String::new(),
            retry_after: None,
        };
        assert!(explained(status(401)).contains("API token"));
        assert!(explained(status(404)).contains("Web API scope"));
        assert!(explained(HttpErrorKind::NotJson).contains("location"));
        assert!(!explained(status(500)).contains(';'));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }
}
