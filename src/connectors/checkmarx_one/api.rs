//! The calls, and what their failures mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use url::form_urlencoded::byte_serialize;

use super::list::{self, List, Listing, Page};
use super::project::Project;
use super::scan::{Chosen, Scan, choose, given_up, missing};
use super::spec::{Projects, Selection};
use super::token::Tokens;
use crate::config::Secret;
use crate::connectors::ConnectorError;
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Meter, Request};

/// Without the version some calls answer in an older form.
const VERSION_1: &str = "application/json; version=1.0";

/// So many of a branch's newest scans are looked through before each engine that is missing is asked for by name.
const SCANS: usize = 50;

/// Branches of a page; a page may hold fewer although there are more.
const BRANCHES: usize = 100;

/// No list of branches is followed further than this.
const MAX_BRANCHES: usize = 10_000;

/// One tenant, and one run's meter.
pub(super) struct Api {
    client: Client,
    tokens: Arc<Tokens>,
    meter: Arc<Meter>,
}

/// What counts of a branch.
#[derive(Debug, Default)]
pub(super) struct Scans {
    pub(super) chosen: Vec<Chosen>,
    /// Engines that are switched off by now.
    pub(super) given_up: Vec<&'static str>,
}

impl Api {
    pub(super) fn new(client: &Client, tokens: Arc<Tokens>, meter: Arc<Meter>) -> Self {
        Self {
            client: client.metered(Arc::clone(&meter)),
            tokens,
            meter,
        }
    }

    /// One project that the key can see, if there is any, and how many there are; proves host, tenant and key.
    pub(super) async fn any_project(
        &self,
    ) -> Result<(Option<Project>, Option<usize>), ConnectorError> {
        let page = self.page("/api/projects", "projects", &[], 0, 1).await?;
        let first = page.items.first().map(|json| Project::parse(json));
        let first = first.transpose().map_err(ConnectorError::Refused)?;
        Ok((first, page.total))
    }

    /// All projects.
    pub(super) async fn projects(&self) -> Result<List<Project>, ConnectorError> {
        self.list_of_projects(&[]).await
    }

