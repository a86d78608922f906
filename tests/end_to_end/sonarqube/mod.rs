//! SonarQube through the real binary: versions and Cloud, more than ten thousand issues, what is not there, every field.

mod fields;
mod proofs;
mod selection;
mod slices;

use std::collections::BTreeSet;

use secpull_simulators::server::SeenRequest;
use secpull_simulators::sonarqube::{Edition, Simulator};
use serde_json::Value;

use super::support::Installation;
use super::support::sonarqube::{NEW, tool};

pub(super) const SHOP: &str = "project_key = \"com.acme:shop\"\n";

pub(super) fn installation_of(
    simulator: &Simulator,
    edition: Edition,
    settings: &str,
) -> Installation {
    Installation::new(&format!(
        "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{settings}\n",
        tool("sonar", simulator, edition)
    ))
}

pub(super) fn installation(simulator: &Simulator, settings: &str) -> Installation {
    installation_of(simulator, NEW, settings)
}

/// The one finding with a sighting of this id.
#[track_caller]
pub(super) fn of_source<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    let has = |finding: &&Value| {
        let mut sightings = finding["sightings"].as_array().unwrap().iter();
        sightings.any(|sighting| sighting["source_id"] == id)
    };
    findings
        .iter()
        .find(has)
        .unwrap_or_else(|| panic!("no {id}"))
}

#[track_caller]
pub(super) fn includes(actual: &Value, expected: &Value) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                includes(actual.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (one, other) in actual.iter().zip(expected) {
                includes(one, other);
            }
        }
        _ => assert_eq!(actual, expected),
    }
}

/// The unresolved sightings: branch, id.
pub(super) fn ids(installation: &Installation) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for finding in installation.findings() {
        let branch = finding["branch"].as_str().unwrap_or("-");
        for sighting in finding["sightings"].as_array().unwrap() {
            if sighting["status"] != "resolved" {
                let id = sighting["source_id"].as_str().unwrap();
                ids.insert(format!("{branch} {id}"));
            }
        }
    }
    ids
}

pub(super) fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(super) fn of_path<'a>(
    requests: &'a [SeenRequest],
    path: &'a str,
) -> impl Iterator<Item = &'a SeenRequest> + 'a {
    requests.iter().filter(move |one| one.path.ends_with(path))
}

pub(super) fn with_raw(installation: &Installation) -> Vec<Value> {
    installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines()
}
