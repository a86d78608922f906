//! The calls.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, request::Parts};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::access::{Key, Permission};
use super::answer::{Refusal, first, flag, list};
use super::paging::Window;
use super::{DependencyTrack, Project, Version, render};
use crate::random::uuid_of;
use crate::server::{lock, parameters};

/// Findings that are made before the next piece of a body is sent.
const PIECE: u64 = 50;

/// `source` values by which findings can be filtered; others are 404.
const SOURCES: &[&str] = &[
    "NVD", "NPM", "GITHUB", "VULNDB", "OSSINDEX", "RETIREJS", "INTERNAL", "OSV", "SNYK", "TRIVY",
    "UNKNOWN", "CX",
];

/// What 5.x sorts findings by.
const SORT_NAMES: &[&str] = &[
    "attribution.attributedOn",
    "component.name",
    "component.version",
    "vulnerability.severity",
    "vulnerability.vulnId",
];

pub(super) struct Server {
    settings: DependencyTrack,
    projects: Arc<Mutex<Vec<Project>>>,
}

type Shared = State<Arc<Server>>;

pub(super) fn router(settings: DependencyTrack, projects: Arc<Mutex<Vec<Project>>>) -> Router {
    if settings.frontend {
        return Router::new().fallback(frontend);
    }
    let prefix = settings.prefix.clone();
    let latest: MethodRouter<Arc<Server>> = match settings.version >= Version(4, 12) {
        true => get(latest),
        false => get(|| async { Refusal::NotFound }),
    };
    let api = Router::new()
        .route("/api/version", get(version))
        .route("/api/v1/project", get(project_list))
        .route("/api/v1/project/lookup", get(lookup))
        .route("/api/v1/project/latest/{name}", latest)
        .route("/api/v1/project/{uuid}", get(project))
        .route("/api/v1/finding/project/{uuid}", get(findings))
        .fallback(|| async { Refusal::NotFound })
        .with_state(Arc::new(Server { settings, projects }));
    match prefix.is_empty() {
        true => api,
        false => Router::new().nest(&prefix, api),
    }
}

async fn frontend() -> Html<&'static str> {
    Html(
        "<!DOCTYPE html><html lang=\"en\"><head><title>Dependency-Track</title></head>\
         <body><noscript>JavaScript is needed.</noscript><div id=\"app\"></div></body></html>",
    )
}

/// A request by a known key.
struct Caller {
    key: Key,
    parameters: Vec<(String, String)>,
}

impl FromRequestParts<Arc<Server>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let parameters = parameters(&parts.extensions);
        let key = server.settings.key_of(parts, &parameters);
        let key = key.ok_or(Refusal::Unauthenticated)?.clone();
        Ok(Self { key, parameters })
    }
}

impl Caller {
    fn must(&self, permission: Permission) -> Result<(), Refusal> {
        match self.key.may(permission) {
            true => Ok(()),
            false => Err(Refusal::Forbidden),
        }
    }
}

async fn version(State(server): Shared) -> Json<Value> {
    let Version(major, minor) = server.settings.version;
    Json(json!({
        "timestamp": "2026-11-02T08:00:00Z",
        "version": format!("{major}.{minor}.0"),
        "uuid": uuid_of("version"),
        "systemUuid": uuid_of("system"),
        "application": "Dependency-Track",
        "framework": {"name": "Alpine", "version": "3.7.0", "timestamp": "2026-10-01T08:00:00Z"},
    }))
}

async fn project_list(State(server): Shared, caller: Caller) -> Result<Response, Refusal> {
    caller.must(Permission::ViewPortfolio)?;
    let window = Window::read(&caller.parameters)?;
    let name = first(&caller.parameters, "name");
    let search = first(&caller.parameters, "searchText").map(str::to_lowercase);
    let (active, roots) = (
        flag(&caller.parameters, "excludeInactive"),
        flag(&caller.parameters, "onlyRoot"),
    );
    let all = lock(&server.projects);
    let listed = all
        .iter()
        .filter(|project| server.settings.admits(&caller.key, &project.uuid))
        .filter(|project| !active || project.active)
        .filter(|project| !roots || project.parent.is_none())
        .filter(|project| name.is_none_or(|name| project.name == name))
        .filter(|project| {
            let text = search.as_deref();
            text.is_none_or(|text| project.name.to_lowercase().contains(text))
        })
        .collect::<Vec<_>>();
    let total = listed.len() as u64;
    let positions = window.of(total);
    let page = (positions.start..positions.end)
        .filter_map(|position| listed.get(usize::try_from(position).ok()?))
        .map(|project| render::project(project, server.settings.version))
        .collect::<Vec<_>>();
    Ok(list(total, Json(page)))
}

