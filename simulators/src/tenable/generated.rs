//! As many findings as wanted, made when they are asked for, the same ones every time.

use serde_json::{Value, json};

use super::model::DEFAULT_NETWORK;
use crate::random::Random;

/// Findings of a generated asset.
pub(super) const PER_ASSET: u64 = 40;

const SEED: u64 = 23;
const WORDS: &[&str] = &[
    "the",
    "remote",
    "host",
    "is",
    "missing",
    "a",
    "security",
    "update",
    "version",
    "of",
    "installed",
    "library",
    "service",
    "allows",
    "an",
    "attacker",
    "to",
    "read",
    "memory",
    "package",
    "affected",
    "by",
    "multiple",
    "issues",
];

/// The finding of a number, with about 3 KB of JSON. Most are informational.
pub(super) fn finding(number: u64) -> Value {
    let mut random = Random::new(SEED, number);
    let mut words = |count| {
        let words: Vec<&str> = (0..count).map(|_| random.pick(WORDS)).collect();
        words.join(" ")
    };
    let (asset, place) = (number / PER_ASSET, number % PER_ASSET);
    let severity = match place % 10 {
        0 => (4, "critical"),
        1 => (3, "high"),
        2 => (2, "medium"),
        3 => (1, "low"),
        _ => (0, "info"),
    };
    let address = format!(
        "10.{}.{}.{}",
        asset >> 16 & 255,
        asset >> 8 & 255,
        asset & 255
    );
    json!({
        "asset": {
            "uuid": Random::new(SEED + 1, asset).uuid(), "fqdn": format!("host-{asset}.example.com"),
            "hostname": format!("host-{asset}"), "ipv4": address, "network_id": DEFAULT_NETWORK, "tracked": true,
            "operating_system": ["Debian Linux"], "device_type": "general-purpose",
        },
        "output": words(120),
        "plugin": {
            "id": 100_000 + place, "name": format!("Generated plugin {place}"), "family": "General",
            "description": words(150), "synopsis": words(20), "solution": words(30), "type": "remote",
            "see_also": [format!("https://example.com/plugins/{place}")], "risk_factor": severity.1,
            "cvss3_base_score": 2 * severity.0,
            "xrefs": [{"type": "CWE", "id": (79 + place).to_string()}], "epss_score": 0.5,
        },
        "port": {"port": 1000 + place, "protocol": "TCP", "service": "generated"},
        "severity": severity.1, "severity_id": severity.0, "severity_default_id": severity.0,
        "severity_modification_type": "NONE", "state": "OPEN", "source": "NESSUS",
        "first_found": "2026-01-02T03:04:05.678Z", "last_found": "2026-10-20T03:04:05.678Z",
        "indexed": "2026-10-20T03:14:05.678901Z",
    })
}
