//! Trivy Operator's findings, as a Prometheus-compatible server knows them.
//!
//! One query gives all series of a metric at one time; what they prove, and what their absence proves, is in [`health`].

mod answer;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod health;
mod metric;
mod query;
mod reading;
mod series;
mod server;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use self::health::{Cluster, Proofs, Snapshot, Up, absence_doubt};
use self::metric::{ANY_FINDING, METRICS, VULNERABILITY};
use self::query::Query;
use self::reading::Clusters;
use self::server::{Method, Server};
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError};

pub(super) use self::spec::SPEC;

/// So many namespaces of a cluster are named in a discovery.
const NAMESPACES_NAMED: usize = 10;

struct TrivyPrometheus {
    client: Client,
    method: Method,
    /// Name of the tool, for the record of a server of one cluster.
    tool: String,
    cluster_label: Option<String>,
    up_query: Option<String>,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let settings = &tool.settings;
    let mut authentication = Authentication {
        headers: settings
            .secrets("headers")
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
        ..Authentication::default()
    };
    match (settings.text("username"), &tool.secret) {
        (Some(name), Some(password)) => {
            authentication.basic = Some((name.to_owned(), password.clone()));
        }
        (None, token) => authentication.bearer.clone_from(token),
        (Some(_), None) => {}
    }
    Ok(Arc::new(TrivyPrometheus {
        client: Client::new(tool, authentication)?,
        method: match settings.text("method") {
            Some("GET") => Method::Get,
            _ => Method::Post,
        },
        tool: tool.name.clone(),
        cluster_label: settings.text("cluster_label").map(str::to_owned),
        up_query: settings.text("up_query").map(str::to_owned),
    }))
}

#[async_trait]
impl Connector for TrivyPrometheus {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = self.server(self.client.clone());
        let time = server.time().await?;
        let name = match server.version().await {
            Some(version) => format!("Prometheus {version}"),
            None => "Prometheus-compatible server".to_owned(),
        };
        let Some(api) = api else {
            // All its metrics, so that it is found to be scraped even if none of the findings' is switched on.
            let count = count(&server, r#"{__name__=~"trivy_.*"}"#, &time).await?;
            return Ok(format!(
                "{name}, queries accepted, {count} series of the operator"
            ));
        };
        let query = parse(api)?;
        let count = count(&server, &query.promql(), &time).await?;
        let snapshot = self.snapshot(&server, time, &query);
        let up = match snapshot.up(self.up_query.as_deref()).await? {
            Up::NotAsked => "not asked whether the operator is up",
            up if up.everywhere() => "operator up",
            _ => "operator NOT up everywhere after up_query",
        };
        Ok(format!("{name}, query accepted, {count} findings, {up}"))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = self.server(self.client.clone());
        let by = ["namespace", "exported_namespace"];
        let by: Vec<_> = self
            .cluster_label
            .as_deref()
            .into_iter()
            .chain(by)
            .collect();
        let query = format!("count by ({}) ({{{ANY_FINDING}}})", by.join(", "));
        let vector = server.vector(&query, None).await?;
        if let Some(reason) = vector.partial() {
            return Err(ConnectorError::Refused(reason));
        }
        let mut clusters: BTreeMap<Cluster, BTreeMap<String, f64>> = BTreeMap::new();
        if self.cluster_label.is_none() {
            clusters.insert(Cluster::new(), BTreeMap::new());
        }
        for sample in vector.samples()? {
            let label = self.cluster_label.as_deref();
            let cluster = label.and_then(|label| sample.labels.owned(label));
            let namespaces = clusters.entry(cluster.unwrap_or_default()).or_default();
            let namespace = sample.labels.get("exported_namespace");
            if let Some(namespace) = namespace.or(sample.labels.get("namespace")) {
                *namespaces.entry(namespace.to_owned()).or_default() += sample.value;
            }
        }
        let names = Clusters::new(nameless(&self.tool));
        let records = clusters.iter().map(|(cluster, namespaces)| Record {
            detail: describe(namespaces),
            ..names.record(cluster)
        });
        Ok(records.collect())
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = self.server(self.client.metered(sink.meter()));
        let query = parse(api)?;
        let time = server.time().await?;
        let snapshot = self.snapshot(&server, time, &query);
        let up = snapshot.up(self.up_query.as_deref()).await?;

        let name = api.labels.kubernetes_cluster.as_deref();
        let mut clusters = Clusters::new(nameless(name.unwrap_or(&self.tool)));
        expect_clusters(&snapshot, &up, &mut clusters, sink).await?;
        let doubt = reading::read(&snapshot, &mut clusters, sink).await?;
        let absences = match doubt {
            None => absences(&snapshot, &clusters).await,
            Some(_) => BTreeMap::new(),
        };
        for (cluster, pages) in clusters.into_pages() {
            let reason = up.doubt(&cluster).or_else(|| doubt.clone());
            let reason = reason.or_else(|| absences.get(&cluster).cloned());
            let completeness = match reason {
                Some(reason) => Completeness::Incomplete(reason),
                None => Completeness::Complete,
            };
            pages.end(completeness, sink).await?;
        }
        Ok(())
    }
}

