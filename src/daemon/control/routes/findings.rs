use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::read;
use crate::daemon::control::api::ErrorAnswer;
use crate::daemon::control::filter::{FindingsParameters, finding_filter};
use crate::daemon::control::refusal::Refusal;
use crate::daemon::control::state::Control;
use crate::finding::Finding;
use crate::store::StoreError;

/// So many findings at most are put into one piece of the answer.
const AT_ONCE: usize = 64;

type Found = Result<Finding, StoreError>;

/// Findings that pass the filter, in order of their ids: one JSON object a line, streamed. An answer that breaks off in
/// the middle is not all.
#[utoipa::path(
    get,
    path = "/v1/findings",
    params(FindingsParameters),
    responses(
        (status = 200, body = Finding, content_type = "application/jsonl", description = "one a line"),
        (status = 400, body = ErrorAnswer, description = "the query is wrong"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn list(
    State(control): State<Control>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let filter =
        finding_filter(query.as_deref().unwrap_or_default()).map_err(Refusal::bad_request)?;
    let engine = &control.engine;
    let found = engine.store().findings(filter).await;
    engine.health().note_read(engine.now(), &found);
    let mut found = found?;
    // The first batch before the status: a store that fails at once can still be said properly.
    let mut first = Vec::new();
    found.recv_many(&mut first, AT_ONCE).await;
    let first = lines(first)?;
    let pieces = stream::unfold((Some(first), found), next_piece);
    let body = Body::from_stream(pieces);
    Ok(([(CONTENT_TYPE, "application/jsonl")], body).into_response())
}

type Pieces = (Option<Bytes>, mpsc::Receiver<Found>);

/// The next piece of the answer, whatever is ready; an error breaks the answer off.
async fn next_piece((first, mut found): Pieces) -> Option<(Result<Bytes, StoreError>, Pieces)> {
    if let Some(first) = first {
        return Some((Ok(first), (None, found)));
    }
    let mut batch = Vec::new();
    if found.recv_many(&mut batch, AT_ONCE).await == 0 {
        return None;
    }
    let piece = lines(batch);
    if let Err(error) = &piece {
        tracing::warn!("a listing of findings broke off: {error}");
    }
    Some((piece, (None, found)))
}

fn lines(batch: Vec<Found>) -> Result<Bytes, StoreError> {
    let mut lines = Vec::with_capacity(batch.len() * 1024);
    for finding in batch {
        let finding = finding?;
        serde_json::to_writer(&mut lines, &finding).map_err(|error| StoreError::Engine {
            place: format!("(finding {})", finding.id),
            reason: format!("a finding cannot be written as JSON: {error}"),
            passing: false,
        })?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// What to add to a finding.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingQuery {
    /// With the vendor's JSON in each sighting.
    #[serde(default)]
    raw: bool,
}

/// One finding with its history.
#[utoipa::path(
    get,
    path = "/v1/findings/{id}",
    params(("id" = i64, Path, description = "number of the finding"), FindingQuery),
    responses(
        (status = 200, body = Finding),
        (status = 400, body = ErrorAnswer, description = "path or query are wrong"),
        (status = 403, body = ErrorAnswer, description = "the peer is not in the socket's group"),
        (status = 404, body = ErrorAnswer, description = "there is no such finding"),
        (status = 500, body = ErrorAnswer, description = "the store failed"),
    )
)]
pub(crate) async fn one(
    State(control): State<Control>,
    path: Result<Path<i64>, PathRejection>,
    query: Result<Query<FindingQuery>, QueryRejection>,
) -> Result<Json<Finding>, Refusal> {
    let id = read::number(path)?;
    let raw = read::query(query)?.raw;
    let engine = &control.engine;
    let found = engine.store().finding(id, raw).await;
    engine.health().note_read(engine.now(), &found);
    found?
        .map(Json)
        .ok_or_else(|| Refusal::not_found(format!("there is no finding {id}")))
}
