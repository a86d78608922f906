//! Reading requests, with errors in the socket's own form.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::de::DeserializeOwned;

use crate::daemon::control::refusal::Refusal;

/// A JSON body, whatever its content type says: `curl -d` sends another one.
pub(super) fn json<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    let body = body.map_err(|error| Refusal::too_large(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!("the body is not the JSON asked for: {error}"))
    })
}

/// The query, all of whose keys must be known.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(error) => Err(Refusal::bad_request(error.body_text())),
    }
}

/// The number in the path.
pub(super) fn number(path: Result<Path<i64>, PathRejection>) -> Result<i64, Refusal> {
    match path {
        Ok(Path(number)) => Ok(number),
        Err(_) => Err(Refusal::bad_request(
            "the last part of the path must be a number",
        )),
    }
}
