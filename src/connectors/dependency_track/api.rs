//! The calls, and what their failures mean.

use serde_json::value::RawValue;
use url::Url;

use super::paging::{Count, Reading, Step, Verdict};
use super::project::Project;
use super::spec::Selector;
use crate::connectors::ConnectorError;
use crate::finding::source_key;
use crate::http::{Client, HttpError, HttpErrorKind, Request};

/// One server, and one run's meter.
pub(super) struct Api {
    client: Client,
    page_size: u64,
}

#[derive(serde::Deserialize)]
struct Version {
    version: Option<String>,
    application: Option<String>,
}

impl Api {
    pub(super) fn new(client: Client, page_size: u64) -> Self {
        Self { client, page_size }
    }

    /// The server's version; needs no key, so it proves the host only.
    pub(super) async fn version(&self) -> Result<String, ConnectorError> {
        let answer = self.client.get("/api/version").json::<Version>().await;
        let about = answer.map_err(explain)?.body;
        match (about.application.as_deref(), about.version) {
            (Some("Dependency-Track") | None, Some(version)) => Ok(version),
            (application, _) => Err(ConnectorError::Refused(format!(
                "this is no Dependency-Track API server: /api/version says it is {}; check location",
                application.unwrap_or("something else")
            ))),
        }
    }

    /// One project that the key can see, if there is any; proves the key.
    pub(super) async fn any_project(&self) -> Result<Option<Project>, ConnectorError> {
        let request = self.page(self.client.get("/api/v1/project"), 1, 1);
        let mut elements = request.elements(&[]).await.map_err(explain)?;
        let Some(first) = elements.next().await.map_err(explain)? else {
            return Ok(None);
        };
        let project = first.first().map(|json| Project::parse(json)).transpose();
        project.map_err(ConnectorError::Refused)
    }

    /// The project that a selector names; none if it names all.
    pub(super) async fn selected(
        &self,
        selector: &Selector,
    ) -> Result<Option<Project>, ConnectorError> {
        let (request, what) = match selector {
            Selector::All => return Ok(None),
            Selector::Key(uuid) => (
                self.client.get(&format!("/api/v1/project/{uuid}")),
                format!("project {uuid}"),
            ),
            Selector::Latest(name) => (
                self.client.get(&latest_path(name)?),
                format!("a latest version of project {name:?} (servers before 4.12 cannot tell)"),
            ),
            Selector::Named { name, version } => {
                let request = self.client.get("/api/v1/project/lookup");
                let request = request.query("name", name);
                match version {
                    Some(version) => (
                        request.query("version", version),
                        format!("version {version:?} of project {name:?}"),
                    ),
                    None => (
                        request,
                        format!("project {name:?} without a version (else set project_version)"),
                    ),
                }
            }
        };
        let answer = request.json::<Box<RawValue>>().await;
        let answer = answer.map_err(|error| match error.status() {
            Some(404) => ConnectorError::Refused(format!(
                "{error}: the server has no {what}; nothing is concluded from that"
            )),
            _ => explain(error),
        })?;
        let project = Project::parse(answer.body.get().as_bytes());
        project.map(Some).map_err(ConnectorError::Refused)
    }

    /// All active projects, and why the list may not be whole, if so.
    pub(super) async fn active_projects(
        &self,
    ) -> Result<(Vec<Project>, Option<String>), ConnectorError> {
        let mut earlier: Option<Reading> = None;
        loop {
            let (projects, mut reading) = self.read_projects().await?;
            match reading.verdict(earlier.as_ref()) {
                Verdict::Whole => return Ok((projects, None)),
                Verdict::Doubtful(reason) if earlier.is_some() => {
                    return Ok((projects, Some(reason)));
                }
                Verdict::Doubtful(_) => earlier = Some(reading),
            }
        }
    }

    async fn read_projects(&self) -> Result<(Vec<Project>, Reading), ConnectorError> {
        let mut reading = Reading::new(self.page_size);
        let mut projects: Vec<Project> = Vec::new();
        loop {
            let request = self.client.get("/api/v1/project");
            let request = request.query("excludeInactive", true);
            let request = self.page(request, reading.next_page(), self.page_size);
            let mut elements = request.elements(&[]).await.map_err(explain)?;
            reading.open_page(Count::of(&elements.headers));
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let project = Project::parse(&row).map_err(ConnectorError::Refused)?;
                    reading.row(Some(&source_key(None, &project.uuid)));
                    projects.push(project);
                }
            }
            if reading.close_page() == Step::Stop {
                projects.sort_by(|a, b| a.uuid.cmp(&b.uuid));
                projects.dedup_by(|a, b| a.uuid == b.uuid);
                projects.sort_by_key(Project::title);
                return Ok((projects, reading));
            }
        }
    }

    /// A page of a project's findings.
    pub(super) fn findings(&self, uuid: &str, suppressed: bool, page: u64) -> Request {
        let request = self
            .client
            .get(&format!("/api/v1/finding/project/{uuid}"))
            .query("suppressed", suppressed);
        self.page(request, page, self.page_size)
    }

    pub(super) fn reading(&self) -> Reading {
        Reading::new(self.page_size)
    }

    /// Proves that the project's findings can be read, without reading them: asks for those of one source that is always
    /// known and seldom used.
    pub(super) async fn prove_findings(&self, project: &Project) -> Result<(), ConnectorError> {
        let path = format!("/api/v1/finding/project/{}", project.uuid);
        let request = self.client.get(&path).query("source", "INTERNAL");
        let mut elements = self
            .page(request, 1, 1)
            .elements(&[])
            .await
            .map_err(explain)?;
        elements.next().await.map_err(explain)?;
        Ok(())
    }

    /// Both parameters always: either alone is ignored by the server (source 4.0–5.0.4).
    fn page(&self, request: Request, number: u64, size: u64) -> Request {
        request.query("pageNumber", number).query("pageSize", size)
    }
}

/// The name as one segment of the path, whatever characters it holds.
fn latest_path(name: &str) -> Result<String, ConnectorError> {
    let mut url = Url::parse("http://localhost/api/v1/project/latest")
        .map_err(|error| ConnectorError::Refused(error.to_string()))?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.push(name);
    }
    Ok(url.path().to_owned())
}

/// Adds to a failure what only Dependency-Track's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            "it must be an API key of a team (Administration, Access Management, Teams)"
        }
        HttpErrorKind::Status {
            status: 403, body, ..
        } if body.trim().is_empty() => "the key's team needs VIEW_PORTFOLIO and VIEW_VULNERABILITY",
        HttpErrorKind::Status { status: 403, .. } => {
            "portfolio access control keeps the key's team out: assign the team to the project"
        }
        HttpErrorKind::NotJson => {
            "the frontend has another address than the API server, which location must name"
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_with_odd_characters_is_one_segment_of_the_path() {
        assert_eq!(
            latest_path("a/b c?d#100%").unwrap(),
            "/api/v1/project/latest/a%2Fb%20c%3Fd%23100%25"
        );
    }

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "GET https://dt.example.com/api/v1/project: failed".to_owned();
            explain(HttpError { kind, message }).to_string()
        };
        let status = |status, body: &str| HttpErrorKind::Status {
            status,
            body: body.to_owned(),
            retry_after: None,
        };
        assert!(explained(status(401, "")).contains("API key"));
        assert!(explained(status(403, "")).contains("VIEW_VULNERABILITY"));
        assert!(
            explained(status(403, "Access to the specified project is forbidden"))
                .contains("assign the team")
        );
        assert!(explained(HttpErrorKind::NotJson).contains("frontend"));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }
}
