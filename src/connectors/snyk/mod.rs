//! Snyk's REST API: the issues of one organization, of one of its projects, or of a whole group.
//!
//! Snyk lists issues in the order in which they were made, whatever project they are of. So one listing is read, and each issue
//! goes to its project, which is a record. The old API (`/v1`) is not used.

mod api;
mod document;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod links;
mod lists;
mod location;
mod place;
mod project;
mod purl;
mod query;
mod reading;
mod row;
mod spec;
mod survey;
mod tables;
mod trail;
mod walk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::api::Api;
use self::project::{Organization, Project};
use self::spec::{DEFAULT_VERSION, Home, Selection};
use self::survey::{Reach, explain_gone};
use super::{Connector, ConnectorError, Record, Sink};
use crate::config::{ApiConfiguration, Secret, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

struct Snyk {
    client: Client,
    /// Root of the REST API, without a trailing slash.
    location: url::Url,
    version: String,
    /// The organization of each record of the last discovery, by the record's id: a record itself does not tell it.
    homes: Mutex<BTreeMap<String, Arc<Organization>>>,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let unusable = |reason: String| HttpError {
        kind: HttpErrorKind::Setup,
        message: format!("tool {}: {reason}", tool.name),
    };
    let location = location::rest(&tool.location).map_err(unusable)?;
    let secret = tool.secret.clone();
    let secret = secret.ok_or_else(|| unusable("secret is missing".to_owned()))?;
    let authentication = match tool.settings.text("auth_scheme") {
        Some("bearer") => Authentication {
            bearer: Some(secret),
            ..Authentication::default()
        },
        _ => {
            let value = Secret::new(&format!("token {}", secret.expose()));
            Authentication {
                headers: vec![("Authorization".to_owned(), value)],
                ..Authentication::default()
            }
        }
    };
    let tool = Tool {
        location: location.clone(),
        ..tool.clone()
    };
    let version = tool.settings.text("api_version").map(str::trim);
    Ok(Arc::new(Snyk {
        client: Client::new(&tool, authentication)?,
        location,
        version: version.unwrap_or(DEFAULT_VERSION).to_owned(),
        homes: Mutex::default(),
    }))
}

#[async_trait]
impl Connector for Snyk {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.api(self.client.clone());
        let caller = server.caller().await?;
        let mut said = format!("Snyk, {caller}");
        match api.map(|api| Selection::of(&api.settings)) {
            None => match server.any_organization().await? {
                Some(organization) => said.push_str(&format!(
                    ", it sees the organization {}",
                    organization.slug()
                )),
                None => said.push_str(", but it sees no organization"),
            },
            Some(selection) => {
                let reach = Reach::of(&server, &selection.home).await?;
                prove(&server, &reach, &selection).await?;
                said.push_str(&format!(", issues of {} readable", reach.name()));
            }
        }
        if let Some(notice) = server.notice() {
            said.push_str(&format!("; {notice}"));
        }
        Ok(said)
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = self.api(self.client.clone());
        let mut records = Vec::new();
        let mut homes = BTreeMap::new();
        for organization in lists::organizations(&server).await? {
            let organization = Arc::new(organization);
            for project in lists::projects(&server, &organization.id).await? {
                homes.insert(project.id.clone(), Arc::clone(&organization));
                records.push(project.record_in(&organization));
            }
        }
        *self.homes.lock().unwrap_or_else(PoisonError::into_inner) = homes;
        Ok(records)
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        let selection = Selection::of(&api.settings);
        if let Some(key) = &selection.project_key {
            return record.id == *key;
        }
        let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes
            .get(&record.id)
            .is_none_or(|organization| match &selection.home {
                Home::Organization(key) => organization.is_called(key),
                Home::Group(id) => organization.is_of(id),
            })
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.api(self.client.metered(sink.meter()));
        reading::pull(&server, &Selection::of(&api.settings), sink).await
    }
}

impl Snyk {
    fn api(&self, client: Client) -> Api {
        Api::new(client, self.location.clone(), self.version.clone())
    }
}

/// Proves that projects and issues can be read, by a page of each.
async fn prove(api: &Api, reach: &Reach, selection: &Selection) -> Result<(), ConnectorError> {
    match (&selection.project_key, reach.organizations.first()) {
        (Some(key), Some(organization)) => {
            let project: Option<Project> = api.project(&organization.id, key).await?;
            project.ok_or_else(|| explain_gone(key, organization))?;
        }
        (None, Some(organization)) => api.prove_projects(&organization.id).await?,
        (_, None) => {}
    }
    api.prove_issues(&reach.issues_path, &selection.filters())
        .await
}
