//! Which findings may pass a filter: their ids in ascending order, read from indexes some at a time.
//!
//! Each combination of severity and status, in a filing or in all, is a run of ascending ids in an index. One statement
//! reads the next ids of all runs and gives the least of them, however many there are behind.

use std::collections::HashSet;

use sqlx::PgConnection;

use super::fault::Fault;
use super::rows::name;
use crate::finding::{Severity, Status};
use crate::store::FindingFilter;
use crate::store::codes::{kind_code, severity_code, status_code};
use crate::store::wanted::Wanted;

const EVERY: &str = "SELECT id FROM findings WHERE id > $1 ORDER BY id LIMIT $2";
const BY_SEVERITY: &str = "
    SELECT f.id FROM unnest($3::bigint[], $4::bigint[]) w(severity, status)
    CROSS JOIN LATERAL (
        SELECT id FROM findings WHERE severity = w.severity AND status = w.status AND id > $1 ORDER BY id LIMIT $2) f
    ORDER BY f.id LIMIT $2";
const BY_FILING: &str = "
    SELECT f.id FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) w(severity, status, filing_id)
    CROSS JOIN LATERAL (
        SELECT id FROM findings
        WHERE filing_id = w.filing_id AND severity = w.severity AND status = w.status AND id > $1
        ORDER BY id LIMIT $2) f
    ORDER BY f.id LIMIT $2";
const BY_KIND: &str = "
    SELECT f.id FROM unnest($3::bigint[]) w(kind)
    CROSS JOIN LATERAL (SELECT id FROM findings WHERE kind = w.kind AND id > $1 ORDER BY id LIMIT $2) f
    ORDER BY f.id LIMIT $2";
const BY_VULNERABILITY: &str = "
    SELECT f.id FROM unnest($3::text[]) w(canonical_id)
    CROSS JOIN LATERAL (
        SELECT id FROM findings WHERE canonical_id = w.canonical_id AND id > $1 ORDER BY id LIMIT $2) f
    ORDER BY f.id LIMIT $2";
/// Findings are numbered as they are seen first, or later: none before this one is as young. Not the plain minimum: the
/// planner would look for it from the oldest one on, as if the young ones were anywhere.
const FIRST_SINCE: &str = "SELECT min(id + 0) FROM findings WHERE first_seen >= $1";
const CANONICAL_IDS: &str = "SELECT canonical_id FROM vulnerability_names WHERE name = ANY($1)";
/// As many rows as products, branches and services have been named: few.
const FILINGS: &str = "
    SELECT id FROM filings WHERE (cardinality($1::text[]) = 0 OR product = ANY($1))
        AND (cardinality($2::text[]) = 0 OR branch = ANY($2)) AND (cardinality($3::text[]) = 0 OR service = ANY($3))";
const SCOPES_OF_APIS: &str = "
    SELECT s.id FROM scopes s JOIN api_configurations a ON a.id = s.api_configuration_id WHERE a.name = ANY($1)";
const FILINGS_OF_SCOPES: &str =
    "SELECT DISTINCT filing_id FROM scope_filings WHERE scope_id = ANY($1)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    EVERY,
    BY_SEVERITY,
    BY_FILING,
    BY_KIND,
    BY_VULNERABILITY,
    FIRST_SINCE,
    CANONICAL_IDS,
    SCOPES_OF_APIS,
    FILINGS_OF_SCOPES,
];

/// With more runs than these, fewer and longer ones are read, and what does not fit is left out afterwards.
const MOST_RUNS: usize = 10_000;

/// Looks up what the filter names.
pub(super) async fn wanted(
    connection: &mut PgConnection,
    filter: &FindingFilter,
) -> Result<Wanted, Fault> {
    let scopes = scopes(connection, filter).await?;
    let filings = filings(connection, filter, scopes.as_ref()).await?;
    Ok(Wanted::new(filter, filings, scopes))
}

async fn scopes(
    connection: &mut PgConnection,
    filter: &FindingFilter,
) -> Result<Option<HashSet<i64>>, Fault> {
    if filter.api_configurations.is_empty() {
        return Ok(None);
    }
    let scopes: Vec<i64> = sqlx::query_scalar(SCOPES_OF_APIS)
        .bind(without_nul(&filter.api_configurations))
        .fetch_all(connection)
        .await?;
    Ok(Some(scopes.into_iter().collect()))
}

/// A text with NUL is nobody's name, and no text for the server.
fn without_nul(names: &[String]) -> Vec<&str> {
    let names = names.iter().map(String::as_str);
    names.filter(|name| !name.contains('\0')).collect()
}

