//! SIGKILL at random instants of imports. Whatever was cut in two, one whole import later the store holds what the tool has:
//! nothing lost, nothing twice, nothing falsely resolved.
//!
//! `SECPULL_KILLS=500 cargo test --test end_to_end kill` takes longer; `SECPULL_KILL_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use secpull_simulators::dependency_track::{Simulator, Version};
use serde_json::Value;

use super::support::dependency_track::{finding, project, server, tool};
use super::support::random::Random;
use super::support::{Daemon, Installation, wait_for};

/// Findings of each of the two projects.
const FINDINGS: u32 = 1500;
/// Only these numbers of each project ever change.
const CHANGING: u32 = 400;
/// So many change between two kills.
const CHANGES: u64 = 60;

fn kills() -> u32 {
    std::env::var("SECPULL_KILLS").map_or(30, |kills| kills.parse().unwrap())
}

/// The tool, what it has, and what it ever lacked.
struct World {
    server: Simulator,
    projects: Vec<(String, u32)>,
    severities: BTreeMap<u32, &'static str>,
    ever_absent: BTreeSet<u32>,
    random: Random,
}

impl World {
    fn new() -> Self {
        let web = project("web", 0..FINDINGS);
        let api = project("api", FINDINGS..2 * FINDINGS);
        let projects = vec![(web.uuid.clone(), 0), (api.uuid.clone(), FINDINGS)];
        Self {
            server: server(Version::V5_0, vec![web, api]),
            projects,
            severities: (0..2 * FINDINGS).map(|number| (number, "high")).collect(),
            ever_absent: BTreeSet::new(),
            random: Random::seeded("SECPULL_KILL_SEED"),
        }
    }

    fn installation(&self) -> Installation {
        Installation::new(&format!(
            "{}page_size = 100\n[api_configurations.all]\ntool = \"dt\"\n\
             automatic_import = {{ enabled = false }}\n",
            tool("dt", &self.server)
        ))
    }

    /// Some findings go, some come back, some change their severity.
    fn change(&mut self) {
        for _ in 0..CHANGES {
            let (uuid, first) =
                self.projects[usize::try_from(self.random.below(2)).unwrap()].clone();
            let number = first + u32::try_from(self.random.below(u64::from(CHANGING))).unwrap();
            let id = finding(number).vulnerability.id;
            let portfolio = self.server.portfolio();
            match (self.severities.contains_key(&number), self.random.below(2)) {
                (false, _) => {
                    portfolio.change(&uuid, |project| project.findings.add(finding(number)));
                    self.severities.insert(number, "high");
                }
                (true, 0) => {
                    portfolio.change(&uuid, |project| {
                        project.findings.remove(|f| f.vulnerability.id == id)
                    });
                    self.severities.remove(&number);
                    self.ever_absent.insert(number);
                }
                (true, _) => {
                    portfolio.change(&uuid, |project| {
                        project
                            .findings
                            .set_severity(|f| f.vulnerability.id == id, "LOW")
                    });
                    self.severities.insert(number, "low");
                }
            }
        }
    }

    /// A part of the time that an import takes, or a little more.
    fn instant(&mut self, whole: Duration) -> Duration {
        let micros = u64::try_from(whole.as_micros()).unwrap() * 11 / 10;
        Duration::from_micros(self.random.below(micros))
    }

    /// What has to be true at any time.
    fn check_always(&self, installation: &Installation) -> Vec<Value> {
        assert_eq!(installation.integrity(), ["ok"]);
        let findings = installation.findings();
        for resolved in findings.iter().filter(|f| f["status"] == "resolved") {
            let number = number(resolved);
            assert!(
                self.ever_absent.contains(&number),
                "falsely resolved: {resolved}"
            );
        }
        findings
    }

    /// What has to be true after a whole import.
    fn check_converged(&self, installation: &Installation) {
        let findings = self.check_always(installation);
        // Also what was killed has become known to destinations.
        assert_eq!(installation.unannounced(), 0);
        let mut open = BTreeMap::new();
        let mut known = BTreeSet::new();
        for finding in &findings {
            let number = number(finding);
            assert!(known.insert(number), "twice: {finding}");
            assert_eq!(
                finding["sightings"].as_array().unwrap().len(),
                1,
                "{finding}"
            );
            if finding["status"] == "open" {
                open.insert(number, finding["severity"].as_str().unwrap());
            }
        }
        let expected: BTreeMap<_, _> = self.severities.iter().map(|(n, s)| (*n, *s)).collect();
        assert_eq!(open, expected);
    }
}

fn number(finding: &Value) -> u32 {
    let id = finding["vulnerability_id"].as_str().unwrap();
    id.strip_prefix("CVE-2026-").unwrap().parse().unwrap()
}

/// Kills an import without a daemon after this time, if it still runs then.
fn kill_standalone(installation: &Installation, after: Duration) {
    let mut import = installation
        .command(&["run", "--standalone", "--all"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    import.kill().unwrap();
    import.wait().unwrap();
}

fn kill_daemon(installation: &Installation, after: Duration) {
    let daemon = Daemon::start(installation);
    installation.secpull(&["run", "all", "--detach"]).exits(0);
    std::thread::sleep(after);
    daemon.kill();
}

/// No run is left behind under way, and none blocks the next.
fn check_runs(installation: &Installation) {
    let daemon = installation.daemon();
    wait_for("leftovers to be marked", || {
        let runs = daemon.get("/v1/runs");
        let runs = runs["runs"].as_array().unwrap();
        let left = |run: &Value| run["status"] == "running" || run["status"] == "queued";
        (!runs.iter().any(left)).then_some(())
    });
    assert!(daemon.stop().success());
}

#[test]
fn killed_at_any_instant_the_next_whole_import_makes_it_good() {
    let mut world = World::new();
    let installation = world.installation();
    let began = Instant::now();
    installation.import("all").exits(0);
    let first_import = began.elapsed();
    world.change();
    let began = Instant::now();
    installation.import("all").exits(0);
    let import = began.elapsed();
    world.check_converged(&installation);

    for kill in 0..kills() {
        // A quarter of them into an empty store, where all is written.
        let installation_of_first = (kill % 4 == 3).then(|| world.installation());
        let (installation, whole) = match &installation_of_first {
            Some(empty) => (empty, first_import),
            None => (&installation, import),
        };
        world.change();
        let after = world.instant(whole);
        if kill % 2 == 0 {
            kill_standalone(installation, after);
        } else {
            kill_daemon(installation, after);
        }
        // Killed before there was a store, an import has nothing to be wrong about.
        if installation.place().has_schema() {
            world.check_always(installation);
        }
        if kill % 10 == 9 || installation_of_first.is_some() {
            installation.import("all").exits(0);
            world.check_converged(installation);
        }
    }
    installation.import("all").exits(0);
    world.check_converged(&installation);
    // And once it has converged nothing moves any more.
    installation.import("all").exits(0);
    let run = installation.last_run("all");
    for count in ["new", "updated", "resolved", "reopened"] {
        assert_eq!(run[count], 0, "{run}");
    }
    assert_eq!(run["unchanged"], world.severities.len(), "{run}");
    check_runs(&installation);
    let runs = installation.runs("all");
    assert!(
        runs.iter().any(|run| run["status"] == "interrupted"),
        "no kill has hit an import"
    );
}
