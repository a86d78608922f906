//! The calls, and what their failures mean.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::page::Page;
use super::place::Reference;
use super::project::{Branch, Component, branches};
use super::site::Site;
use super::tables::CAP;
use super::version::{Dialect, Mode};
use crate::config::Secret;
use crate::connectors::ConnectorError;
use crate::http::{Client, HttpError, HttpErrorKind, Request};

/// More bytes than this of one page are not gathered.
const MAX_PAGE_BYTES: usize = 64 << 20;

/// Clients for one run: without credentials, with them as servers before 10.4 want them, and of the API's second host.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) plain: Client,
    pub(super) basic: Client,
    pub(super) second: Client,
}

/// One server, or organization of Cloud, spoken to in its own way.
pub(super) struct Api<'a> {
    clients: Clients,
    token: &'a Secret,
    pub(super) site: &'a Site,
    pub(super) dialect: Dialect,
    pub(super) page_size: u64,
}

/// A search that gives pages of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    path: &'static str,
    /// Where in the answer the rows are.
    rows: &'static [&'static str],
}

pub(super) const ISSUES: Listing = Listing {
    path: "/api/issues/search",
    rows: &["issues"],
};

pub(super) const HOTSPOTS: Listing = Listing {
    path: "/api/hotspots/search",
    rows: &["hotspots"],
};

const PROJECTS: Listing = Listing {
    path: "/api/components/search",
    rows: &["components"],
};

const FILES: Listing = Listing {
    path: "/api/components/tree",
    rows: &["components"],
};

pub(super) type Query = Vec<(&'static str, String)>;

impl<'a> Api<'a> {
    pub(super) fn new(
        clients: Clients,
        token: &'a Secret,
        site: &'a Site,
        dialect: Dialect,
        page_size: u64,
    ) -> Self {
        Self {
            clients,
            token,
            site,
            dialect,
            page_size,
        }
    }

    /// A GET with the token, in the way that the tool takes it.
    pub(super) fn request(&self, path: &str) -> Request {
        match self.dialect.bearer {
            true => self.clients.plain.get(path).bearer(self.token),
            false => self.clients.basic.get(path),
        }
    }

    async fn json(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Box<RawValue>, ConnectorError> {
        let answer = with(self.request(path), query)
            .json::<Box<RawValue>>()
            .await;
        answer.map(|answer| answer.body).map_err(explain)
    }

    /// Whether the server takes the token for one; on Cloud it says so even without one.
    pub(super) async fn token_is_valid(&self) -> Result<bool, ConnectorError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            valid: bool,
        }
        let request = self.request("/api/authentication/validate");
        let answer = request.json::<Answer>().await.map_err(explain)?;
        Ok(answer.body.valid)
    }

    /// Which severity counts. Where a server does not say, it is of a kind that has both, and the newer one is its default.
    pub(super) async fn mode(&self) -> Result<Mode, ConnectorError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            mode: String,
        }
        if self.dialect.version.is_none() {
            return Ok(Mode::Quality);
        }
        if !self.dialect.has_modes {
            return Ok(Mode::Standard);
        }
        let request = self.request("/api/v2/clean-code-policy/mode");
        match request.json::<Answer>().await {
            Ok(answer) if answer.body.mode == "STANDARD_EXPERIENCE" => Ok(Mode::Standard),
            Ok(_) => Ok(Mode::Quality),
            Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(Mode::Quality),
            Err(error) => Err(explain(error)),
        }
    }

    /// Proves that a project, and a branch of it, is there and may be browsed. Without this nothing can be concluded from a
    /// search, which answers with nothing for whatever is not there or not allowed.
    pub(super) async fn component(
        &self,
        key: &str,
        reference: &Reference,
    ) -> Result<Component, ConnectorError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            component: Box<RawValue>,
        }
        const PATH: &str = "/api/components/show";
        let mut query = vec![("component", key.to_owned())];
        query.extend(owned(reference.parameter()));
        let request = with(self.request(PATH), &query);
        let answer = request.json::<Answer>().await.map_err(|error| {
            match error.status() {
                Some(404) => ConnectorError::Refused(format!(
                    "{error}: there is no project {key}{}, or it was renamed; nothing is concluded from that",
                    reference.words()
                )),
                _ => explain(error),
            }
        })?;
        let component = Component::parse(answer.body.component.get().as_bytes());
        let component = component.map_err(|reason| refused(PATH, &reason))?;
        if component.key != key {
            let reason = format!("{key} was asked for, and {} came", component.key);
            return Err(refused(PATH, &reason));
        }
        let organization = self.site.organization();
        if let (Some(wanted), Some(other)) = (organization, component.organization.as_deref())
            && wanted != other
        {
            let reason = format!("project {key} is of the organization {other}, not of {wanted}");
            return Err(refused(PATH, &reason));
        }
        match component.other_than_project() {
            None => Ok(component),
            Some(what) => Err(ConnectorError::Refused(format!(
                "{key} is {what}, which shows the issues of projects; name a project in project_key"
            ))),
        }
    }

    /// The branches of a project.
    pub(super) async fn branches(&self, project: &str) -> Result<Vec<Branch>, ConnectorError> {
        const PATH: &str = "/api/project_branches/list";
        let answer = self.json(PATH, &[("project", project.to_owned())]).await?;
        branches(&answer).map_err(|reason| refused(PATH, &reason))
    }

    /// A page of the projects that the token's user may browse.
    pub(super) async fn projects(&self, number: u64, size: u64) -> Result<Page, ConnectorError> {
        let query = vec![("qualifiers", "TRK".to_owned())];
        self.page(PROJECTS, self.of_organization(query), number, size)
            .await
    }

    /// Whether the organization lists the project. A search in another one finds nothing, however many issues there are.
    pub(super) async fn organization_has(&self, project: &str) -> Result<bool, ConnectorError> {
        let query = vec![("qualifiers", "TRK".to_owned()), ("q", project.to_owned())];
        let query = self.of_organization(query);
        let page = self.page(PROJECTS, query, 1, self.page_size).await?;
        let listed = page
            .rows
            .iter()
            .filter_map(|row| Component::parse(row).ok());
        Ok(listed.into_iter().any(|one| one.key == project))
    }

    /// A page of the files of a project.
    pub(super) async fn files(
        &self,
        project: &str,
        reference: &Reference,
        number: u64,
    ) -> Result<Page, ConnectorError> {
        let mut query = vec![
            ("component", project.to_owned()),
            ("qualifiers", "FIL,UTS".to_owned()),
            ("strategy", "leaves".to_owned()),
        ];
        query.extend(owned(reference.parameter()));
        self.page(FILES, query, number, self.page_size).await
    }

    /// The filters of a search for issues of a project. Parameters that the tool does not know it ignores.
    pub(super) fn issues_of(&self, project: &str, reference: &Reference) -> Query {
        let mut query = vec![(self.dialect.components, project.to_owned())];
        query.extend(owned(reference.parameter()));
        self.of_organization(query)
    }

    /// The same for hotspots.
    pub(super) fn hotspots_of(&self, project: &str, reference: &Reference) -> Query {
        let mut query = vec![(self.dialect.project, project.to_owned())];
        query.extend(owned(reference.parameter()));
        query
    }

    /// The same, naming the organization on Cloud.
    pub(super) fn of_organization(&self, mut query: Query) -> Query {
        let organization = self.site.organization();
        query.extend(organization.map(|key| ("organization", key.to_owned())));
        query
    }

    /// A page of a search, from 1.
    pub(super) async fn page(
        &self,
        listing: Listing,
        mut query: Query,
        number: u64,
        size: u64,
    ) -> Result<Page, ConnectorError> {
        query.push(("ps", size.to_string()));
        query.push(("p", number.to_string()));
        let request = || with(self.request(listing.path), &query);
        gather(request, listing, size).await
    }

    /// A page of dependency risks, from 1.
    pub(super) async fn risks(
        &self,
        project: &str,
        reference: &Reference,
        number: u64,
    ) -> Result<Page, ConnectorError> {
        let listing = Listing {
            path: self.site.risks_path(),
            rows: &["issuesReleases"],
        };
        let mut query = vec![("projectKey", project.to_owned())];
        query.extend(owned(reference.parameter_v2()));
        query.push(("pageIndex", number.to_string()));
        query.push(("pageSize", self.page_size.to_string()));
        let request = || {
            let request = self.clients.second.get(listing.path).bearer(self.token);
            with(request, &query)
        };
        gather(request, listing, self.page_size).await
    }
}

