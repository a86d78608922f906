//! OSV.dev through the real binary.

mod records;
mod sboms;

use std::collections::BTreeMap;
use std::fs;

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::osv::{Advisory, Osv, Simulator, generated_sbom};
use secpull_simulators::scenario::{osv_image_sbom, osv_shop, osv_shop_sbom};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::Installation;

/// What a tool's `secret` is set to: it must go nowhere.
const SECRET: &str = "osv-takes-no-secret-at-all";

fn service(advisories: Vec<Advisory>) -> Simulator {
    Osv::new().advisories(advisories).start_blocking().unwrap()
}

/// An installation that imports from this service, with these SBOMs in the folder `sboms`.
fn installation(simulator: &Simulator, sboms: &[(&str, &str)]) -> Installation {
    let installation = Installation::new("");
    for (name, text) in sboms {
        installation.write(&format!("sboms/{name}"), text);
    }
    configure(&installation, simulator, "sboms", "");
    installation
}

/// Names a file or a folder, and adds to the tool's table.
fn configure(installation: &Installation, simulator: &Simulator, sbom: &str, tool: &str) {
    installation.configure(&format!(
        "[tools.osv]\nconnector = \"osv\"\nlocation = \"{}\"\nproxy = \"none\"\n{tool}\
         [api_configurations.shop]\ntool = \"osv\"\nproduct = \"Shop\"\nsbom = \"{}\"\n",
        simulator.url(),
        installation.path(sbom).display()
    ));
}

fn sbom(purls: &[&str]) -> String {
    let components: Vec<_> = purls
        .iter()
        .map(|purl| json!({"type": "library", "purl": purl}))
        .collect();
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}).to_string()
}

fn flaw(id: &str, name: &str) -> Advisory {
    Advisory::new(
        id,
        json!({
            "summary": format!("{id} in words"), "database_specific": {"severity": "HIGH"},
            "affected": [{"package": {"ecosystem": "npm", "name": name}}]
        }),
    )
    .found_by("npm", name, &["1.0.0"])
}

#[track_caller]
fn imported(installation: &Installation, expected: &Value) {
    let code = i32::from(expected["status"] != "complete");
    let ran = installation.import("shop").exits(code);
    let run = installation.last_run("shop");
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(run[key], *value, "{key} of {run}\n{ran:#?}");
    }
}

/// `source_id` and status of all sightings.
fn sightings(installation: &Installation) -> Vec<String> {
    let mut all = Vec::new();
    for finding in installation.findings() {
        for sighting in finding["sightings"].as_array().unwrap() {
            let id = sighting["source_id"].as_str().unwrap();
            all.push(format!("{id} {}", sighting["status"].as_str().unwrap()));
        }
    }
    all.sort();
    all
}

fn fetched(simulator: &Simulator) -> usize {
    let requests = simulator.requests();
    requests
        .iter()
        .filter(|request| request.path.starts_with("/v1/vulns/"))
        .count()
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
