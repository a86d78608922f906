//! The calls, and what their failures mean.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::listing::Listing;
use super::selection::Source;
use super::status::JobStatus;
use crate::connectors::ConnectorError;
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Meter, Request};

/// The form that Tenable asks of integrations: vendor, product, build.
const USER_AGENT: &str = concat!(
    "Integration/1.0 (secpull; secpull; Build/",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// A job is cancelled by the way, while others wait.
const CANCELLATION: Duration = Duration::from_secs(10);

/// No list is followed further than this.
const MAX_ITEMS: usize = 100_000;

/// One tenant, and one run's meter.
#[derive(Clone)]
pub(super) struct Api(Client);

/// Why no export was started.
#[derive(Debug)]
pub(super) enum Refusal {
    /// An export of the same filters is under way; its id, if that is told.
    Running(Option<String>),
    /// As many exports as may be are under way, or requests came too fast.
    Busy(Option<Duration>),
    /// Something that may pass.
    Passing(HttpError),
    /// It will not be otherwise.
    Final(ConnectorError),
}

impl Api {
    pub(super) fn new(client: &Client, meter: Arc<Meter>) -> Self {
        Self(client.metered(meter))
    }

    /// The version of the server, where it tells one.
    pub(super) async fn version(&self) -> Result<Option<String>, ConnectorError> {
        let answer = self.json(self.get("/server/properties")).await?;
        let properties: Map<String, Value> = serde_json::from_str(answer.get()).map_err(|_| {
            ConnectorError::Refused(
                "GET /server/properties: the answer is not that of Tenable's API; check location"
                    .to_owned(),
            )
        })?;
        let version = properties.get("server_version").and_then(Value::as_str);
        Ok(version.map(|version| self.0.quote(version)))
    }

    /// Whether the jobs of exports can be listed, for which the same permission is needed as for exports; no answer to the
    /// question is none.
    pub(super) async fn may_export(&self, source: Source) -> Result<Option<()>, ConnectorError> {
        // Web App Scanning has no such list.
        if source == Source::Was {
            return Ok(None);
        }
        let path = format!("{}/status", source.path());
        match self.get(&path).json::<Box<RawValue>>().await {
            Ok(_) => Ok(Some(())),
            Err(error) if matches!(error.status(), Some(401 | 403)) => Err(explain(error)),
            Err(_) => Ok(None),
        }
    }

    /// Asks for an export; the answer is the job's id. Sent once: another may have been started by the first.
    pub(super) async fn start(&self, source: Source, body: &Value) -> Result<String, Refusal> {
        let request = self.request(self.0.post(source.path())).body(body);
        let answer = request.json::<Map<String, Value>>().await;
        let id = match answer {
            Ok(answer) => answer.body.get("export_uuid").and_then(id_of),
            Err(error) => return Err(refusal(error)),
        };
        id.ok_or_else(|| {
            Refusal::Final(ConnectorError::Refused(format!(
                "POST {}: the answer names no export_uuid",
                source.path()
            )))
        })
    }

    pub(super) async fn status(&self, source: Source, job: &str) -> Result<JobStatus, HttpError> {
        let path = format!("{}/{job}/status", source.path());
        let answer = self.get(&path).json::<Box<RawValue>>().await?;
        JobStatus::parse(answer.body.get()).map_err(|reason| HttpError {
            kind: HttpErrorKind::UnexpectedShape,
            message: format!("GET {path}: {}", self.0.quote(&reason)),
        })
    }

    /// The rows of a chunk, as they arrive.
    pub(super) async fn chunk(
        &self,
        source: Source,
        job: &str,
        chunk: u64,
    ) -> Result<Elements, HttpError> {
        let path = format!("{}/{job}/chunks/{chunk}", source.path());
        let request = self
            .get(&path)
            .header("accept", "application/octet-stream, application/json");
        request.file().elements(&[]).await
    }

    /// Gives the job's place to others. That it cannot be cancelled any more is no failure.
    pub(super) async fn cancel(&self, source: Source, job: &str) {
        let path = format!("{}/{job}/cancel", source.path());
        let request = self.request(self.0.post(&path));
        // A POST without a body says so, or some servers wait for one.
        let request = request.header("content-length", "0").timeout(CANCELLATION);
        match request.text().await {
            Ok(_) => tracing::info!(job, "export cancelled"),
            Err(error) => tracing::info!(job, "export not cancelled: {error}"),
        }
    }

    /// All items of a list that comes by `limit` and `offset`.
    pub(super) async fn list(
        &self,
        path: &'static str,
        key: &'static str,
        limit: usize,
    ) -> Result<Vec<Map<String, Value>>, ConnectorError> {
        let mut listing = Listing::new(key, limit, MAX_ITEMS);
        while let Some(offset) = listing.next() {
            let request = self.get(path).query("limit", limit).query("offset", offset);
            let answer = self.json(request).await?;
            listing
                .take(answer.get())
                .map_err(|reason| ConnectorError::Refused(format!("GET {path}: {reason}")))?;
        }
        Ok(listing.items)
    }

    async fn json(&self, request: Request) -> Result<Box<RawValue>, ConnectorError> {
        let answer = request.json::<Box<RawValue>>().await;
        answer.map(|answer| answer.body).map_err(explain)
    }

    fn get(&self, path: &str) -> Request {
        self.request(self.0.get(path))
    }

    fn request(&self, request: Request) -> Request {
        request.header("user-agent", USER_AGENT)
    }
}

/// An id as it may stand in a path.
fn id_of(value: &Value) -> Option<String> {
    let id = value.as_str()?.trim();
    let fit = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (fit && !id.is_empty()).then(|| id.to_owned())
}

fn refusal(error: HttpError) -> Refusal {
    let HttpErrorKind::Status {
        status,
        body,
        retry_after,
    } = &error.kind
    else {
        return match error.kind {
            HttpErrorKind::Connection | HttpErrorKind::TimedOut => Refusal::Passing(error),
            _ => Refusal::Final(explain(error)),
        };
    };
    match status {
        409 => Refusal::Running(running_job(body)),
        // So it was answered until 2023.
        429 if body.contains("Duplicate export") => Refusal::Running(running_job(body)),
        429 => Refusal::Busy(*retry_after),
        500 | 502..=504 => Refusal::Passing(error),
        _ => Refusal::Final(explain(error)),
    }
}

/// The id of the job that is under way: `active_job_id`, or in a text as `job_uuid=…`.
fn running_job(body: &str) -> Option<String> {
    let answer: Option<Map<String, Value>> = serde_json::from_str(body).ok();
    let id = answer.and_then(|answer| id_of(answer.get("active_job_id")?));
    id.or_else(|| {
        let (_, id) = body.split_once("job_uuid=")?;
        let end = id.find(|c: char| !c.is_ascii_hexdigit() && c != '-');
        id_of(&id[..end.unwrap_or(id.len())].into())
    })
}

/// Adds to a failure what only Tenable's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            "access_key and secret must be the newest pair of one user who is enabled: making new keys ends the old ones"
        }
        HttpErrorKind::Status { status: 403, .. } => {
            "the keys' user needs the role Basic or the privilege to export, and Can View on All Assets"
        }
        HttpErrorKind::Status { status: 400, .. } => {
            "network_id, cidr_range or tags may name what Tenable does not know"
        }
        HttpErrorKind::NotJson => {
            "location must be the address of Tenable's cloud, such as https://cloud.tenable.com"
        }
        _ => return ConnectorError::Http(error),
    };
    ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_status(status: u16, body: &str) -> HttpError {
        HttpError {
            kind: HttpErrorKind::Status {
                status,
                body: body.to_owned(),
                retry_after: Some(Duration::from_secs(30)),
            },
            message: format!("POST https://cloud.tenable.com/vulns/export: {status}"),
        }
    }

    #[test]
    fn a_refused_export_is_known_by_its_status_and_words() {
        let id = "1f3381e3-a551-4b9b-9c17-b019412cc35c";
        let conflict = format!(r#"{{"active_job_id":"{id}","failure_reason":"conflict"}}"#);
        let duplicate = format!(r#"{{"error":"Duplicate export (job_uuid={id}) not allowed"}}"#);
        for (status, body) in [(409, conflict), (429, duplicate)] {
            let refusal = refusal(of_status(status, &body));
            assert!(
                matches!(&refusal, Refusal::Running(Some(running)) if running == id),
                "{refusal:?}"
            );
        }
        for body in ["", r#"{"active_job_id":"../../cancel"}"#, "[]"] {
            let refusal = refusal(of_status(409, body));
            assert!(matches!(refusal, Refusal::Running(None)), "{refusal:?}");
        }
        let page = "<html><head><title>429 Too Many Requests</title></head></html>";
        assert!(
            matches!(refusal(of_status(429, page)), Refusal::Busy(Some(wait)) if wait.as_secs() == 30)
        );
        assert!(matches!(refusal(of_status(504, "")), Refusal::Passing(_)));
        assert!(matches!(refusal(of_status(400, "")), Refusal::Final(_)));
    }

    #[test]
    fn failures_say_what_to_do() {
        let explained = |status| explain(of_status(status, "")).to_string();
        assert!(explained(401).contains("newest pair"));
        assert!(explained(403).contains("Can View"));
        assert!(explained(400).contains("cidr_range"));
        assert!(!explained(404).contains(';'));
    }
}
