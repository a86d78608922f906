//! Organizations and projects, listed as a whole.

use std::collections::HashSet;

use super::api::{Api, of_projects};
use super::project::{Organization, Project};
use super::walk::Walk;
use crate::connectors::ConnectorError;

/// All organizations that the key sees.
pub(super) async fn organizations(api: &Api) -> Result<Vec<Organization>, ConnectorError> {
    let walk = Walk::along(api, "/orgs", &[]);
    Ok(distinct(walk.all(Organization::parse).await?, |one| {
        &one.id
    }))
}

/// All organizations of a group.
pub(super) async fn of_group(api: &Api, id: &str) -> Result<Vec<Organization>, ConnectorError> {
    let walk = Walk::along(api, &format!("/groups/{id}/orgs"), &[]);
    Ok(distinct(walk.all(Organization::parse).await?, |one| {
        &one.id
    }))
}

/// All projects of an organization.
pub(super) async fn projects(
    api: &Api,
    organization: &str,
) -> Result<Vec<Project>, ConnectorError> {
    let walk = Walk::along(api, &of_projects(organization), &[]);
    Ok(distinct(walk.all(Project::parse).await?, |one| &one.id))
}

/// Lists may hold a row twice.
fn distinct<T>(mut all: Vec<T>, id: impl Fn(&T) -> &String) -> Vec<T> {
    let mut seen = HashSet::new();
    all.retain(|one| seen.insert(id(one).clone()));
    all
}
