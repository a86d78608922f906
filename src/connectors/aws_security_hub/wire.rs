//! The SDK's way out: its requests go by the tool's own client, so that trust, proxy, time limits, rate limit, counting and
//! redaction are those of every other tool, and no second TLS stack is needed.

use std::time::Duration;

use aws_sdk_securityhub::config::http::{HttpRequest, HttpResponse};
use aws_sdk_securityhub::config::{HttpClient, RuntimeComponents};
use aws_sdk_securityhub::error::{BoxError, ConnectorError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};

use crate::config::{ProxySetting, Tool, Trust};
use crate::http::{Authentication, Client, HttpError, Relayed, Unanswered};

/// Hosts that serve credentials to whoever runs on a machine or in a container. Never reached through a proxy, which would
/// serve its own.
const CREDENTIAL_HOSTS: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "[fd00:ec2::254]",
    "[fd00:ec2::23]",
];

/// The header in which the SDK says which attempt a request is: `attempt=2; max=8`.
const ATTEMPT: &str = "amz-sdk-request";

/// What the SDK calls to send a request.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    client: Client,
    /// To this machine's own services.
    direct: Client,
    /// For this request; the tool's, if none.
    limit: Option<Duration>,
}

impl Wire {
    /// The way out of a tool. `client` is the tool's.
    pub(super) fn new(tool: &Tool, client: Client) -> Result<Self, HttpError> {
        let direct = Tool {
            location: tool.location.clone(),
            proxy: ProxySetting::Direct,
            trust: Trust::default(),
            ..tool.clone()
        };
        Ok(Self {
            client,
            direct: Client::new(&direct, Authentication::default())?,
            limit: None,
        })
    }

    /// The same for a client that counts into a run's meter.
    pub(super) fn by(&self, client: Client) -> Self {
        Self {
            client,
            ..self.clone()
        }
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // Only those who look for credentials set it: on most machines nobody answers them.
        let limit = settings.read_timeout().map(|read| {
            let connect = settings.connect_timeout().unwrap_or_default();
            connect + read
        });
        SharedHttpConnector::new(Self {
            limit,
            ..self.clone()
        })
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            let attempt = attempt(&request);
            let request = outgoing(&request).map_err(ConnectorError::user)?;
            let host = request.url().host_str().unwrap_or_default();
            let client = if CREDENTIAL_HOSTS.contains(&host) {
                &wire.direct
            } else {
                &wire.client
            };
            let relayed = client.relay(request, attempt, wire.limit).await;
            incoming(relayed.map_err(unanswered)?)
                .map_err(|error| ConnectorError::other(error, None))
        })
    }
}

/// The one header of a signed request that opens something by itself.
const SESSION_TOKEN: &str = "x-amz-security-token";

/// That sending the request again is pointless, as a mark on an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pointless;

fn attempt(request: &HttpRequest) -> u32 {
    let number = request.headers().get(ATTEMPT).and_then(|value| {
        let (_, rest) = value.split_once("attempt=")?;
        rest.split(';').next()?.trim().parse().ok()
    });
    number.unwrap_or(1)
}

fn outgoing(request: &HttpRequest) -> Result<reqwest::Request, BoxError> {
    let body = request.body().bytes().ok_or(
        "the SDK wants to send a body in pieces, which no operation of this connector does",
    )?;
    let mut outgoing = reqwest::Request::new(request.method().parse()?, request.uri().parse()?);
    for (name, value) in request.headers() {
        let name: reqwest::header::HeaderName = name.parse()?;
        let mut value: reqwest::header::HeaderValue = value.parse()?;
        value.set_sensitive(name.as_str() == SESSION_TOKEN);
        outgoing.headers_mut().append(name, value);
    }
    *outgoing.body_mut() = Some(body.to_vec().into());
    Ok(outgoing)
}

fn incoming(relayed: Relayed) -> Result<HttpResponse, BoxError> {
    let mut response = HttpResponse::new(relayed.status.try_into()?, relayed.body.into());
    for (name, value) in &relayed.headers {
        // A header that is no text is nothing that the SDK looks at.
        if let Ok(value) = value.to_str() {
            response
                .headers_mut()
                .try_append(name.as_str().to_owned(), value.to_owned())?;
        }
    }
    if relayed.wants_a_long_rest {
        response.add_extension(Pointless);
    }
    Ok(response)
}

/// In the SDK's words: what passes is sent again by it.
fn unanswered(unanswered: Unanswered) -> ConnectorError {
    let error: BoxError = Box::new(unanswered.error);
    if unanswered.passing {
        ConnectorError::io(error)
    } else {
        ConnectorError::user(error)
    }
}
