//! OWASP Dependency-Track, 4.x and 5.x: the findings of one project, or of all.
//!
//! What the two lines of servers do differently is decided by their answers, see [`paging`].

mod api;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod paging;
mod project;
mod spec;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use url::Url;

use self::api::{Api, explain};
use self::paging::{Count, Reading, Step, Verdict};
use self::project::Project;
use self::spec::Selector;
use super::pages::Pages;
use super::{
    Completeness, Connector, ConnectorError, MapRow, Pulled, Record, Row, Scope, Sink, SinkClosed,
};
use crate::config::{ApiConfiguration, Tool};
use crate::finding::source_key;
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

/// After so many projects in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct DependencyTrack {
    client: Client,
    page_size: u64,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let tool = Tool {
        location: server_root(&tool.location),
        ..tool.clone()
    };
    let headers = tool.secret.iter();
    let headers = headers.map(|key| ("X-Api-Key".to_owned(), key.clone()));
    let authentication = Authentication {
        headers: headers.collect(),
        ..Authentication::default()
    };
    let page_size = tool.settings.integer("page_size");
    Ok(Arc::new(DependencyTrack {
        client: Client::new(&tool, authentication)?,
        page_size: page_size.and_then(|n| u64::try_from(n).ok()).unwrap_or(500),
    }))
}

/// Takes off what people paste along: `/api`, `/api/v1`, `/api/swagger.json`. A proxy's prefix stays.
fn server_root(location: &Url) -> Url {
    let mut root = location.clone();
    let path = location.path().trim_end_matches('/');
    let pasted = ["/api/swagger.json", "/api/v1", "/api"];
    let path = pasted.iter().find_map(|tail| path.strip_suffix(tail));
    if let Some(path) = path {
        root.set_path(path);
    }
    root
}

#[async_trait]
impl Connector for DependencyTrack {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.api(self.client.clone());
        let version = server.version().await?;
        let selector = api.map(|api| Selector::of(&api.settings));
        let selected = match &selector {
            Some(selector) => server.selected(selector).await?,
            None => None,
        };
        let project = match selected {
            Some(project) => Some(project),
            None => server.any_project().await?,
        };
        let Some(project) = project else {
            return Ok(format!(
                "Dependency-Track {version}, key accepted, but it sees no project (with portfolio access control the team must be assigned to projects)"
            ));
        };
        server.prove_findings(&project).await?;
        Ok(format!(
            "Dependency-Track {version}, key accepted, project {} readable",
            project.title()
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let (projects, doubt) = self.api(self.client.clone()).active_projects().await?;
        match doubt {
            None => Ok(projects.iter().map(Project::record).collect()),
            Some(reason) => Err(ConnectorError::Refused(format!(
                "the list of projects could not be read as a whole: {reason}; try again"
            ))),
        }
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        Selector::of(&api.settings).selects(record)
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.api(self.client.metered(sink.meter()));
        let suppressed = api.settings.boolean("suppressed").unwrap_or(true);
        let selected = server.selected(&Selector::of(&api.settings)).await?;
        match selected {
            Some(project) => pull_one(&server, &project, suppressed, sink).await,
            None => pull_all(&server, suppressed, sink).await,
        }
    }
}

impl DependencyTrack {
    fn api(&self, client: Client) -> Api {
        Api::new(client, self.page_size)
    }
}

/// Imports the configured project. That it is gone, or forbidden, is an error of the run and not "no findings".
async fn pull_one(
    server: &Api,
    project: &Project,
    suppressed: bool,
    sink: &mut Sink,
) -> Result<(), ConnectorError> {
    let record = project.record();
    if !sink.wants(&record) {
        let warning = format!("records leaves out the configured project {}", record.name);
        return Ok(sink.put(Pulled::Warning(warning)).await?);
    }
    let mut import = Import::of(project, suppressed, sink);
    match import.read(server).await {
        Ok(completeness) => Ok(import.end(completeness).await?),
        // Nothing was read: there is no partial import to speak of.
        Err(failure) if import.rows == 0 => Err(failure),
        Err(ConnectorError::Closed(closed)) => Err(closed.into()),
        Err(failure) => Ok(import
            .end(Completeness::Incomplete(failure.to_string()))
            .await?),
    }
}

/// Imports all active projects, one after the other.
async fn pull_all(server: &Api, suppressed: bool, sink: &mut Sink) -> Result<(), ConnectorError> {
    let (projects, doubt) = server.active_projects().await?;
    match doubt {
        None => {
            let records = projects.iter().map(Project::record).collect();
            sink.put(Pulled::Records(records)).await?;
        }
        Some(reason) => {
            let warning = format!("the list of projects may not be whole: {reason}");
            sink.put(Pulled::Warning(warning)).await?;
        }
    }
    let mut failures = 0;
    for project in &projects {
        if !sink.wants(&project.record()) {
            continue;
        }
        let mut import = Import::of(project, suppressed, sink);
        match import.read(server).await {
            Ok(completeness) => {
                failures = 0;
                import.end(completeness).await?;
            }
            Err(failure) => {
                failures += u32::from(failure.concerns_all());
                let reason = match &failure {
                    failure if pointless(failure) || failures >= FAILURES_IN_A_ROW => None,
                    ConnectorError::Http(error) if error.status() == Some(404) => {
                        Some(format!("{error} (was it deleted just now?)"))
                    }
                    failure => Some(failure.to_string()),
                };
                let Some(reason) = reason else {
                    return Err(failure);
                };
                import.end(Completeness::Incomplete(reason)).await?;
            }
        }
    }
    Ok(())
}

/// Whether every other project would fail likewise.
fn pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) | ConnectorError::Refused(_) => {
            true
        }
        ConnectorError::Http(error) => match &error.kind {
            HttpErrorKind::Status { status: 401, .. } => true,
            // With words in it, it is portfolio access control, which is a matter of one project.
            HttpErrorKind::Status {
                status: 403, body, ..
            } => body.trim().is_empty(),
            HttpErrorKind::Redirected | HttpErrorKind::Setup => true,
            _ => false,
        },
    }
}

