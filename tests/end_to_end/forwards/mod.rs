//! Findings that are sent on: Dependency-Track on one side, DefectDojo on the other, both simulated.

mod breaks;
mod findings;

use secpull_simulators::defectdojo::{self, DefectDojo, Finding, TOKEN, World};
use secpull_simulators::dependency_track::{Project, Simulator as DependencyTrack};
use serde_json::Value;

use super::support::dependency_track::tool;
use super::support::{Installation, wait_for};

fn dojo() -> defectdojo::Simulator {
    DefectDojo::new(World::new()).start_blocking().unwrap()
}

/// An API configuration `shop` whose findings are sent on; more keys of the forward may follow.
fn configuration(track: &DependencyTrack, dojo: &defectdojo::Simulator, keys: &str) -> String {
    format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\n\
         [tools.dojo]\nconnector = \"defectdojo\"\nlocation = \"{}\"\nsecret = \"{TOKEN}\"\nproxy = \"none\"\n\
         [forwards.dojo]\ntool = \"dojo\"\n{keys}\n",
        tool("dt", track),
        dojo.url(),
    )
}

fn findings(dojo: &defectdojo::Simulator) -> Vec<Finding> {
    dojo.change(|world| world.findings.iter().map(|(_, f)| f.clone()).collect())
}

fn open(dojo: &defectdojo::Simulator) -> usize {
    findings(dojo).iter().filter(|f| f.active).count()
}

fn uploads(dojo: &defectdojo::Simulator) -> usize {
    let requests = dojo.requests();
    requests.iter().filter(|seen| seen.method == "POST").count()
}

/// Changes the only project of the server.
fn change(track: &DependencyTrack, change: impl FnOnce(&mut Project)) {
    let portfolio = track.portfolio();
    let uuid = portfolio.projects().remove(0).uuid;
    portfolio.change(&uuid, change).unwrap();
}

/// What `secpull status` says of what waits.
fn waiting(installation: &Installation) -> Vec<Value> {
    let status = installation.secpull(&["status", "--format", "json"]);
    status.exits(0).json()["waiting"]
        .as_array()
        .unwrap()
        .clone()
}

/// Imports by the daemon, and waits until everything has arrived.
fn run_and_deliver(installation: &Installation) {
    installation.secpull(&["run", "shop"]).exits(0);
    wait_for("what was imported to be delivered", || {
        waiting(installation).is_empty().then_some(())
    });
}
