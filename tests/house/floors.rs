//! The floors of docs/architecture.md, held by the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::arrows::{Module, arrows};

/// From the ground up: each floor knows only those before it.
const FLOORS: [&str; 14] = [
    "finding",
    "export",
    "notice",
    "config",
    "tls",
    "http",
    "connectors",
    "store",
    "import",
    "delivery",
    "schedule",
    "daemon",
    "cli",
    // Not in the shipped binary.
    "fuzzing",
];

/// Floors that do not know each other although one stands above the other.
const STRANGERS: [(&str, &str); 3] = [
    ("store", "connectors"),
    ("store", "http"),
    // An import never waits for a delivery, and a delivery knows of an import what the store says.
    ("delivery", "import"),
];

fn graph() -> BTreeMap<Module, BTreeSet<Module>> {
    arrows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn floor(module: &Module) -> usize {
    let floor = FLOORS.iter().position(|floor| *floor == module[0]);
    floor.unwrap_or_else(|| panic!("{} stands on no floor", module.join("::")))
}

#[test]
fn arrows_between_floors_point_down() {
    for (module, targets) in graph() {
        if module.is_empty() {
            continue;
        }
        for target in targets {
            assert!(
                floor(&target) <= floor(&module),
                "{} must not know {}",
                module.join("::"),
                target.join("::")
            );
            assert!(
                !STRANGERS.contains(&(module[0].as_str(), target[0].as_str())),
                "{} must not know {}",
                module.join("::"),
                target.join("::")
            );
        }
    }
}

#[test]
fn no_files_know_each_other_in_a_circle() {
    let graph = graph();
    let mut done = BTreeSet::new();
    let mut circles = Vec::new();
    for start in graph.keys() {
        walk(start, &graph, &mut Vec::new(), &mut done, &mut circles);
    }
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}

/// Goes along all arrows once; one that leads back to the trail closes a circle.
fn walk(
    module: &Module,
    graph: &BTreeMap<Module, BTreeSet<Module>>,
    trail: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
    circles: &mut Vec<String>,
) {
    if let Some(start) = trail.iter().position(|earlier| earlier == module) {
        let names: Vec<_> = trail[start..].iter().map(|m| m.join("::")).collect();
        circles.push(format!("{} -> {}", names.join(" -> "), module.join("::")));
        return;
    }
    if !done.insert(module.clone()) {
        return;
    }
    trail.push(module.clone());
    for target in graph.get(module).into_iter().flatten() {
        walk(target, graph, trail, done, circles);
    }
    trail.pop();
}

#[test]
fn every_connector_can_be_taken_out_with_its_folder_and_one_line() {
    let rooms = |module: &Module| module[0] == "connectors" && module.len() > 2;
    for (module, targets) in graph() {
        let room = module.get(1).cloned();
        for target in targets.iter().filter(|target| rooms(target)) {
            let same_room = module[0] == "connectors" && room == target.get(1).cloned();
            let registry = module == ["connectors", "registry"];
            assert!(
                same_room || registry,
                "{} must not know the inside of {}",
                module.join("::"),
                target.join("::")
            );
        }
    }
}

#[test]
fn the_graph_is_read_from_the_code() {
    let graph = graph();
    let target = |from: &[&str], to: &[&str]| {
        let own = |path: &[&str]| path.iter().map(|p| (*p).to_owned()).collect::<Module>();
        graph[&own(from)].contains(&own(to))
    };
    assert!(target(&["import", "reading"], &["import", "batch"]));
    assert!(target(&["import", "reading"], &["finding", "sighting"]));
    assert!(target(&["import", "job"], &["connectors", "pull"]));
    assert!(!target(&["import", "job"], &["store", "query"]));
}
