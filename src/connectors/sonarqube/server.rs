//! The tool as it is configured, and how a run gets to know what it is.

use std::sync::Arc;

use super::api::{Api, Clients, explain};
use super::site::{Flavour, Site};
use super::version::{Dialect, Version};
use crate::config::{Secret, Tool};
use crate::connectors::ConnectorError;
use crate::http::{Authentication, Client, HttpError, HttpErrorKind, Meter};

const VERSION: &str = "/api/server/version";

/// A configured server, or organization of Cloud.
pub(super) struct Server {
    site: Site,
    clients: Clients,
    token: Secret,
    page_size: u64,
}

impl Server {
    pub(super) fn of(tool: &Tool) -> Result<Self, HttpError> {
        let unusable = |reason: String| HttpError {
            kind: HttpErrorKind::Setup,
            message: format!("tool {}: {reason}", tool.name),
        };
        let site = Site::of(&tool.location, &tool.settings);
        let site = site.map_err(|(key, reason)| unusable(format!("{key} {reason}")))?;
        let token = tool.secret.as_ref();
        let token = token.ok_or_else(|| unusable("secret is missing".to_owned()))?;
        let rooted = Tool {
            location: site.root.clone(),
            ..tool.clone()
        };
        let authentication = Authentication {
            // The token is the name of a user without password.
            basic: Some((token.expose().to_owned(), Secret::new(""))),
            ..Authentication::default()
        };
        let basic = Client::new(&rooted, authentication)?;
        let clients = Clients {
            plain: basic.beside(tool, &site.root)?,
            second: basic.beside(tool, &site.api)?,
            basic,
        };
        let page_size = tool.settings.integer("page_size");
        Ok(Self {
            site,
            clients,
            token: token.clone(),
            page_size: page_size.and_then(|n| u64::try_from(n).ok()).unwrap_or(500),
        })
    }

    /// Asks what it is, which needs no token.
    pub(super) async fn connect(&self, meter: Arc<Meter>) -> Result<Api<'_>, ConnectorError> {
        let clients = Clients {
            plain: self.clients.plain.metered(Arc::clone(&meter)),
            basic: self.clients.basic.metered(Arc::clone(&meter)),
            second: self.clients.second.metered(meter),
        };
        let dialect = match &self.site.flavour {
            // Its own version is an old one that says nothing.
            Flavour::Cloud { .. } => Dialect::of_cloud(),
            Flavour::Server => Dialect::of_server(version(&clients.plain).await?),
        };
        Ok(Api::new(
            clients,
            &self.token,
            &self.site,
            dialect,
            self.page_size,
        ))
    }

    /// The same, proving also that it is ready and takes the token.
    pub(super) async fn checked(&self, meter: Arc<Meter>) -> Result<Api<'_>, ConnectorError> {
        if self.site.flavour == Flavour::Server {
            is_up(&self.clients.plain).await?;
        }
        let server = self.connect(meter).await?;
        if !server.token_is_valid().await? {
            return Err(ConnectorError::Refused(
                "the server does not accept the token: it is wrong, expired or revoked, or it is no user token (My Account, Security)".to_owned(),
            ));
        }
        Ok(server)
    }

    /// `SonarQube 10.7`, for people.
    pub(super) fn about(&self, server: &Api<'_>) -> String {
        match (&self.site.flavour, server.dialect.version) {
            (Flavour::Cloud { organization }, _) => {
                format!("SonarQube Cloud, organization {organization}")
            }
            (Flavour::Server, Some(version)) => format!("SonarQube {version}"),
            (Flavour::Server, None) => "SonarQube".to_owned(),
        }
    }
}

async fn version(client: &Client) -> Result<Version, ConnectorError> {
    let answer = client.get(VERSION).text().await.map_err(explain)?;
    Version::parse(&answer.body).ok_or_else(|| {
        ConnectorError::Refused(format!(
            "GET {VERSION}: {:?} is no version of SonarQube; location must be its base URL, with its context path if it has one",
            client.quote(answer.body.get(..60).unwrap_or(&answer.body))
        ))
    })
}

async fn is_up(client: &Client) -> Result<(), ConnectorError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        status: String,
    }
    let answer = client.get("/api/system/status").json::<Answer>().await;
    match answer.map_err(explain)?.body.status.as_str() {
        "UP" => Ok(()),
        status => Err(ConnectorError::Refused(format!(
            "the server is not ready: it says it is {}",
            client.quote(status)
        ))),
    }
}
