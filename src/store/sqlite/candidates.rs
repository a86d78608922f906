//! Which findings may pass a filter: their ids in ascending order, read from indexes a few at a time.
//!
//! Each combination of severity and status is a run of ascending ids in an index. The runs are merged, so that the first
//! finding is there at once however many there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::codes::{severity_code, status_code};
use super::fault::Fault;
use crate::finding::{Severity, Status};
use crate::store::FindingFilter;
use crate::store::wanted::Wanted;

const EVERY: &str = "SELECT id FROM findings WHERE id > ?1 ORDER BY id LIMIT ?2";
const BY_SEVERITY: &str = "
    SELECT id FROM findings INDEXED BY findings_by_severity
    WHERE id > ?1 AND severity = ?3 AND status = ?4 ORDER BY id LIMIT ?2";
const BY_FILING: &str = "
    SELECT id FROM findings INDEXED BY findings_by_filing
    WHERE id > ?1 AND filing_id = ?3 AND severity = ?4 AND status = ?5 ORDER BY id LIMIT ?2";
const BY_VULNERABILITY: &str = "
    SELECT id FROM findings INDEXED BY findings_by_vulnerability
    WHERE id > ?1 AND canonical_id = ?3 ORDER BY id LIMIT ?2";
const CANONICAL_IDS: &str = "SELECT canonical_id FROM vulnerability_names WHERE name = ?1";
/// As many rows as products, branches and services have been named: few.
const FILINGS: &str = "SELECT id, product, branch, service FROM filings";
const SCOPES_OF_API: &str = "
    SELECT id FROM scopes WHERE api_configuration_id = (SELECT id FROM api_configurations WHERE name = ?1)";
const FILINGS_OF_SCOPE: &str = "SELECT filing_id FROM scope_filings WHERE scope_id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    EVERY,
    BY_SEVERITY,
    BY_FILING,
    BY_VULNERABILITY,
    CANONICAL_IDS,
    SCOPES_OF_API,
    FILINGS_OF_SCOPE,
];

/// With more runs than these, fewer and longer ones are read, and what does not fit is left out afterwards.
const MOST_RUNS: usize = 1000;

/// Looks up what the filter names.
pub(super) fn wanted(connection: &Connection, filter: &FindingFilter) -> Result<Wanted, Fault> {
    let scopes = scopes(connection, filter)?;
    let filings = filings(connection, filter, scopes.as_ref())?;
    Ok(Wanted::new(filter, filings, scopes))
}

fn scopes(connection: &Connection, filter: &FindingFilter) -> Result<Option<HashSet<i64>>, Fault> {
    if filter.api_configurations.is_empty() {
        return Ok(None);
    }
    let mut scopes = HashSet::new();
    for name in &filter.api_configurations {
        scopes.extend(numbers(connection, SCOPES_OF_API, [name])?);
    }
    Ok(Some(scopes))
}

/// The filings that pass; those of the scopes only, if there are scopes.
fn filings(
    connection: &Connection,
    filter: &FindingFilter,
    scopes: Option<&HashSet<i64>>,
) -> Result<Option<HashSet<i64>>, Fault> {
    let names = [&filter.products, &filter.branches, &filter.services];
    let named = match names.iter().all(|names| names.is_empty()) {
        true => None,
        false => Some(filings_named(connection, names)?),
    };
    let Some(scopes) = scopes else {
        return Ok(named);
    };
    let mut filings = HashSet::new();
    for scope in scopes {
        filings.extend(numbers(connection, FILINGS_OF_SCOPE, [scope])?);
    }
    if let Some(named) = named {
        filings.retain(|filing| named.contains(filing));
    }
    Ok(Some(filings))
}

fn filings_named(connection: &Connection, names: [&Vec<String>; 3]) -> Result<HashSet<i64>, Fault> {
    let mut statement = connection.prepare_cached(FILINGS)?;
    let mut rows = statement.query([])?;
    let mut filings = HashSet::new();
    while let Some(row) = rows.next()? {
        let mut passes = true;
        for (column, names) in (1..).zip(names) {
            let name: String = row.get(column)?;
            passes &= names.is_empty() || names.contains(&name);
        }
        if passes {
            filings.insert(row.get(0)?);
        }
    }
    Ok(filings)
}

