//! Snyk through the real binary.

mod access;
mod fields;
mod lifecycle;
mod lists;

use secpull_simulators::scenario::SNYK_PACKAGES;
use secpull_simulators::snyk::{Organization, Project, Simulator, World};
use serde_json::Value;

use super::support::snyk::tool;
use super::support::{Installation, Ran};

const LODASH: &str = "73832c6c-19ff-4a92-850c-2e1ff2800c16";

fn numbered(number: u32) -> String {
    format!("0a5b8f6e-0000-4000-8000-{number:012}")
}

fn installation(simulator: &Simulator, settings: &str) -> Installation {
    Installation::new(&configured(simulator, settings))
}

fn configured(simulator: &Simulator, settings: &str) -> String {
    format!(
        "{}\n[api_configurations.shop]\ntool = \"snyk\"\nproduct = \"Shop\"\n{settings}\n",
        tool("snyk", simulator)
    )
}

const ACME: &str = "organization = \"acme\"";

/// An organization with one project and so many generated issues.
fn generated(count: u64) -> World {
    let organization = Organization::new("acme").with(Project::new(SNYK_PACKAGES, "npm", "main"));
    World::of([organization.many(count)])
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

fn ids_of_status(installation: &Installation, status: &str) -> Vec<String> {
    let mut ids: Vec<_> = installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .filter(|sighting| sighting["status"] == status)
        .map(|sighting| sighting["source_id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn open(installation: &Installation) -> usize {
    ids_of_status(installation, "open").len()
}

#[track_caller]
fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}
