//! Jobs of exports, from their request to their last chunk.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::filter::Filter;
use super::generated;
use super::model::World;
use crate::random::uuid_of;

/// So many exports of findings run at once in a tenant.
const PLACES: usize = 2;

/// What `num_assets` is set to if it is smaller or larger.
const ASSETS: std::ops::RangeInclusive<u64> = 50..=5000;

/// Which product's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Vulns,
    Web,
}

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// All goes well.
    Well,
    /// It ends with an error.
    Error,
    /// An administrator cancels it when half of the chunks are there.
    Cancelled,
    /// It finishes, and the chunk of this place failed.
    FailedChunk(usize),
    /// It finishes, and the chunk of this place was cancelled.
    CancelledChunk(usize),
    /// It finishes, and says that there is one more chunk than it lists.
    OneChunkShort,
    /// It never finishes.
    Stuck,
    /// It is gone when its chunks are asked for.
    Expired,
    /// It is gone when its status is asked for.
    Forgotten,
    /// The chunk of this place has an empty body, so often.
    EmptyBody(usize, u32),
    /// The chunk of this place is not ready, so often.
    NotReady(usize, u32),
    /// The chunk of this place cannot be had.
    LostChunk(usize),
}

/// A job as it was asked for, and what it came to.
#[derive(Debug, Clone)]
pub struct JobSeen {
    /// Its id.
    pub id: String,
    /// The request's body.
    pub body: Value,
    /// `QUEUED`, `PROCESSING`, …
    pub status: &'static str,
    /// Ids of its chunks in the order in which they were downloaded.
    pub downloads: Vec<u64>,
}

#[derive(Debug)]
struct Job {
    id: String,
    product: Product,
    body: Value,
    fate: Fate,
    looks_left: u32,
    cancelled: bool,
    chunks: Vec<Rows>,
    downloads: Vec<u64>,
}

/// The findings of a chunk.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// These.
    Listed(Arc<Vec<Value>>),
    /// Those of these numbers.
    Generated(Range<u64>),
}

impl Rows {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Listed(rows) => rows.len() as u64,
            Self::Generated(numbers) => numbers.end - numbers.start,
        }
    }

    /// The row of a position below [`Self::len`].
    pub(super) fn row(&self, position: u64) -> Value {
        match self {
            Self::Listed(rows) => rows[usize::try_from(position).unwrap_or(0)].clone(),
            Self::Generated(numbers) => generated::finding(numbers.start + position),
        }
    }
}

/// All jobs of a tenant.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
    pub(super) most_at_once: usize,
}

impl Jobs {
    pub(super) fn seen(&self) -> Vec<JobSeen> {
        let seen = self.jobs.iter().map(|job| JobSeen {
            id: job.id.clone(),
            body: job.body.clone(),
            status: job.status(),
            downloads: job.downloads.clone(),
        });
        seen.collect()
    }

    pub(super) fn start(
        &mut self,
        world: &mut World,
        product: Product,
        body: &Value,
    ) -> Result<String, Refusal> {
        if !world.may_export {
            return Err(Refusal::Forbidden);
        }
        let filter = Filter::of(world, body).map_err(Refusal::Invalid)?;
        let running = self.jobs.iter().filter(|job| !job.has_ended());
        let running: Vec<_> = running.filter(|job| job.product == product).collect();
        let same = |job: &&&Job| job.body.get("filters") == body.get("filters");
        if let Some(job) = running.iter().find(same) {
            return Err(match world.says_duplicate {
                true => Refusal::Duplicate(job.id.clone()),
                false => Refusal::Conflict(job.id.clone()),
            });
        }
        if running.len() + world.others >= PLACES {
            return Err(Refusal::TooMany(world.retry_after));
        }
        self.most_at_once = self.most_at_once.max(running.len() + 1);
        let id = uuid_of(&format!("tenable job {}", self.jobs.len()));
        self.jobs.push(Job {
            id: id.clone(),
            product,
            body: body.clone(),
            fate: world.fates.pop_front().unwrap_or(Fate::Well),
            looks_left: world.looks,
            cancelled: false,
            chunks: chunks(world, product, &filter, body),
            downloads: Vec::new(),
        });
        if world.gateway_timeouts > 0 {
            world.gateway_timeouts -= 1;
            return Err(Refusal::GatewayTimeout);
        }
        Ok(id)
    }

