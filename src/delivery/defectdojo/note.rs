//! What is noted before something is sent, for whoever delivers next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::names::Names;

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Of the message. Another one is about other findings.
    pub(super) revision: i64,
    /// Which test of the group.
    pub(super) part: usize,
    /// What was sent, or is about to be.
    pub(super) sent: Option<Sent>,
}

/// A file that was sent, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// Its own name, which DefectDojo keeps as `build_id`.
    pub(super) delivery: String,
    /// The test's names.
    pub(super) names: Names,
    /// The test, if it was there.
    pub(super) test: Option<u64>,
    /// The newest import into the test before it; 0 if there was none.
    pub(super) import_before: u64,
    /// When. Until the time limit of the request is over DefectDojo may be at it.
    pub(super) at: DateTime<Utc>,
    /// Where it stands.
    pub(super) stage: Stage,
    /// Told to close what is not in it.
    pub(super) closes: bool,
}

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Nobody knows what has become of it.
    Open,
    /// DefectDojo has it; changes of severity and status may be missing.
    Arrived,
    /// DefectDojo did not have the whole of it, or has said no: nothing goes on there.
    Over,
}

impl Note {
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