async fn project(
    State(server): Shared,
    caller: Caller,
    Path(uuid): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.must(Permission::ViewPortfolio)?;
    let project = server.find(&caller, "getProject.uuid", &uuid)?;
    Ok(Json(render::project(&project, server.settings.version)))
}

async fn lookup(State(server): Shared, caller: Caller) -> Result<Json<Value>, Refusal> {
    caller.must(Permission::ViewPortfolio)?;
    let name = first(&caller.parameters, "name");
    let version = first(&caller.parameters, "version");
    server.one(&caller, |project| {
        Some(project.name.as_str()) == name && project.version.as_deref() == version
    })
}

async fn latest(
    State(server): Shared,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.must(Permission::ViewPortfolio)?;
    server.one(&caller, |project| project.name == name && project.latest)
}

async fn findings(
    State(server): Shared,
    caller: Caller,
    Path(uuid): Path<String>,
) -> Result<Response, Refusal> {
    caller.must(Permission::ViewVulnerability)?;
    let mut project = server.find(&caller, "getFindingsByProject.uuid", &uuid)?;
    if let Some(source) = first(&caller.parameters, "source") {
        if !SOURCES.contains(&source) {
            return Err(Refusal::NotFound);
        }
        let source = source.to_owned();
        project
            .findings
            .remove(|finding| finding.vulnerability.source != source);
    }
    if !flag(&caller.parameters, "suppressed") {
        project
            .findings
            .remove(|finding| finding.analysis.suppressed);
    }
    let total = project.findings.len();
    let version = server.settings.version;
    if !version.pages_findings() {
        return Ok(list(total, stream_of(project, 0..total, version)));
    }
    if let Some(name) = first(&caller.parameters, "sortName")
        && !SORT_NAMES.contains(&name)
    {
        return Err(Refusal::UnknownSortName(name.to_owned()));
    }
    let positions = Window::read(&caller.parameters)?.of(total);
    // 5.0 counts by a window function over the rows: behind the end there is none to count on.
    let counted = match positions.is_empty() {
        true => 0,
        false => total,
    };
    Ok(list(counted, stream_of(project, positions, version)))
}

impl Server {
    fn find(
        &self,
        caller: &Caller,
        parameter: &'static str,
        uuid: &str,
    ) -> Result<Project, Refusal> {
        if !is_uuid(uuid) {
            return Err(Refusal::NoUuid {
                parameter,
                value: uuid.to_owned(),
            });
        }
        let projects = lock(&self.projects);
        let found = projects
            .iter()
            .find(|project| project.uuid.eq_ignore_ascii_case(uuid));
        let project = found.ok_or(Refusal::UnknownProject)?;
        self.admit(caller, project)?;
        Ok(project.clone())
    }

    fn one(
        &self,
        caller: &Caller,
        fits: impl Fn(&Project) -> bool,
    ) -> Result<Json<Value>, Refusal> {
        let projects = lock(&self.projects);
        let found = projects.iter().find(|project| fits(project));
        let project = found.ok_or(Refusal::UnknownProject)?;
        self.admit(caller, project)?;
        Ok(Json(render::project(project, self.settings.version)))
    }

    fn admit(&self, caller: &Caller, project: &Project) -> Result<(), Refusal> {
        match self.settings.admits(&caller.key, &project.uuid) {
            true => Ok(()),
            false if self.settings.version >= Version::V5_0 => Err(Refusal::ProjectDenied),
            false => Err(Refusal::ProjectForbidden),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len).collect::<Vec<_>>();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// The array of these findings, made while it is sent: memory does not grow with it.
fn stream_of(project: Project, positions: Range<u64>, version: Version) -> Response {
    enum Next {
        Piece(u64),
        Close,
        Done,
    }
    let start = positions.start;
    let project = Arc::new(project);
    let pieces = stream::unfold(Next::Piece(start), move |next| {
        let project = project.clone();
        let end = positions.end;
        async move {
            let at = match next {
                Next::Done => return None,
                Next::Close => return Some((Ok(Bytes::from_static(b"]")), Next::Done)),
                Next::Piece(at) => at,
            };
            let until = (at + PIECE).min(end);
            let mut piece = Vec::with_capacity(128 << 10);
            if at == start {
                piece.push(b'[');
            }
            for (index, finding) in project.findings.range(at..until).enumerate() {
                if at > start || index > 0 {
                    piece.push(b',');
                }
                if let Err(error) = render::finding(&mut piece, &finding, &project, version) {
                    return Some((Err(error), Next::Done));
                }
            }
            let next = match until < end {
                true => Next::Piece(until),
                false => Next::Close,
            };
            Some((Ok(Bytes::from(piece)), next))
        }
    });
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], Body::from_stream(pieces)).into_response()
}
