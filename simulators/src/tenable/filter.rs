//! Which findings an export has.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use super::model::World;

/// What an export has if no time is told.
const RECENT_DAYS: i64 = 30;

/// Times that cannot stand beside `since`, and need `state`.
const TIMES: &[&str] = &[
    "first_found",
    "first_seen",
    "last_found",
    "last_seen",
    "last_fixed",
];

/// The others that are understood here.
const KNOWN: &[&str] = &[
    "since",
    "state",
    "severity",
    "plugin_family",
    "network_id",
    "cidr_range",
];

/// What a request asks for.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    since: i64,
    states: Vec<String>,
    severities: Vec<String>,
    families: Vec<String>,
    network: Option<String>,
    range: Option<(IpAddr, u8)>,
    tags: Vec<(String, Vec<String>)>,
    unlicensed: bool,
}

impl Filter {
    /// Reads the body of a request; the error is what is wrong with it.
    pub(super) fn of(world: &World, body: &Value) -> Result<Self, String> {
        let empty = Map::new();
        let filters = match body.get("filters") {
            None => &empty,
            Some(Value::Object(filters)) => filters,
            Some(_) => return Err("filters must be an object".to_owned()),
        };
        let has_time = |name: &&&str| filters.contains_key(**name);
        if let Some(time) = TIMES.iter().find(has_time) {
            if filters.contains_key("since") {
                return Err(format!("since cannot be combined with {time}"));
            }
            if !filters.contains_key("state") {
                return Err(format!("{time} requires state"));
            }
        }
        let unknown = filters.keys().find(|name| {
            !KNOWN.contains(&name.as_str())
                && !TIMES.contains(&name.as_str())
                && !name.starts_with("tag.")
        });
        if let Some(unknown) = unknown {
            return Err(format!("{unknown} is not allowed"));
        }
        let since = match filters.get("since") {
            None => (world.now - TimeDelta::days(RECENT_DAYS)).timestamp(),
            Some(since) => since.as_i64().ok_or("since must be a number")?,
        };
        let tags = filters.iter().filter_map(|(name, values)| {
            let category = name.strip_prefix("tag.")?;
            Some((category.to_owned(), words(values)))
        });
        let range = filters.get("cidr_range").map(|range| {
            let (address, bits) = range.as_str()?.split_once('/')?;
            Some((address.parse().ok()?, bits.parse().ok()?))
        });
        Ok(Self {
            since,
            states: match filters.get("state") {
                None => vec!["OPEN".to_owned(), "REOPENED".to_owned()],
                Some(states) => words(states).iter().map(|s| s.to_uppercase()).collect(),
            },
            severities: filters.get("severity").map(words).unwrap_or_default(),
            families: filters.get("plugin_family").map(words).unwrap_or_default(),
            network: filters
                .get("network_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            range: match range {
                Some(None) => return Err("cidr_range must be a CIDR".to_owned()),
                Some(range) => range,
                None => None,
            },
            tags: tags.collect(),
            unlicensed: body["include_unlicensed"] == true,
        })
    }

    pub(super) fn admits(&self, world: &World, row: &Value) -> bool {
        let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str);
        let asset = text("/asset/uuid").unwrap_or_default();
        let state = text("/state").unwrap_or_default().to_uppercase();
        let time = match state.as_str() {
            "FIXED" => text("/last_fixed"),
            _ => text("/last_found"),
        };
        let time = time.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let recent = time.is_none_or(|time| time.timestamp() >= self.since);
        let one_of = |words: &[String], word: Option<&str>| {
            words.is_empty() || word.is_some_and(|word| words.iter().any(|one| one == word))
        };
        let tagged = self.tags.iter().all(|(category, values)| {
            world.tags.iter().any(|(own, value, assets)| {
                own == category && values.contains(value) && assets.contains(asset)
            })
        });
        // States that nobody has heard of are open ones.
        let known = ["OPEN", "REOPENED", "FIXED"].contains(&state.as_str());
        (!known || self.states.contains(&state))
            && recent
            && (self.unlicensed || !world.unlicensed.contains(asset))
            && one_of(&self.severities, text("/severity"))
            && one_of(&self.families, text("/plugin/family"))
            && self
                .network
                .as_deref()
                .is_none_or(|network| text("/asset/network_id").is_some_and(|own| own == network))
            && self.range.is_none_or(|range| {
                let address = text("/asset/ipv4").and_then(|address| address.parse().ok());
                address.is_some_and(|address| is_in(address, range))
            })
            && tagged
    }
}

fn words(value: &Value) -> Vec<String> {
    let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let words = values.iter().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

fn is_in(address: IpAddr, (base, bits): (IpAddr, u8)) -> bool {
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            address.to_bits() & mask == base.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            address.to_bits() & mask == base.to_bits() & mask
        }
        _ => false,
    }
}
