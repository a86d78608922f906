//! One import: the list of issues, each issue to its project or environment.
//!
//! A project that is deactivated, or deleted, takes its issues out of the list without one of them being mended. So projects are
//! looked at before and after, and only of those that Snyk watched all the time anything is concluded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::api::Api;
use super::finding;
use super::project::{Project, id};
use super::row::Row;
use super::spec::{Selection, is_uuid};
use super::survey::{Reach, Survey, explain_gone};
use super::tables::known_status;
use super::walk::Walk;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Record, Scope, Sink, SinkClosed};
use crate::finding::SourceKey;

/// So many names, or words, stand in a warning.
const NAMES: usize = 5;

/// Imports what the API configuration asks for.
pub(super) async fn pull(
    api: &Api,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<(), ConnectorError> {
    let outcome = read(api, selection, sink).await;
    // Once for all calls of the run, and also when it failed: the end of the version may be why.
    if let Some(notice) = api.notice() {
        sink.put(Pulled::Warning(notice.to_owned())).await?;
    }
    outcome
}

async fn read(api: &Api, selection: &Selection, sink: &mut Sink) -> Result<(), ConnectorError> {
    let reach = Reach::of(api, &selection.home).await?;
    let before = Survey::of(api, &reach, selection).await?;
    if let (Some(key), Some(organization)) = (&selection.project_key, reach.organizations.first()) {
        let project = before.projects.get(key);
        let project = project.ok_or_else(|| explain_gone(key, organization))?;
        if !sink.wants(&project.record()) {
            let warning = format!("records leaves out the configured project {}", project.name);
            return Ok(sink.put(Pulled::Warning(warning)).await?);
        }
    }
    let mut reading = Reading {
        api,
        reach: &reach,
        selection,
        places: BTreeMap::new(),
        unread: before.unread.clone(),
        homeless: None,
        odd_statuses: BTreeSet::new(),
    };
    for project in before.projects.values() {
        let place = Place::of_project(project.clone(), sink);
        reading.places.insert(project.id.clone(), place);
    }
    reading.read(sink).await?;
    let after = Survey::of(api, &reach, selection).await?;
    reading.end(&before, after, sink).await
}

/// What an issue belongs to.
enum Owner {
    Project(Project),
    /// No list has them.
    Environment,
    /// A project of which nothing is known but its id.
    Unlisted,
}

/// The issues of one owner on their way into the sink.
struct Place {
    scope: Scope,
    owner: Owner,
    /// None if the API configuration does not want it.
    pages: Option<Pages>,
    left_out: Vec<SourceKey>,
    /// Whether anything was said of its scope.
    is_open: bool,
}

impl Place {
    fn of_project(project: Project, sink: &Sink) -> Self {
        let scope = Scope {
            record: project.record(),
            branch: project.branch(),
            part: None,
        };
        Self::new(scope, Owner::Project(project), sink)
    }

    /// One without more than an id, and perhaps a name.
    fn of_id(id: &str, name: Option<&str>, owner: Owner, sink: &Sink) -> Self {
        let scope = Scope {
            record: Record {
                id: id.to_owned(),
                name: name.unwrap_or(id).to_owned(),
                detail: None,
            },
            branch: None,
            part: None,
        };
        Self::new(scope, owner, sink)
    }

    fn new(scope: Scope, owner: Owner, sink: &Sink) -> Self {
        let wanted = sink.wants(&scope.record);
        Self {
            pages: wanted.then(|| Pages::of(scope.clone())),
            scope,
            owner,
            left_out: Vec::new(),
            is_open: false,
        }
    }

    fn project(&self) -> Option<&Project> {
        match &self.owner {
            Owner::Project(project) => Some(project),
            Owner::Environment | Owner::Unlisted => None,
        }
    }
}

struct Reading<'a> {
    api: &'a Api,
    reach: &'a Reach,
    selection: &'a Selection,
    /// By the id of project or environment.
    places: BTreeMap<String, Place>,
    /// Organizations that cannot be read as a whole, by id, and why.
    unread: BTreeMap<String, String>,
    /// Why a row could not even be given to a place.
    homeless: Option<String>,
    /// Words of statuses that nobody knows.
    odd_statuses: BTreeSet<String>,
}

