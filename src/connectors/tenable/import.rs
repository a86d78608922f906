//! Reads one export from its request to its last row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, sleep};

use super::api::{Api, explain};
use super::finding;
use super::job::{Exports, Job, Wish, pause, start};
use super::pace::Pace;
use super::selection::Selection;
use super::status::{JobStatus, Ledger, State, Verdict};
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Scope, Sink, SinkClosed};
use crate::finding::{Sighting, SourceKey};
use crate::http::{HttpError, HttpErrorKind};

/// So often an export is asked for if Tenable fails with it.
const EXPORTS: u32 = 2;

/// So often a chunk is downloaded if it breaks off or is no list.
const DOWNLOADS: u32 = 3;

/// After so many looks at a job in a row that failed, each of several requests, it is given up.
const FAILED_LOOKS: u32 = 3;

/// After so many chunks in a row that the server did not give, the others are not tried.
const FAILED_CHUNKS: u32 = 2;

/// So many findings wait for another row of the same id, or to be told as left out.
const WAITING: usize = 500;

/// How exports are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) num_assets: i64,
    /// From the wish for an export until Tenable has finished it.
    pub(super) limit: Duration,
    pub(super) pace: Pace,
}

/// One import.
pub(super) struct Import<'a> {
    api: &'a Api,
    exports: &'a Arc<Exports>,
    selection: &'a Selection,
    manner: Manner,
    sink: &'a mut Sink,
    scope: Scope,
    pages: Pages,
    latest: Latest,
    left_out: Vec<SourceKey>,
    rows: u64,
    /// Chunks that the server did not give, one after the other.
    refused_in_a_row: u32,
}

/// What became of a chunk.
enum Chunk {
    Read,
    /// Not to be had yet, while the job is under way.
    NotYet,
    /// The job's results are gone.
    Expired,
    Lost(String),
}

/// Why a download came to nothing.
enum Trouble {
    /// Before its first byte, after all that the client tries by itself.
    Refused(HttpError),
    /// In its middle.
    Broken(HttpError),
    Closed(SinkClosed),
}

impl<'a> Import<'a> {
    pub(super) fn new(
        api: &'a Api,
        exports: &'a Arc<Exports>,
        selection: &'a Selection,
        manner: Manner,
        sink: &'a mut Sink,
    ) -> Self {
        let scope = Scope {
            record: selection.record(),
            branch: None,
            part: None,
        };
        Self {
            api,
            exports,
            selection,
            manner,
            sink,
            pages: Pages::of(scope.clone()),
            scope,
            latest: Latest::default(),
            left_out: Vec::new(),
            rows: 0,
            refused_in_a_row: 0,
        }
    }

    /// Reads everything, and ends the scope. What was read before a failure is handed over all the same.
    pub(super) async fn read(mut self) -> Result<(), ConnectorError> {
        let read = self.read_exports().await;
        self.hand_over().await?;
        self.tell_left_out().await?;
        self.pages.flush(self.sink).await?;
        let doubt = read?.or_else(|| self.selection.excerpt());
        let completeness = match doubt {
            Some(reason) => Completeness::Incomplete(reason),
            None => Completeness::Complete,
        };
        if completeness == Completeness::Complete && self.rows == 0 {
            let warning = "the export holds no finding at all; if there should be some, see whether the keys' user still has Can View on the assets";
            self.sink.put(Pulled::Warning(warning.to_owned())).await?;
        }
        Ok(self.pages.end(completeness, self.sink).await?)
    }

    /// Why the export is not whole, if so.
    async fn read_exports(&mut self) -> Result<Option<String>, ConnectorError> {
        let mut exports = 0;
        loop {
            exports += 1;
            match self.read_export().await? {
                Verdict::Whole => return Ok(None),
                Verdict::Lost(reason) => return Ok(Some(reason)),
                Verdict::Again(reason) if exports == EXPORTS => {
                    return Ok(Some(format!(
                        "{reason} (the {exports}th export of this run)"
                    )));
                }
                Verdict::Again(reason) => {
                    let warning = format!("{reason}; it is asked for once more");
                    self.sink.put(Pulled::Warning(warning)).await?;
                }
            }
        }
    }

