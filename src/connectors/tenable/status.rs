//! What Tenable says of an export job, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Queued, processing, or a word that is not known.
    UnderWay,
    Finished,
    Failed,
    Cancelled,
}

/// A job's status.
#[derive(Debug, Clone)]
pub(super) struct JobStatus {
    pub(super) state: State,
    /// Vendor's word for it.
    pub(super) word: String,
    /// Ids of the chunks that can be had, in no order, and not all in a row.
    pub(super) available: Option<Vec<u64>>,
    failed: usize,
    cancelled: usize,
    total: Option<u64>,
    empty: Option<u64>,
    reason: Option<String>,
    filters: Map<String, Value>,
}

/// Lists are read strictly: one that is not understood is not an empty one.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    reason: Option<String>,
    chunks_available: Option<Vec<u64>>,
    chunks_failed: Option<Vec<IgnoredAny>>,
    chunks_cancelled: Option<Vec<IgnoredAny>>,
    total_chunks: Option<u64>,
    empty_chunks_count: Option<u64>,
    filters: Option<Value>,
}

impl JobStatus {
    /// Reads the answer.
    ///
    /// # Errors
    /// It is of another shape.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let answer: Answer = serde_json::from_str(json)
            .map_err(|error| format!("the status of the export is of another shape: {error}"))?;
        let word = answer.status.trim().to_ascii_uppercase();
        let state = match word.as_str() {
            "FINISHED" => State::Finished,
            "ERROR" => State::Failed,
            "CANCELLED" => State::Cancelled,
            _ => State::UnderWay,
        };
        let filters = match answer.filters {
            Some(Value::Object(filters)) => filters,
            _ => Map::new(),
        };
        Ok(Self {
            state,
            word,
            available: answer.chunks_available,
            failed: answer.chunks_failed.map_or(0, |list| list.len()),
            cancelled: answer.chunks_cancelled.map_or(0, |list| list.len()),
            total: answer.total_chunks,
            empty: answer.empty_chunks_count,
            reason: answer.reason,
            filters,
        })
    }

    /// Whether the job exports what a request with this body asks for, as far as the vendor tells.
    pub(super) fn is_of(&self, body: &Value) -> bool {
        let Some(Value::Object(own)) = body.get("filters") else {
            return false;
        };
        !self.filters.is_empty() && plain(&self.filters) == plain(own)
    }

    fn because(&self) -> String {
        let reason = self.reason.as_deref().map(str::trim);
        match reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => format!(": {reason}"),
            None => String::new(),
        }
    }
}

/// Filters in a form that can be compared: tags beside the others, without what stands for "unset", and lists without order and
/// case.
fn plain(filters: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut plain = BTreeMap::new();
    for (name, value) in filters {
        match value {
            Value::Object(inner) if name == "tags" => {
                plain.extend(
                    inner
                        .iter()
                        .map(|(tag, values)| (tag.clone(), in_order(values))),
                );
            }
            Value::Null => {}
            Value::Number(number) if number.as_f64() == Some(0.0) => {}
            Value::String(text) if text.is_empty() => {}
            Value::Array(values) if values.is_empty() => {}
            Value::Object(members) if members.is_empty() => {}
            value => {
                plain.insert(name.clone(), in_order(value));
            }
        }
    }
    plain
}

fn in_order(value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let words = values.iter().map(|value| match value {
                Value::String(text) => text.to_uppercase(),
                other => other.to_string(),
            });
            words.collect::<BTreeSet<_>>().into_iter().collect()
        }
        Value::String(text) => text.to_lowercase().into(),
        other => other.clone(),
    }
}

/// Which chunks of a job have been read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    read: BTreeSet<u64>,
    lost: BTreeMap<u64, String>,
}

/// What a job was in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The whole export was read.
    Whole,
    /// It was not, for this reason; another job may do better.
    Again(String),
    /// It was not, for this reason.
    Lost(String),
}