    pub(super) fn look(&mut self, id: &str, is_terse: bool) -> Result<Value, Refusal> {
        let job = self.job(id)?;
        if job.fate == Fate::Forgotten {
            // It takes no place any more.
            job.cancelled = true;
            return Err(Refusal::Expired);
        }
        let status = job.render(is_terse);
        job.looks_left = job.looks_left.saturating_sub(1);
        Ok(status)
    }

    pub(super) fn all(&self, product: Product) -> Value {
        let jobs = self.jobs.iter().filter(|job| job.product == product);
        let jobs = jobs.map(|job| json!({"uuid": job.id, "status": job.status()}));
        json!({"exports": jobs.collect::<Vec<_>>()})
    }

    pub(super) fn cancel(&mut self, id: &str) -> bool {
        match self.jobs.iter_mut().find(|job| job.id == id) {
            Some(job) => {
                job.cancelled |= !job.has_ended();
                true
            }
            None => false,
        }
    }

    pub(super) fn download(&mut self, id: &str, chunk: u64) -> Result<Option<Rows>, Refusal> {
        let job = self.job(id)?;
        job.downloads.push(chunk);
        let times = job.downloads.iter().filter(|one| **one == chunk).count();
        let place = (0..job.chunks.len()).find(|place| id_of_chunk(*place) == chunk);
        let place = place.ok_or(Refusal::Expired)?;
        match job.fate {
            Fate::Expired => return Err(Refusal::Expired),
            Fate::EmptyBody(bad, often) if bad == place && times <= often as usize => {
                return Ok(None);
            }
            Fate::NotReady(bad, often) if bad == place && times <= often as usize => {
                return Err(Refusal::NotReady);
            }
            Fate::LostChunk(bad) if bad == place => return Err(Refusal::Internal),
            _ => {}
        }
        match job.available().contains(&chunk) {
            true => Ok(Some(job.chunks[place].clone())),
            false => Err(Refusal::NotReady),
        }
    }

    fn job(&mut self, id: &str) -> Result<&mut Job, Refusal> {
        let job = self.jobs.iter_mut().find(|job| job.id == id);
        job.ok_or(Refusal::Expired)
    }
}

impl Job {
    fn has_ended(&self) -> bool {
        !matches!(self.status(), "QUEUED" | "PROCESSING")
    }

