//! The control socket's client, as the command line uses it.

use std::error::Error as _;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::SecondsFormat;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api::{
    Accept, AcceptAnswer, ErrorAnswer, ReloadAnswer, RunEvent, RunsAnswer, StartRuns, StartedRuns,
    StatusAnswer,
};
use super::filter::escaped;
use super::sse::{EventReader, ServerEvent};
use crate::store::{FindingFilter, Run, RunFilter, RunId, StatusFilter};

/// Limit for calls that answer at once: far above what any of them takes.
const CALL_LIMIT: Duration = Duration::from_secs(120);

/// A stream that says nothing for so long is broken; the daemon sends a sign of life far more often.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// For how long a broken stream of events is tried again: a restart of the daemon takes less.
const RECONNECT_WITHIN: Duration = Duration::from_secs(20);

/// Pause between two tries.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// Why the daemon did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at the socket, or this user may not connect to it; what to do about it.
    #[error("{0}")]
    Unreachable(String),
    /// The daemon answered, and refused.
    #[error("{}", .answer.error)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        answer: ErrorAnswer,
    },
    /// The daemon answered something that this version does not understand, or broke off in the middle.
    #[error("{0}")]
    Broken(String),
}

/// Speaks to the daemon at one socket.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon at this socket. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ClientError::Broken`] if the HTTP client cannot be built.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            // No TLS on this socket: without this, the system's certificates would be read for nothing.
            .tls_certs_only([])
            .read_timeout(SILENCE_LIMIT)
            .build()
            .map_err(|error| {
                ClientError::Broken(format!("cannot build the client: {}", cause(&error)))
            })?;
        Ok(Self {
            http,
            socket: socket.to_owned(),
        })
    }

    /// `GET /v1/status`.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub async fn status(&self) -> Result<StatusAnswer, ClientError> {
        self.get("/v1/status", &[]).await
    }

    /// `GET /v1/runs`.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, ClientError> {
        let mut query = Vec::new();
        if let Some(name) = &filter.api_configuration {
            query.push(("api_configuration", name.clone()));
        }
        // Left out, the daemon would put a limit of its own.
        let limit = filter.limit.unwrap_or(u32::MAX);
        query.push(("limit", limit.to_string()));
        let answer: RunsAnswer = self.get("/v1/runs", &query).await?;
        Ok(answer.runs)
    }

    /// `POST /v1/runs`.
    ///
    /// # Errors
    /// Any [`ClientError`]; refused with 404 where a name is unknown.
    pub async fn start_runs(&self, start: &StartRuns) -> Result<StartedRuns, ClientError> {
        self.post("/v1/runs", start).await
    }

    /// `POST /v1/accept`.
    ///
    /// # Errors
    /// Any [`ClientError`]; refused with 409 where nothing is held.
    pub async fn accept(&self, api_configuration: &str) -> Result<AcceptAnswer, ClientError> {
        let body = Accept {
            api_configuration: api_configuration.to_owned(),
        };
        self.post("/v1/accept", &body).await
    }

    /// `POST /v1/reload`.
    ///
    /// # Errors
    /// Any [`ClientError`]; refused with 422 and a line for each mistake where the new configuration is wrong.
    pub async fn reload(&self) -> Result<ReloadAnswer, ClientError> {
        let request = self.request(Method::POST, "/v1/reload").timeout(CALL_LIMIT);
        self.decode(request).await
    }

    /// `GET /v1/findings`: a JSON document a line, as the daemon finds them.
    ///
    /// # Errors
    /// Any [`ClientError`] up to the first byte.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<Lines, ClientError> {
        let request = self
            .request(Method::GET, "/v1/findings")
            .query(&finding_query(filter));
        let response = self.send(request).await?;
        Ok(Lines {
            body: response.bytes_stream().boxed(),
            pending: BytesMut::new(),
            searched: 0,
        })
    }

    /// `GET /v1/findings/{id}`: one JSON document, its history in it.
    ///
    /// # Errors
    /// Any [`ClientError`]; refused with 404 where there is none.
    pub async fn finding(&self, id: i64, raw: bool) -> Result<Bytes, ClientError> {
        let request = self
            .request(Method::GET, &format!("/v1/findings/{id}"))
            .query(&[("raw", raw)])
            .timeout(CALL_LIMIT);
        let response = self.send(request).await?;
        response.bytes().await.map_err(|error| broke_off(&error))
    }

    /// Watches a run until it is over. A broken stream is opened again.
    #[must_use]
    pub fn watch(&self, run: RunId) -> Watch {
        Watch {
            client: self.clone(),
            run,
            stream: None,
            over: false,
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        let request = self
            .request(Method::GET, path)
            .query(query)
            .timeout(CALL_LIMIT);
        self.decode(request).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let request = self
            .request(Method::POST, path)
            .json(body)
            .timeout(CALL_LIMIT);
        self.decode(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://localhost{path}"))
    }

    async fn decode<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let body = response.bytes().await.map_err(|error| broke_off(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            ClientError::Broken(format!(
                "the daemon's answer is not understood ({error}): is it of another version than this command?"
            ))
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| broke_off(&error))?;
        let answer =
            serde_json::from_slice(&body).unwrap_or_else(|_| foreign_refusal(status, &body));
        Err(ClientError::Refused {
            status: status.as_u16(),
            answer,
        })
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        let socket = self.socket.display();
        let line = match io_kind(error) {
            Some(ErrorKind::NotFound) => {
                format!("no daemon is running: there is no socket {socket}")
            }
            Some(ErrorKind::ConnectionRefused) => {
                format!("no daemon is running: nobody answers at the socket {socket}")
            }
            Some(ErrorKind::PermissionDenied) => forbidden(&self.socket),
            _ if error.is_timeout() => {
                format!("the daemon at {socket} does not answer in time")
            }
            _ => format!("cannot speak to the daemon at {socket}: {}", cause(error)),
        };
        ClientError::Unreachable(line)
    }
}

/// Lines of a streamed answer.
pub struct Lines {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    pending: BytesMut,
    /// So much of `pending` is known to hold no line feed.
    searched: usize,
}

impl Lines {
    /// The next line, without its line feed; `None` after the last one.
    ///
    /// # Errors
    /// [`ClientError::Broken`] if the daemon broke off: what was given is then not all.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let unsearched = &self.pending[self.searched..];
            if let Some(position) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = self.pending.split_to(self.searched + position + 1);
                line.truncate(line.len() - 1);
                self.searched = 0;
                return Ok(Some(line.freeze()));
            }
            self.searched = self.pending.len();
            match self.body.next().await {
                Some(Ok(chunk)) => self.pending.extend_from_slice(&chunk),
                Some(Err(error)) => return Err(broke_off(&error)),
                None if self.pending.is_empty() => return Ok(None),
                None => {
                    return Err(ClientError::Broken(
                        "the daemon broke off in the middle of a line: the listing is not complete"
                            .to_owned(),
                    ));
                }
            }
        }
    }
}

