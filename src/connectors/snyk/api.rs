//! The calls, and what their failures mean.

use std::sync::OnceLock;

use reqwest::header::HeaderMap;
use serde_json::value::RawValue;
use url::Url;

use super::document::{self, Page};
use super::links::next_query;
use super::project::{Organization, Project};
use super::query::{Parameter, first_query};
use super::tables::{SERVED_WELL, caller};
use crate::connectors::ConnectorError;
use crate::connectors::lenient::{Object, Text};
use crate::http::{Client, HttpError, HttpErrorKind};

/// The largest page; pages are multiples of ten rows.
const PAGE: u32 = 100;

/// The smallest page, where only its coming is of interest.
const SMALL_PAGE: u32 = 10;

/// The media type of JSON:API.
const MEDIA_TYPE: &str = "application/vnd.api+json";

/// Snyk's REST API for one run.
pub(super) struct Api {
    client: Client,
    location: Url,
    version: String,
    /// The first word of Snyk that it will not answer like this for ever.
    notice: OnceLock<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Principal<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    attributes: Object<PrincipalAttributes<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct PrincipalAttributes<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

impl Api {
    pub(super) fn new(client: Client, location: Url, version: String) -> Self {
        Self {
            client,
            location,
            version,
            notice: OnceLock::new(),
        }
    }

    /// Whom Snyk takes the key for, in words. Keys of apps may not ask for that: those are not asked further.
    pub(super) async fn caller(&self) -> Result<String, ConnectorError> {
        let body = match self.get("/self", &self.only_version()).await {
            Err(ConnectorError::Http(error)) if matches!(error.status(), Some(403 | 404)) => {
                return Ok("key accepted".to_owned());
            }
            answer => answer?,
        };
        let json = document::one(body.get()).map_err(|reason| self.odd("/self", &reason))?;
        let principal = serde_json::from_str::<Object<Principal<'_>>>(json.get());
        let Object(principal) = principal.map_err(|error| self.odd("/self", &error.to_string()))?;
        let kind = caller(principal.kind.as_str());
        Ok(match principal.attributes.0.name.as_str() {
            Some(name) => format!("key of the {kind} {} accepted", self.client.quote(name)),
            None => format!("key of a {kind} accepted"),
        })
    }

    /// One of the organizations that the key sees.
    pub(super) async fn any_organization(&self) -> Result<Option<Organization>, ConnectorError> {
        self.first_of("/orgs", &[]).await
    }

    /// The organization of this slug; none if the key sees none.
    pub(super) async fn organization_of_slug(
        &self,
        slug: &str,
    ) -> Result<Option<Organization>, ConnectorError> {
        let found = self.first_of("/orgs", &[("slug", slug.to_owned())]).await?;
        // Should the filter be ignored, another's issues would be taken for this one's.
        Ok(found.filter(|organization| organization.slug() == slug))
    }

    /// A project; none if it is not there, or may not be seen.
    pub(super) async fn project(
        &self,
        organization: &str,
        id: &str,
    ) -> Result<Option<Project>, ConnectorError> {
        let path = format!("{}/{id}", of_projects(organization));
        let body = match self.get(&path, &self.only_version()).await {
            Err(ConnectorError::Http(error)) if error.status() == Some(404) => return Ok(None),
            answer => answer?,
        };
        let json = document::one(body.get()).map_err(|reason| self.odd(&path, &reason))?;
        let project = Project::parse(&json).map_err(|reason| self.odd(&path, &reason))?;
        Ok(Some(project))
    }

    /// Proves that the organization's projects may be listed.
    pub(super) async fn prove_projects(&self, organization: &str) -> Result<(), ConnectorError> {
        let query = first_query(&self.version, SMALL_PAGE, &[]);
        self.page(&of_projects(organization), &query)
            .await
            .map(drop)
    }

    /// Proves that issues may be listed.
    pub(super) async fn prove_issues(
        &self,
        path: &str,
        filters: &[Parameter],
    ) -> Result<(), ConnectorError> {
        let query = first_query(&self.version, SMALL_PAGE, filters);
        self.page(path, &query).await.map(drop)
    }

    /// The query of a list's first page.
    pub(super) fn first_query(&self, filters: &[Parameter]) -> String {
        first_query(&self.version, PAGE, filters)
    }

    /// A page of a list, by its whole query.
    pub(super) async fn page(&self, path: &str, query: &str) -> Result<Page, ConnectorError> {
        let body = self.get(path, query).await?;
        document::page(body.get()).map_err(|reason| self.odd(path, &reason))
    }

    /// The query to which a link of a list leads.
    pub(super) fn follow(&self, path: &str, link: &str) -> Result<String, ConnectorError> {
        let mut list = self.location.clone();
        list.set_path(&format!("{}{path}", self.location.path()));
        next_query(&list, link).map_err(|reason| self.odd(path, &reason))
    }

    /// What Snyk says about the end of what is used here, once.
    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.get().map(String::as_str)
    }