    async fn read_export(&mut self) -> Result<Verdict, ConnectorError> {
        let body = self.selection.body(self.manner.num_assets, Utc::now());
        let limit = humantime::format_duration(self.manner.limit);
        let wish = Wish {
            api: self.api,
            source: self.selection.source,
            body: &body,
            pace: self.manner.pace,
            deadline: Instant::now() + self.manner.limit,
        };
        let Some(mut job) = start(self.exports, &wish).await? else {
            return Ok(Verdict::Lost(format!(
                "no export could be started within {limit}: others take the places that the tenant has for exports; see Settings, Exports in Tenable, or raise export_timeout_minutes"
            )));
        };
        let mut ledger = Ledger::default();
        let mut waits = self.manner.pace.waits();
        let mut failed_looks = 0;
        loop {
            match self.look(&mut job, &mut ledger).await? {
                Look::Ended(verdict) => return Ok(verdict),
                Look::UnderWay => failed_looks = 0,
                Look::Failed(error) => {
                    failed_looks += 1;
                    if failed_looks >= FAILED_LOOKS {
                        return Err(explain(error));
                    }
                }
            }
            let wait = waits.next().unwrap_or(self.manner.pace.longest);
            if !pause(wait, wish.deadline).await {
                let id = job.id.clone();
                job.cancel().await;
                return Ok(Verdict::Lost(format!(
                    "Tenable had not finished the export {id} within {limit}, so it was cancelled; raise export_timeout_minutes if exports take longer"
                )));
            }
        }
    }

    /// Looks at a job, and reads the chunks that have come.
    async fn look(&mut self, job: &mut Job, ledger: &mut Ledger) -> Result<Look, ConnectorError> {
        let status = match self.api.status(self.selection.source, &job.id).await {
            Ok(status) => status,
            Err(error) if is_gone(&error) => {
                job.settle();
                return Ok(Look::Ended(Verdict::Again(EXPIRED.to_owned())));
            }
            Err(error) if may_pass(&error) => return Ok(Look::Failed(error)),
            Err(error) => return Err(explain(error)),
        };
        let ended = status.state != State::UnderWay;
        if ended {
            job.settle();
        }
        for chunk in ledger.open(&status) {
            match self.read_chunk(&job.id, chunk, &status).await? {
                Chunk::Read => ledger.read(chunk),
                Chunk::NotYet => {}
                Chunk::Lost(reason) => ledger.lost(chunk, reason),
                Chunk::Expired => {
                    return Ok(Look::Ended(Verdict::Again(EXPIRED.to_owned())));
                }
            }
        }
        if !ended {
            return Ok(Look::UnderWay);
        }
        Ok(Look::Ended(match ledger.verdict(&status) {
            // Whoever started it may have stopped it; that is no reason not to have one of our own.
            Verdict::Lost(reason) if job.adopted && status.state == State::Cancelled => {
                Verdict::Again(reason)
            }
            verdict => verdict,
        }))
    }

    async fn read_chunk(
        &mut self,
        job: &str,
        chunk: u64,
        status: &JobStatus,
    ) -> Result<Chunk, ConnectorError> {
        let mut waits = self.manner.pace.waits();
        let mut downloads = 0;
        loop {
            downloads += 1;
            let error = match self.download(job, chunk).await {
                Ok(()) => {
                    self.refused_in_a_row = 0;
                    return Ok(Chunk::Read);
                }
                Err(Trouble::Closed(closed)) => return Err(closed.into()),
                Err(Trouble::Refused(error)) if is_gone(&error) => return Ok(Chunk::Expired),
                Err(Trouble::Refused(error)) if is_refused_for_all(&error) => {
                    return Err(explain(error));
                }
                Err(Trouble::Refused(error)) if is_server(&error) => {
                    self.refused_in_a_row += 1;
                    if self.refused_in_a_row >= FAILED_CHUNKS {
                        return Err(explain(error));
                    }
                    return Ok(Chunk::Lost(error.message));
                }
                Err(Trouble::Refused(error) | Trouble::Broken(error)) => error,
            };
            if error.kind == HttpErrorKind::TooLarge {
                return Ok(Chunk::Lost(error.message));
            }
            if downloads >= DOWNLOADS {
                // Tenable says 400 for a chunk that is not ready.
                let may_come = error.status() == Some(400) && status.state == State::UnderWay;
                return Ok(match may_come {
                    true => Chunk::NotYet,
                    false => {
                        Chunk::Lost(format!("{} (downloaded {downloads} times)", error.message))
                    }
                });
            }
            sleep(waits.next().unwrap_or(self.manner.pace.longest)).await;
        }
    }

