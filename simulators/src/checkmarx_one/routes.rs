//! The calls.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::access::Access;
use super::answer::{Refusal, first, number};
use super::{API_KEY, OAUTH_CLIENT, OAUTH_SECRET, Results, Scan, TENANT, Tenant};
use crate::server::{lock, parameters};

/// Results that are made before the next piece of a body is sent.
const PIECE: u64 = 50;

const DEFAULT_LIMIT: u64 = 20;

const MAX_RESULTS: u64 = 10_000;

/// The client for which users make API keys.
const CLIENT: &str = "ast-app";

pub(super) struct Api {
    tenant: Tenant,
    access: Arc<Mutex<Access>>,
    counts_items: bool,
}

type Shared = State<Arc<Api>>;

pub(super) fn api(tenant: Tenant, access: Arc<Mutex<Access>>, counts_items: bool) -> Router {
    Router::new()
        .route("/api/projects", get(projects))
        .route("/api/projects/branches", get(branches))
        .route("/api/projects/last-scan", get(last_scan))
        .route("/api/projects/{id}", get(project))
        .route("/api/scans", get(scans))
        .route("/api/results", get(results))
        .fallback(|| async { Refusal::NotFound("page") })
        .with_state(Arc::new(Api {
            tenant,
            access,
            counts_items,
        }))
}

pub(super) fn iam(access: Arc<Mutex<Access>>) -> Router {
    Router::new()
        .route(
            "/auth/realms/{tenant}/protocol/openid-connect/token",
            post(token),
        )
        .layer(Extension(access))
}

/// A request with a good token: its parameters.
struct Caller(Vec<(String, String)>);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        match lock(&api.access).admits(&parts.headers) {
            true => Ok(Self(parameters(&parts.extensions))),
            false => Err(Refusal::Unauthenticated),
        }
    }
}

/// All parameters of a request, those of a form included.
struct Form(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let extensions: &Extensions = &parts.extensions;
        Ok(Self(parameters(extensions)))
    }
}

async fn token(
    Extension(access): Extension<Arc<Mutex<Access>>>,
    Path(tenant): Path<String>,
    Form(form): Form,
) -> Result<Json<Value>, Refusal> {
    let refusal = |status, error, description| Refusal::Iam {
        status,
        error,
        description,
    };
    // Names of realms are case-sensitive.
    if tenant != TENANT {
        return Err(refusal(StatusCode::NOT_FOUND, "Realm does not exist", None));
    }
    let invalid_client = refusal(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        Some("Invalid client or Invalid client credentials"),
    );
    let (client, secret) = (first(&form, "client_id"), first(&form, "client_secret"));
    match first(&form, "grant_type") {
        Some("refresh_token") if client != Some(CLIENT) => return Err(invalid_client),
        Some("refresh_token") if first(&form, "refresh_token") != Some(API_KEY) => {
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                Some("Invalid refresh token"),
            ));
        }
        Some("client_credentials")
            if (client, secret) != (Some(OAUTH_CLIENT), Some(OAUTH_SECRET)) =>
        {
            return Err(invalid_client);
        }
        Some("refresh_token" | "client_credentials") => {}
        _ => {
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                Some("Unsupported grant_type"),
            ));
        }
    }
    let mut access = lock(&access);
    let lifetime = access.lifetime.as_secs();
    Ok(Json(json!({
        "access_token": access.give(), "expires_in": lifetime, "refresh_expires_in": 0,
        "refresh_token": "another-one-that-nobody-keeps", "token_type": "Bearer", "not-before-policy": 0,
        "session_state": "s", "scope": "roles profile",
    })))
}

/// Positions of the part of a list of `total` that is asked for, counted by items.
fn window(parameters: &[(String, String)], total: usize) -> Result<Range<usize>, Refusal> {
    let read = |name, default| number(parameters, name, default).map_err(Refusal::BadParameter);
    let (offset, limit) = (read("offset", 0)?, read("limit", DEFAULT_LIMIT)?);
    let total = total as u64;
    let end = offset.saturating_add(limit).min(total);
    let position = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(position(offset.min(total))..position(end))
}

/// A list or null, as the vendor's Go writes an empty one.
fn or_null(items: Vec<Value>) -> Value {
    match items.is_empty() {
        true => Value::Null,
        false => Value::Array(items),
    }
}

async fn projects(State(api): Shared, Caller(parameters): Caller) -> Result<Json<Value>, Refusal> {
    let name = first(&parameters, "name").map(str::to_lowercase);
    let ids = first(&parameters, "ids");
    api.tenant.read(|all| {
        let listed: Vec<_> = all
            .iter()
            .filter(|one| {
                let part = name.as_deref();
                part.is_none_or(|part| one.name.to_lowercase().contains(part))
            })
            .filter(|one| ids.is_none_or(|ids| ids.split(',').any(|id| id == one.id)))
            .collect();
        let window = window(&parameters, listed.len())?;
        let page = listed[window].iter().map(|one| one.render()).collect();
        Ok(Json(json!({
            "totalCount": all.len(), "filteredTotalCount": listed.len(), "projects": or_null(page),
        })))
    })
}

async fn project(
    State(api): Shared,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let found = api.tenant.read(|all| {
        let found = all.iter().find(|one| one.id == id);
        found.map(super::Project::render)
    });
    found.map(Json).ok_or(Refusal::NotFound("project"))
}

