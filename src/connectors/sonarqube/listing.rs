//! The list of all projects.

use super::api::Api;
use super::project::Component;
use super::reading::{Reading, Step, Window, short_hash};
use crate::connectors::ConnectorError;

/// How often it is read if its rows move meanwhile.
const READINGS: u32 = 2;

/// The projects that the token's user may browse.
pub(super) struct Projects {
    pub(super) items: Vec<Component>,
    /// Why they may not be all, if so.
    pub(super) doubt: Option<String>,
}

/// Reads the list.
pub(super) async fn projects(api: &Api<'_>) -> Result<Projects, ConnectorError> {
    let mut attempt = 1;
    loop {
        let projects = read(api).await?;
        match projects.doubt {
            Some(_) if attempt < READINGS => attempt += 1,
            _ => return Ok(projects),
        }
    }
}

async fn read(api: &Api<'_>) -> Result<Projects, ConnectorError> {
    let window = Window::new(api.page_size);
    let mut reading = Reading::new(window);
    let mut items: Vec<Component> = Vec::new();
    let mut too_many = None;
    loop {
        let page = api.projects(reading.next_page(), api.page_size).await?;
        let mut ids = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            let project = Component::parse(row).map_err(ConnectorError::Refused)?;
            ids.push(Some(short_hash(&project.key)));
            items.push(project);
        }
        too_many = too_many.or(page.total.ok().filter(|total| !window.holds(*total)));
        if reading.page(page.total, &ids) == Step::Stop {
            break;
        }
    }
    items.sort_by(|a, b| a.key.cmp(&b.key));
    items.dedup_by(|a, b| a.key == b.key);
    items.retain(|item| item.other_than_project().is_none());
    let doubt = match too_many {
        Some(total) => Some(format!(
            "there are {total} projects or more, and SonarQube lists the first 10000 only; name them one by one in project_key"
        )),
        None => reading.doubt_of_end(),
    };
    Ok(Projects { items, doubt })
}