/// A run that is being watched.
pub struct Watch {
    client: Client,
    run: RunId,
    stream: Option<EventStream>,
    over: bool,
}

struct EventStream {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    reader: EventReader,
    ready: std::collections::VecDeque<ServerEvent>,
}

impl Watch {
    /// The next event; `None` after the end of the run.
    ///
    /// # Errors
    /// The daemon refuses, or cannot be reached again within some seconds.
    pub async fn next(&mut self) -> Result<Option<RunEvent>, ClientError> {
        if self.over {
            return Ok(None);
        }
        let mut broken_since = None;
        loop {
            match self.try_next().await {
                Ok(Some(event)) => {
                    self.over = matches!(event, RunEvent::End { .. });
                    return Ok(Some(event));
                }
                Ok(None) => {}
                Err(error @ ClientError::Refused { .. }) => return Err(error),
                Err(error) => {
                    let since = *broken_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= RECONNECT_WITHIN {
                        return Err(error);
                    }
                }
            }
            // The stream ended without the run's end: the daemon was restarted, or the connection broke.
            self.stream = None;
            broken_since.get_or_insert_with(Instant::now);
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn try_next(&mut self) -> Result<Option<RunEvent>, ClientError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(self.client.events(self.run).await?),
        };
        loop {
            while let Some(event) = stream.ready.pop_front() {
                if let Some(event) = understand(&event)? {
                    return Ok(Some(event));
                }
            }
            match stream.body.next().await {
                Some(Ok(chunk)) => stream.ready.extend(stream.reader.push(&chunk)),
                Some(Err(error)) => return Err(broke_off(&error)),
                None => return Ok(None),
            }
        }
    }
}