/// Sends, and gathers the rows and the document around them; once more if the body was cut off.
async fn gather(
    request: impl Fn() -> Request,
    listing: Listing,
    size: u64,
) -> Result<Page, ConnectorError> {
    match gather_once(request(), listing, size).await {
        Err(ConnectorError::Http(error)) if error.kind == HttpErrorKind::Truncated => {
            gather_once(request(), listing, size).await
        }
        page => page,
    }
}

async fn gather_once(
    request: Request,
    listing: Listing,
    size: u64,
) -> Result<Page, ConnectorError> {
    let most = usize::try_from(size.min(CAP)).unwrap_or(usize::MAX);
    let mut elements = request.elements(listing.rows).await.map_err(explain)?;
    let mut rows: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while let Some(more) = elements.next().await.map_err(explain)? {
        bytes += more.iter().map(Bytes::len).sum::<usize>();
        rows.extend(more);
        if rows.len() > most || bytes > MAX_PAGE_BYTES {
            let reason = format!("more than the {size} rows came that were asked for");
            return Err(refused(listing.path, &reason));
        }
    }
    Page::of(rows, elements.envelope()).map_err(|reason| refused(listing.path, &reason))
}

/// The request with these parameters.
pub(super) fn with(request: Request, query: &[(&'static str, String)]) -> Request {
    query
        .iter()
        .fold(request, |request, (key, value)| request.query(key, value))
}

fn owned(pair: Option<(&'static str, &str)>) -> Option<(&'static str, String)> {
    pair.map(|(key, value)| (key, value.to_owned()))
}

pub(super) fn refused(path: &str, reason: &str) -> ConnectorError {
    ConnectorError::Refused(format!("GET {path}: {reason}"))
}

/// Adds to a failure what only SonarQube's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            "the token is wrong, expired or revoked; it must be a user token (My Account, Security)"
        }
        HttpErrorKind::Status { status: 403, .. } => {
            "the token's user needs Browse on the project, and the token must be a user token, not one for analysis"
        }
        HttpErrorKind::Status { status: 503, .. } => {
            "after an upgrade issues cannot be searched until they are indexed"
        }
        HttpErrorKind::NotJson => {
            "location must be the base URL of SonarQube, with its context path if it has one"
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
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "GET https://sonar.example/api/issues/search: failed".to_owned();
            explain(HttpError { kind, message }).to_string()
        };
        let status = |status| HttpErrorKind::Status {
            status,
            body: String::new(),
            retry_after: None,
        };
        assert!(explained(status(401)).contains("user token"));
        assert!(explained(status(403)).contains("Browse"));
        assert!(explained(status(503)).contains("indexed"));
        assert!(explained(HttpErrorKind::NotJson).contains("context path"));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }
}