/// The import of one project's findings.
struct Import<'a> {
    project: &'a Project,
    suppressed: bool,
    map: MapRow,
    pages: Pages,
    rows: u64,
    sink: &'a mut Sink,
}

impl<'a> Import<'a> {
    fn of(project: &'a Project, suppressed: bool, sink: &'a mut Sink) -> Self {
        let scope = Scope {
            record: project.record(),
            branch: None,
            part: None,
        };
        Self {
            project,
            suppressed,
            map: Arc::new(finding::map),
            pages: Pages::of(scope),
            rows: 0,
            sink,
        }
    }

    /// Reads the findings; once more if the first reading is not to be believed.
    async fn read(&mut self, server: &Api) -> Result<Completeness, ConnectorError> {
        let mut earlier: Option<Reading> = None;
        loop {
            let mut reading = match self.read_once(server).await {
                Err(ConnectorError::Http(error))
                    if error.kind == HttpErrorKind::Truncated && earlier.is_none() =>
                {
                    earlier = Some(server.reading());
                    continue;
                }
                outcome => outcome?,
            };
            match reading.verdict(earlier.as_ref()) {
                Verdict::Whole => return Ok(self.completeness()),
                Verdict::Doubtful(reason) if earlier.is_some() => {
                    return Ok(Completeness::Incomplete(format!("{reason} (read twice)")));
                }
                Verdict::Doubtful(_) => earlier = Some(reading),
            }
        }
    }

    async fn read_once(&mut self, server: &Api) -> Result<Reading, ConnectorError> {
        let mut reading = server.reading();
        loop {
            let page = reading.next_page();
            let request = server.findings(&self.project.uuid, self.suppressed, page);
            let mut elements = request.elements(&[]).await.map_err(explain)?;
            let count = Count::of(&elements.headers);
            reading.open_page(count);
            if let (0, Count::Exact(total)) = (self.rows, count) {
                self.sink.put(Pulled::Expected(total)).await?;
            }
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for json in rows {
                    self.rows += 1;
                    match finding::id(&json).map(|id| source_key(None, &id)) {
                        Some(key) => {
                            reading.row(Some(&key));
                            let map = Arc::clone(&self.map);
                            self.pages
                                .add_row(Row { key, json, map }, self.sink)
                                .await?;
                        }
                        None => {
                            reading.row(None);
                            self.pages.add(finding::map(&json), self.sink).await?;
                        }
                    }
                }
            }
            self.pages.flush(self.sink).await?;
            if reading.close_page() == Step::Stop {
                return Ok(reading);
            }
        }
    }

    /// What a whole reading proves.
    fn completeness(&self) -> Completeness {
        let pending = self.project.analysis_pending(Utc::now());
        match pending.filter(|_| self.rows == 0) {
            Some(reason) => Completeness::Incomplete(reason),
            None => Completeness::Complete,
        }
    }

    async fn end(self, completeness: Completeness) -> Result<(), SinkClosed> {
        self.pages.end(completeness, self.sink).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_people_paste_along_is_taken_off_and_a_prefix_is_kept() {
        for (location, root) in [
            ("https://dt.example.com", "https://dt.example.com/"),
            ("https://dt.example.com/", "https://dt.example.com/"),
            ("https://dt.example.com/api", "https://dt.example.com/"),
            ("https://dt.example.com/api/v1/", "https://dt.example.com/"),
            (
                "https://dt.example.com/api/swagger.json",
                "https://dt.example.com/",
            ),
            (
                "https://proxy.example.com/tools/dt/api/v1",
                "https://proxy.example.com/tools/dt",
            ),
            (
                "https://proxy.example.com/my-api",
                "https://proxy.example.com/my-api",
            ),
        ] {
            assert_eq!(
                server_root(&location.parse().unwrap()).as_str(),
                root,
                "{location}"
            );
        }
    }
}
