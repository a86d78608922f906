//! The reading of one scan's issues: first their keys, then themselves, page by page.
//!
//! Nothing in a page says how many there are, in what order, or whether it is the last; a server may also give fewer than
//! asked for. So a list ends with an empty page, and is believed if both readings name the same issues, at least as many as
//! the scan counts. The keys also tell which identities occur twice; only issues of those are held back to the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::value::RawValue;

use super::api::Server;
use super::evidence::{self, Evidence};
use super::finding::{self, Issue, Source};
use super::identity::{self, Traits, merges, short, source_id};
use super::query::operations::{
    ScanIssueEvidence, ScanIssueKeys, ScanIssues, scan_issue_evidence, scan_issue_keys, scan_issues,
};
use super::scan::Scan;
use super::sites::Site;
use super::spec::Wanted;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Scope, Sink};
use crate::finding::{Sighting, SourceKey};

/// No list is followed further than this, whatever the server says.
const MAX_ISSUES: usize = 10_000_000;

/// Keys are so much smaller than issues that so many more are asked for at once.
const KEYS_PER_ISSUE: i64 = 10;

/// The server's largest page, and ours.
const MAX_PAGE: i64 = 10_000;

/// Issues with evidence may have megabytes each.
const EVIDENCE_PER_PAGE: i64 = 20;

/// So many keys of issues that are left out are handed over at once.
const LEFT_OUT_PER_PAGE: usize = 1000;

/// Which issues a scan has.
#[derive(Default)]
struct Keys {
    /// Hashes of the serial numbers.
    serials: HashSet<u64>,
    /// Hashes of the identities that occur more than once.
    doubled: HashSet<u64>,
    doubt: Option<String>,
}