    fn status(&self) -> &'static str {
        match self.fate {
            _ if self.cancelled => "CANCELLED",
            Fate::Stuck => "PROCESSING",
            _ if self.looks_left > 1 => "QUEUED",
            _ if self.looks_left == 1 => "PROCESSING",
            Fate::Error => "ERROR",
            Fate::Cancelled => "CANCELLED",
            _ => "FINISHED",
        }
    }

    /// Ids of the chunks on offer; while the job is under way those of the second half. The last one comes first.
    fn available(&self) -> Vec<u64> {
        let all = 0..self.chunks.len();
        let places = match (self.status(), &self.fate) {
            ("QUEUED" | "ERROR", _) => 0..0,
            ("PROCESSING" | "CANCELLED", _) => all.end / 2..all.end,
            _ => all,
        };
        let lacking = match self.fate {
            Fate::FailedChunk(place) | Fate::CancelledChunk(place) => Some(place),
            _ => None,
        };
        let places = places.rev().filter(|place| Some(*place) != lacking);
        places.map(id_of_chunk).collect()
    }

    fn render(&self, is_terse: bool) -> Value {
        let available = self.available();
        let mut status = json!({"status": self.status(), "chunks_available": available});
        if is_terse {
            return status;
        }
        let finished = self.status() == "FINISHED";
        let lacking = |place: usize| vec![id_of_chunk(place)];
        let total = self.chunks.len();
        let (failed, cancelled, extra) = match self.fate {
            Fate::FailedChunk(place) if finished => (lacking(place), Vec::new(), 0),
            Fate::CancelledChunk(place) if finished => (Vec::new(), lacking(place), 0),
            Fate::OneChunkShort if finished => (Vec::new(), Vec::new(), 1),
            _ => (Vec::new(), Vec::new(), 0),
        };
        if !failed.is_empty() {
            status["reason"] = format!(
                "{} of {total} chunks failed to process. The remaining chunks are available for download.",
                failed.len()
            )
            .into();
        }
        if self.status() == "ERROR" {
            status["reason"] = "An unexpected error occurred while processing the export.".into();
        }
        status["uuid"] = self.id.as_str().into();
        status["chunks_failed"] = failed.into();
        status["chunks_cancelled"] = cancelled.into();
        status["total_chunks"] = (total + extra).into();
        status["chunks_available_count"] = available.len().into();
        status["empty_chunks_count"] = 0.into();
        status["finished_chunks"] = available.len().into();
        status["filters"] = self.echo();
        status["num_assets_per_chunk"] = self.body["num_assets"].clone();
        status["created"] = 1_790_000_000_123_i64.into();
        status
    }

    /// The filters as they are told: times that were not given are 0, tags stand in an object of their own.
    fn echo(&self) -> Value {
        let mut echo = json!({"since": 0, "first_found": 0, "last_found": 0, "last_fixed": 0,
            "first_seen": 0, "last_seen": 0, "indexed_at": 0, "resurfaced_date": 0});
        let mut tags = Map::new();
        let filters = self.body.get("filters").and_then(Value::as_object);
        for (name, value) in filters.into_iter().flatten() {
            match name.starts_with("tag.") {
                true => drop(tags.insert(name.clone(), value.clone())),
                false => echo[name] = value.clone(),
            }
        }
        if !tags.is_empty() {
            echo["tags"] = tags.into();
        }
        echo
    }
}

/// Ids have gaps: 1, 2, 4, 5, 7, …
fn id_of_chunk(place: usize) -> u64 {
    place as u64 + 1 + place as u64 / 2
}

/// The findings that the filter admits, those of so many assets a chunk.
fn chunks(world: &World, product: Product, filter: &Filter, body: &Value) -> Vec<Rows> {
    let asked = body["num_assets"].as_u64().unwrap_or(*ASSETS.start());
    let asked = asked.clamp(*ASSETS.start(), *ASSETS.end());
    let size = world
        .assets_per_chunk
        .unwrap_or(usize::try_from(asked).unwrap_or(usize::MAX));
    let rows = match product {
        Product::Vulns => &world.findings,
        Product::Web => &world.web_findings,
    };
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut assets: Vec<Vec<Value>> = Vec::new();
    for row in rows.iter().filter(|row| filter.admits(world, row)) {
        let asset = row["asset"]["uuid"].as_str().unwrap_or_default();
        let place = *places.entry(asset).or_insert(assets.len());
        match assets.get_mut(place) {
            Some(rows) => rows.push(row.clone()),
            None => assets.push(vec![row.clone()]),
        }
    }
    let listed = assets.chunks(size.max(1));
    let listed = listed.map(|assets| Rows::Listed(Arc::new(assets.concat())));
    let mut chunks: Vec<_> = listed.collect();
    if product == Product::Vulns {
        let per_chunk = generated::PER_ASSET * size as u64;
        let starts = (0..world.generated).step_by(usize::try_from(per_chunk).unwrap_or(usize::MAX));
        chunks.extend(
            starts.map(|start| Rows::Generated(start..(start + per_chunk).min(world.generated))),
        );
    }
    chunks
}