/// The filings that pass; those of the scopes only, if there are scopes.
async fn filings(
    connection: &mut PgConnection,
    filter: &FindingFilter,
    scopes: Option<&HashSet<i64>>,
) -> Result<Option<HashSet<i64>>, Fault> {
    let names = [&filter.products, &filter.branches, &filter.services];
    let named = match names.iter().all(|names| names.is_empty()) {
        true => None,
        false => {
            let mut query = sqlx::query_scalar(FILINGS);
            for names in names {
                let passing = without_nul(names);
                // None of them can be there, which is not the same as no filter.
                if passing.is_empty() && !names.is_empty() {
                    return Ok(Some(HashSet::new()));
                }
                query = query.bind(passing);
            }
            let filings: Vec<i64> = query.fetch_all(&mut *connection).await?;
            Some(filings.into_iter().collect::<HashSet<_>>())
        }
    };
    let Some(scopes) = scopes else {
        return Ok(named);
    };
    let filings: Vec<i64> = sqlx::query_scalar(FILINGS_OF_SCOPES)
        .bind(scopes.iter().copied().collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let filings = filings.into_iter();
    Ok(Some(match named {
        Some(named) => filings.filter(|filing| named.contains(filing)).collect(),
        None => filings.collect(),
    }))
}

/// Where candidates come from.
#[derive(Debug)]
pub(super) enum Candidates {
    Every,
    Standings {
        severities: Vec<i64>,
        statuses: Vec<i64>,
        /// Beside each of them, if there are filings.
        filings: Option<Vec<i64>>,
    },
    Kinds(Vec<i64>),
    Vulnerabilities(Vec<String>),
}

/// After which id to begin; none if nothing was first seen as lately as is wanted.
pub(super) async fn begin(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Option<i64>, Fault> {
    let Some(since) = wanted.first_seen_since else {
        return Ok(Some(0));
    };
    let first: Option<i64> = sqlx::query_scalar(FIRST_SINCE)
        .bind(since)
        .fetch_one(connection)
        .await?;
    Ok(first.map(|first| first - 1))
}

impl Candidates {
    pub(super) async fn new(connection: &mut PgConnection, wanted: &Wanted) -> Result<Self, Fault> {
        if wanted.vulnerabilities.is_empty() {
            return Ok(Self::by_standing(wanted));
        }
        let asked: Vec<_> = wanted.vulnerabilities.iter().map(|n| name(n)).collect();
        let asked: Vec<&str> = asked.iter().map(|name| &**name).collect();
        let mut ids: Vec<String> = sqlx::query_scalar(CANONICAL_IDS)
            .bind(&asked)
            .fetch_all(connection)
            .await?;
        ids.extend(asked.into_iter().map(str::to_owned));
        ids.sort_unstable();
        ids.dedup();
        Ok(Self::Vulnerabilities(ids))
    }

    fn by_standing(wanted: &Wanted) -> Self {
        let every_severity = wanted.severities.len() == Severity::ALL.len();
        let everything = every_severity && wanted.statuses.len() == Status::ALL.len();
        let standings: Vec<(i64, i64)> = wanted
            .severities
            .iter()
            .flat_map(|severity| {
                let statuses = wanted.statuses.iter();
                statuses.map(|status| (severity_code(*severity), status_code(*status)))
            })
            .collect();
        match &wanted.filings {
            Some(filings) if filings.len() * standings.len() <= MOST_RUNS => {
                let runs = filings.iter().flat_map(|filing| {
                    let standings = standings.iter();
                    standings.map(|(severity, status)| (*severity, *status, *filing))
                });
                let (mut severities, mut statuses, mut of) = (Vec::new(), Vec::new(), Vec::new());
                for (severity, status, filing) in runs {
                    severities.push(severity);
                    statuses.push(status);
                    of.push(filing);
                }
                Self::Standings {
                    severities,
                    statuses,
                    filings: Some(of),
                }
            }
            _ if every_severity && !wanted.kinds.is_empty() => {
                Self::Kinds(wanted.kinds.iter().map(|kind| kind_code(*kind)).collect())
            }
            _ if everything => Self::Every,
            _ => {
                let (severities, statuses) = standings.into_iter().unzip();
                Self::Standings {
                    severities,
                    statuses,
                    filings: None,
                }
            }
        }
    }

    /// The next ids after `last`, at most so many.
    pub(super) async fn next(
        &self,
        connection: &mut PgConnection,
        last: i64,
        most: i64,
    ) -> Result<Vec<i64>, Fault> {
        let query = match self {
            Self::Every => sqlx::query_scalar(EVERY).bind(last).bind(most),
            Self::Standings {
                severities,
                statuses,
                filings: None,
            } => sqlx::query_scalar(BY_SEVERITY)
                .bind(last)
                .bind(most)
                .bind(severities)
                .bind(statuses),
            Self::Standings {
                severities,
                statuses,
                filings: Some(filings),
            } => sqlx::query_scalar(BY_FILING)
                .bind(last)
                .bind(most)
                .bind(severities)
                .bind(statuses)
                .bind(filings),
            Self::Kinds(kinds) => sqlx::query_scalar(BY_KIND)
                .bind(last)
                .bind(most)
                .bind(kinds),
            Self::Vulnerabilities(ids) => sqlx::query_scalar(BY_VULNERABILITY)
                .bind(last)
                .bind(most)
                .bind(ids),
        };
        Ok(query.fetch_all(connection).await?)
    }
}
