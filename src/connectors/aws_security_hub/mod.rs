//! AWS Security Hub CSPM: all findings that one hub shows, of its account and of member accounts, of its Region and of linked
//! ones.
//!
//! AWS's SDK signs, finds credentials, sends again and knows the calls. It does not open connections (see [`wire`]) and does
//! not read the findings (see [`hub`]).

mod asff;
mod credentials;
mod failure;
mod finding;
mod hub;
mod pace;
mod page;
mod place;
mod reach;
mod reading;
mod redact;
mod region;
mod retry;
mod selection;
mod spec;
mod tables;
mod time;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_securityhub::config::Config;
use tokio::sync::OnceCell;

use self::credentials::Source;
use self::hub::{Endpoint, Hub};
use self::pace::Pace;
use self::retry::Patience;
use self::selection::Selection;
use self::wire::Wire;
use super::{Connector, ConnectorError, Record, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

struct SecurityHub {
    client: Client,
    wire: Wire,
    endpoint: Endpoint,
    pace: Arc<Pace>,
    /// Made at first use: the default provider chain can only be built while a runtime runs.
    config: OnceCell<Config>,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    Ok(Arc::new(SecurityHub::with_patience(
        tool,
        Patience::default(),
    )?))
}

impl SecurityHub {
    fn with_patience(tool: &Tool, patience: Patience) -> Result<Self, HttpError> {
        let setup = |message: String| HttpError {
            kind: HttpErrorKind::Setup,
            message: format!("tool {}: {message}", tool.name),
        };
        let host = tool.location.host_str().unwrap_or_default();
        let told = tool.settings.text("region").map(str::trim);
        let region = told.or_else(|| region::of_host(host)).ok_or_else(|| {
            setup(format!(
                "the host {host} does not tell the Region of the signature; set region = \"…\""
            ))
        })?;
        let client = Client::new(tool, Authentication::default())?;
        let endpoint = Endpoint {
            url: tool.location.as_str().trim_end_matches('/').to_owned(),
            host: host.to_owned(),
            region: region.to_owned(),
            tool: tool.name.clone(),
            credentials: Source::of(tool, region).map_err(setup)?,
            patience,
        };
        Ok(Self {
            wire: Wire::new(tool, client.clone())?,
            client,
            endpoint,
            pace: Arc::new(Pace::new(tool.max_requests_per_second)),
            config: OnceCell::new(),
        })
    }

    async fn hub(&self, client: Client) -> Hub {
        let config = self
            .config
            .get_or_init(|| self.endpoint.config(&self.wire))
            .await;
        let pace = Arc::clone(&self.pace);
        Hub::new(config, &self.wire, client, &self.endpoint, pace)
    }
}

#[async_trait]
impl Connector for SecurityHub {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let hub = self.hub(self.client.clone()).await;
        let reach = reach::of(&hub).await?;
        let selection = api.map(|api| Selection::of(&api.settings));
        let filters = selection.unwrap_or_default().filters();
        // DescribeHub does not prove that findings may be read.
        hub.findings(filters.as_ref(), None, 1).await?;
        let linked = match reach.regions.len() {
            0 | 1 => String::new(),
            regions => format!(", home of {regions} Regions"),
        };
        let warning = reach.warning.map(|warning| format!("; {warning}"));
        Ok(format!(
            "AWS Security Hub, account {}, {}{linked}, findings readable ({}){}",
            reach.account,
            reach.region,
            self.endpoint.credentials.describe(),
            warning.unwrap_or_default(),
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        reading::discover(&self.hub(self.client.clone()).await).await
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let hub = self.hub(self.client.metered(sink.meter())).await;
        reading::pull(&hub, Selection::of(&api.settings), sink).await
    }
}

#[cfg(test)]
mod tests;
