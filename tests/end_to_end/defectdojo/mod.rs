//! DefectDojo as a source, from its simulator to what secpull prints.

mod fields;
mod lists;

use secpull_simulators::defectdojo::{DefectDojo, Finding, Simulator, TOKEN, World};
use serde_json::Value;

use super::support::Installation;

fn installation(server: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!(
        "[tools.dojo]\nconnector = \"defectdojo\"\nlocation = \"{}/\"\nsecret = \"{TOKEN}\"\n\
         [api_configurations.shop]\ntool = \"dojo\"\n{settings}\n",
        server.url()
    ))
}

fn started(world: World) -> Simulator {
    DefectDojo::new(world).start_blocking().unwrap()
}

/// A product of this name and branch with one test of so many findings; gives the test's id.
fn product(world: &mut World, name: &str, branch: Option<&str>, count: u64) -> u64 {
    let test = world.add_tested_product(name, branch);
    for number in 0..count {
        let mut finding = Finding::new(test, "SQL Injection", "High");
        finding.file_path = Some(format!("src/page_{number}.py"));
        finding.line = Some(7);
        world.add_finding(finding);
    }
    test
}

/// One product `Shop` with so many findings.
fn shop_of(count: u64) -> World {
    let mut world = World::new();
    product(&mut world, "Shop", None, count);
    world
}

/// Every sighting: `source_id`, branch of its finding, status of its own.
fn sightings(installation: &Installation) -> Vec<(u64, Option<String>, String)> {
    let mut all = Vec::new();
    for finding in installation.findings() {
        let branch = finding["branch"].as_str().map(str::to_owned);
        for one in finding["sightings"].as_array().unwrap() {
            let id = one["source_id"].as_str().unwrap().parse().unwrap();
            let status = one["status"].as_str().unwrap().to_owned();
            all.push((id, branch.clone(), status));
        }
    }
    all.sort();
    all
}

fn ids(installation: &Installation) -> Vec<u64> {
    sightings(installation)
        .into_iter()
        .map(|(id, ..)| id)
        .collect()
}

fn open(installation: &Installation) -> usize {
    let all = sightings(installation);
    all.iter().filter(|(.., status)| status == "open").count()
}

fn status_of(installation: &Installation, id: u64) -> String {
    let all = sightings(installation);
    let one = all.into_iter().find(|(own, ..)| *own == id);
    one.unwrap_or_else(|| panic!("no {id}")).2
}

/// The one finding with a sighting of this id.
#[track_caller]
fn of_source(findings: &[Value], id: u64) -> &Value {
    let id = Value::from(id.to_string());
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
