//! The calls.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::{Value, json};

use super::access::Access;
use super::answer::{bad_data, closing, element, element_of_matrix, opening};
use super::evaluate::aggregate;
use super::parse::{Expression, Selector, parse};
use super::series::number;
use super::{Cluster, Limits, Series, VendorError};
use crate::server::{lock, parameters};

/// Positions that are looked at before the next piece of a body is sent.
const PIECE: u64 = 200;

struct Server {
    access: Access,
    limits: Limits,
    cluster: Arc<Mutex<Cluster>>,
}

pub(super) fn router(
    access: Access,
    limits: Limits,
    cluster: Arc<Mutex<Cluster>>,
    prefix: &str,
) -> Router {
    let server = Arc::new(Server {
        access,
        limits,
        cluster,
    });
    let api = Router::new()
        .route("/api/v1/query", get(query).post(query))
        .route("/api/v1/status/buildinfo", get(build_info))
        .with_state(server.clone());
    let api = match prefix {
        "" => api,
        prefix => Router::new().nest(prefix, api),
    };
    api.fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found\n") })
        .layer(from_fn_with_state(server, guard))
}

async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    match server.access.refuse(request.headers()) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

async fn build_info() -> Json<Value> {
    let data = json!({"version": "3.5.0", "revision": "", "branch": "HEAD", "goVersion": "go1.24"});
    Json(json!({"status": "success", "data": data}))
}

async fn query(State(server): State<Arc<Server>>, request: Request) -> Response {
    // Of bodies, the server reads forms only.
    let parameters = match is_json(request.headers()) {
        true => Vec::new(),
        false => parameters(request.extensions()),
    };
    let first = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let Some(time) = first("time").map_or_else(|| Some(now()), time) else {
        let time = first("time").unwrap_or_default();
        let what = format!("cannot parse \"{time}\" to a valid timestamp");
        return bad_data("time", &what);
    };
    if let Some(timeout) = first("timeout")
        && !timeout.ends_with(['s', 'm', 'h'])
        && timeout.parse::<f64>().is_err()
    {
        let what = format!("cannot parse \"{timeout}\" to a valid duration");
        return bad_data("timeout", &what);
    }
    let limit = match first("limit")
        .filter(|_| server.limits.knows_limit)
        .map(str::parse)
    {
        None => None,
        Some(Ok(limit)) => Some(limit).filter(|limit| *limit > 0),
        Some(Err(_)) => return bad_data("limit", "limit must be a number"),
    };
    let text = first("query").unwrap_or_default();
    let cluster = lock(&server.cluster).clone();
    if let Some(error) = cluster.failure(text) {
        return error.into_response();
    }
    match parse(text) {
        Ok(expression) => server.evaluate(expression, cluster, time, limit).await,
        Err(error) => bad_data("query", &error),
    }
}

impl Server {
    async fn evaluate(
        &self,
        expression: Expression,
        mut cluster: Cluster,
        time: f64,
        limit: Option<usize>,
    ) -> Response {
        let response = match expression {
            Expression::Number(value) => single("scalar", time, &number(value)),
            Expression::Text(text) => single("string", time, &text),
            Expression::Range {
                selector,
                last: false,
            } => {
                let elements = selector
                    .select(&cluster)
                    .map(|series| element_of_matrix(&series, time))
                    .collect::<Vec<_>>();
                whole("matrix", &elements, &cluster)
            }
            Expression::Select(selector) | Expression::Range { selector, .. } => {
                if let Some(most) = self.limits.samples
                    && selector.select(&cluster).count() as u64 > most
                {
                    return VendorError::TooManySamples.into_response();
                }
                if let Some(limit) = limit {
                    let mut kept = selector
                        .select(&cluster)
                        .take(limit + 1)
                        .collect::<Vec<_>>();
                    if kept.len() > limit {
                        kept.truncate(limit);
                        let warning = "results truncated due to limit".to_owned();
                        cluster.warnings.push(warning);
                    }
                    whole("vector", &elements(&kept, time), &cluster)
                } else {
                    streamed(selector, cluster, time)
                }
            }
            aggregation @ Expression::Aggregate { .. } => {
                let groups = vector(&aggregation, &cluster);
                whole("vector", &elements(&groups, time), &cluster)
            }
        };
        self.through_gateway(response).await
    }

    /// The gateway counts the bytes before it sends the first.
    async fn through_gateway(&self, response: Response) -> Response {
        let Some(most) = self.limits.response_bytes else {
            return response;
        };
        let (parts, body) = response.into_parts();
        match axum::body::to_bytes(body, most).await {
            Ok(body) => Response::from_parts(parts, Body::from(body)),
            Err(_) => VendorError::ResponseTooLarge.into_response(),
        }
    }
}

/// The vector that an expression below an aggregation yields; the parser lets nothing else through.
fn vector(expression: &Expression, cluster: &Cluster) -> Vec<Series> {
    match expression {
        Expression::Aggregate { operator, by, of } => match of.as_ref() {
            Expression::Select(selector) | Expression::Range { selector, .. } => {
                aggregate(*operator, by, selector.select(cluster))
            }
            deeper => aggregate(*operator, by, vector(deeper, cluster).into_iter()),
        },
        _ => Vec::new(),
    }
}

fn elements(series: &[Series], time: f64) -> Vec<String> {
    series.iter().map(|series| element(series, time)).collect()
}

fn single(kind: &str, time: f64, value: &str) -> Response {
    let data = json!({"resultType": kind, "result": [time, value]});
    Json(json!({"status": "success", "data": data})).into_response()
}

fn whole(kind: &str, elements: &[String], cluster: &Cluster) -> Response {
    let closing = closing(&cluster.warnings, &cluster.infos);
    json_text(Body::from(format!(
        "{}{}{closing}",
        opening(kind),
        elements.join(",")
    )))
}

fn json_text(body: Body) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], body).into_response()
}

/// The selected series, made while they are sent: memory does not grow with them.
fn streamed(selector: Selector, cluster: Cluster, time: f64) -> Response {
    struct Progress {
        at: u64,
        empty: bool,
        done: bool,
    }
    let source = Arc::new((selector, cluster));
    let start = Progress {
        at: 0,
        empty: true,
        done: false,
    };
    let pieces = stream::unfold(start, move |mut progress| {
        let source = source.clone();
        async move {
            let (selector, cluster) = &*source;
            if progress.done {
                return None;
            }
            let mut piece = match progress.at {
                0 => opening("vector"),
                _ => String::new(),
            };
            let until = (progress.at + PIECE).min(cluster.len());
            let series = (progress.at..until)
                .filter_map(|position| cluster.sample(position))
                .filter(|series| selector.fits(series));
            for series in series {
                if !progress.empty {
                    piece.push(',');
                }
                piece.push_str(&element(&series, time));
                progress.empty = false;
            }
            progress.at = until;
            if until == cluster.len() {
                piece.push_str(&closing(&cluster.warnings, &cluster.infos));
                progress.done = true;
            }
            Some((io::Result::Ok(Bytes::from(piece)), progress))
        }
    });
    json_text(Body::from_stream(pieces))
}

fn now() -> f64 {
    Utc::now().timestamp_millis() as f64 / 1000.0
}

/// Unix seconds or RFC 3339.
fn time(text: &str) -> Option<f64> {
    let seconds = text.parse::<f64>().ok().filter(|time| time.is_finite());
    seconds.or_else(|| {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(time.timestamp_millis() as f64 / 1000.0)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
