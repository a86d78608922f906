//! The calls.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::model::{Asked, Known};
use super::purl;
use crate::server::lock;

const MOST_QUERIES: usize = 1000;

/// gRPC's codes.
const INVALID_ARGUMENT: i64 = 3;
const NOT_FOUND: i64 = 5;

/// The token of a query for which there was no time.
const NOT_BEGUN: &str = "RklSU1RfUEFHRV9UT0tFTg==";

pub(super) struct Service {
    pub(super) known: Arc<Mutex<Known>>,
    /// Queries as they came, with all their members.
    pub(super) asked: Arc<Mutex<Vec<Value>>>,
    /// Ids of one query's page.
    pub(super) page_size: usize,
    /// Ids of one batch.
    pub(super) batch_size: usize,
}

pub(super) fn api(service: Service) -> Router {
    Router::new()
        .route("/v1/querybatch", post(query_batch))
        .route("/v1/vulns/{id}", get(vulnerability))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, NOT_FOUND, "Not Found") })
        .with_state(Arc::new(service))
}

fn refusal(status: StatusCode, code: i64, message: &str) -> Response {
    (
        status,
        Json(json!({"code": code, "message": message, "details": []})),
    )
        .into_response()
}

fn invalid(message: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, INVALID_ARGUMENT, message)
}

async fn vulnerability(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Response {
    let known = lock(&service.known);
    if let Some(record) = known.record(&id) {
        return Json(record).into_response();
    }
    let message = match known.aliases_of(&id).as_slice() {
        [] => "Vulnerability not found".to_owned(),
        aliases => format!(
            "Vulnerability not found, but the following aliases were: {}",
            aliases.join(", ")
        ),
    };
    refusal(StatusCode::NOT_FOUND, NOT_FOUND, &message)
}

async fn query_batch(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    let Ok(Value::Object(body)) = serde_json::from_slice(&body) else {
        return invalid("syntax error");
    };
    if let Some(unknown) = body.keys().find(|key| *key != "queries") {
        return invalid(&format!("proto: unknown field \"{unknown}\""));
    }
    let Some(Value::Array(queries)) = body.get("queries") else {
        return invalid("invalid query");
    };
    if queries.len() > MOST_QUERIES {
        return invalid("too many queries");
    }
    lock(&service.asked).extend(queries.iter().cloned());
    let known = lock(&service.known);
    let mut read = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        match Query::read(query, &known) {
            Ok(query) => read.push(query),
            Err(reason) => {
                return invalid(&format!(
                    "error in query at index {index}: rpc error: code = InvalidArgument desc = {reason}"
                ));
            }
        }
    }
    let mut left = service.batch_size;
    let results: Vec<_> = read
        .iter()
        .map(|query| query.answer(&known, service.page_size, &mut left))
        .collect();
    Json(json!({"results": results})).into_response()
}

struct Query {
    /// None where the purl's type is unknown.
    asked: Option<Asked>,
    start: usize,
}

impl Query {
    fn read(query: &Value, known: &Known) -> Result<Self, String> {
        let no_query = || "no query provided".to_owned();
        let query = query.as_object().ok_or_else(no_query)?;
        let fields = ["package", "version", "page_token", "commit"];
        if let Some(unknown) = query.keys().find(|key| !fields.contains(&key.as_str())) {
            return Err(format!("proto: unknown field \"{unknown}\""));
        }
        let package = query
            .get("package")
            .and_then(Value::as_object)
            .ok_or_else(no_query)?;
        let version = text(query, "version");
        let asked = match text(package, "purl") {
            Some(purl) => by_purl(purl, package, version)?,
            None => Some(by_name(package, version)?),
        };
        let refused = |name: &String| asked.as_ref().is_some_and(|asked| asked.name == *name);
        if known.refused.iter().any(refused) {
            return Err("invalid query".to_owned());
        }
        let start = match text(query, "page_token") {
            None | Some(NOT_BEGUN) => 0,
            Some(token) => token
                .strip_prefix("page-")
                .and_then(|start| start.parse().ok())
                .ok_or("invalid cursor")?,
        };
        Ok(Self { asked, start })
    }

    fn answer(&self, known: &Known, page_size: usize, left: &mut usize) -> Value {
        let Some(asked) = &self.asked else {
            return json!({});
        };
        if *left == 0 {
            return json!({"next_page_token": NOT_BEGUN});
        }
        let hits = known.hits(asked);
        let endless = known.endless.contains(&asked.name);
        let start = if endless {
            0
        } else {
            self.start.min(hits.len())
        };
        let end = (start + page_size.min(*left)).min(hits.len());
        *left -= end - start;
        let page: Vec<_> = hits[start..end]
            .iter()
            .map(|(id, modified)| json!({"id": id, "modified": modified}))
            .collect();
        let mut answer = Map::new();
        if !page.is_empty() {
            answer.insert("vulns".to_owned(), json!(page));
        }
        if endless || end < hits.len() {
            answer.insert("next_page_token".to_owned(), json!(format!("page-{end}")));
        }
        Value::Object(answer)
    }
}

/// Text that is not empty, as far as gRPC's JSON can tell the two apart.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn by_purl(
    purl: &str,
    package: &Map<String, Value>,
    version: Option<&str>,
) -> Result<Option<Asked>, String> {
    if text(package, "name").is_some() {
        return Err("name specified in a PURL query".to_owned());
    }
    if text(package, "ecosystem").is_some() {
        return Err("ecosystem specified in a PURL query".to_owned());
    }
    let Some(asked) = purl::read(purl)? else {
        return Ok(None);
    };
    match (&asked.version, version) {
        (Some(_), Some(_)) => Err("version specified in params and PURL query".to_owned()),
        (None, Some(version)) => Ok(Some(Asked {
            version: Some(version.to_owned()),
            ..asked
        })),
        (_, None) => Ok(Some(asked)),
    }
}

fn by_name(package: &Map<String, Value>, version: Option<&str>) -> Result<Asked, String> {
    let name = text(package, "name").ok_or("invalid query")?;
    let ecosystem = text(package, "ecosystem").ok_or("invalid query")?;
    if !purl::is_ecosystem(ecosystem) {
        return Err("invalid ecosystem".to_owned());
    }
    Ok(Asked {
        ecosystem: ecosystem.to_owned(),
        name: name.to_owned(),
        version: version.map(str::to_owned),
    })
}
