//! The calls, and what their failures mean.

use graphql_client::GraphQLQuery;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::query::operations::{Check, ScanIssues, check, scan_issues};
use super::query::{Known, PROBE, Probed};
use crate::connectors::ConnectorError;
use crate::http::{Client, HttpError, HttpErrorKind};

/// The one endpoint, below the tool's location.
pub(super) const PATH: &str = "/graphql/v1";

/// So many of the server's errors are passed on.
const ERRORS_SHOWN: usize = 2;

/// One server as one run knows it.
pub(super) struct Server {
    client: Client,
    known: Known,
}

/// Why an operation gave nothing.
pub(super) enum Failure {
    Http(HttpError),
    /// The server answered with errors, or not as its schema says.
    Said {
        message: String,
        /// Nothing at all was executed: the request itself was refused.
        nothing: bool,
    },
}

/// Any answer. Errors are read loosely: no strangeness in them may hide that there are some.
#[derive(serde::Deserialize)]
struct Envelope {
    data: Option<Box<RawValue>>,
    errors: Option<Value>,
}

#[derive(serde::Deserialize)]
struct Page {
    scan: Option<PagedScan>,
}

/// The rows are kept as they came: each is read on its own, so that an odd one spoils no other.
#[derive(serde::Deserialize)]
struct PagedScan {
    id: Option<String>,
    status: Option<String>,
    issues: Option<Vec<Box<RawValue>>>,
}

impl Server {
    /// Asks the server what it knows; proves the key and that it is a server of this kind.
    pub(super) async fn connect(client: Client) -> Result<Self, ConnectorError> {
        let body = json!({"operationName": "Probe", "query": PROBE});
        let probed = match post(&client, &body).await {
            Ok(data) => {
                let probed = serde_json::from_str::<Probed>(data.get());
                probed.ok().and_then(Known::of)
            }
            Err(failure @ Failure::Http(_)) => return Err(failure.into()),
            Err(Failure::Said { .. }) => None,
        };
        let mut server = Self {
            client,
            known: Known::everything(),
        };
        match probed {
            Some(known) => server.known = known,
            // It does not tell. Then a query for nothing decides, before any issue is read.
            None if server.refuses_queries_of_today().await? => server.known = Known::nothing(),
            None => {}
        }
        Ok(server)
    }

    async fn refuses_queries_of_today(&self) -> Result<bool, ConnectorError> {
        let variables = scan_issues::Variables {
            scan: "0".to_owned(),
            start: 0,
            count: 1,
        };
        match self.send::<ScanIssues>(variables, &[]).await {
            Ok(_) => Ok(false),
            Err(Failure::Said { nothing, .. }) => Ok(nothing),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Proves that scans may be read.
    pub(super) async fn prove_scans(&self) -> Result<(), ConnectorError> {
        self.ask::<Check>(check::Variables, &[]).await?;
        Ok(())
    }

    /// Executes an operation; `set` are the settings that it is to heed.
    pub(super) async fn ask<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
        set: &[&str],
    ) -> Result<Q::ResponseData, Failure>
    where
        Q::ResponseData: DeserializeOwned,
    {
        let data = self.send::<Q>(variables, set).await?;
        read(&data)
    }

    /// A page of a scan's issues, each as it came; empty behind the last one. `Q` is an operation that selects
    /// `scan { id status issues }`.
    pub(super) async fn issues<Q: GraphQLQuery>(
        &self,
        scan: &str,
        variables: Q::Variables,
    ) -> Result<Vec<Box<RawValue>>, Failure> {
        let data = self.send::<Q>(variables, &[]).await?;
        let page: Page = read(&data)?;
        let found = page
            .scan
            .ok_or_else(|| said(format!("scan {scan} is gone (deleted, or access lost)")))?;
        if found.id.as_deref() != Some(scan) {
            return Err(said(format!(
                "asked for scan {scan}, the server answered with another"
            )));
        }
        if found.status.as_deref() != Some("succeeded") {
            return Err(said(format!("scan {scan} is no longer a succeeded one")));
        }
        found
            .issues
            .ok_or_else(|| said(format!("the server gave no list of issues for scan {scan}")))
    }

    async fn send<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
        set: &[&str],
    ) -> Result<Box<RawValue>, Failure> {
        let body = Q::build_query(variables);
        let query = self.known.fit(body.query, set);
        let mut body = serde_json::to_value(&body)
            .map_err(|error| said(format!("the query cannot be written: {error}")))?;
        body["query"] = query.into();
        post(&self.client, &body).await
    }
}

