//! Which organizations are read, and which projects they have.

use std::collections::BTreeMap;

use super::api::Api;
use super::lists;
use super::project::{Organization, Project};
use super::spec::{Home, Selection, is_uuid};
use crate::connectors::ConnectorError;
use crate::http::HttpErrorKind;

/// After so many organizations in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

/// Whose issues are read, and from where.
pub(super) struct Reach {
    pub(super) organizations: Vec<Organization>,
    /// The path of the list of issues.
    pub(super) issues_path: String,
    is_group: bool,
}

impl Reach {
    /// Finds out; of an organization's UUID there is nothing to find out.
    pub(super) async fn of(api: &Api, home: &Home) -> Result<Self, ConnectorError> {
        match home {
            Home::Organization(key) => {
                let organization = organization(api, key).await?;
                Ok(Self {
                    issues_path: format!("/orgs/{}/issues", organization.id),
                    organizations: vec![organization],
                    is_group: false,
                })
            }
            Home::Group(id) => {
                let organizations = lists::of_group(api, id).await?;
                if organizations.is_empty() {
                    return Err(ConnectorError::Refused(format!(
                        "the key sees no organization of the group {id}; nothing is concluded from that"
                    )));
                }
                Ok(Self {
                    organizations,
                    issues_path: format!("/groups/{id}/issues"),
                    is_group: true,
                })
            }
        }
    }

    /// What it is, in words.
    pub(super) fn name(&self) -> String {
        match self.organizations.as_slice() {
            [one] if !self.is_group => format!("the organization {}", one.slug()),
            many => format!("a group of {} organizations", many.len()),
        }
    }
}

async fn organization(api: &Api, key: &str) -> Result<Organization, ConnectorError> {
    if is_uuid(key) {
        return Ok(Organization::of_id(key));
    }
    let found = api.organization_of_slug(key).await?;
    found.ok_or_else(|| {
        ConnectorError::Refused(format!(
            "there is no organization with the slug {key:?} that the key may see (its UUID is in the organization's settings)"
        ))
    })
}

/// The projects at one time.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// By id.
    pub(super) projects: BTreeMap<String, Project>,
    /// Organizations whose projects could not be listed, by id, and why.
    pub(super) unread: BTreeMap<String, String>,
}

impl Survey {
    /// Looks at all projects that the selection is about.
    pub(super) async fn of(
        api: &Api,
        reach: &Reach,
        selection: &Selection,
    ) -> Result<Self, ConnectorError> {
        let mut survey = Self::default();
        if let (Some(key), Some(organization)) =
            (&selection.project_key, reach.organizations.first())
        {
            survey.add(api.project(&organization.id, key).await?);
            return Ok(survey);
        }
        let mut failures = 0;
        for organization in &reach.organizations {
            match lists::projects(api, &organization.id).await {
                Ok(projects) => {
                    failures = 0;
                    survey.add(projects);
                }
                Err(failure) => {
                    failures += u32::from(failure.concerns_all());
                    let alone = reach.organizations.len() == 1;
                    if alone || pointless(&failure) || failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                    let reason = format!("organization {}: {failure}", organization.slug());
                    survey.unread.insert(organization.id.clone(), reason);
                }
            }
        }
        Ok(survey)
    }

    fn add(&mut self, projects: impl IntoIterator<Item = Project>) {
        let projects = projects.into_iter();
        self.projects
            .extend(projects.map(|project| (project.id.clone(), project)));
    }

    /// Whether Snyk watches this project.
    pub(super) fn watches(&self, id: &str) -> bool {
        self.projects
            .get(id)
            .is_some_and(|project| project.is_active)
    }
}

/// That the configured project is gone is an error of the run, and not "no findings".
pub(super) fn explain_gone(key: &str, organization: &Organization) -> ConnectorError {
    ConnectorError::Refused(format!(
        "there is no project {key} in the organization {} that the key may see; nothing is concluded from that (a project that was \
         imported into Snyk anew has a new id)",
        organization.slug()
    ))
}

/// Whether every other organization would fail likewise.
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