async fn branches(State(api): Shared, Caller(parameters): Caller) -> Result<Json<Value>, Refusal> {
    let id = first(&parameters, "project-id").ok_or(Refusal::BadParameter("project-id"))?;
    api.tenant.read(|all| {
        let project = all.iter().find(|one| one.id == id);
        let project = project.ok_or(Refusal::NotFound("project"))?;
        let mut branches: Vec<&str> = project.scans.iter().map(|s| s.branch.as_str()).collect();
        branches.retain(|branch| !branch.is_empty());
        branches.sort_unstable();
        branches.dedup();
        let window = window(&parameters, branches.len())?;
        let page = branches[window].iter().map(|name| json!(name)).collect();
        Ok(Json(or_null(page)))
    })
}

/// Whether a scan passes the filters that lists of scans and last scans share.
fn passes(scan: &Scan, parameters: &[(String, String)], statuses: &str) -> bool {
    let branch = first(parameters, "branch").is_none_or(|branch| scan.branch == branch);
    let status = first(parameters, statuses).is_none_or(|list| {
        let mut words = list.split(',');
        words.any(|word| word.eq_ignore_ascii_case(&scan.status))
    });
    let engine = first(parameters, "engine");
    let engine = engine.is_none_or(|engine| scan.engines.iter().any(|one| one == engine));
    branch && status && engine
}

async fn last_scan(State(api): Shared, Caller(parameters): Caller) -> Result<Json<Value>, Refusal> {
    let ids = first(&parameters, "project-ids").unwrap_or_default();
    let found = api.tenant.read(|all| {
        let asked = all
            .iter()
            .filter(|one| ids.is_empty() || ids.split(',').any(|id| id == one.id));
        let mut found = BTreeMap::new();
        for project in asked {
            let scans = project.scans.iter();
            let newest = scans
                .filter(|scan| passes(scan, &parameters, "scan-status"))
                .max_by(|a, b| a.created_at.cmp(&b.created_at));
            if let Some(scan) = newest {
                found.insert(project.id.clone(), scan.render_short());
            }
        }
        found
    });
    Ok(Json(json!(found)))
}

async fn scans(State(api): Shared, Caller(parameters): Caller) -> Result<Json<Value>, Refusal> {
    let id = first(&parameters, "project-id");
    let newest_first = match first(&parameters, "sort") {
        None | Some("+created_at" | "created_at") => false,
        Some("-created_at") => true,
        Some(_) => return Err(Refusal::BadParameter("sort")),
    };
    api.tenant.read(|all| {
        let every = all
            .iter()
            .flat_map(|project| project.scans.iter().map(move |scan| (project, scan)));
        let total = every.clone().count();
        let mut listed: Vec<_> = every
            .filter(|(project, _)| id.is_none_or(|id| project.id == id))
            .filter(|(_, scan)| passes(scan, &parameters, "statuses"))
            .collect();
        listed.sort_by(|(_, a), (_, b)| a.created_at.cmp(&b.created_at));
        if newest_first {
            listed.reverse();
        }
        let window = window(&parameters, listed.len())?;
        let page = listed[window].iter();
        let page = page.map(|(project, scan)| scan.render(project)).collect();
        Ok(Json(json!({
            "totalCount": total, "filteredTotalCount": listed.len(), "scans": or_null(page),
        })))
    })
}

async fn results(State(api): Shared, Caller(parameters): Caller) -> Result<Response, Refusal> {
    let id = first(&parameters, "scan-id").ok_or(Refusal::BadResultParameter("scan-id"))?;
    let read =
        |name, default| number(&parameters, name, default).map_err(Refusal::BadResultParameter);
    let (offset, limit) = (read("offset", 0)?, read("limit", DEFAULT_LIMIT)?);
    if limit > MAX_RESULTS {
        return Err(Refusal::BadResultParameter("limit"));
    }
    let results = api.tenant.read(|all| {
        let mut scans = all.iter().flat_map(|project| &project.scans);
        scans.find(|scan| scan.id == id).map(|s| s.results.clone())
    });
    let results = results.ok_or(Refusal::NotFound("scan"))?;
    let total = results.len();
    let start = match api.counts_items {
        true => offset,
        false => offset.saturating_mul(limit),
    };
    let start = start.min(total);
    Ok(stream_of(results, start..(start + limit).min(total)))
}

/// The answer with these results, made while it is sent: memory does not grow with it.
fn stream_of(results: Results, positions: Range<u64>) -> Response {
    let total = results.len();
    let json = HeaderValue::from_static("application/json");
    if positions.is_empty() {
        let body = json!({"results": null, "totalCount": total});
        return Json(body).into_response();
    }
    let pieces = stream::unfold(Some(positions.start), move |at| {
        let piece = at.map(|at| piece(&results, at, &positions, total));
        async move { piece }
    });
    ([(CONTENT_TYPE, json)], Body::from_stream(pieces)).into_response()
}

fn piece(
    results: &Results,
    at: u64,
    positions: &Range<u64>,
    total: u64,
) -> (std::io::Result<Bytes>, Option<u64>) {
    let until = (at + PIECE).min(positions.end);
    let mut text = String::new();
    if at == positions.start {
        text.push_str("{\"results\":[");
    }
    for (index, result) in results.range(at..until).enumerate() {
        if at > positions.start || index > 0 {
            text.push(',');
        }
        text.push_str(&result.to_string());
    }
    if until == positions.end {
        text.push_str(&format!("],\"totalCount\":{total}}}"));
    }
    let next = (until < positions.end).then_some(until);
    (Ok(Bytes::from(text)), next)
}
