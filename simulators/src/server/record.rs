//! What a simulator saw.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use super::lock;

/// Headers that carry credentials, or name the tenant that they open.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-apikeys",
    "x-scope-orgid",
];

/// Query parameters that some vendors take credentials from, and that clients must not use: they land in logs.
const CREDENTIAL_PARAMETERS: &[&str] = &[
    "apikey",
    "api_key",
    "token",
    "access_token",
    "refresh_token",
    "client_secret",
];

/// More than any request of secpull's …
const BODY_LIMIT: usize = 1 << 20;

/// … but an upload.
const UPLOAD_LIMIT: usize = 128 << 20;

/// Parameter that holds the name of a GraphQL operation.
pub(crate) const OPERATION: &str = "operationName";

/// The credential that came along, for answers that echo it.
pub(crate) fn credential(headers: &HeaderMap) -> String {
    let mut sent = CREDENTIALS.iter().filter_map(|name| headers.get(*name));
    let sent = sent.next().and_then(|value| value.to_str().ok());
    let word = sent.and_then(|value| value.rsplit(' ').next());
    word.unwrap_or("no credential").to_owned()
}

/// One request, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path, with the prefix if the simulator has one.
    pub path: String,
    /// Parameters of the URL, then those of a form body, of a GraphQL operation, or the single values of another JSON
    /// object, decoded; the values of credentials are left empty.
    pub parameters: Vec<(String, String)>,
    /// Headers, names in lower case; of those that carry credentials the value is left empty.
    pub headers: BTreeMap<String, String>,
    /// Whether a header that carries credentials came along.
    pub credential: bool,
    /// Whether a credential stood in the URL.
    pub credential_in_url: bool,
    /// What was answered; none while the answer is being made.
    pub status: Option<u16>,
}

impl SeenRequest {
    /// The first value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The parameters of a request, put into its extensions by [`buffered`].
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) parameters: Vec<(String, String)>,
}

/// Reads the body, so that its parameters are known to everything that follows.
pub(super) async fn buffered(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_upload = is_upload(&parts.headers);
    let limit = if is_upload { UPLOAD_LIMIT } else { BODY_LIMIT };
    let Ok(body) = to_bytes(body, limit).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut parameters = decode(parts.uri.query().unwrap_or_default().as_bytes());
    if is_upload {
        parameters.extend(of_upload(&parts, body.clone()).await);
    } else if is_form(&parts.headers) {
        parameters.extend(decode(&body));
    } else if let Some(operation) = of_graphql(&body) {
        parameters.extend(operation);
    } else if let Ok(Value::Object(members)) = serde_json::from_slice(&body) {
        parameters.extend(scalars(members));
    }
    parts.extensions.insert(Recorded { parameters });
    next.run(Request::from_parts(parts, Body::from(body))).await
}

fn is_upload(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("multipart/form-data"))
}

/// The texts of a form with a file in it, and the file's name.
async fn of_upload(parts: &Parts, body: Bytes) -> Vec<(String, String)> {
    let mut request = Request::from_parts(parts.clone(), Body::from(body));
    DefaultBodyLimit::max(UPLOAD_LIMIT).apply(&mut request);
    let mut texts = Vec::new();
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        return texts;
    };
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        match field.file_name().map(str::to_owned) {
            Some(file) => texts.push((name, file)),
            None => texts.push((name, field.text().await.unwrap_or_default())),
        }
    }
    texts
}

fn decode(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// The members of a JSON body that are one value each.
fn scalars(members: serde_json::Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(flag) => Some((name, flag.to_string())),
        _ => None,
    })
}

/// The operation's name, its variables, and where those are `start` and `count` the number of the page.
fn of_graphql(body: &[u8]) -> Option<Vec<(String, String)>> {
    let call: Value = serde_json::from_slice(body).ok()?;
    call.get("query")?;
    let operation = call.get(OPERATION)?.as_str()?;
    let mut parameters = vec![(OPERATION.to_owned(), operation.to_owned())];
    let variables = call.get("variables").and_then(Value::as_object);
    for (name, value) in variables.into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        parameters.push((name.clone(), value));
    }
    let number = |name| variables.and_then(|all| all.get(name)?.as_u64());
    if let (Some(start), Some(count @ 1..)) = (number("start"), number("count")) {
        parameters.push(("page".to_owned(), (start / count + 1).to_string()));
    }
    Some(parameters)
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Vec<SeenRequest>>);

impl Recorder {
    pub(super) fn all(&self) -> Vec<SeenRequest> {
        lock(&self.0).clone()
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.0).len()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Notes the request and returns its place for [`Recorder::answered`].
    pub(super) fn note(&self, request: &Request) -> usize {
        let headers = request.headers();
        let names_credential =
            |key: &str| CREDENTIAL_PARAMETERS.contains(&key.to_ascii_lowercase().as_str());
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let in_url = form_urlencoded::parse(query).any(|(key, _)| names_credential(&key));
        let mut parameters = super::parameters(request.extensions());
        for (key, value) in &mut parameters {
            if names_credential(key) {
                value.clear();
            }
        }
        let seen = SeenRequest {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            parameters,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    let value = match CREDENTIALS.contains(&name.as_str()) {
                        true => String::new(),
                        false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    };
                    (name.to_string(), value)
                })
                .collect(),
            credential: CREDENTIALS.iter().any(|name| headers.contains_key(*name)),
            credential_in_url: in_url,
            status: None,
        };
        let mut all = lock(&self.0);
        all.push(seen);
        all.len() - 1
    }

    pub(super) fn answered(&self, place: usize, status: StatusCode) {
        // It is gone if it was forgotten meanwhile.
        if let Some(seen) = lock(&self.0).get_mut(place) {
            seen.status = Some(status.as_u16());
        }
    }
}