    async fn download(&mut self, job: &str, chunk: u64) -> Result<(), Trouble> {
        let source = self.selection.source;
        let elements = self.api.chunk(source, job, chunk).await;
        let mut elements = elements.map_err(Trouble::Refused)?;
        while let Some(rows) = elements.next().await.map_err(Trouble::Broken)? {
            for row in rows {
                self.take(&row).await.map_err(Trouble::Closed)?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, row: &[u8]) -> Result<(), SinkClosed> {
        self.rows += 1;
        let mapped = std::str::from_utf8(row)
            .map_err(|_| "a finding is not UTF-8".to_owned())
            .and_then(|text| finding::map(text, self.selection.source));
        match mapped {
            Err(reason) => self.pages.add(Err(reason), self.sink).await,
            Ok(mapped)
                if self
                    .selection
                    .leaves_out(&mapped.sighting, mapped.family.as_deref()) =>
            {
                self.left_out.push(mapped.sighting.source_key());
                match self.left_out.len() >= WAITING {
                    true => self.tell_left_out().await,
                    false => Ok(()),
                }
            }
            Ok(mapped) => {
                self.latest.put(mapped.sighting);
                match self.latest.is_full() {
                    true => self.hand_over().await,
                    false => Ok(()),
                }
            }
        }
    }

    async fn hand_over(&mut self) -> Result<(), SinkClosed> {
        for sighting in self.latest.take() {
            self.pages.add(Ok(sighting), self.sink).await?;
        }
        Ok(())
    }

    async fn tell_left_out(&mut self) -> Result<(), SinkClosed> {
        let keys = std::mem::take(&mut self.left_out);
        if keys.is_empty() {
            return Ok(());
        }
        let scope = self.scope.clone();
        self.sink.put(Pulled::LeftOut { scope, keys }).await
    }
}

/// What a look at a job showed.
enum Look {
    UnderWay,
    Ended(Verdict),
    /// Nothing; the next one may do better.
    Failed(HttpError),
}

const EXPIRED: &str = "Tenable no longer has the export (it has expired or was deleted)";

fn is_gone(error: &HttpError) -> bool {
    matches!(error.status(), Some(404 | 410))
}

/// The keys or the address are at fault, not this chunk.
fn is_refused_for_all(error: &HttpError) -> bool {
    matches!(error.status(), Some(401 | 403))
        || matches!(error.kind, HttpErrorKind::Redirected | HttpErrorKind::Setup)
}

/// The server's or the network's failure, which was tried more than once.
fn is_server(error: &HttpError) -> bool {
    error.kind == HttpErrorKind::Connection
        || error
            .status()
            .is_some_and(|status| status == 429 || status >= 500)
}

fn may_pass(error: &HttpError) -> bool {
    is_server(error)
        || matches!(
            error.kind,
            HttpErrorKind::TimedOut | HttpErrorKind::Truncated
        )
}

/// Rows may come again in another chunk while Tenable sorts its data anew: the last one counts.
#[derive(Debug, Default)]
struct Latest {
    sightings: Vec<Sighting>,
    places: HashMap<SourceKey, usize>,
}

impl Latest {
    fn put(&mut self, sighting: Sighting) {
        let next = self.sightings.len();
        match *self.places.entry(sighting.source_key()).or_insert(next) {
            place if place < next => self.sightings[place] = sighting,
            _ => self.sightings.push(sighting),
        }
    }

    fn is_full(&self) -> bool {
        self.sightings.len() >= WAITING
    }

    fn take(&mut self) -> Vec<Sighting> {
        self.places.clear();
        std::mem::take(&mut self.sightings)
    }
}
