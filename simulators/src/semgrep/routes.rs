//! The calls.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::select::{Filter, every, first, number};
use super::{API_TOKEN, CI_TOKEN, DEPLOYMENT, DEPLOYMENT_ID, Deployment, Quirks};
use crate::server::parameters;

/// Rows that are made before the next piece of a body is sent.
const PIECE: u64 = 50;

/// Of findings and of projects alike.
const DEFAULT_PAGE_SIZE: u64 = 100;

const PAGE_SIZES: Range<u64> = 100..3001;

const DEFAULT_LIMIT: u64 = 100;

/// More are not given, whatever is asked for.
const MOST_SECRETS: u64 = 2000;

/// Before the position that a cursor stands for.
const CURSOR: &str = "2026-11-20 06:00:00|";

pub(super) struct Api {
    deployment: Deployment,
    quirks: Quirks,
}

type Shared = State<Arc<Api>>;

pub(super) fn router(deployment: Deployment, quirks: Quirks) -> Router {
    let v1 = Router::new()
        .route("/deployments", get(deployments))
        .route("/deployments/{slug}/projects", get(projects))
        .route("/deployments/{slug}/projects/{name}", get(project))
        .route("/deployments/{slug}/findings", get(findings))
        .route("/deployments/{id}/secrets", get(secrets));
    Router::new()
        .nest("/api/v1", v1)
        .fallback(|| async { Refusal::NotFound })
        .with_state(Arc::new(Api { deployment, quirks }))
}

/// A request with a good token: its parameters.
struct Caller(Vec<(String, String)>);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Refusal> {
        let sent = parts.headers.get(AUTHORIZATION);
        let sent = sent.and_then(|value| value.to_str().ok());
        match sent.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(API_TOKEN) => Ok(Self(parameters(&parts.extensions))),
            Some(CI_TOKEN) => Err(Refusal::NotFound),
            _ => Err(Refusal::Unauthenticated),
        }
    }
}

async fn deployments(_: Caller) -> Json<Value> {
    let findings = format!("https://semgrep.example.com/api/v1/deployments/{DEPLOYMENT}/findings");
    Json(json!({"deployments": [
        {"slug": DEPLOYMENT, "id": DEPLOYMENT_ID, "name": "ACME", "findings": {"url": findings}},
    ]}))
}

/// The only deployment there is goes by its slug here, and by its number for secrets.
fn same(asked: &str, known: &str) -> Result<(), Refusal> {
    match asked == known {
        true => Ok(()),
        false => Err(Refusal::NotFound),
    }
}