impl TrivyPrometheus {
    fn server(&self, client: Client) -> Server {
        Server::new(client, self.method)
    }

    fn snapshot<'a>(&'a self, server: &'a Server, time: String, query: &'a Query) -> Snapshot<'a> {
        Snapshot {
            server,
            time,
            cluster_label: self.cluster_label.as_deref(),
            query,
        }
    }
}

/// How many series a selector or query gives.
async fn count(server: &Server, promql: &str, time: &str) -> Result<u64, ConnectorError> {
    let vector = server
        .vector(&format!("count({promql})"), Some(time))
        .await?;
    let count = vector.samples()?.first().map_or(0.0, |sample| sample.value);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(count as u64)
}

fn parse(api: &ApiConfiguration) -> Result<Query, ConnectorError> {
    let query = api.settings.text("query").unwrap_or_default();
    Query::parse(query).map_err(|reason| ConnectorError::Refused(format!("query: {reason}")))
}

/// The record of what has no cluster label.
fn nameless(name: &str) -> Record {
    Record {
        id: name.to_owned(),
        name: name.to_owned(),
        detail: None,
    }
}

/// Finds out which clusters there are, and says so if that is sure. A cluster whose scrape is down has no series, but its
/// `up`, so it is not taken for gone.
async fn expect_clusters(
    snapshot: &Snapshot<'_>,
    up: &Up,
    clusters: &mut Clusters,
    sink: &mut Sink,
) -> Result<(), ConnectorError> {
    let (mut known, doubt) = match snapshot.cluster_label {
        Some(label) => snapshot.clusters(label).await?,
        None => (vec![Cluster::new()], None),
    };
    known.extend(up.clusters().filter(|cluster| !cluster.is_empty()).cloned());
    known.sort();
    known.dedup();
    for cluster in &known {
        clusters.expect(cluster, sink);
    }
    let sure = snapshot.cluster_label.is_none() || (doubt.is_none() && up.everywhere());
    if sure {
        let records = known.iter().map(|cluster| clusters.record(cluster));
        let records = records.collect();
        sink.put(Pulled::Records(records)).await?;
    }
    Ok(())
}

/// For each cluster, why the absence of findings proves nothing, if so.
async fn absences(snapshot: &Snapshot<'_>, clusters: &Clusters) -> BTreeMap<Cluster, String> {
    let mut doubts = BTreeMap::new();
    let metrics = snapshot.query.metrics();
    for (cluster, seen) in clusters.seen() {
        if metrics.is_empty() && !seen.contains(&true) {
            let reason = "the query gives nothing and names none of the operator's metrics, so that proves nothing";
            doubts.insert(cluster.clone(), reason.to_owned());
        }
    }
    for metric in metrics {
        let proofs = proofs(snapshot, clusters, metric).await;
        for (cluster, seen) in clusters.seen() {
            let doubt = match &proofs {
                Ok(proofs) => absence_doubt(metric, cluster, seen[metric], proofs),
                Err(error) => Some(format!(
                    "could not ask whether {} is whole: {error}",
                    METRICS[metric].name
                )),
            };
            if let Some(doubt) = doubt {
                doubts.entry(cluster.clone()).or_insert(doubt);
            }
        }
    }
    doubts
}

/// Asks only for what is needed: where every cluster has series of the metric, it is switched on in all.
async fn proofs(
    snapshot: &Snapshot<'_>,
    clusters: &Clusters,
    metric: usize,
) -> Result<Proofs, ConnectorError> {
    let missed = clusters.seen().any(|(_, seen)| !seen[metric]);
    let mut proofs = Proofs::default();
    if missed {
        proofs.presence = snapshot.presence(metric).await?;
    }
    if missed || metric == VULNERABILITY {
        proofs.evidence = snapshot.evidence(metric).await?;
    }
    Ok(proofs)
}

/// `series by namespace: kube-system 3, shop 120`.
fn describe(namespaces: &BTreeMap<String, f64>) -> Option<String> {
    if namespaces.is_empty() {
        return None;
    }
    let named = namespaces.iter().take(NAMESPACES_NAMED);
    let named: Vec<_> = named
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let more = match namespaces.len().saturating_sub(NAMESPACES_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("series by namespace: {}{more}", named.join(", ")))
}