fn numbers(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<i64>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ids of findings in ascending order.
#[derive(Debug)]
pub(super) struct Candidates {
    runs: Vec<IdRun>,
    /// The next id of each run that has one.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    is_begun: bool,
}

/// One ascending run of ids in an index.
#[derive(Debug)]
struct IdRun {
    sql: &'static str,
    key: Vec<Value>,
    last: i64,
    read: VecDeque<i64>,
    next_read: i64,
}

impl Candidates {
    pub(super) fn new(connection: &Connection, wanted: &Wanted) -> Result<Self, Fault> {
        let runs = if wanted.vulnerabilities.is_empty() {
            runs_by_standing(wanted)
        } else {
            runs_by_vulnerability(connection, &wanted.vulnerabilities)?
        };
        Ok(Self {
            runs,
            heads: BinaryHeap::new(),
            is_begun: false,
        })
    }

    /// The next id, if there is one.
    pub(super) fn next(&mut self, connection: &Connection) -> Result<Option<i64>, Fault> {
        if !self.is_begun {
            self.is_begun = true;
            for index in 0..self.runs.len() {
                self.advance(connection, index)?;
            }
        }
        let Some(Reverse((id, index))) = self.heads.pop() else {
            return Ok(None);
        };
        self.advance(connection, index)?;
        Ok(Some(id))
    }

    fn advance(&mut self, connection: &Connection, index: usize) -> Result<(), Fault> {
        if let Some(run) = self.runs.get_mut(index)
            && let Some(id) = run.next(connection)?
        {
            self.heads.push(Reverse((id, index)));
        }
        Ok(())
    }
}

fn runs_by_standing(wanted: &Wanted) -> Vec<IdRun> {
    let everything = wanted.severities.len() == Severity::ALL.len()
        && wanted.statuses.len() == Status::ALL.len();
    let standings: Vec<[i64; 2]> = wanted
        .severities
        .iter()
        .flat_map(|severity| {
            wanted
                .statuses
                .iter()
                .map(|status| [severity_code(*severity), status_code(*status)])
        })
        .collect();
    match &wanted.filings {
        Some(filings) if filings.len() * standings.len() <= MOST_RUNS => filings
            .iter()
            .flat_map(|filing| {
                standings
                    .iter()
                    .map(|[severity, status]| IdRun::new(BY_FILING, [*filing, *severity, *status]))
            })
            .collect(),
        _ if everything => vec![IdRun::new(EVERY, [0_i64; 0])],
        _ => standings
            .into_iter()
            .map(|standing| IdRun::new(BY_SEVERITY, standing))
            .collect(),
    }
}

fn runs_by_vulnerability(connection: &Connection, names: &[String]) -> Result<Vec<IdRun>, Fault> {
    let mut canonical: HashSet<String> = names.iter().cloned().collect();
    for name in names {
        let mut statement = connection.prepare_cached(CANONICAL_IDS)?;
        let ids = statement.query_map([name], |row| row.get(0))?;
        for id in ids {
            canonical.insert(id?);
        }
    }
    Ok(canonical
        .into_iter()
        .map(|id| IdRun::new(BY_VULNERABILITY, [id]))
        .collect())
}

impl IdRun {
    const FIRST_READ: i64 = 16;
    const MOST_READ: i64 = 512;

    fn new<V: Into<Value>, const N: usize>(sql: &'static str, key: [V; N]) -> Self {
        Self {
            sql,
            key: key.into_iter().map(Into::into).collect(),
            last: 0,
            read: VecDeque::new(),
            next_read: Self::FIRST_READ,
        }
    }

    fn next(&mut self, connection: &Connection) -> Result<Option<i64>, Fault> {
        if self.read.is_empty() && self.next_read > 0 {
            self.read_on(connection)?;
        }
        Ok(self.read.pop_front())
    }

    fn read_on(&mut self, connection: &Connection) -> Result<(), Fault> {
        let from_and_count = [Value::from(self.last), Value::from(self.next_read)];
        let parameters = from_and_count.iter().chain(&self.key);
        let ids = numbers(connection, self.sql, params_from_iter(parameters))?;
        if let Some(last) = ids.last() {
            self.last = *last;
        }
        let was_the_end = (ids.len() as i64) < self.next_read;
        self.read.extend(ids);
        self.next_read = match was_the_end {
            true => 0,
            false => (self.next_read * 2).min(Self::MOST_READ),
        };
        Ok(())
    }
}