async fn post(client: &Client, body: &Value) -> Result<Box<RawValue>, Failure> {
    let request = client.post(PATH).body(body).idempotent();
    let answer = request.json::<Envelope>().await.map_err(Failure::Http)?;
    let Envelope { data, errors } = answer.body;
    let operation = body["operationName"].as_str().unwrap_or_default();
    match (data, errors) {
        (Some(data), None) => Ok(data),
        (Some(data), Some(Value::Array(errors))) if errors.is_empty() => Ok(data),
        (data, Some(errors)) => Err(Failure::Said {
            message: format!(
                "{operation}: the server answered with errors: {}; if it speaks of access, give the API user's role the permissions to view sites and scans",
                client.quote(&messages(&errors))
            ),
            nothing: data.is_none(),
        }),
        (None, None) => Err(said(format!(
            "{operation}: the answer holds neither data nor errors; is location a Burp Suite DAST server?"
        ))),
    }
}

/// What the errors say, the first ones.
fn messages(errors: &Value) -> String {
    let list = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<String> = list
        .iter()
        .take(ERRORS_SHOWN)
        .map(|error| match error["message"].as_str() {
            Some(message) => message.to_owned(),
            None => error.to_string(),
        })
        .collect();
    match (told.is_empty(), list.len() > ERRORS_SHOWN) {
        (true, _) => errors.to_string(),
        (false, true) => format!(
            "{} (and {} more)",
            told.join("; "),
            list.len() - ERRORS_SHOWN
        ),
        (false, false) => told.join("; "),
    }
}

fn read<T: DeserializeOwned>(data: &RawValue) -> Result<T, Failure> {
    serde_json::from_str(data.get()).map_err(|error| {
        said(format!(
            "the answer is not as the API's schema says: {error}; is this version of the server supported?"
        ))
    })
}

fn said(message: String) -> Failure {
    Failure::Said {
        message,
        nothing: false,
    }
}

impl From<Failure> for ConnectorError {
    /// Adds to a failure what only Burp's own facts explain.
    fn from(failure: Failure) -> Self {
        let error = match failure {
            Failure::Said { message, .. } => return Self::Refused(message),
            Failure::Http(error) => error,
        };
        let advice = match &error.kind {
            HttpErrorKind::Status { status: 401, .. } => {
                "the key was refused: it must be the API key of a user of login type \"API key\" (Team, Users) that is not disabled"
            }
            HttpErrorKind::Status { status: 403, .. } => {
                "access denied: the API user's role needs the permissions to view sites and scans"
            }
            HttpErrorKind::Status {
                status: 404 | 405, ..
            }
            | HttpErrorKind::NotJson => {
                "there is no Burp Suite DAST server there: location must be the root URL of its web interface"
            }
            HttpErrorKind::TooLarge => "set a smaller page_size",
            _ => return Self::Http(error),
        };
        Self::Http(HttpError {
            message: format!("{}; {advice}", error.message),
            kind: error.kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_whatever_they_look_like() {
        let one = json!([{"message": "no"}]);
        assert_eq!(messages(&one), "no");
        let odd = json!([{"message": null, "extensions": {"code": 84}}, "text", {"message": "c"}]);
        let told = messages(&odd);
        assert!(
            told.contains("84") && told.contains("text") && told.ends_with("(and 1 more)"),
            "{told}"
        );
        assert_eq!(
            messages(&json!({"message": "no list"})),
            r#"{"message":"no list"}"#
        );
    }

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "POST https://burp.example.com/graphql/v1: failed".to_owned();
            ConnectorError::from(Failure::Http(HttpError { kind, message })).to_string()
        };
        let status = |status| HttpErrorKind::Status {
            status,
            body: String::new(),
            retry_after: None,
        };
        assert!(explained(status(401)).contains("API key"));
        assert!(explained(status(403)).contains("view sites and scans"));
        assert!(explained(status(404)).contains("location"));
        assert!(explained(HttpErrorKind::NotJson).contains("location"));
        assert!(explained(HttpErrorKind::TooLarge).contains("page_size"));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }
}
