//! The calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::{ACCOUNT, Hub, REGION, access, filter};
use crate::server::{lock, parameters};

/// More than any request of secpull's.
const BODY_LIMIT: usize = 1 << 20;

/// Most findings on a page, and how many there are if the request does not say.
const MAX_RESULTS: u64 = 100;

struct Server {
    hub: Arc<Mutex<Hub>>,
    /// The query that each token continues.
    tokens: Mutex<BTreeMap<u64, String>>,
}

type Shared = State<Arc<Server>>;

pub(super) fn router(hub: Arc<Mutex<Hub>>) -> Router {
    let server = Arc::new(Server {
        hub,
        tokens: Mutex::default(),
    });
    Router::new()
        .route("/accounts", get(describe_hub))
        .route("/findingAggregator/list", get(list_aggregators))
        .route("/findingAggregator/get/{*arn}", get(get_aggregator))
        .route("/findings", post(get_findings))
        // The gateway's answer to what it does not know.
        .fallback(|| async { Refusal::from(Refusal::MISSING_TOKEN) })
        .with_state(server.clone())
        .layer(from_fn_with_state(server, guard))
}

async fn guard(State(server): Shared, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let refused = {
        let mut hub = lock(&server.hub);
        access::check(&parts, &body, hub.session_token.as_deref()).and_then(|()| {
            if hub.expired {
                return Err(Refusal::EXPIRED.into());
            }
            if hub.throttled > 0 {
                hub.throttled -= 1;
                return Err(Refusal::THROTTLED.into());
            }
            let action = action(parts.uri.path());
            if hub.denied.contains(action) {
                return Err(Refusal::denied(action));
            }
            if hub.enabled {
                Ok(())
            } else {
                Err(Refusal::NOT_SUBSCRIBED.into())
            }
        })
    };
    match refused {
        Err(refusal) => refusal.into_response(),
        Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
    }
}

fn action(path: &str) -> &'static str {
    match path {
        "/accounts" => "DescribeHub",
        "/findings" => "GetFindings",
        "/findingAggregator/list" => "ListFindingAggregators",
        _ => "GetFindingAggregator",
    }
}

async fn describe_hub() -> Json<Value> {
    Json(json!({
        "HubArn": format!("arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default"),
        "SubscribedAt": "2024-03-01T12:00:00.000Z",
        "AutoEnableControls": true,
        "ControlFindingGenerator": "SECURITY_CONTROL",
    }))
}

fn aggregator_arn(home: &str) -> String {
    format!(
        "arn:aws:securityhub:{home}:{ACCOUNT}:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"
    )
}

async fn list_aggregators(State(server): Shared) -> Json<Value> {
    let aggregator = lock(&server.hub).aggregator.clone();
    let listed: Vec<_> = aggregator
        .iter()
        .map(|(home, _, _)| json!({"FindingAggregatorArn": aggregator_arn(home)}))
        .collect();
    Json(json!({"FindingAggregators": listed}))
}

async fn get_aggregator(
    State(server): Shared,
    Path(arn): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let aggregator = lock(&server.hub).aggregator.clone();
    match aggregator {
        Some((home, mode, regions)) if aggregator_arn(&home) == arn => {
            let mut answer = json!({
                "FindingAggregatorArn": arn,
                "FindingAggregationRegion": home,
                "RegionLinkingMode": mode,
            });
            if mode != "ALL_REGIONS" {
                answer["Regions"] = regions.into();
            }
            Ok(Json(answer))
        }
        _ => Err(Refusal::NO_SUCH_AGGREGATOR.into()),
    }
}

async fn get_findings(State(server): Shared, request: Request) -> Result<Response, Refusal> {
    let parameters = parameters(request.extensions());
    let body = to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    let query = serde_json::from_slice::<Value>(&body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Refusal::invalid("the body is no JSON object"))?;
    let size = page_size(&query)?;
    let bound = bound(&query);
    let page = server.page(&parameters, &bound)?;
    let (rows, is_last, body, short) = {
        let hub = lock(&server.hub);
        let mut rows = Vec::new();
        let mut passed = 0;
        for finding in &hub.findings {
            if filter::passes(query.get("Filters").unwrap_or(&json!({})), finding)? {
                if (page * size..(page + 1) * size).contains(&passed) {
                    rows.push(finding.clone());
                }
                passed += 1;
            }
        }
        let is_last = passed <= (page + 1) * size;
        (rows, is_last, hub.body.clone(), hub.short_pages)
    };
    if let Some(body) = body {
        return Ok(([(CONTENT_TYPE, "application/json")], body).into_response());
    }
    let mut answer = json!({"Findings": rows});
    // An empty page may come before the next one.
    if short && !is_last && page == 0 {
        answer["Findings"] = json!([]);
    }
    if !is_last {
        answer["NextToken"] = server.issue(page + 1, bound).into();
    }
    Ok(Json(answer).into_response())
}

fn page_size(query: &Value) -> Result<u64, Refusal> {
    match &query["MaxResults"] {
        Value::Null => Ok(MAX_RESULTS),
        number => number
            .as_u64()
            .filter(|number| (1..=MAX_RESULTS).contains(number))
            .ok_or_else(|| {
                Refusal::invalid(
                    "MaxResults must be greater than or equal to 1 and less than or equal to 100",
                )
            }),
    }
}

/// What a token is bound to.
fn bound(query: &Value) -> String {
    format!("{}{}", query["Filters"], query["SortCriteria"])
}

impl Server {
    /// The page that the request's token names, from 0.
    fn page(&self, parameters: &[(String, String)], bound: &str) -> Result<u64, Refusal> {
        let token = parameters.iter().find(|(key, _)| key == "NextToken");
        let Some((_, token)) = token else {
            return Ok(0);
        };
        let mut hub = lock(&self.hub);
        if hub.stale_tokens > 0 {
            hub.stale_tokens -= 1;
            return Err(Refusal::invalid("Invalid NextToken: token has expired"));
        }
        let number: u64 = token
            .parse()
            .map_err(|_| Refusal::invalid("Invalid NextToken"))?;
        if number == 1 {
            // Only a misfortune asks so for the first page.
            return Ok(0);
        }
        match lock(&self.tokens).get(&number) {
            Some(query) if query == bound => Ok(number - 1),
            Some(_) => Err(Refusal::invalid(
                "Invalid NextToken: Input Query has changed",
            )),
            None => Err(Refusal::invalid("Invalid NextToken")),
        }
    }

    /// A token for a page, counted from 0. To a client it is opaque; here it is the page's number, counted from 1.
    fn issue(&self, page: u64, bound: String) -> String {
        let number = page + 1;
        lock(&self.tokens).insert(number, bound);
        number.to_string()
    }
}
