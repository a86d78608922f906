//! Probely, from its simulator to what secpull prints.

mod fields;
mod lists;

use secpull_simulators::probely::{API_KEY, Probely, Simulator, Target, finding};
use serde_json::Value;

use super::support::Installation;

const WEB: &str = "46aGYvJUPCtW";
const API: &str = "AxtkqTE0v3E-";

fn with_tool(server: &Simulator, tool: &str, settings: &str) -> Installation {
    Installation::new(&format!(
        "[tools.probely]\nconnector = \"probely\"\nlocation = \"{}/\"\nsecret = \"{API_KEY}\"\n{tool}\n\
         [api_configurations.shop]\ntool = \"probely\"\nproduct = \"Shop\"\n{settings}\n",
        server.url()
    ))
}

fn installation(server: &Simulator, settings: &str) -> Installation {
    with_tool(server, "", settings)
}

/// A target with findings of these numbers.
fn target(id: &str, numbers: impl IntoIterator<Item = u64>) -> Target {
    let findings: Vec<_> = numbers.into_iter().map(finding).collect();
    Target::new(id, &format!("Target {id}"), &findings)
}

fn started(targets: impl IntoIterator<Item = Target>) -> Simulator {
    let server = targets.into_iter().fold(Probely::new(), Probely::target);
    server.start_blocking().unwrap()
}

/// Every sighting by its `source_id`, with the status of its own.
fn sightings(installation: &Installation) -> Vec<(String, String)> {
    let mut all: Vec<_> = installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("source_id"), text("status"))
        })
        .collect();
    all.sort();
    all
}

fn open(installation: &Installation) -> usize {
    let all = sightings(installation);
    all.iter().filter(|(_, status)| status == "open").count()
}

/// The one finding with a sighting of this id.
#[track_caller]
fn of_source<'a>(findings: &'a [Value], id: &str) -> &'a Value {
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
fn includes(actual: &Value, expected: &Value) {
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
