//! Whether an absence means anything: was the operator scraped, and is the metric switched on?
//!
//! Prometheus answers an empty vector and 200 when the scrape fails, when the operator restarts, and when the metric was
//! never switched on. Each cluster is judged by itself.

use std::collections::BTreeMap;

use super::metric::{ANY_FINDING, METRICS, VULNERABILITY};
use super::query::{Query, chooses_source, selector};
use super::series::Labels;
use super::server::{Failure, Server, Vector};
use crate::connectors::ConnectorError;

/// The value of the cluster's label; empty without one, which to Prometheus is the same.
pub(super) type Cluster = String;

/// What one run asks of the server, and when.
pub(super) struct Snapshot<'a> {
    pub(super) server: &'a Server,
    /// The one time of all queries.
    pub(super) time: String,
    /// The label that tells clusters apart.
    pub(super) cluster_label: Option<&'a str>,
    pub(super) query: &'a Query,
}

/// Numbers by cluster.
#[derive(Debug, Default)]
pub(super) struct PerCluster {
    pub(super) values: BTreeMap<Cluster, f64>,
    /// Why they may not be whole.
    partial: Option<String>,
}

/// What the server knows of a metric apart from the query's own answer, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// The sum of its evidence.
    pub(super) evidence: PerCluster,
    /// How many series it has.
    pub(super) presence: PerCluster,
}

/// What `up_query` gave.
#[derive(Debug)]
pub(super) enum Up {
    /// It is switched off.
    NotAsked,
    /// 1 where the operator is scraped.
    Asked(PerCluster),
}

impl Snapshot<'_> {
    /// Asks whether the operator is scraped.
    pub(super) async fn up(&self, up_query: Option<&str>) -> Result<Up, ConnectorError> {
        let query = match (up_query, self.cluster_label) {
            (Some(query), _) if query.trim().is_empty() => return Ok(Up::NotAsked),
            (Some(query), _) => query.to_owned(),
            (None, Some(label)) => format!("min by ({label}) (up{{job=\"trivy-operator\"}})"),
            (None, None) => "min(up{job=\"trivy-operator\"})".to_owned(),
        };
        let vector = self.server.vector(&query, Some(&self.time)).await;
        let vector = vector.map_err(|failure| match failure.into() {
            ConnectorError::Refused(reason) => {
                ConnectorError::Refused(format!("up_query failed: {reason}"))
            }
            other => other,
        })?;
        self.per_cluster(&vector, f64::min).map(Up::Asked)
    }

    /// The clusters that have any series of the operator, and why the list may not be whole.
    pub(super) async fn clusters(
        &self,
        label: &str,
    ) -> Result<(Vec<Cluster>, Option<String>), ConnectorError> {
        let any = format!("{{{}}}", self.any_finding());
        let query = format!("group by ({label}) ({any})");
        let vector = self.server.vector(&query, Some(&self.time)).await?;
        let found = self.per_cluster(&vector, f64::max)?;
        Ok((found.values.into_keys().collect(), found.partial))
    }

    /// The sum of the metric that is always exported, by cluster.
    pub(super) async fn evidence(&self, metric: usize) -> Result<PerCluster, Failure> {
        self.aggregate("sum", METRICS[metric].evidence).await
    }

    /// How many series the metric has, findings or not, by cluster.
    pub(super) async fn presence(&self, metric: usize) -> Result<PerCluster, Failure> {
        self.aggregate("count", METRICS[metric].name).await
    }

    async fn aggregate(&self, operator: &str, metric: &str) -> Result<PerCluster, Failure> {
        let inner = selector(metric, self.source_matchers());
        let query = match self.cluster_label {
            Some(label) => format!("{operator} by ({label}) ({inner})"),
            None => format!("{operator}({inner})"),
        };
        let vector = self.server.vector(&query, Some(&self.time)).await?;
        let sum = |a: f64, b: f64| a + b;
        self.per_cluster(&vector, sum).map_err(Failure::Other)
    }

    fn any_finding(&self) -> String {
        let matchers: Vec<_> = self.source_matchers().chain([ANY_FINDING]).collect();
        matchers.join(",")
    }

    /// What the configured query says about where its series come from holds for its proofs too.
    fn source_matchers(&self) -> impl Iterator<Item = &str> {
        let matchers = self.query.source_matchers().iter().map(String::as_str);
        matchers.filter(|matcher| chooses_source(matcher))
    }

    /// The cluster that a series is of.
    pub(super) fn cluster_of<'l>(&self, labels: &'l Labels<'_>) -> &'l str {
        let value = self.cluster_label.and_then(|label| labels.get(label));
        value.unwrap_or_default()
    }

    fn per_cluster(
        &self,
        vector: &Vector,
        merge: fn(f64, f64) -> f64,
    ) -> Result<PerCluster, ConnectorError> {
        let mut values = BTreeMap::new();
        for sample in vector.samples()? {
            let cluster = self.cluster_of(&sample.labels).to_owned();
            values
                .entry(cluster)
                .and_modify(|value| *value = merge(*value, sample.value))
                .or_insert(sample.value);
        }
        let partial = vector.partial();
        Ok(PerCluster { values, partial })
    }
}

