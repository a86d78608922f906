//! Those who are told: a program with a signed webhook, a channel of Slack, a workflow of Microsoft Teams.
//!
//! Each refuses what its service refuses, in the service's words, and keeps what it has taken.

mod slack;
mod teams;
mod webhook;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The secret part of Slack's URL.
pub const SLACK_TOKEN: &str = "canarySlackToken24letter";

/// The signature in the URL of Teams' workflow.
pub const TEAMS_SIGNATURE: &str = "canary-teams_signature-of-43-letters-0123456";

/// What a service says to a request: status and text.
type Verdict = Result<(StatusCode, &'static str), (StatusCode, String)>;

/// A receiver to be started.
#[derive(Debug)]
pub struct Hook {
    service: Service,
    address: SocketAddr,
}

/// Which service it is.
#[derive(Debug, Clone)]
enum Service {
    Webhook { key: Option<String> },
    Slack,
    Teams,
}

impl Hook {
    /// A program that checks signatures by this key.
    #[must_use]
    pub fn webhook(key: &str) -> Self {
        Self::of(Service::Webhook {
            key: Some(key.to_owned()),
        })
    }

    /// A program that takes requests without a signature, and no others.
    #[must_use]
    pub fn unsigned_webhook() -> Self {
        Self::of(Service::Webhook { key: None })
    }

    /// An incoming webhook of Slack.
    #[must_use]
    pub fn slack() -> Self {
        Self::of(Service::Slack)
    }

    /// A workflow of Teams that posts what it gets into a channel.
    #[must_use]
    pub fn teams() -> Self {
        Self::of(Service::Teams)
    }

    fn of(service: Service) -> Self {
        Self {
            service,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Listens here instead of on an ephemeral port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start_blocking(self) -> io::Result<Receiver> {
        let (path, query) = match self.service {
            Service::Webhook { .. } => ("/hook".to_owned(), String::new()),
            Service::Slack => (
                format!("/services/T00000000/B00000000/{SLACK_TOKEN}"),
                String::new(),
            ),
            Service::Teams => (
                "/powerautomate/automations/direct/workflows/0123456789abcdef/triggers/manual/paths/invoke"
                    .to_owned(),
                format!("?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={TEAMS_SIGNATURE}"),
            ),
        };
        let taken: Arc<Mutex<Vec<Taken>>> = Arc::default();
        let refusal: Arc<Mutex<Option<Refusal>>> = Arc::default();
        let state = Shared {
            service: self.service,
            taken: taken.clone(),
            refusal: refusal.clone(),
        };
        let router = Router::new().route(&path, post(receive)).with_state(state);
        let running = Running::start(router, &DIALECT, self.address, "")?;
        let url = format!("{}{path}{query}", running.url());
        Ok(Receiver {
            running,
            url,
            taken,
            refusal,
        })
    }
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

impl Taken {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

type Refusal = (u16, &'static str);

/// A running receiver; stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    running: Running,
    url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    refusal: Arc<Mutex<Option<Refusal>>>,
}

impl Receiver {
    /// The URL to post to, secrets and all.
    #[must_use]
    pub fn hook_url(&self) -> &str {
        &self.url
    }

    /// What it has taken so far, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.taken).clone()
    }

    /// From now on everything is refused with this status and text.
    pub fn refuse(&self, status: u16, text: &'static str) {
        *lock(&self.refusal) = Some((status, text));
    }

    /// From now on what is right is taken again.
    pub fn accept(&self) {
        *lock(&self.refusal) = None;
    }
}

impl Deref for Receiver {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

#[derive(Clone)]
struct Shared {
    service: Service,
    taken: Arc<Mutex<Vec<Taken>>>,
    refusal: Arc<Mutex<Option<Refusal>>>,
}

async fn receive(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    if let Some((status, text)) = *lock(&shared.refusal) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, text.to_owned());
    }
    let verdict = match &shared.service {
        Service::Webhook { key } => webhook::verdict(key.as_deref(), &headers, &body),
        Service::Slack => slack::verdict(&headers, &body),
        Service::Teams => teams::verdict(&headers, &body),
    };
    match verdict {
        Ok((status, text)) => {
            lock(&shared.taken).push(Taken {
                headers: headers
                    .iter()
                    .map(|(name, value)| {
                        let value = String::from_utf8_lossy(value.as_bytes());
                        (name.as_str().to_owned(), value.into_owned())
                    })
                    .collect(),
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            });
            (status, text.to_owned())
        }
        Err(refused) => refused,
    }
}

/// Whether the body calls itself JSON, as all of them want it.
fn calls_itself_json(headers: &HeaderMap) -> bool {
    headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

static DIALECT: Dialect = Dialect {
    vendor: "hook",
    data: "/",
    empty: "",
    opening: "",
    total_header: None,
    total_key: None,
    page_parameters: &[],
    first_page: 1,
    rows: &[],
    words: &[],
    texts: &[],
    as_of_page: |_, _| {},
};

#[cfg(test)]
mod tests;