impl Client {
    async fn events(&self, run: RunId) -> Result<EventStream, ClientError> {
        let request = self.request(Method::GET, &format!("/v1/runs/{run}/events"));
        let response = self.send(request).await?;
        Ok(EventStream {
            body: response.bytes_stream().boxed(),
            reader: EventReader::default(),
            ready: std::collections::VecDeque::new(),
        })
    }
}

/// An event of another name is from a newer daemon, and no matter of ours.
fn understand(event: &ServerEvent) -> Result<Option<RunEvent>, ClientError> {
    match event.name.as_str() {
        "progress" | "end" => serde_json::from_str(&event.data).map(Some).map_err(|error| {
            ClientError::Broken(format!(
                "the daemon's event is not understood ({error}): is it of another version than this command?"
            ))
        }),
        _ => Ok(None),
    }
}

fn finding_query(filter: &FindingFilter) -> Vec<(&'static str, String)> {
    let mut query = vec![
        ("severity", words(&filter.severities, |s| s.as_str())),
        ("kind", words(&filter.kinds, |k| k.as_str())),
        (
            "status",
            match &filter.status {
                StatusFilter::Unresolved => String::new(),
                StatusFilter::All => "all".to_owned(),
                StatusFilter::Only(only) => words(only, |s| s.as_str()),
            },
        ),
    ];
    query.retain(|(_, value)| !value.is_empty());
    // Repeated, not joined.
    for (key, names) in [
        ("product", &filter.products),
        ("branch", &filter.branches),
        ("service", &filter.services),
        ("api_configuration", &filter.api_configurations),
        ("vulnerability", &filter.vulnerabilities),
    ] {
        query.extend(names.iter().map(|name| (key, escaped(name))));
    }
    if let Some(since) = filter.first_seen_since {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        query.push(("first_seen_since", since));
    }
    if let Some(limit) = filter.limit {
        query.push(("limit", limit.to_string()));
    }
    if filter.raw {
        query.push(("raw", "true".to_owned()));
    }
    query
}

fn words<T>(list: &[T], word: fn(&T) -> &'static str) -> String {
    let words: Vec<&str> = list.iter().map(word).collect();
    words.join(",")
}

/// What somebody needs who may not connect: the group that owns the socket, or else the socket's folder.
fn forbidden(socket: &Path) -> String {
    let group = std::fs::metadata(socket)
        .or_else(|_| std::fs::metadata(socket.parent().unwrap_or(Path::new("/"))))
        .ok()
        .and_then(|owner| {
            nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(owner.gid()))
                .ok()
                .flatten()
        });
    let socket = socket.display();
    match group {
        Some(group) => format!(
            "not allowed to connect to {socket}: it is open to root and to members of the group {0} (usermod -aG {0} USER, \
             then log in again)",
            group.name
        ),
        None => format!("not allowed to connect to {socket}: only root and its group may"),
    }
}

/// An answer that is not in the daemon's own form.
fn foreign_refusal(status: StatusCode, body: &[u8]) -> ErrorAnswer {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default().trim();
    let error = if line.is_empty() {
        format!("the daemon answered {status}")
    } else {
        format!("the daemon answered {status}: {line}")
    };
    ErrorAnswer {
        error,
        details: Vec::new(),
    }
}

fn broke_off(error: &reqwest::Error) -> ClientError {
    ClientError::Broken(format!("the daemon broke off its answer: {}", cause(error)))
}

fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>().map(|io| io.kind()))
}

/// The innermost cause; the outer ones only repeat the URL, which says nothing on a Unix socket.
fn cause(error: &reqwest::Error) -> String {
    match causes(error).last() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_not_connect_is_told_the_group() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("secpull.sock");
        let own = nix::unistd::Group::from_gid(nix::unistd::getegid())
            .unwrap()
            .unwrap();
        // The socket's group if it can be seen, else that of its folder.
        for exists in [false, true] {
            if exists {
                std::fs::write(&socket, "").unwrap();
            }
            let line = forbidden(&socket);
            let expected = format!("members of the group {}", own.name);
            assert!(line.contains(&expected), "{line}");
        }
    }
}