impl Up {
    /// The clusters that it knows.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        let known = match self {
            Self::NotAsked => None,
            Self::Asked(up) => Some(up.values.keys()),
        };
        known.into_iter().flatten()
    }

    /// Whether every cluster that it knows is scraped.
    pub(super) fn everywhere(&self) -> bool {
        match self {
            Self::NotAsked => true,
            Self::Asked(up) => {
                up.partial.is_none()
                    && !up.values.is_empty()
                    && up.values.values().all(|value| *value == 1.0)
            }
        }
    }

    /// Why nothing can be concluded about this cluster, if so. A value without the cluster's label counts for all.
    pub(super) fn doubt(&self, cluster: &str) -> Option<String> {
        let Self::Asked(up) = self else {
            return None;
        };
        if let Some(reason) = &up.partial {
            return Some(format!("up_query: {reason}"));
        }
        match up.values.get(cluster).or_else(|| up.values.get("")) {
            Some(1.0) => None,
            Some(value) => Some(format!(
                "the operator's scrape is down (up_query gives {value}): absent findings prove nothing"
            )),
            None => Some(
                "up_query gives nothing: is the operator scraped, and under the job that up_query names?".to_owned(),
            ),
        }
    }
}

/// Why the absence of a metric's series in a cluster proves nothing, if so. `seen`: the query gave series of it there.
pub(super) fn absence_doubt(
    metric: usize,
    cluster: &str,
    seen: bool,
    proofs: &Proofs,
) -> Option<String> {
    let about = &METRICS[metric];
    let Proofs { evidence, presence } = proofs;
    if let Some(reason) = evidence.partial.as_ref().or(presence.partial.as_ref()) {
        return Some(reason.clone());
    }
    let sum = evidence.values.get(cluster).copied();
    if metric == VULNERABILITY && sum.is_none() {
        return Some(format!(
            "{} is missing, which the operator always exports: is it running?",
            about.evidence
        ));
    }
    let present = presence.values.get(cluster).is_some_and(|n| *n > 0.0);
    if seen || present || sum == Some(0.0) {
        return None;
    }
    Some(match sum {
        Some(sum) => format!(
            "{} has no series although {} counts {sum}: switch the metric on (Helm value {}=true)",
            about.name, about.evidence, about.switch
        ),
        None => format!(
            "neither {} nor {} has any series: is the metric switched on (Helm value {}=true)?",
            about.name, about.evidence, about.switch
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[(&str, f64)]) -> PerCluster {
        let values = values.iter();
        let values = values.map(|(cluster, value)| ((*cluster).to_owned(), *value));
        PerCluster {
            values: values.collect(),
            partial: None,
        }
    }

    #[test]
    fn a_scrape_that_is_down_or_unknown_is_doubtful() {
        let up = |values| Up::Asked(numbers(values));
        assert_eq!(up(&[("", 1.0)]).doubt(""), None);
        assert!(up(&[("", 0.0)]).doubt("").is_some());
        assert!(up(&[]).doubt("").is_some());
        assert!(!up(&[]).everywhere());
        assert_eq!(Up::NotAsked.doubt(""), None);
        let partial = PerCluster {
            partial: Some("a store is away".to_owned()),
            ..numbers(&[("", 1.0)])
        };
        assert!(Up::Asked(partial).doubt("").is_some());
    }

    #[test]
    fn each_cluster_is_judged_by_its_own_scrape() {
        let up = Up::Asked(numbers(&[("eu", 1.0), ("us", 0.0)]));
        assert_eq!(up.doubt("eu"), None);
        assert!(up.doubt("us").is_some());
        assert!(up.doubt("asia").is_some());
        assert!(!up.everywhere());
        // One value without the label, from an up_query of the admin's own, counts for all.
        let up = Up::Asked(numbers(&[("", 1.0)]));
        assert_eq!(up.doubt("eu"), None);
    }

    #[test]
    fn a_metric_that_is_switched_off_is_told_from_a_clean_cluster() {
        let none: &[(&str, f64)] = &[];
        let some = &[("", 5.0)][..];
        let zero = &[("", 0.0)][..];
        let doubt = |metric, seen, evidence, presence| {
            let proofs = Proofs {
                evidence: numbers(evidence),
                presence: numbers(presence),
            };
            absence_doubt(metric, "", seen, &proofs)
        };
        let vulnerability = VULNERABILITY;
        assert_eq!(doubt(vulnerability, true, some, none), None);
        assert_eq!(doubt(vulnerability, false, zero, none), None);
        assert_eq!(doubt(vulnerability, false, some, some), None);
        assert!(doubt(vulnerability, false, some, none).is_some());
        assert!(doubt(vulnerability, true, none, none).is_some());
        for metric in 1..METRICS.len() {
            assert_eq!(doubt(metric, true, none, none), None);
            assert_eq!(doubt(metric, false, none, some), None);
            assert_eq!(doubt(metric, false, zero, none), None);
            assert!(doubt(metric, false, some, none).is_some());
            assert!(doubt(metric, false, none, none).is_some());
        }
    }
}
