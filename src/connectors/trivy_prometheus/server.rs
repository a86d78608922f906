//! The calls, and what their failures mean.

use serde_json::value::RawValue;

use super::answer::{Answer, Complaint, Sample};
use crate::connectors::ConnectorError;
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Request};

/// How queries are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// As a form; long queries fit.
    Post,
    /// In the URL; for gateways that forbid POST.
    Get,
}

/// One server, and one run's meter.
pub(super) struct Server {
    client: Client,
    method: Method,
}

/// A query that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It asks for more than the server, or something before it, gives at once: smaller queries may do.
    TooMuch(String),
    /// Anything else.
    Other(ConnectorError),
}

impl From<Failure> for ConnectorError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooMuch(reason) => Self::Refused(reason),
            Failure::Other(error) => error,
        }
    }
}

/// The answer to a small query.
pub(super) struct Vector(Box<RawValue>);

impl Vector {
    pub(super) fn samples(&self) -> Result<Vec<Sample<'_>>, ConnectorError> {
        let answer = Answer::parse(self.0.get()).map_err(ConnectorError::Refused)?;
        answer.samples().map_err(ConnectorError::Refused)
    }

    /// Why it is no list of series, if it is none.
    pub(super) fn refusal(&self) -> Option<String> {
        Answer::parse(self.0.get()).map_or_else(Some, |answer| answer.not_a_vector())
    }

    /// Why it may lack something, if so.
    pub(super) fn partial(&self) -> Option<String> {
        Answer::parse(self.0.get()).ok()?.partial()
    }
}

impl Server {
    pub(super) fn new(client: Client, method: Method) -> Self {
        Self { client, method }
    }

    /// The server's clock, for all queries of a run: they are one snapshot then, and our own clock may be wrong.
    pub(super) async fn time(&self) -> Result<String, ConnectorError> {
        let vector = self.vector("1", None).await?;
        let answer = Answer::parse(vector.0.get()).map_err(ConnectorError::Refused)?;
        let time = answer.time().ok_or_else(|| {
            ConnectorError::Refused(
                "the query 1 was not answered with a scalar: this is no Prometheus server; check location".to_owned(),
            )
        })?;
        Ok(format!("{time:.3}"))
    }

    /// Version of the server, where it tells.
    pub(super) async fn version(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Build {
            data: Data,
        }
        #[derive(serde::Deserialize)]
        struct Data {
            version: String,
        }
        let request = self.client.get("/api/v1/status/buildinfo");
        let build = request.json::<Build>().await.ok()?;
        Some(build.body.data.version)
    }

    /// A query with a small answer.
    pub(super) async fn vector(&self, query: &str, time: Option<&str>) -> Result<Vector, Failure> {
        let answer = self.request(query, time).json::<Box<RawValue>>().await;
        let vector = Vector(answer.map_err(|error| failure(error, query))?.body);
        let refused = |reason| Failure::Other(ConnectorError::Refused(reason));
        let complaint = Answer::parse(vector.0.get()).map_err(refused)?.complaint();
        match complaint {
            Some(complaint) => Err(complained(&complaint, None, query)),
            None => Ok(vector),
        }
    }

    /// A query with a big answer. One that the server gave up on is not sent again as it is: each try would take its whole
    /// time limit.
    pub(super) async fn series(&self, query: &str, time: &str) -> Result<Elements, Failure> {
        const PATH: &[&str] = &["data", "result"];
        let request = || self.request(query, Some(time));
        let mut elements = request().once().elements(PATH).await;
        if elements.as_ref().is_err_and(may_pass) {
            elements = request().elements(PATH).await;
        }
        elements.map_err(|error| failure(error, query))
    }

    fn request(&self, query: &str, time: Option<&str>) -> Request {
        let path = "/api/v1/query";
        let mut pairs = vec![("query", query)];
        pairs.extend(time.map(|time| ("time", time)));
        match self.method {
            Method::Post => self.client.post(path).form(&pairs).idempotent(),
            Method::Get => pairs
                .into_iter()
                .fold(self.client.get(path), |request, (key, value)| {
                    request.query(key, value)
                }),
        }
    }
}

/// Whether the same query may be answered later: a proxy or the network failed, and not the server at the query.
fn may_pass(error: &HttpError) -> bool {
    match &error.kind {
        HttpErrorKind::Connection => true,
        HttpErrorKind::Status { status, body, .. } => {
            (*status == 429 || *status >= 500) && Complaint::parse(body).is_none()
        }
        _ => false,
    }
}