    /// Words of Snyk, fit to be shown.
    pub(super) fn quote(&self, words: &str) -> String {
        self.client.quote(words)
    }

    /// An answer that is not to be believed.
    pub(super) fn odd(&self, path: &str, reason: &str) -> ConnectorError {
        let reason = self.client.quote(reason);
        ConnectorError::Refused(format!("GET {}{path}: {reason}", self.location))
    }

    async fn first_of(
        &self,
        path: &str,
        filters: &[Parameter],
    ) -> Result<Option<Organization>, ConnectorError> {
        let query = first_query(&self.version, SMALL_PAGE, filters);
        let page = self.page(path, &query).await?;
        let first = page.rows.first().map(|row| Organization::parse(row));
        first.transpose().map_err(|reason| self.odd(path, &reason))
    }

    fn only_version(&self) -> String {
        format!("version={}", self.version)
    }

    async fn get(&self, path: &str, query: &str) -> Result<Box<RawValue>, ConnectorError> {
        let request = self.client.get(path).raw_query(query);
        let request = request.header("accept", MEDIA_TYPE);
        let answer = request.json::<Box<RawValue>>().await;
        let answer = answer.map_err(|error| self.explain(error))?;
        if let Some(notice) = ending(&answer.headers, path) {
            self.notice.get_or_init(|| {
                format!("{notice}; set api_version to a newer date, or update secpull")
            });
        }
        Ok(answer.body)
    }

    /// Adds to a failure Snyk's own words, and what only Snyk's facts explain.
    fn explain(&self, error: HttpError) -> ConnectorError {
        let HttpErrorKind::Status { status, body, .. } = &error.kind else {
            let advice = match error.kind {
                HttpErrorKind::NotJson => {
                    "; location must be the REST API, such as https://api.snyk.io/rest"
                }
                _ => "",
            };
            return ConnectorError::Http(HttpError {
                message: format!("{}{advice}", error.message),
                kind: error.kind,
            });
        };
        let mut message = error.message.clone();
        if let Some(fault) = document::fault(body) {
            message.push_str(&format!("; Snyk says: {}", self.client.quote(&fault)));
        }
        if let Some(advice) = advice(*status) {
            message.push_str(&format!("; {advice}"));
        }
        ConnectorError::Http(HttpError {
            message,
            kind: error.kind,
        })
    }
}

fn advice(status: u16) -> Option<&'static str> {
    match status {
        401 => Some(
            "a region refuses the good key of another one like a wrong key: location must be the API of the key's region \
             (api.snyk.io, api.us.snyk.io, api.eu.snyk.io, api.au.snyk.io); OAuth access tokens need auth_scheme = \"bearer\"",
        ),
        403 => Some(
            "the key's role lacks a permission, or the plan has no API (that takes Enterprise); a service account of one \
             organization cannot read a group",
        ),
        404 => Some(
            "Snyk says so too of what the key may not see, and where api_version is older than the call",
        ),
        _ => None,
    }
}

/// The path of an organization's projects.
pub(super) fn of_projects(organization: &str) -> String {
    format!("/orgs/{organization}/projects")
}

/// What an answer says about the end of its version, if anything.
fn ending(headers: &HeaderMap, path: &str) -> Option<String> {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty() && value.len() <= 64).then_some(value)
    };
    let stage = text("snyk-version-lifecycle-stage").map(str::to_ascii_lowercase);
    let stage = stage.filter(|stage| !SERVED_WELL.contains(&stage.as_str()));
    let (sunset, deprecation) = (text("sunset"), text("deprecation"));
    if stage.is_none() && sunset.is_none() && deprecation.is_none() {
        return None;
    }
    let version = text("snyk-version-served").unwrap_or("asked for");
    let mut notice = format!("Snyk calls the version {version} of {path} ");
    notice.push_str(stage.as_deref().unwrap_or("deprecated"));
    if let Some(date) = sunset {
        notice.push_str(&format!(", to be served until {date}"));
    } else if let Some(date) = deprecation {
        notice.push_str(&format!(", since {date}"));
    }
    Some(notice)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_an_end_that_is_announced_is_a_notice() {
        let of = |pairs: &[(&'static str, &str)]| ending(&headers(pairs), "/orgs/o/issues");
        let ga = ("snyk-version-lifecycle-stage", "ga");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[ga, ("snyk-version-served", "2024-10-15")]), None);
        let notice = of(&[
            ("snyk-version-lifecycle-stage", "deprecated"),
            ("snyk-version-served", "2024-10-15"),
            ("sunset", "2027-01-31"),
        ]);
        assert_eq!(
            notice.unwrap(),
            "Snyk calls the version 2024-10-15 of /orgs/o/issues deprecated, to be served until 2027-01-31"
        );
        assert!(
            of(&[("deprecation", "2026-01-01T00:00:00Z")])
                .unwrap()
                .contains("since 2026")
        );
        assert!(
            of(&[ga, ("sunset", "2027-01-31")])
                .unwrap()
                .contains("2027-01-31")
        );
    }
}
