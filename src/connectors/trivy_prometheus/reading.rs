//! Reads what the query gives, in one piece or in parts, and sorts it into clusters.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::answer::{Answer, RANGE};
use super::finding;
use super::health::{Cluster, Snapshot};
use super::metric::{METRICS, Metric, SEVERITIES};
use super::query::{Query, equals};
use super::series::{Labels, Series};
use super::server::{Failure, failure};
use crate::connectors::pages::Pages;
use crate::connectors::{ConnectorError, MapRow, Record, Row, Scope, Sink, SinkClosed};
use crate::finding::source_key;
use crate::http::HttpErrorKind;

/// What was read of one cluster.
struct Read {
    map: MapRow,
    pages: Pages,
    /// The metrics, by index, of which there were series, passed checks included.
    seen: [bool; METRICS.len()],
}

/// The clusters of a run, and what was read of each.
pub(super) struct Clusters {
    /// The record of series without the cluster's label.
    nameless: Record,
    /// None where the API configuration does not want it.
    read: BTreeMap<Cluster, Option<Read>>,
}

/// A part of a query that is a bare selector: what is added to its matchers.
struct Part {
    matchers: Vec<String>,
    split_by: SplitBy,
}

/// By which label a part is split if it is too much.
#[derive(Clone, Copy)]
enum SplitBy {
    Severity,
    Namespace,
    Nothing,
}

impl Clusters {
    pub(super) fn new(nameless: Record) -> Self {
        Self {
            nameless,
            read: BTreeMap::new(),
        }
    }

    pub(super) fn record(&self, cluster: &str) -> Record {
        if cluster.is_empty() {
            return self.nameless.clone();
        }
        Record {
            id: cluster.to_owned(),
            name: cluster.to_owned(),
            detail: None,
        }
    }

    /// Makes sure that the cluster gets its end, even if it has no series.
    pub(super) fn expect(&mut self, cluster: &str, sink: &Sink) {
        if self.read.contains_key(cluster) {
            return;
        }
        let record = self.record(cluster);
        let read = sink.wants(&record).then(|| Read {
            map: map_of(cluster),
            pages: Pages::of(Scope {
                record,
                branch: None,
                part: None,
            }),
            seen: [false; METRICS.len()],
        });
        self.read.insert(cluster.to_owned(), read);
    }

    /// What was read of a cluster; none if the API configuration does not want it.
    fn of(&mut self, cluster: &str, sink: &Sink) -> Option<&mut Read> {
        self.expect(cluster, sink);
        self.read.get_mut(cluster)?.as_mut()
    }