/// The reading of one site's scan.
pub(super) struct Reading<'a> {
    server: &'a Server,
    wanted: &'a Wanted,
    site: &'a Site,
    scan: &'a Scan,
    scope: Scope,
    pages: Pages,
    left_out: Vec<SourceKey>,
    sink: &'a mut Sink,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        server: &'a Server,
        wanted: &'a Wanted,
        site: &'a Site,
        scan: &'a Scan,
        scope: Scope,
        sink: &'a mut Sink,
    ) -> Self {
        Self {
            server,
            wanted,
            site,
            scan,
            pages: Pages::of(scope.clone()),
            scope,
            left_out: Vec::new(),
            sink,
        }
    }

    /// Reads all issues and ends the scope. A failure that concerns all sites comes back, after the scope's end.
    pub(super) async fn run(mut self) -> Result<Option<ConnectorError>, ConnectorError> {
        let (completeness, failure) = match self.read().await {
            Ok(None) => (Completeness::Complete, None),
            Ok(Some(doubt)) => (
                Completeness::Incomplete(format!("{}: {doubt}", self.site)),
                None,
            ),
            Err(ConnectorError::Closed(closed)) => return Err(closed.into()),
            Err(failure) => (
                Completeness::Incomplete(format!("{}: {failure}", self.site)),
                Some(failure),
            ),
        };
        self.give_left_out().await?;
        self.pages.end(completeness, self.sink).await?;
        Ok(failure)
    }

    /// Gives the reason for doubt, if there is one.
    async fn read(&mut self) -> Result<Option<String>, ConnectorError> {
        let mut keys = self.read_keys().await?;
        let count = keys.serials.len();
        self.sink.put(Pulled::Expected(count as u64)).await?;
        if (count as u64) < self.scan.issues_at_least {
            let counted = self.scan.issues_at_least;
            keys.doubt.get_or_insert(format!(
                "scan {} counts {counted} issues and lists {count}",
                self.scan.id
            ));
        }
        self.read_issues(&mut keys).await?;
        if let Some(doubt) = keys.doubt {
            return Ok(Some(doubt));
        }
        Ok((!keys.serials.is_empty()).then(|| {
            format!(
                "of the {count} issues of scan {}, {} did not come with the second reading",
                self.scan.id,
                keys.serials.len()
            )
        }))
    }

    async fn read_keys(&self) -> Result<Keys, ConnectorError> {
        let mut keys = Keys::default();
        let mut identities = HashSet::new();
        let mut start = 0;
        loop {
            let variables = scan_issue_keys::Variables {
                scan: self.scan.id.clone(),
                start,
                count: (self.wanted.page_size * KEYS_PER_ISSUE).min(MAX_PAGE),
            };
            let rows = self.page::<ScanIssueKeys>(variables).await?;
            if rows.is_empty() {
                return Ok(keys);
            }
            for row in &rows {
                let Ok(row) =
                    serde_json::from_str::<scan_issue_keys::ScanIssueKeysScanIssues>(row.get())
                else {
                    keys.doubt
                        .get_or_insert_with(|| "the key of an issue cannot be read".to_owned());
                    continue;
                };
                if !keys.serials.insert(short(&row.serial_number)) {
                    keys.doubt = Some(repeated(&row.serial_number));
                    continue;
                }
                let issue_type = row.issue_type.as_ref();
                let identity = short(&identity::key(Traits {
                    fingerprint: row.fingerprint.as_deref(),
                    type_index: issue_type.map(|kind| kind.type_index.as_str()),
                    type_name: issue_type.and_then(|kind| kind.name.as_deref()),
                    origin: &row.origin,
                    path: &row.path,
                }));
                if !identities.insert(identity) {
                    keys.doubled.insert(identity);
                }
            }
            start += next(&rows);
            if keys.serials.len() >= MAX_ISSUES {
                keys.doubt = Some(format!("the list does not end within {MAX_ISSUES} issues"));
            }
            if keys.doubt.is_some() {
                return Ok(keys);
            }
        }
    }

    /// Takes each issue that comes from the keys' serial numbers: what is left did not come.
    async fn read_issues(&mut self, keys: &mut Keys) -> Result<(), ConnectorError> {
        let source = Source {
            site: self.site.id.clone(),
            scan: self.scan.id.clone(),
            scanned_at: self.scan.end_time,
        };
        let mut seen = HashSet::new();
        let mut held: BTreeMap<String, Vec<Issue>> = BTreeMap::new();
        let mut start = 0;
        let mut going_on = true;
        while going_on {
            let variables = scan_issues::Variables {
                scan: self.scan.id.clone(),
                start,
                count: self.wanted.page_size,
            };
            let rows = self.page::<ScanIssues>(variables).await?;
            going_on = !rows.is_empty();
            let mut evidence = self.evidence(start, next(&rows)).await?;
            start += next(&rows);
            for row in rows {
                let mut issue = match finding::map(&row, &source) {
                    Ok(issue) => issue,
                    Err(reason) => {
                        self.pages.add(Err(reason), self.sink).await?;
                        continue;
                    }
                };
                let serial = short(&issue.serial);
                if !seen.insert(serial) {
                    keys.doubt.get_or_insert(repeated(&issue.serial));
                    going_on = false;
                    continue;
                }
                if !keys.serials.remove(&serial) && keys.doubt.is_none() {
                    keys.doubt = Some("the scan's issues changed while they were read".to_owned());
                    going_on = false;
                }
                if let Some(evidence) = evidence.remove(&issue.serial) {
                    issue.keep(evidence);
                }
                if keys.doubled.contains(&short(&issue.key)) {
                    hold(&mut held, issue);
                } else {
                    let id = source_id(&self.site.id, &issue.key, 0);
                    self.give(issue, id).await?;
                }
            }
            going_on &= seen.len() < MAX_ISSUES;
            self.pages.flush(self.sink).await?;
        }
        for (key, issues) in held {
            self.give_held(&key, issues).await?;
        }
        Ok(())
    }

    /// Issues of one fingerprint stay findings of their own, numbered in an order that does not hang on the server's.
    async fn give_held(&mut self, key: &str, mut issues: Vec<Issue>) -> Result<(), ConnectorError> {
        if issues.len() > 1 {
            tracing::info!(
                site = self.site.id,
                issues = issues.len(),
                "issues share the fingerprint {key}; they are numbered"
            );
        }
        // Serial numbers are numbers in text.
        issues.sort_by(|a, b| {
            let order =
                |issue: &Issue| (issue.path.clone(), issue.serial.len(), issue.serial.clone());
            order(a).cmp(&order(b))
        });
        for (place, issue) in issues.into_iter().enumerate() {
            let id = source_id(&self.site.id, key, place);
            self.give(issue, id).await?;
        }
        Ok(())
    }

    async fn give(&mut self, issue: Issue, id: String) -> Result<(), ConnectorError> {
        // Most severe first; what has no known severity is never left out.
        let least = self.wanted.minimum;
        let severity = issue.severity();
        if least
            .is_some_and(|least| severity > least && severity != crate::finding::Severity::Unknown)
        {
            let named = Sighting {
                source_id: id,
                ..Sighting::default()
            };
            self.left_out.push(named.source_key());
            if self.left_out.len() >= LEFT_OUT_PER_PAGE {
                self.give_left_out().await?;
            }
            return Ok(());
        }
        Ok(self
            .pages
            .add(Ok(issue.into_sighting(id)), self.sink)
            .await?)
    }

    async fn give_left_out(&mut self) -> Result<(), ConnectorError> {
        if self.left_out.is_empty() {
            return Ok(());
        }
        let left_out = Pulled::LeftOut {
            scope: self.scope.clone(),
            keys: std::mem::take(&mut self.left_out),
        };
        Ok(self.sink.put(left_out).await?)
    }

    /// The evidence of the issues at these places, by serial number; none unless it is asked for.
    async fn evidence(
        &self,
        start: i64,
        count: i64,
    ) -> Result<HashMap<String, Evidence>, ConnectorError> {
        let mut found = HashMap::new();
        let mut at = start;
        while self.wanted.evidence && at < start + count {
            let variables = scan_issue_evidence::Variables {
                scan: self.scan.id.clone(),
                start: at,
                count: EVIDENCE_PER_PAGE.min(start + count - at),
            };
            let rows = self.page::<ScanIssueEvidence>(variables).await?;
            if rows.is_empty() {
                break;
            }
            at += next(&rows);
            found.extend(rows.iter().filter_map(|row| evidence::of(row)));
        }
        Ok(found)
    }

    async fn page<Q: graphql_client::GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Vec<Box<RawValue>>, ConnectorError> {
        Ok(self.server.issues::<Q>(&self.scan.id, variables).await?)
    }
}

/// Holds an issue back; those that are one finding are merged at once.
fn hold(held: &mut BTreeMap<String, Vec<Issue>>, issue: Issue) {
    match held.get_mut(&issue.key) {
        Some(issues) if merges(&issue.key) => {
            if let Some(first) = issues.first_mut() {
                first.merge(issue);
            }
        }
        Some(issues) => issues.push(issue),
        None => {
            held.insert(issue.key.clone(), vec![issue]);
        }
    }
}

/// How many places a page fills.
fn next(rows: &[Box<RawValue>]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

fn repeated(serial: &str) -> String {
    format!("issue {serial} came twice: pages repeat, or issues moved while they were read")
}
