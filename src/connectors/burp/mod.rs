//! Burp Suite DAST (formerly Burp Suite Enterprise Edition): the issues of each site's newest succeeded scan.
//!
//! One endpoint that speaks GraphQL. Its queries are files checked against a schema file at compile time, see [`query`].

mod api;
mod evidence;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod identity;
mod query;
mod reading;
mod scan;
mod sites;
mod spec;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use url::Url;

use self::api::Server;
use self::reading::Reading;
use self::scan::Latest;
use self::sites::{Site, Tree};
use self::spec::{Selector, Wanted};
use super::pages::Pages;
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Scope, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

/// After so many sites in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct Burp {
    client: Client,
    /// The tree as last discovered: which folders a site is in is not said by its record.
    tree: Mutex<Tree>,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let tool = Tool {
        location: server_root(&tool.location),
        ..tool.clone()
    };
    let headers = tool.secret.iter();
    // The bare key: the vendor knows no Bearer.
    let headers = headers.map(|key| ("Authorization".to_owned(), key.clone()));
    let authentication = Authentication {
        headers: headers.collect(),
        ..Authentication::default()
    };
    Ok(Arc::new(Burp {
        client: Client::new(&tool, authentication)?,
        tree: Mutex::default(),
    }))
}

/// Takes off the endpoint's own path, which people paste along. A proxy's prefix stays.
fn server_root(location: &Url) -> Url {
    let mut root = location.clone();
    let path = location.path().trim_end_matches('/');
    if let Some(path) = path.strip_suffix(api::PATH) {
        root.set_path(path);
    }
    root
}

#[async_trait]
impl Connector for Burp {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = Server::connect(self.client.clone()).await?;
        server.prove_scans().await?;
        let tree = Tree::read(&server).await?;
        let proven = format!(
            "Burp Suite DAST, key accepted, scans readable, sites visible: {}",
            tree.records(true).len()
        );
        let Some(api) = api else {
            return Ok(proven);
        };
        let wanted = Wanted::of(&api.settings);
        let sites = tree.selected(&wanted.selector, wanted.pipelines)?;
        let ([site], Selector::Site(_)) = (&sites[..], &wanted.selector) else {
            return Ok(format!("{proven}, of which selected: {}", sites.len()));
        };
        let name = &site.name;
        let latest = Latest::of(&server, site, wanted.schedule.as_deref()).await?;
        Ok(match latest {
            Latest::Succeeded(scan) => {
                format!("{proven}; site {name}: last succeeded scan is {}", scan.id)
            }
            Latest::Unfinished { .. } | Latest::None => {
                format!("{proven}; site {name} has no succeeded scan yet, so nothing to import")
            }
        })
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = Server::connect(self.client.clone()).await?;
        let tree = Tree::read(&server).await?;
        let records = tree.records(true);
        *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = tree;
        Ok(records)
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        let wanted = Wanted::of(&api.settings);
        let tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        tree.selected(&wanted.selector, wanted.pipelines)
            .is_ok_and(|sites| sites.iter().any(|site| site.id == record.id))
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let wanted = Wanted::of(&api.settings);
        let server = Server::connect(self.client.metered(sink.meter())).await?;
        let tree = Tree::read(&server).await?;
        sink.put(Pulled::Records(tree.records(true))).await?;
        let selected = tree.selected(&wanted.selector, wanted.pipelines)?;
        let mut failures = 0;
        for site in selected {
            let record = tree.record(site);
            if !sink.wants(&record) {
                if matches!(wanted.selector, Selector::Site(_)) {
                    let warning = format!("records leaves out the configured site {}", site.id);
                    sink.put(Pulled::Warning(warning)).await?;
                }
                continue;
            }
            match pull_site(&server, &wanted, site, record, sink).await? {
                None => failures = 0,
                Some(failure) => {
                    failures += u32::from(failure.concerns_all());
                    if is_pointless(&failure) || failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads one site. A failure is told at the site's end, and comes back for what it means for the others.
async fn pull_site(
    server: &Server,
    wanted: &Wanted,
    site: &Site,
    record: Record,
    sink: &mut Sink,
) -> Result<Option<ConnectorError>, ConnectorError> {
    let scope = Scope {
        part: None,
        record,
        branch: None,
    };
    let (reason, failure) = match Latest::of(server, site, wanted.schedule.as_deref()).await {
        Ok(Latest::Succeeded(scan)) => {
            if let Some(newer) = &scan.newer {
                sink.put(Pulled::Warning(newer.clone())).await?;
            }
            let reading = Reading::new(server, wanted, site, &scan, scope, sink);
            return reading.run().await;
        }
        Ok(Latest::None) => (
            "no scan (never scanned, or removed by the server's retention); nothing is concluded from that".to_owned(),
            None,
        ),
        Ok(Latest::Unfinished { id, status }) => (
            format!(
                "no succeeded scan: the newest, {id}, is {status}, and such a scan holds a part of the issues only"
            ),
            None,
        ),
        Err(failure) => (failure.to_string(), Some(failure)),
    };
    let reason = format!("{site}: {reason}");
    if failure.is_none() && !matches!(wanted.selector, Selector::Site(_)) {
        // Among many sites there is always one without a scan: that must not keep the others from being resolved.
        sink.put(Pulled::Warning(reason)).await?;
        return Ok(None);
    }
    Pages::of(scope)
        .end(Completeness::Incomplete(reason), sink)
        .await?;
    Ok(failure)
}

/// Whether every other site would fail likewise.
fn is_pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) => true,
        ConnectorError::Refused(_) => false,
        ConnectorError::Http(error) => matches!(
            &error.kind,
            HttpErrorKind::Status {
                status: 401 | 403,
                ..
            } | HttpErrorKind::Redirected
                | HttpErrorKind::Setup
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_endpoint_that_people_paste_along_is_taken_off_and_a_prefix_is_kept() {
        for (location, root) in [
            (
                "https://burp.example.com:8443",
                "https://burp.example.com:8443/",
            ),
            ("https://burp.example.com/", "https://burp.example.com/"),
            (
                "https://burp.example.com/graphql/v1",
                "https://burp.example.com/",
            ),
            (
                "https://burp.example.com/graphql/v1/",
                "https://burp.example.com/",
            ),
            (
                "https://proxy.example.com/tools/burp/graphql/v1",
                "https://proxy.example.com/tools/burp",
            ),
            (
                "https://proxy.example.com/tools/burp/",
                "https://proxy.example.com/tools/burp/",
            ),
        ] {
            assert_eq!(
                server_root(&location.parse().unwrap()).as_str(),
                root,
                "{location}"
            );
        }
    }
}