    /// The clusters that are wanted, and of which metrics each had series.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&Cluster, &[bool; METRICS.len()])> {
        let read = self.read.iter();
        read.filter_map(|(cluster, read)| Some((cluster, &read.as_ref()?.seen)))
    }

    /// Takes the clusters out, to be ended.
    pub(super) fn into_pages(self) -> impl Iterator<Item = (Cluster, Pages)> {
        let read = self.read.into_iter();
        read.filter_map(|(cluster, read)| Some((cluster, read?.pages)))
    }

    /// Counts rows of which nobody can tell whose they are, in one place.
    async fn note_unreadable(
        &mut self,
        rows: u64,
        reason: &str,
        sink: &mut Sink,
    ) -> Result<(), SinkClosed> {
        if let Some(read) = self.read.values_mut().flatten().next() {
            for _ in 0..rows {
                read.pages.add(Err(reason.to_owned()), sink).await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self, sink: &mut Sink) -> Result<(), SinkClosed> {
        for read in self.read.values_mut().flatten() {
            read.pages.flush(sink).await?;
        }
        Ok(())
    }
}

/// Reads all that the query gives. The answer is why it may not be all, if so; an error if the query cannot be a source of
/// findings, or if nothing could be read.
pub(super) async fn read(
    snapshot: &Snapshot<'_>,
    clusters: &mut Clusters,
    sink: &mut Sink,
) -> Result<Option<String>, ConnectorError> {
    let split_by = match snapshot.query {
        Query::Bare(_) => SplitBy::Severity,
        Query::Other(_) => SplitBy::Nothing,
    };
    let mut doubt = None;
    let mut read_any = false;
    let mut parts = VecDeque::from([Part {
        matchers: Vec::new(),
        split_by,
    }]);
    while let Some(part) = parts.pop_front() {
        let failed = match read_part(snapshot, &part, clusters, sink).await {
            Ok(partial) => {
                read_any = true;
                doubt = doubt.or(partial);
                continue;
            }
            Err(Failure::TooMuch(reason)) => match split(snapshot, &part).await {
                Ok(smaller) if !smaller.is_empty() => {
                    tracing::debug!(parts = smaller.len(), "{reason}; asked for in parts");
                    parts.extend(smaller);
                    continue;
                }
                Ok(_) => Failure::TooMuch(reason),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        match failed {
            Failure::TooMuch(reason) => {
                doubt.get_or_insert(format!("{reason}; and it cannot be split any further"));
            }
            Failure::Other(error @ ConnectorError::Http(_)) if read_any => {
                // Something is wrong with the server now: the rest would fail alike, one time limit after the other.
                return Ok(Some(doubt.unwrap_or_else(|| error.to_string())));
            }
            Failure::Other(error) => return Err(error),
        }
    }
    match doubt {
        Some(reason) if !read_any => Err(ConnectorError::Refused(reason)),
        doubt => Ok(doubt),
    }
}

/// Reads one part to its end. The answer is why it may lack something, if so.
async fn read_part(
    snapshot: &Snapshot<'_>,
    part: &Part,
    clusters: &mut Clusters,
    sink: &mut Sink,
) -> Result<Option<String>, Failure> {
    let promql = match snapshot.query {
        Query::Bare(selector) => selector.with(&part.matchers),
        Query::Other(text) => text.clone(),
    };
    let mut elements = snapshot.server.series(&promql, &snapshot.time).await?;
    let mut unreadable = 0;
    let mut unreadable_reason = None;
    loop {
        match elements.next().await {
            Ok(Some(series)) => {
                for element in series {
                    let taken = take(&element, snapshot, clusters, sink).await;
                    if let Some(reason) = taken.map_err(Failure::Other)? {
                        unreadable += 1;
                        unreadable_reason.get_or_insert(reason);
                    }
                }
            }
            Ok(None) => break,
            Err(error) if error.kind == HttpErrorKind::UnexpectedShape => {
                drop(elements);
                return Err(what_else(snapshot, &promql, Failure::Other(error.into())).await);
            }
            Err(error) => return Err(failure(error, &promql)),
        }
    }
    clusters.flush(sink).await.map_err(closed)?;
    let refused = |reason| Failure::Other(ConnectorError::Refused(reason));
    let answer = Answer::parse(elements.envelope()).map_err(refused)?;
    // Only now: the result of a query for a number consists of plain values, and those are no rows that cannot be read.
    if let Some(reason) = answer.not_a_vector() {
        return Err(refused(reason));
    }
    if let Some(reason) = unreadable_reason {
        let noted = clusters.note_unreadable(unreadable, &reason, sink).await;
        noted.map_err(closed)?;
        return Ok(Some(reason));
    }
    Ok(answer.partial())
}

fn closed(closed: SinkClosed) -> Failure {
    Failure::Other(closed.into())
}

/// An answer without a list of objects is small: asked for as a whole, it tells what it is, an error or a number.
async fn what_else(snapshot: &Snapshot<'_>, promql: &str, otherwise: Failure) -> Failure {
    match snapshot.server.vector(promql, Some(&snapshot.time)).await {
        Err(failure) => failure,
        Ok(vector) => match vector.refusal() {
            Some(reason) => Failure::Other(ConnectorError::Refused(reason)),
            None => otherwise,
        },
    }
}

/// Takes in one series. The answer is why it cannot be read, if nobody can tell whose it is: no cluster is whole then.
async fn take(
    element: &[u8],
    snapshot: &Snapshot<'_>,
    clusters: &mut Clusters,
    sink: &mut Sink,
) -> Result<Option<String>, ConnectorError> {
    let labels = match Series::parse(element) {
        Ok(Series::Present(labels)) => labels,
        Ok(Series::Void) => return Ok(None),
        Ok(Series::Range) => return Err(ConnectorError::Refused(RANGE.to_owned())),
        Err(reason) => return Ok(Some(reason)),
    };
    let (index, metric) = source(&labels)?;
    let cluster = snapshot.cluster_of(&labels);
    let Some(read) = clusters.of(cluster, sink) else {
        return Ok(None);
    };
    read.seen[index] = true;
    if finding::is_failing(metric, &labels) {
        let row = Row {
            key: source_key(None, &finding::id(metric, &labels, cluster)),
            json: labels.raw().into(),
            map: Arc::clone(&read.map),
        };
        read.pages.add_row(row, sink).await?;
    }
    Ok(None)
}

/// Maps the labels that a cluster's series have kept.
fn map_of(cluster: &str) -> MapRow {
    let cluster = cluster.to_owned();
    Arc::new(move |kept| {
        let labels = Labels::parse_kept(kept)?;
        let (_, metric) = source(&labels).map_err(|error| error.to_string())?;
        finding::map(metric, &labels, &cluster)
    })
}

/// The metric that a series is of.
fn source(labels: &Labels<'_>) -> Result<(usize, &'static Metric), ConnectorError> {
    let name = labels.get("__name__");
    name.and_then(Metric::named).ok_or_else(|| {
        ConnectorError::Refused(match name {
            Some(name) => format!(
                "the query gives series of {name}, which are no findings; narrow it to {}",
                Metric::names()
            ),
            None => format!(
                "the query gives series without a metric name, as aggregations and arithmetic do; ask for the series of {} themselves",
                Metric::names()
            ),
        })
    })
}

/// Smaller parts that together are the part; none if it cannot be split.
async fn split(snapshot: &Snapshot<'_>, part: &Part) -> Result<Vec<Part>, Failure> {
    match part.split_by {
        SplitBy::Severity => Ok(by_severity()),
        SplitBy::Namespace => by_namespace(snapshot, part).await,
        SplitBy::Nothing => Ok(Vec::new()),
    }
}

/// The five words, and whatever else there may be: nothing falls between.
fn by_severity() -> Vec<Part> {
    let words = SEVERITIES.map(|(word, _)| word);
    let rest = format!("severity!~\"{}\"", words.join("|"));
    let matchers = words.map(|word| equals("severity", word));
    matchers
        .into_iter()
        .chain([rest])
        .map(|matcher| Part {
            matchers: vec![matcher],
            split_by: SplitBy::Namespace,
        })
        .collect()
}

/// By both labels that may hold the workload's namespace, as they stand at the same time.
async fn by_namespace(snapshot: &Snapshot<'_>, part: &Part) -> Result<Vec<Part>, Failure> {
    const LABELS: [&str; 2] = ["namespace", "exported_namespace"];
    let Query::Bare(selector) = snapshot.query else {
        return Ok(Vec::new());
    };
    let inner = selector.with(&part.matchers);
    let query = format!("count by ({}) ({inner})", LABELS.join(", "));
    let time = Some(snapshot.time.as_str());
    let vector = snapshot.server.vector(&query, time).await?;
    if let Some(reason) = vector.partial() {
        return Err(Failure::TooMuch(reason));
    }
    let samples = vector.samples().map_err(Failure::Other)?;
    let parts = samples.iter().map(|sample| {
        let values = LABELS.map(|label| equals(label, sample.labels.get(label).unwrap_or("")));
        Part {
            matchers: part.matchers.iter().cloned().chain(values).collect(),
            split_by: SplitBy::Nothing,
        }
    });
    Ok(parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_by_severity_leave_nothing_out() {
        let matchers: Vec<_> = by_severity()
            .into_iter()
            .flat_map(|part| part.matchers)
            .collect();
        assert_eq!(matchers[0], "severity=\"Critical\"");
        assert_eq!(
            matchers[5],
            "severity!~\"Critical|High|Medium|Low|Unknown\""
        );
    }
}