async fn projects(
    State(api): Shared,
    Caller(parameters): Caller,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Refusal> {
    same(&slug, DEPLOYMENT)?;
    let page = number(&parameters, "page", 0)?;
    let size = number(&parameters, "page_size", DEFAULT_PAGE_SIZE)?;
    let listed: Vec<_> = api.deployment.read(|all| {
        let listed = all.iter().filter(|project| !project.archived);
        listed.map(super::Project::render).collect()
    });
    let positions = window(page, size, listed.len() as u64);
    let position = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let rows = &listed[position(positions.start)..position(positions.end)];
    Ok(Json(json!({"projects": rows})))
}

async fn project(
    State(api): Shared,
    _: Caller,
    Path((slug, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    same(&slug, DEPLOYMENT)?;
    let found = api.deployment.read(|all| {
        let found = all.iter().find(|project| project.name == name);
        found.map(super::Project::render)
    });
    let project = found.ok_or(Refusal::NotFound)?;
    Ok(Json(json!({"project": project})))
}

async fn findings(
    State(api): Shared,
    Caller(parameters): Caller,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    same(&slug, DEPLOYMENT)?;
    let filter = Filter::of(&parameters, api.quirks)?;
    let page = number(&parameters, "page", 0)?;
    let size = number(&parameters, "page_size", DEFAULT_PAGE_SIZE)?;
    if !PAGE_SIZES.contains(&size) {
        return Err(Refusal::BadParameter("page_size"));
    }
    let size = size.min(api.quirks.most_rows.unwrap_or(size));
    let selected = api.deployment.read(|all| filter.select(all));
    let positions = window(page, size, selected.len());
    Ok(stream_of(
        move |position| selected.get(position),
        positions,
        "]}".to_owned(),
    ))
}

async fn secrets(
    State(api): Shared,
    Caller(parameters): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    same(&id, &DEPLOYMENT_ID.to_string())?;
    if api.quirks.lacks_secrets {
        return Err(Refusal::NotFound);
    }
    let limit = number(&parameters, "limit", DEFAULT_LIMIT)?;
    let most = api.quirks.most_rows.unwrap_or(MOST_SECRETS);
    let limit = limit.clamp(1, MOST_SECRETS).min(most);
    let start = match first(&parameters, "cursor") {
        None => 0,
        Some(cursor) => position_of(cursor).ok_or(Refusal::BadParameter("cursor"))?,
    };
    let repos = match api.quirks.ignores_repos {
        true => Vec::new(),
        false => every(&parameters, "repo"),
    };
    let status = first(&parameters, "status").filter(|word| *word != "FINDING_STATUS_UNSPECIFIED");
    let listed: Vec<_> = api.deployment.read(|all| {
        let wanted = all
            .iter()
            .filter(|project| repos.is_empty() || repos.contains(&project.name));
        wanted.cloned().collect()
    });
    let rows = move |position: u64| {
        let mut position = position;
        for project in &listed {
            if let Some(row) = project.secrets.get(position) {
                return Some(project.complete(row));
            }
            position -= project.secrets.len();
        }
        None
    };
    let mut matching: Vec<u64> = Vec::new();
    let mut position = 0;
    while let Some(row) = rows(position) {
        if status.is_none_or(|status| row["status"] == status) {
            matching.push(position);
        }
        position += 1;
    }
    let total = matching.len() as u64;
    let end = start.saturating_add(limit).min(total);
    let next = match (end < total, api.quirks.stuck_cursor) {
        (_, true) => cursor_of(0),
        (true, false) => cursor_of(end),
        (false, false) => String::new(),
    };
    if start >= total && api.quirks.leaves_out_empty_lists {
        return Ok(Json(json!({"cursor": next})).into_response());
    }
    let row = move |position: u64| {
        let index = usize::try_from(position).ok()?;
        rows(*matching.get(index)?)
    };
    let tail = format!("],\"cursor\":\"{next}\",\"previous\":\"\"}}");
    Ok(stream_of(row, start.min(total)..end, tail))
}

fn cursor_of(position: u64) -> String {
    STANDARD.encode(format!("{CURSOR}{position}"))
}

fn position_of(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(CURSOR)?.parse().ok()
}

/// Positions of a page of a list of `total`.
fn window(page: u64, size: u64, total: u64) -> Range<u64> {
    let start = page.saturating_mul(size).min(total);
    start..start.saturating_add(size).min(total)
}

/// The answer with these rows, made while it is sent: memory does not grow with it.
fn stream_of(
    row: impl Fn(u64) -> Option<Value> + Send + 'static,
    positions: Range<u64>,
    tail: String,
) -> Response {
    let json = HeaderValue::from_static("application/json");
    let pieces = stream::unfold(Some(positions.start), move |at| {
        let piece = at.map(|at| piece(&row, at, &positions, &tail));
        async move { piece }
    });
    ([(CONTENT_TYPE, json)], Body::from_stream(pieces)).into_response()
}

fn piece(
    row: impl Fn(u64) -> Option<Value>,
    at: u64,
    positions: &Range<u64>,
    tail: &str,
) -> (std::io::Result<Bytes>, Option<u64>) {
    let until = (at + PIECE).min(positions.end);
    let mut text = String::new();
    if at == positions.start {
        text.push_str("{\"findings\":[");
    }
    for position in at..until {
        if position > positions.start {
            text.push(',');
        }
        text.push_str(&row(position).unwrap_or_default().to_string());
    }
    if until == positions.end {
        text.push_str(tail);
    }
    let next = (until < positions.end).then_some(until);
    (Ok(Bytes::from(text)), next)
}