/// What an error of the exchange means.
pub(super) fn failure(error: HttpError, query: &str) -> Failure {
    let (status, body) = match &error.kind {
        HttpErrorKind::TooLarge => return Failure::TooMuch(error.to_string()),
        HttpErrorKind::Status { status, body, .. } => (*status, body.as_str()),
        _ => return Failure::Other(ConnectorError::Http(error)),
    };
    if let Some(complaint) = Complaint::parse(body) {
        return complained(&complaint, Some(status), query);
    }
    let advice = match status {
        413 | 422 | 503 => return Failure::TooMuch(error.to_string()),
        401 if body.contains("no org id") => {
            "the server has tenants: name one in headers = {\"X-Scope-OrgID\" = \"…\"}"
        }
        401 | 403 => "without username, the secret is sent as a bearer token",
        404 | 406 => {
            "location must be the server's root with its prefix, for Mimir https://…/prometheus"
        }
        _ => return Failure::Other(ConnectorError::Http(error)),
    };
    Failure::Other(ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    }))
}

/// What Prometheus' own words mean (`errorType` of its API, server source 2.42–3.14).
fn complained(complaint: &Complaint, status: Option<u16>, query: &str) -> Failure {
    let words = first_line(&complaint.words);
    let refused = |reason: String| Failure::Other(ConnectorError::Refused(reason));
    match (complaint.sort.as_str(), status) {
        ("bad_data", _) | (_, Some(400)) => refused(format!(
            "the server does not understand the query {query}: {words}"
        )),
        // These are faults of the query; a part of it has them too.
        ("execution", _)
            if words.contains("many-to-many") || words.contains("duplicate series") =>
        {
            refused(format!("the query {query} cannot be executed: {words}"))
        }
        ("execution" | "timeout", _) | (_, Some(413 | 422 | 503)) => {
            Failure::TooMuch(format!("the server gave up on the query {query}: {words}"))
        }
        ("not_found" | "not_acceptable", _) => refused(format!(
            "the server does not know the path of its query API: {words}; location must be the server's root with its prefix"
        )),
        (sort, Some(status)) => refused(format!("the server answered {status} {sort}: {words}")),
        (sort, None) => refused(format!("the server answered an error, {sort}: {words}")),
    }
}

fn first_line(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Failure {
        let kind = HttpErrorKind::Status {
            status,
            body: body.to_owned(),
            retry_after: None,
        };
        let message = format!("POST https://prometheus.example.com/api/v1/query: {status}");
        failure(HttpError { kind, message }, "trivy_vulnerability_id")
    }

    fn error(sort: &str, words: &str) -> String {
        format!(r#"{{"status":"error","errorType":"{sort}","error":"{words}"}}"#)
    }

    #[test]
    fn what_asks_for_too_much_is_to_be_split() {
        for (status, body) in [
            (
                413,
                "response larger than the max (61333885 vs 52428800)".to_owned(),
            ),
            (
                422,
                error("execution", "query processing would load too many samples"),
            ),
            (
                503,
                error("timeout", "query timed out in expression evaluation"),
            ),
            (503, "upstream is away".to_owned()),
            (200, error("execution", "too many samples")),
        ] {
            assert!(matches!(of(status, &body), Failure::TooMuch(_)), "{body}");
        }
    }

    #[test]
    fn a_wrong_query_is_told_in_the_servers_words_and_never_split() {
        for (status, body) in [
            (400, error("bad_data", "1:24: parse error: unexpected end")),
            (
                422,
                error("execution", "found duplicate series for the match group"),
            ),
            (422, error("execution", "many-to-many matching not allowed")),
        ] {
            let Failure::Other(failure) = of(status, &body) else {
                panic!("{body} is not to be split");
            };
            assert!(failure.to_string().contains("trivy_vulnerability_id"));
        }
    }

    #[test]
    fn other_failures_say_what_to_do() {
        let said = |status, body| ConnectorError::from(of(status, body)).to_string();
        assert!(said(401, "no org id").contains("X-Scope-OrgID"));
        assert!(said(401, "Unauthorized").contains("bearer token"));
        assert!(said(404, "404 page not found").contains("/prometheus"));
        let internal = error("internal", "block is corrupt");
        assert!(said(500, &internal).contains("block is corrupt"));
    }
}