impl Reading<'_> {
    async fn read(&mut self, sink: &mut Sink) -> Result<(), ConnectorError> {
        let filters = self.selection.filters();
        let mut walk = Walk::along(self.api, &self.reach.issues_path, &filters);
        while let Some(rows) = walk.next().await? {
            self.take(&rows, sink).await?;
        }
        Ok(())
    }

    /// Takes a page in.
    async fn take(
        &mut self,
        rows: &[Box<RawValue>],
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        let mut touched = BTreeSet::new();
        for json in rows {
            match Row::parse(json.get()) {
                Ok(row) => touched.extend(self.sort(&row, json.get(), sink).await?),
                Err(reason) => touched.extend(self.note_homeless(reason, sink).await?),
            }
        }
        for id in touched {
            let Some(place) = self.places.get_mut(&id) else {
                continue;
            };
            let Some(pages) = &mut place.pages else {
                continue;
            };
            if !place.left_out.is_empty() {
                let left_out = Pulled::LeftOut {
                    scope: place.scope.clone(),
                    keys: std::mem::take(&mut place.left_out),
                };
                sink.put(left_out).await?;
            }
            pages.flush(sink).await?;
        }
        Ok(())
    }

    /// Puts a row to its place; the answer is which, if it is wanted.
    async fn sort(
        &mut self,
        row: &Row<'_>,
        raw: &str,
        sink: &mut Sink,
    ) -> Result<Option<String>, ConnectorError> {
        let organization = row.organization().map(id);
        if organization.is_some_and(|organization| self.unread.contains_key(&organization)) {
            return Ok(None);
        }
        let Some(item) = row.scan_item().map(id) else {
            return Ok(None);
        };
        if !self.places.contains_key(&item) {
            let place = self.find(row, &item, sink).await?;
            self.places.insert(item.clone(), place);
        }
        let Some(place) = self.places.get_mut(&item) else {
            return Ok(None);
        };
        if place.pages.is_none() {
            return Ok(None);
        }
        let sighting = finding::map(row, raw, place.project());
        place.is_open = true;
        match (sighting, &mut place.pages) {
            (Ok(sighting), _) if !self.selection.takes(row.attributes.0.kind.as_str()) => {
                place.left_out.push(sighting.source_key());
            }
            (sighting, Some(pages)) => {
                let word = row.attributes.0.status.as_str();
                if known_status(word).is_none() && self.odd_statuses.len() < NAMES {
                    let word = self.api.quote(word.unwrap_or("none"));
                    self.odd_statuses.insert(word);
                }
                pages.add(sighting, sink).await?;
            }
            (_, None) => {}
        }
        Ok(Some(item))
    }

    /// A project that is not listed (yet), or an environment, which no list has.
    async fn find(&self, row: &Row<'_>, item: &str, sink: &Sink) -> Result<Place, ConnectorError> {
        if row.is_of_environment() {
            let name = row.environment();
            return Ok(Place::of_id(item, name, Owner::Environment, sink));
        }
        let alone = match self.reach.organizations.as_slice() {
            [one] => Some(one.id.clone()),
            _ => None,
        };
        let organization = row.organization().map(id).or(alone);
        // Both come from a row, and make a path.
        let organization = organization.filter(|id| is_uuid(id) && is_uuid(item));
        let project = match organization {
            None => Ok(None),
            Some(organization) => self.api.project(&organization, item).await,
        };
        match project {
            Ok(Some(project)) => Ok(Place::of_project(project, sink)),
            Ok(None) => Ok(Place::of_id(item, None, Owner::Unlisted, sink)),
            Err(ConnectorError::Http(error)) if error.status() == Some(403) => {
                Ok(Place::of_id(item, None, Owner::Unlisted, sink))
            }
            // Under another name than its own it might be filed elsewhere.
            Err(failure) => Err(failure),
        }
    }

    /// Counts a row of which nobody can tell whose it is, in one place.
    async fn note_homeless(
        &mut self,
        reason: String,
        sink: &mut Sink,
    ) -> Result<Option<String>, ConnectorError> {
        for (id, place) in &mut self.places {
            if let Some(pages) = &mut place.pages {
                place.is_open = true;
                pages.add(Err(reason), sink).await?;
                return Ok(Some(id.clone()));
            }
        }
        self.homeless.get_or_insert(reason);
        Ok(None)
    }

    /// Concludes, after the list was read to its end.
    async fn end(
        mut self,
        before: &Survey,
        after: Survey,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        if let Some(reason) = &self.homeless {
            return Err(self.api.odd(&self.reach.issues_path, reason));
        }
        self.unread.extend(after.unread.clone());
        if self.selection.project_key.is_none() && self.unread.is_empty() {
            let records = self.records(before, &after);
            sink.put(Pulled::Records(records)).await?;
        }
        let mut idle = Vec::new();
        for (id, place) in self.places {
            let Some(pages) = place.pages else {
                continue;
            };
            let watched = match place.owner {
                Owner::Environment => true,
                Owner::Project(_) | Owner::Unlisted => before.watches(&id) && after.watches(&id),
            };
            if watched {
                pages.end(Completeness::Complete, sink).await?;
                continue;
            }
            idle.push(place.scope.record.name);
            if place.is_open {
                pages.end(Completeness::Unproven, sink).await?;
            }
        }
        warn_of_statuses(self.odd_statuses, sink).await?;
        let unread = self.unread.len();
        match self.unread.into_values().next() {
            None => Ok(warn_of_idle(&idle, sink).await?),
            Some(reason) if unread == 1 => Err(ConnectorError::Refused(reason)),
            Some(reason) => Err(ConnectorError::Refused(format!(
                "{reason} (and {} more organizations)",
                unread - 1
            ))),
        }
    }

    /// All records that there are: the projects, and whatever else has issues. Those that were listed before and are no more
    /// are gone.
    fn records(&self, before: &Survey, after: &Survey) -> Vec<Record> {
        let listed = after.projects.values().map(Project::record);
        let surveys = [before, after];
        let is_listed = |id: &str| surveys.iter().any(|one| one.projects.contains_key(id));
        let others = self.places.iter();
        let others = others.filter(|(id, _)| !is_listed(id.as_str()));
        let others = others.map(|(_, place)| place.scope.record.clone());
        listed.chain(others).collect()
    }
}

async fn warn_of_idle(names: &[String], sink: &mut Sink) -> Result<(), SinkClosed> {
    if names.is_empty() {
        return Ok(());
    }
    let more = match names.len() > NAMES {
        true => ", …",
        false => "",
    };
    let warning = format!(
        "{} projects are inactive in Snyk, or no longer listed ({}{more}): Snyk does not report their issues, so their findings \
         stay as they are",
        names.len(),
        names[..names.len().min(NAMES)].join(", ")
    );
    sink.put(Pulled::Warning(warning)).await
}

async fn warn_of_statuses(words: BTreeSet<String>, sink: &mut Sink) -> Result<(), SinkClosed> {
    if words.is_empty() {
        return Ok(());
    }
    let words: Vec<_> = words.into_iter().collect();
    let warning = format!(
        "issues have a status that secpull does not know ({}); they count as open",
        words.join(", ")
    );
    sink.put(Pulled::Warning(warning)).await
}