impl Ledger {
    /// The chunks that can be had and have not been looked at.
    pub(super) fn open(&self, status: &JobStatus) -> Vec<u64> {
        let available = status.available.iter().flatten().copied();
        let open = available.filter(|id| !self.read.contains(id) && !self.lost.contains_key(id));
        open.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn read(&mut self, chunk: u64) {
        self.read.insert(chunk);
    }

    pub(super) fn lost(&mut self, chunk: u64, reason: String) {
        self.lost.insert(chunk, reason);
    }

    /// What follows for a job that has come to its end, when all its chunks have been tried.
    pub(super) fn verdict(&self, status: &JobStatus) -> Verdict {
        let because = status.because();
        match status.state {
            State::Failed => return Verdict::Again(format!("Tenable failed to export{because}")),
            State::Cancelled => {
                return Verdict::Lost(format!("the export was cancelled in Tenable{because}"));
            }
            State::UnderWay => {
                return Verdict::Lost(format!("the export is still {}", status.word));
            }
            State::Finished => {}
        }
        if status.failed > 0 {
            return Verdict::Again(format!(
                "the export finished without {} of its chunks{because}",
                status.failed
            ));
        }
        if status.cancelled > 0 {
            return Verdict::Again(format!(
                "the export finished with {} of its chunks cancelled{because}",
                status.cancelled
            ));
        }
        if let Some((chunk, reason)) = self.lost.first_key_value() {
            let others = match self.lost.len() {
                1 => String::new(),
                lost => format!(" ({} more chunks are lost)", lost - 1),
            };
            return Verdict::Lost(format!("chunk {chunk} could not be read: {reason}{others}"));
        }
        if status.available.is_none() {
            return Verdict::Lost("the finished export names no chunks".to_owned());
        }
        let read = self.read.len() as u64;
        // Whether chunks without findings are listed is not documented.
        let whole = |total: u64| total == read || Some(total.wrapping_sub(read)) == status.empty;
        match status.total {
            Some(total) if !whole(total) => Verdict::Lost(format!(
                "the export has {total} chunks by its own count, and {read} could be read"
            )),
            _ => Verdict::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn status(json: &Value) -> JobStatus {
        JobStatus::parse(&json.to_string()).unwrap()
    }

    /// The verdict of a job of which everything on offer could be read.
    fn verdict(json: &Value) -> Verdict {
        let status = status(json);
        let mut ledger = Ledger::default();
        for chunk in ledger.open(&status) {
            ledger.read(chunk);
        }
        assert!(ledger.open(&status).is_empty());
        ledger.verdict(&status)
    }

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Whole => "whole".to_owned(),
            Verdict::Again(reason) => format!("again: {reason}"),
            Verdict::Lost(reason) => format!("lost: {reason}"),
        }
    }

    #[test]
    fn a_finished_job_whose_chunks_were_all_read_is_whole() {
        for whole in [
            json!({"status": "FINISHED", "chunks_available": [7, 2, 3], "total_chunks": 3,
                "chunks_failed": [], "chunks_cancelled": [], "empty_chunks_count": 0}),
            // As in 2018.
            json!({"status": "finished", "chunks_available": [1]}),
            json!({"status": "FINISHED", "chunks_available": [1, 1], "total_chunks": 1}),
            json!({"status": "FINISHED", "chunks_available": [], "total_chunks": 0}),
            json!({"status": "FINISHED", "chunks_available": [1], "total_chunks": 2, "empty_chunks_count": 1}),
            json!({"status": "FINISHED", "chunks_available": [1], "total_chunks": null, "chunks_failed": null}),
        ] {
            assert_eq!(verdict(&whole), Verdict::Whole, "{whole}");
        }
    }

    #[test]
    fn failed_cancelled_and_missing_chunks_are_never_whole() {
        for (json, expected) in [
            (
                json!({"status": "FINISHED", "chunks_available": [1], "chunks_failed": [2], "total_chunks": 2,
                    "reason": "1 of 2 chunks failed to process."}),
                "again: the export finished without 1 of its chunks: 1 of 2 chunks failed to process.",
            ),
            (
                json!({"status": "FINISHED", "chunks_available": [1], "chunks_cancelled": ["2"]}),
                "again: the export finished with 1 of its chunks cancelled",
            ),
            (
                json!({"status": "FINISHED", "chunks_available": [1, 2], "total_chunks": 3, "empty_chunks_count": 0}),
                "lost: the export has 3 chunks by its own count, and 2 could be read",
            ),
            (
                json!({"status": "FINISHED", "chunks_available": [1, 2], "total_chunks": 1}),
                "lost: the export has 1 chunks by its own count, and 2 could be read",
            ),
            (
                json!({"status": "FINISHED", "total_chunks": 0}),
                "lost: the finished export names no chunks",
            ),
            (
                json!({"status": "ERROR", "chunks_available": [], "reason": "Try again."}),
                "again: Tenable failed to export: Try again.",
            ),
            (
                json!({"status": "CANCELLED", "chunks_available": [1], "total_chunks": 1}),
                "lost: the export was cancelled in Tenable",
            ),
            (
                json!({"status": "PAUSED", "chunks_available": []}),
                "lost: the export is still PAUSED",
            ),
        ] {
            assert_eq!(reason(verdict(&json)), expected);
        }
    }

    #[test]
    fn a_chunk_that_was_tried_in_vain_is_lost_and_named() {
        let status =
            status(&json!({"status": "FINISHED", "chunks_available": [1, 4], "total_chunks": 2}));
        let mut ledger = Ledger::default();
        ledger.read(1);
        ledger.lost(4, "an empty body".to_owned());
        assert!(ledger.open(&status).is_empty());
        let Verdict::Lost(reason) = ledger.verdict(&status) else {
            panic!("not lost");
        };
        assert_eq!(reason, "chunk 4 could not be read: an empty body");
    }

    #[test]
    fn lists_that_are_not_understood_are_an_error_and_not_empty() {
        for wrong in [
            r#"{"status":"FINISHED","chunks_available":"none"}"#,
            r#"{"status":"FINISHED","chunks_available":[-1]}"#,
            r#"{"status":"FINISHED","chunks_available":[],"chunks_failed":{}}"#,
            r#"{"chunks_available":[]}"#,
            "[]",
        ] {
            assert!(JobStatus::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_job_is_of_a_request_when_its_filters_are_exactly_those() {
        let body = json!({"num_assets": 500, "include_unlicensed": true, "filters": {
            "since": 946_684_800, "state": ["OPEN", "REOPENED", "FIXED"], "tag.Location": ["Dallas"]}});
        let is_of = |filters: Value| {
            status(&json!({"status": "PROCESSING", "filters": filters})).is_of(&body)
        };
        let echo = json!({"since": 946_684_800, "state": ["fixed", "OPEN", "REOPENED"],
            "tags": {"tag.Location": ["Dallas"]}, "first_found": 0, "indexed_at": 0, "severity": [],
            "cidr_range": "", "network_id": null});
        assert!(is_of(echo.clone()));
        for (name, other) in [
            ("severity", json!(["HIGH"])),
            ("since", json!(0)),
            ("state", json!(["OPEN"])),
            ("tags", json!({"tag.Location": ["Berlin"]})),
            ("tags", json!({})),
            ("plugin_id", json!([1])),
        ] {
            let mut filters = echo.clone();
            filters[name] = other;
            assert!(!is_of(filters), "{name}");
        }
        assert!(!is_of(json!({})), "nothing is told");
    }
}