    async fn list_of_projects(
        &self,
        filter: &[(&'static str, String)],
    ) -> Result<List<Project>, ConnectorError> {
        let first = self.read_projects(filter).await?;
        match first.doubt {
            None => Ok(first),
            Some(_) => self.read_projects(filter).await,
        }
    }

    async fn read_projects(
        &self,
        filter: &[(&'static str, String)],
    ) -> Result<List<Project>, ConnectorError> {
        let mut listing = Listing::new();
        loop {
            let offset = listing.offset();
            let page = self.page("/api/projects", "projects", filter, offset, list::PAGE);
            let ended = listing.take(&page.await?, Project::parse, |project| &project.id);
            if ended.map_err(ConnectorError::Refused)? {
                return Ok(listing.finish());
            }
        }
    }

    /// One page of the list under `key`.
    async fn page(
        &self,
        path: &str,
        key: &str,
        query: &[(&'static str, String)],
        offset: usize,
        limit: usize,
    ) -> Result<Page, ConnectorError> {
        let mut query = query.to_vec();
        query.push(("offset", offset.to_string()));
        query.push(("limit", limit.to_string()));
        let body = self.json(path, &query).await?;
        list::parse(body.get(), key)
            .map_err(|reason| ConnectorError::Refused(format!("GET {path}: {reason}")))
    }

    /// The project that is named; none if all are wanted.
    pub(super) async fn selected(
        &self,
        projects: &Projects,
    ) -> Result<Option<Project>, ConnectorError> {
        match projects {
            Projects::All => Ok(None),
            Projects::Id(id) => self.project_of_id(id).await.map(Some),
            Projects::Named(name) => self.project_of_name(name).await.map(Some),
        }
    }

    async fn project_of_id(&self, id: &str) -> Result<Project, ConnectorError> {
        let answer = self.json(&format!("/api/projects/{id}"), &[]).await;
        let answer = answer.map_err(|failure| match failure {
            ConnectorError::Http(error) if error.status() == Some(404) => {
                ConnectorError::Refused(format!(
                    "{error}: there is no project {id}, or the key's user may not see it; nothing is concluded from that"
                ))
            }
            failure => failure,
        })?;
        Project::parse(&answer).map_err(ConnectorError::Refused)
    }

    /// The filter takes parts of a name, so the whole name is looked for among what it lets through.
    async fn project_of_name(&self, name: &str) -> Result<Project, ConnectorError> {
        let filter = [("name", name.to_owned())];
        let list = self.list_of_projects(&filter).await?;
        let doubt = list.doubt.map(|doubt| format!(" ({doubt})"));
        let found = list.items.into_iter().find(|project| project.name == name);
        found.ok_or_else(|| {
            ConnectorError::Refused(format!(
                "GET /api/projects: there is no project of the name {name:?} that the key's user may see{}; nothing is concluded from that",
                doubt.unwrap_or_default()
            ))
        })
    }

    /// The names of a project's branches that have been scanned.
    pub(super) async fn branches(&self, project: &Project) -> Result<Vec<String>, ConnectorError> {
        let mut branches: Vec<String> = Vec::new();
        let mut offset = 0;
        loop {
            let query = [
                ("project-id", project.id.clone()),
                ("offset", offset.to_string()),
                ("limit", BRANCHES.to_string()),
            ];
            let answer = self.json("/api/projects/branches", &query).await?;
            let page: Option<Vec<String>> = serde_json::from_str(answer.get()).map_err(|_| {
                ConnectorError::Refused(
                    "GET /api/projects/branches: the answer is no list of names".to_owned(),
                )
            })?;
            let page = page.unwrap_or_default();
            offset += page.len();
            let before = branches.len();
            for branch in page {
                if !branch.trim().is_empty() && !branches.contains(&branch) {
                    branches.push(branch);
                }
            }
            if branches.len() == before || offset > MAX_BRANCHES {
                return Ok(branches);
            }
        }
    }

    /// The scans of a branch that count.
    pub(super) async fn scans(
        &self,
        project: &Project,
        branch: Option<&str>,
        selection: &Selection,
    ) -> Result<Scans, ConnectorError> {
        let statuses = match selection.accept_partial {
            true => "Completed,Partial",
            false => "Completed",
        };
        let mut query = vec![
            ("project-id", project.id.clone()),
            ("statuses", statuses.to_owned()),
            // Without it the oldest come first.
            ("sort", "-created_at".to_owned()),
        ];
        if let Some(branch) = branch {
            query.push(("branch", branch.to_owned()));
        }
        let page = self.page("/api/scans", "scans", &query, 0, SCANS).await?;
        let listed = page.items.len();
        let scans: Result<Vec<_>, _> = page.items.iter().map(|json| Scan::parse(json)).collect();
        let mut scans = scans.map_err(ConnectorError::Refused)?;
        scans.retain(|scan| scan.is_of(&project.id, branch));
        let oldest = scans.iter().filter_map(|scan| scan.created).min();
        let choose = |scans| choose(scans, &selection.engines, selection.accept_partial);
        let mut chosen = choose(scans.clone());
        if page.total.is_none_or(|total| total > listed) && listed > 0 {
            for engine in missing(&chosen, &selection.engines) {
                scans.extend(self.last_scan(project, branch, engine).await?);
            }
            chosen = choose(scans);
        }
        let given_up = match selection.engine_max_age_days {
            Some(days) => given_up(&chosen, &selection.engines, oldest, days),
            None => Vec::new(),
        };
        Ok(Scans { chosen, given_up })
    }

    /// The newest completed scan by an engine, of a branch with more scans than were listed.
    async fn last_scan(
        &self,
        project: &Project,
        branch: Option<&str>,
        engine: &str,
    ) -> Result<Option<Scan>, ConnectorError> {
        let mut query = vec![
            ("project-ids", project.id.clone()),
            ("scan-status", "Completed".to_owned()),
            ("engine", engine.to_owned()),
        ];
        if let Some(branch) = branch {
            query.push(("branch", branch.to_owned()));
        }
        let answer = self.json("/api/projects/last-scan", &query).await?;
        let unlike = || {
            ConnectorError::Refused(
                "GET /api/projects/last-scan: the answer is no object of projects".to_owned(),
            )
        };
        let scans: BTreeMap<String, Option<Box<RawValue>>> =
            serde_json::from_str(answer.get()).map_err(|_| unlike())?;
        let scan = scans
            .into_iter()
            .find(|(id, _)| id.eq_ignore_ascii_case(&project.id));
        let scan = scan.and_then(|(_, scan)| scan);
        let scan = scan.map(|json| Scan::parse(&json)).transpose();
        let scan = scan.map_err(ConnectorError::Refused)?;
        Ok(scan.filter(|scan| scan.is_of(&project.id, branch)))
    }

    /// Proves that the results of a scan can be read, without reading them.
    pub(super) async fn prove_results(&self, scan: &str) -> Result<(), ConnectorError> {
        let query = [("scan-id", scan.to_owned()), ("limit", "1".to_owned())];
        self.json("/api/results", &query).await.map(drop)
    }

    /// A page of a scan's results. `offset` is whatever [`super::reading::Reading`] says.
    pub(super) async fn results(
        &self,
        scan: &str,
        offset: u64,
        limit: u64,
        exclude_dev_and_test: bool,
    ) -> Result<Elements, ConnectorError> {
        let mut query = vec![
            ("scan-id", scan.to_owned()),
            ("offset", offset.to_string()),
            ("limit", limit.to_string()),
        ];
        if exclude_dev_and_test {
            query.push(("exclude-result-types", "DEV_AND_TEST".to_owned()));
        }
        let ask = async |token: &Secret| {
            let request = self.request("/api/results", &query, token);
            request.elements(&["results"]).await
        };
        let token = self.tokens.get(&self.meter).await?;
        match ask(&token).await {
            Err(error) if error.status() == Some(401) => {
                let token = self.tokens.in_place_of(&token, &self.meter).await?;
                ask(&token).await.map_err(explain)
            }
            answer => answer.map_err(explain),
        }
    }

    /// The answer to a call, as it is.
    pub(super) async fn json(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Box<RawValue>, ConnectorError> {
        let ask = async |token: &Secret| {
            let request = self.request(path, query, token);
            request.json::<Box<RawValue>>().await
        };
        let token = self.tokens.get(&self.meter).await?;
        let answer = match ask(&token).await {
            Err(error) if error.status() == Some(401) => {
                let token = self.tokens.in_place_of(&token, &self.meter).await?;
                ask(&token).await
            }
            answer => answer,
        };
        answer.map(|answer| answer.body).map_err(explain)
    }

    fn request(&self, path: &str, query: &[(&'static str, String)], token: &Secret) -> Request {
        let request = self.client.get(path).header("accept", VERSION_1);
        let request = query
            .iter()
            .fold(request, |request, (key, value)| request.query(key, value));
        request.bearer(token)
    }
}

/// Adds to a failure what only Checkmarx's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            "also with a new access token; an IP allow list or another region's location may be the cause"
        }
        HttpErrorKind::Status { status: 403, .. } => {
            "the key's user needs the role ast-viewer, and with the new Access Management the project assigned"
        }
        HttpErrorKind::NotJson => {
            "location must be the address at which you log in, such as https://eu.ast.checkmarx.net"
        }
        _ => return ConnectorError::Http(error),
    };
    ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    })
}

/// Where people look at a result.
pub(super) fn page_of_result(
    location: &str,
    scan: &str,
    project: &str,
    engine: &str,
    id: &str,
) -> String {
    let id: String = byte_serialize(id.as_bytes()).collect();
    let id = id.replace('+', "%20");
    format!("{location}results/{scan}/{project}/{engine}?result-id={id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "GET https://eu.ast.checkmarx.net/api/projects: failed".to_owned();
            explain(HttpError { kind, message }).to_string()
        };
        let status = |status| HttpErrorKind::Status {
            status,
            body: String::new(),
            retry_after: None,
        };
        assert!(explained(status(401)).contains("new access token"));
        assert!(explained(status(403)).contains("ast-viewer"));
        assert!(explained(HttpErrorKind::NotJson).contains("location"));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }

    #[test]
    fn an_id_is_escaped_in_the_link_for_people() {
        assert_eq!(
            page_of_result("https://h/", "s", "p", "sast", "vu/B9+=4 x"),
            "https://h/results/s/p/sast?result-id=vu%2FB9%2B%3D4%20x"
        );
    }
}
