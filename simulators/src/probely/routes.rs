//! The calls.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{API_KEY, Account};
use crate::server::{lock, parameters};

/// Rows of a page for which no length was asked.
const DEFAULT_LENGTH: u64 = 10;

type Shared = State<Arc<Mutex<Account>>>;

pub(super) fn router(account: Arc<Mutex<Account>>) -> Router {
    Router::new()
        .route("/profile/", get(profile))
        .route("/targets/", get(targets))
        .route("/targets/{target}/findings/", get(findings))
        .fallback(elsewhere)
        .layer(from_fn_with_state(Arc::clone(&account), gateway))
        .with_state(account)
}

/// The ways in which the API refuses.
enum Refusal {
    NoKey,
    WrongKey,
    NotFound,
    InvalidPage,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::NoKey => (
                StatusCode::UNAUTHORIZED,
                "Authentication credentials were not provided.",
            ),
            Self::WrongKey => (StatusCode::UNAUTHORIZED, "Error decoding signature."),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found."),
            Self::InvalidPage => (StatusCode::NOT_FOUND, "Invalid page."),
        };
        (status, Json(json!({"detail": detail}))).into_response()
    }
}

/// What stands in front of the API, and refuses in its own way.
async fn gateway(State(account): Shared, request: Request, next: Next) -> Response {
    let agent = request.headers().get(USER_AGENT);
    let no_agent = agent.is_none_or(|agent| agent.is_empty());
    if no_agent || lock(&account).gateway_refuses {
        let page = "<!DOCTYPE html><html><head><title>Access denied | Error 1010</title></head><body>Cloudflare</body></html>";
        return (StatusCode::FORBIDDEN, Html(page)).into_response();
    }
    next.run(request).await
}

/// A key under another word than JWT is none.
fn admit(headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    match sent.and_then(|value| value.strip_prefix("JWT ")) {
        None => Err(Refusal::NoKey),
        Some(key) if key != API_KEY => Err(Refusal::WrongKey),
        Some(_) => Ok(()),
    }
}

/// A path without its last slash leads to the one with it.
async fn elsewhere(request: Request) -> Response {
    let path = request.uri().path();
    if path.ends_with('/') {
        return Refusal::NotFound.into_response();
    }
    let query = request.uri().query();
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let slashed = format!("{path}/{query}");
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, slashed)]).into_response()
}

async fn profile(headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    admit(&headers)?;
    Ok(Json(json!({
        "id": "3Vr4pK2dJ7aQ", "email": "secpull@probely.example", "name": "secpull", "title": "", "is_billing_admin": false,
        "is_apiuser": true, "changed": "2026-01-01T00:00:00.000000Z", "changed_by": null,
    })))
}

async fn targets(State(account): Shared, request: Request) -> Result<Json<Value>, Refusal> {
    admit(request.headers())?;
    let account = lock(&account);
    let visible: &[_] = match account.may_view {
        true => &account.targets,
        false => &[],
    };
    let window = Window::of(&request, visible.len() as u64, account.longest_page)?;
    let page = visible
        .iter()
        .skip(at(window.start))
        .take(at(window.length));
    let rows = page.map(super::Target::listed).collect();
    Ok(Json(window.envelope(visible.len() as u64, rows)))
}

async fn findings(
    State(account): Shared,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    admit(request.headers())?;
    let mut account = lock(&account);
    let (may_view, longest, told) = (account.may_view, account.longest_page, account.count);
    let target = account.target(&id).ok_or(Refusal::NotFound)?;
    let count = if may_view { target.count() } else { 0 };
    let window = Window::of(&request, count, longest)?;
    let newest_first = parameter(&request, "ordering").is_some_and(|word| word == "-last_found");
    let end = (window.start + window.length).min(count);
    let rows = target.page(window.start, end, newest_first);
    Ok(Json(window.envelope(told.unwrap_or(count), rows)))
}

/// The part of a list that was asked for.
struct Window {
    page: u64,
    pages: u64,
    start: u64,
    length: u64,
}

impl Window {
    fn of(request: &Request, count: u64, longest: u64) -> Result<Self, Refusal> {
        let page = parameter(request, "page");
        let page = page.map_or(Ok(1), |page| page.parse::<u64>());
        let page = page.ok().filter(|page| *page > 0);
        let page = page.ok_or(Refusal::InvalidPage)?;
        // A length that is none is as good as no length.
        let length = parameter(request, "length").and_then(|length| length.parse::<u64>().ok());
        let length = length
            .filter(|length| *length > 0)
            .unwrap_or(DEFAULT_LENGTH);
        let length = length.min(longest);
        let pages = count.div_ceil(length).max(1);
        if page > pages {
            return Err(Refusal::InvalidPage);
        }
        Ok(Self {
            page,
            pages,
            start: (page - 1) * length,
            length,
        })
    }

    fn envelope(&self, count: u64, rows: Vec<Value>) -> Value {
        json!({
            "count": count, "page_total": self.pages, "page": self.page, "length": self.length, "results": rows,
        })
    }
}

/// The last value of a parameter.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let parameters = parameters(request.extensions());
    let mut named = parameters.into_iter().rev().filter(|(key, _)| key == name);
    named.next().map(|(_, value)| value)
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
