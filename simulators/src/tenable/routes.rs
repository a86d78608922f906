//! The paths of the API.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::jobs::{Product, Rows};
use super::{ACCESS_KEY, SECRET_KEY, Tenant};
use crate::random::uuid_of;
use crate::server::lock;

/// So many rows are made at once while a chunk is sent.
const PIECE: u64 = 200;

type Shared = State<Arc<Mutex<Tenant>>>;

pub(super) fn router(tenant: Arc<Mutex<Tenant>>) -> Router {
    Router::new()
        .route("/server/properties", get(properties))
        .route("/networks", get(networks))
        .route("/tags/values", get(tags))
        .nest("/vulns/export", exports(Product::Vulns))
        .nest("/was/v1/export/vulns", exports(Product::Web))
        .layer(from_fn(keys))
        .with_state(tenant)
}

fn exports(product: Product) -> Router<Arc<Mutex<Tenant>>> {
    let start = move |State(tenant): Shared, body: Bytes| async move {
        let body = serde_json::from_slice::<Value>(&body);
        let body = body.map_err(|_| Refusal::Invalid("the body is no JSON".to_owned()))?;
        let mut tenant = lock(&tenant);
        let Tenant { world, jobs } = &mut *tenant;
        let id = jobs.start(world, product, &body)?;
        Ok::<_, Refusal>(Json(json!({"export_uuid": id})))
    };
    let all = move |State(tenant): Shared| async move {
        let tenant = lock(&tenant);
        match (tenant.world.may_export, product) {
            (false, _) => Err(Refusal::Forbidden),
            (true, Product::Web) => Err(Refusal::Expired),
            (true, Product::Vulns) => Ok(Json(tenant.jobs.all(product))),
        }
    };
    Router::new()
        .route("/", post(start))
        .route("/status", get(all))
        .route("/{job}/status", get(status))
        .route("/{job}/cancel", post(cancel))
        .route("/{job}/chunks/{chunk}", get(chunk))
}

/// The two keys in one header; a space after the semicolon and a last semicolon do no harm.
async fn keys(request: Request, next: Next) -> Response {
    if is_known(request.headers()) {
        next.run(request).await
    } else {
        Refusal::Unauthenticated.into_response()
    }
}

fn is_known(headers: &HeaderMap) -> bool {
    let sent = headers.get("x-apikeys").and_then(|keys| keys.to_str().ok());
    let mut sent = sent.unwrap_or_default().split(';').map(str::trim);
    sent.next() == Some(&format!("accessKey={ACCESS_KEY}"))
        && sent.next() == Some(&format!("secretKey={SECRET_KEY}"))
        && sent.all(str::is_empty)
}

async fn properties() -> Json<Value> {
    Json(json!({
        "server_version": "6.9.1", "server_build": "C20023", "nessus_type": "Nessus Cloud", "region": "EU Central",
        "license": {"evaluation": false, "ips": 1024}, "enterprise": true,
    }))
}

#[derive(Debug, serde::Deserialize)]
struct Window {
    limit: Option<usize>,
    offset: Option<usize>,
}

impl Window {
    fn page(&self, key: &str, default: usize, all: &[Value]) -> Json<Value> {
        let (limit, offset) = (self.limit.unwrap_or(default), self.offset.unwrap_or(0));
        let page: Vec<_> = all.iter().skip(offset).take(limit).collect();
        Json(json!({
            key: page,
            "pagination": {"total": all.len(), "limit": limit, "offset": offset},
        }))
    }
}

async fn networks(
    State(tenant): Shared,
    Query(window): Query<Window>,
) -> Result<Json<Value>, Refusal> {
    let tenant = lock(&tenant);
    if !tenant.world.may_list_networks {
        return Err(Refusal::Forbidden);
    }
    let networks = tenant.world.networks.iter();
    let networks: Vec<_> = networks
        .map(|(uuid, name)| json!({"uuid": uuid, "name": name, "is_default": name == "Default"}))
        .collect();
    Ok(window.page("networks", 50, &networks))
}

async fn tags(State(tenant): Shared, Query(window): Query<Window>) -> Json<Value> {
    let tenant = lock(&tenant);
    let tags = tenant.world.tags.iter().map(|(category, value, _)| {
        json!({"uuid": uuid_of(&format!("tag {category} {value}")), "category_name": category, "value": value,
            "type": "static"})
    });
    let mut tags: Vec<_> = tags.collect();
    // A category without values is in the list too.
    tags.push(json!({"category_name": "Unused", "type": "static"}));
    window.page("values", 5000, &tags)
}

async fn status(State(tenant): Shared, Path(job): Path<String>) -> Result<Json<Value>, Refusal> {
    let mut tenant = lock(&tenant);
    let is_terse = tenant.world.is_terse;
    tenant.jobs.look(&job, is_terse).map(Json)
}

async fn cancel(State(tenant): Shared, Path(job): Path<String>) -> Result<Json<Value>, Refusal> {
    match lock(&tenant).jobs.cancel(&job) {
        true => Ok(Json(json!({"status": "CANCELLED"}))),
        false => Err(Refusal::Expired),
    }
}

async fn chunk(
    State(tenant): Shared,
    Path((job, chunk)): Path<(String, u64)>,
) -> Result<Response, Refusal> {
    let rows = lock(&tenant).jobs.download(&job, chunk)?;
    let body = rows.map_or_else(Body::empty, stream_of);
    Ok(([(CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// An array whose rows are made while it is sent: memory does not grow with it.
fn stream_of(rows: Rows) -> Body {
    let pieces = stream::unfold(Some(0), move |at| {
        let piece = at.map(|at| piece(&rows, at));
        async move { piece }
    });
    Body::from_stream(pieces)
}

fn piece(rows: &Rows, at: u64) -> (std::io::Result<Bytes>, Option<u64>) {
    let until = (at + PIECE).min(rows.len());
    let mut text = String::new();
    if at == 0 {
        text.push('[');
    }
    for position in at..until {
        if position > 0 {
            text.push(',');
        }
        text.push_str(&rows.row(position).to_string());
    }
    if until == rows.len() {
        text.push(']');
    }
    let next = (until < rows.len()).then_some(until);
    (Ok(Bytes::from(text)), next)
}
