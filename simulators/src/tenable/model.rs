//! What a tenant has, and how it behaves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::jobs::Fate;
use crate::random::uuid_of;

/// The network that every tenant has.
pub(super) const DEFAULT_NETWORK: &str = "00000000-0000-0000-0000-000000000000";

/// A tenant.
#[derive(Debug, Clone)]
pub struct World {
    /// Its clock: what counts as the last 30 days.
    pub now: DateTime<Utc>,
    /// Findings of Vulnerability Management, as a chunk holds them; those of an asset need not stand together.
    pub findings: Vec<Value>,
    /// Findings of Web App Scanning.
    pub web_findings: Vec<Value>,
    /// So many more findings are made when they are asked for.
    pub generated: u64,
    /// UUIDs of assets without a licence.
    pub unlicensed: BTreeSet<String>,
    /// UUIDs and names of networks.
    pub networks: BTreeMap<String, String>,
    /// Category, value, and the UUIDs of the assets that are tagged so.
    pub tags: Vec<(String, String, BTreeSet<String>)>,
    /// How many looks at a job find it under way.
    pub looks: u32,
    /// Assets of a chunk, in place of what the request says.
    pub assets_per_chunk: Option<usize>,
    /// What becomes of the next jobs, one after the other; then they are well.
    pub fates: VecDeque<Fate>,
    /// So many exports of others are under way, whatever is started here.
    pub others: usize,
    /// Whether the keys may export.
    pub may_export: bool,
    /// Whether the keys may list networks, which takes more than to export.
    pub may_list_networks: bool,
    /// Seconds of `retry-after` when exports are too many.
    pub retry_after: u32,
    /// Answers a second export of the same filters with 429 and a text, as until 2023.
    pub says_duplicate: bool,
    /// Answers the next requests for exports with 504, though it starts them.
    pub gateway_timeouts: u32,
    /// Statuses hold no more than in 2018.
    pub is_terse: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_750),
            findings: Vec::new(),
            web_findings: Vec::new(),
            generated: 0,
            unlicensed: BTreeSet::new(),
            networks: BTreeMap::from([(DEFAULT_NETWORK.to_owned(), "Default".to_owned())]),
            tags: Vec::new(),
            looks: 0,
            assets_per_chunk: None,
            fates: VecDeque::new(),
            others: 0,
            may_export: true,
            may_list_networks: true,
            retry_after: 30,
            says_duplicate: false,
            gateway_timeouts: 0,
            is_terse: false,
        }
    }

    /// The UUID of the asset of a name.
    #[must_use]
    pub fn asset(name: &str) -> String {
        uuid_of(&format!("tenable asset {name}"))
    }

    /// Deletes the asset of this UUID: its findings are gone, without a word.
    pub fn delete_asset(&mut self, uuid: &str) {
        self.findings.retain(|row| row["asset"]["uuid"] != uuid);
    }

    /// Changes the findings of the plugin of this number.
    pub fn change_plugin(&mut self, plugin: u64, change: impl Fn(&mut Value)) {
        let rows = self.findings.iter_mut();
        rows.filter(|row| row["plugin"]["id"] == plugin)
            .for_each(change);
    }
}
