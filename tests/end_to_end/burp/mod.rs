//! Burp Suite DAST, from its simulator to what secpull prints.

mod fields;
mod scans;

use secpull_simulators::burp::{API_KEY, Burp, Issue, IssueType, Scan, Simulator};
use serde_json::Value;

use super::misfortunes;
use super::support::Installation;

/// Two parameters at one URL, on a server that gives no fingerprint.
const MADE: &str = "11/h:c8f5ac4c62b8bea6fd754d15b9f94c507d8d4953b5f3d43e5638b4ceaa0a5a04";
const DAY: &str = "2026-10-01T06:00:00.000Z";

fn installation(server: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!(
        "[tools.burp]\nconnector = \"burp\"\nlocation = \"{}/graphql/v1\"\nsecret = \"{API_KEY}\"\n\
         timeout = \"20s\"\n\
         [api_configurations.shop]\ntool = \"burp\"\nproduct = \"Shop\"\n{settings}\n",
        server.url()
    ))
}

fn issue(number: u64) -> Issue {
    let kind = IssueType {
        index: "5243392".to_owned(),
        name: Some("Cookie".to_owned()),
        ..IssueType::default()
    };
    Issue::new(number, kind)
}

/// A server with one site and one scan of these issues.
fn small(numbers: impl IntoIterator<Item = u64>) -> Burp {
    let issues = numbers.into_iter().map(issue).collect();
    Burp::new()
        .site("11", "Shop")
        .scan(Scan::new("1003", "11", DAY, issues))
}

fn by_source_id(installation: &Installation, id: &str) -> Value {
    let findings = installation
        .secpull(&["findings", "--status", "all", "--format", "jsonl", "--raw"])
        .exits(0)
        .lines();
    findings
        .iter()
        .find(|finding| {
            let sightings = finding["sightings"].as_array().unwrap();
            sightings.iter().any(|s| s["source_id"] == id)
        })
        .unwrap_or_else(|| panic!("no {id} in {findings:#?}"))
        .clone()
}

fn open(installation: &Installation) -> usize {
    let findings = installation.findings();
    findings.iter().filter(|f| f["status"] == "open").count()
}
