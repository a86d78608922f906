//! The calls, and what their failures mean.

use serde_json::value::RawValue;

use super::reading::{Envelope, READINGS, Reading, Step};
use super::row::Scalar;
use super::spec::HOSTS;
use super::target::Target;
use crate::connectors::ConnectorError;
use crate::connectors::lenient::{Object, Text};
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Request};

/// Targets of a page.
const TARGETS: i64 = 50;

/// One account, and one run's meter.
pub(super) struct Api {
    client: Client,
    page_length: i64,
}

/// All targets that the key sees.
pub(super) struct Targets {
    pub(super) list: Vec<Target>,
    /// Why the list may not be whole, if so.
    pub(super) doubt: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Profile<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    email: Text<'a>,
}

impl Api {
    pub(super) fn new(client: Client, page_length: i64) -> Self {
        Self {
            client,
            page_length,
        }
    }

    /// Proves host and key.
    pub(super) async fn prove_key(&self) -> Result<(), ConnectorError> {
        let answer = self.client.get("/profile/").json::<Box<RawValue>>().await;
        let body = answer.map_err(explain)?.body;
        let profile = serde_json::from_str::<Object<Profile<'_>>>(body.get());
        match profile {
            Ok(Object(Profile { id, email })) if id.0.is_some() || email.0.is_some() => Ok(()),
            _ => Err(ConnectorError::Refused(
                "GET /profile/: the answer is no profile, so this is not Probely's API; check `location`".to_owned(),
            )),
        }
    }

    /// How many targets the key sees.
    pub(super) async fn count_targets(&self) -> Result<u64, ConnectorError> {
        let envelope = envelope(self.targets_page(1, 1)).await?;
        envelope.count().ok_or_else(|| {
            ConnectorError::Refused(
                "GET /targets/: the answer does not tell the count of the list".to_owned(),
            )
        })
    }

    /// All targets that the key sees, read again while the list is not to be believed.
    pub(super) async fn targets(&self) -> Result<Targets, ConnectorError> {
        let mut readings = 1;
        loop {
            let targets = self.read_targets().await?;
            if targets.doubt.is_none() || readings == READINGS {
                return Ok(targets);
            }
            readings += 1;
        }
    }

    async fn read_targets(&self) -> Result<Targets, ConnectorError> {
        let mut reading = Reading::default();
        let mut list: Vec<Target> = Vec::new();
        loop {
            let page = reading.next_page();
            let request = self.targets_page(page, TARGETS);
            let mut elements = match request.elements(&["results"]).await {
                Err(error) if error.status() == Some(404) && page > 1 => {
                    reading.page_is_gone();
                    break;
                }
                elements => elements.map_err(explain)?,
            };
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let target = Target::parse(&row).map_err(|reason| {
                        ConnectorError::Refused(format!("GET /targets/: {reason}"))
                    })?;
                    reading.row(Some(&target.id));
                    list.push(target);
                }
            }
            if reading.close_page(Envelope::parse(elements.envelope())) == Step::Stop {
                break;
            }
        }
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list.dedup_by(|a, b| a.id == b.id);
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Targets {
            list,
            doubt: reading.doubt(),
        })
    }

    fn targets_page(&self, page: u64, length: i64) -> Request {
        let request = self.client.get("/targets/");
        request.query("page", page).query("length", length)
    }

    /// A page of a target's findings, of whatever state.
    pub(super) async fn findings(&self, target: &str, page: u64) -> Result<Elements, HttpError> {
        let request = self.findings_page(target, page, self.page_length);
        request.elements(&["results"]).await
    }

    /// Proves that the findings of a target can be read, without reading more than one.
    pub(super) async fn prove_findings(&self, target: &Target) -> Result<(), ConnectorError> {
        let request = self.findings_page(&target.id, 1, 1);
        envelope(request).await.map(drop)
    }

    fn findings_page(&self, target: &str, page: u64, length: i64) -> Request {
        // Ids are such that they stand for themselves in a path.
        let path = format!("/targets/{target}/findings/");
        let request = self.client.get(&path).query("page", page);
        request
            .query("length", length)
            .query("ordering", "-last_found")
    }
}

/// What stands around the rows of a page, which are read over.
async fn envelope(request: Request) -> Result<Envelope, ConnectorError> {
    let mut elements = request.elements(&["results"]).await.map_err(explain)?;
    while elements.next().await.map_err(explain)?.is_some() {}
    Ok(Envelope::parse(elements.envelope()))
}

/// Adds to a failure what only Probely's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => {
            format!(
                "the key may be revoked, or of another region than `location` ({})",
                locations()
            )
        }
        HttpErrorKind::Status {
            status: 403, body, ..
        } if is_of_gateway(body) => {
            "that is Cloudflare in front of the API and not the API: it keeps this machine's address or proxy out".to_owned()
        }
        HttpErrorKind::Status { status: 403, .. } => {
            "the key's role needs view_target for this target".to_owned()
        }
        HttpErrorKind::NotJson => {
            format!("`location` must be an address of the API: {}", locations())
        }
        _ => return ConnectorError::Http(error),
    };
    ConnectorError::Http(HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    })
}

/// Whether a refusal's body is the page of the gateway; the API's own refusals are JSON.
pub(super) fn is_of_gateway(body: &str) -> bool {
    let body = body.trim_start();
    body.starts_with('<') || body.starts_with("error code:")
}

fn locations() -> String {
    let urls: Vec<_> = HOSTS.iter().map(|(_, url)| *url).collect();
    urls.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| {
            let message = "GET https://api.probely.com/targets/: failed".to_owned();
            explain(HttpError { kind, message }).to_string()
        };
        let status = |status, body: &str| HttpErrorKind::Status {
            status,
            body: body.to_owned(),
            retry_after: None,
        };
        let refused = explained(status(401, "{}"));
        assert!(refused.contains("https://api.us.probely.com/"), "{refused}");
        let page = "<!DOCTYPE html><title>Error 1010</title>";
        assert!(explained(status(403, page)).contains("Cloudflare"));
        assert!(explained(status(403, "error code: 1010")).contains("Cloudflare"));
        assert!(explained(status(403, r#"{"detail":"No."}"#)).contains("view_target"));
        assert!(explained(status(403, "")).contains("view_target"));
        assert!(explained(HttpErrorKind::NotJson).contains("`location`"));
        assert!(!explained(HttpErrorKind::TimedOut).contains(';'));
    }
}
