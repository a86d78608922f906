//! Listings: findings that pass a filter, at the pace of whoever listens.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{Connection, PgConnection};

use super::candidates::{self, Candidates};
use super::fault::Fault;
use super::reading;
use super::sessions::Sessions;
use crate::finding::Finding;
use crate::store::FindingFilter;
use crate::store::dictionaries::Dictionaries;
use crate::store::printing::{self, FindingRow, Raw, ReadSighting};
use crate::store::wanted::Wanted;

const SCOPES_OF_FINDINGS: &str =
    "SELECT DISTINCT finding_id FROM sightings WHERE finding_id = ANY($1) AND scope_id = ANY($2)";
/// Each finding is read whole, as it is at one moment.
const ONE_MOMENT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SCOPES_OF_FINDINGS];

/// A listing under way. Between two chunks it holds neither a transaction nor a connection: who reads slowly stands in
/// nobody's way.
#[derive(Debug)]
pub(super) struct Listing {
    sessions: Sessions,
    dictionaries: Arc<Dictionaries>,
    wanted: Wanted,
    candidates: Candidates,
    raw: Raw,
    left: u64,
    last: i64,
    next_chunk: i64,
}

type Read = (Vec<i64>, Vec<FindingRow>, HashMap<i64, Vec<ReadSighting>>);

/// The next findings.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) findings: Vec<Finding>,
    pub(super) is_last: bool,
}

impl Listing {
    /// The first is small, so that the first line is there soon.
    const FIRST_CHUNK: i64 = 16;
    const MOST_IN_CHUNK: i64 = 512;

    pub(super) async fn begin(
        sessions: Sessions,
        dictionaries: Arc<Dictionaries>,
        filter: &FindingFilter,
    ) -> Result<Self, Fault> {
        let looking_up = async {
            let mut session = sessions.session().await?;
            let wanted = candidates::wanted(&mut session, filter).await?;
            let candidates = Candidates::new(&mut session, &wanted).await?;
            let begin = candidates::begin(&mut session, &wanted).await?;
            session.give_back();
            Ok((wanted, candidates, begin))
        };
        let (wanted, candidates, begin) = sessions.in_time(looking_up).await?;
        Ok(Self {
            sessions,
            dictionaries,
            wanted,
            candidates,
            raw: Raw::of(filter.raw),
            left: filter.limit.unwrap_or(u64::MAX),
            // No id is larger: nothing is listed.
            last: begin.unwrap_or(i64::MAX),
            next_chunk: Self::FIRST_CHUNK,
        })
    }

    /// Reads on. A chunk may be empty and not the last: somebody may have stopped listening meanwhile.
    pub(super) async fn next_chunk(&mut self) -> Result<Chunk, Fault> {
        let asked = self.next_chunk;
        let (ids, rows, mut sightings) = self.sessions.in_time(self.read(asked)).await?;
        let mut findings = Vec::with_capacity(rows.len());
        for row in rows {
            let of = sightings.remove(&row.id).unwrap_or_default();
            if self.left > 0 && self.wanted.admits_words(&row, &of) {
                findings.push(printing::finding(row, of)?);
                self.left -= 1;
            }
        }
        if let Some(last) = ids.last() {
            self.last = *last;
        }
        self.next_chunk = (self.next_chunk * 2).min(Self::MOST_IN_CHUNK);
        Ok(Chunk {
            findings,
            is_last: self.left == 0 || (ids.len() as i64) < asked,
        })
    }

    /// The next ids, and the findings of those that may pass, each as it is at one moment.
    async fn read(&self, asked: i64) -> Result<Read, Fault> {
        let mut session = self.sessions.session().await?;
        let mut moment = session.begin().await?;
        sqlx::query(ONE_MOMENT).execute(&mut *moment).await?;
        let ids = self.candidates.next(&mut moment, self.last, asked).await?;
        let rows = self.admitted(&mut moment, &ids).await?;
        let admitted: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let sightings =
            reading::sightings(&mut moment, &self.dictionaries, &admitted, self.raw).await?;
        moment.commit().await?;
        session.give_back();
        Ok((ids, rows, sightings))
    }

    async fn admitted(
        &self,
        connection: &mut PgConnection,
        ids: &[i64],
    ) -> Result<Vec<FindingRow>, Fault> {
        let mut rows = reading::findings(connection, ids).await?;
        rows.retain(|row| self.wanted.admits(row));
        if let Some(scopes) = &self.wanted.scopes {
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let scopes: Vec<i64> = scopes.iter().copied().collect();
            let within: Vec<i64> = sqlx::query_scalar(SCOPES_OF_FINDINGS)
                .bind(ids)
                .bind(scopes)
                .fetch_all(connection)
                .await?;
            rows.retain(|row| within.contains(&row.id));
        }
        Ok(rows)
    }
}

/// One finding with its history.
pub(super) async fn finding(
    connection: &mut PgConnection,
    dictionaries: &Dictionaries,
    id: i64,
    raw_is_wanted: bool,
) -> Result<Option<Finding>, Fault> {
    let mut moment = connection.begin().await?;
    sqlx::query(ONE_MOMENT).execute(&mut *moment).await?;
    let Some(row) = reading::findings(&mut moment, &[id]).await?.pop() else {
        return Ok(None);
    };
    let raw = Raw::of(raw_is_wanted);
    let mut sightings = reading::sightings(&mut moment, dictionaries, &[id], raw).await?;
    let mut finding = printing::finding(row, sightings.remove(&id).unwrap_or_default())?;
    finding.history = Some(reading::history(&mut moment, dictionaries, &finding).await?);
    moment.commit().await?;
    Ok(Some(finding))
}
