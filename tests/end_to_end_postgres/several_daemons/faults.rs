//! Faults at random, for a while: daemons are killed, stopped and woken, cut off from the database, and the database's server is
//! restarted in the middle of everything.
//!
//! `SECPULL_FAULT_SECONDS=600 cargo test --test end_to_end_postgres faults_at_random` takes longer; `SECPULL_FAULT_SEED` repeats the
//! faults, as far as machines repeat anything.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use secpull_simulators::dependency_track::Simulator;
use secpull_simulators::real_postgres::RealPostgres;
use serde_json::Value;

use super::super::support::dependency_track::finding;
use super::super::support::postgres::Database;
use super::super::support::random::Random;
use super::super::support::{Daemon, Installation, wait_up_to};
use super::{DAEMONS, all_runs, an_hour_ago, installations, is_over, world};

/// API configurations that are due in one minute.
const MANY: u32 = 300;
/// Findings of each.
const FINDINGS: u32 = 60;
/// Only the first of each ever change: fewer than make an import be held.
const CHANGING: u64 = 10;
/// The server of the database has been restarted, and waits for those who were connected; nobody takes their runs so long.
const BACK_WITHIN: Duration = Duration::from_secs(120);

fn seconds() -> u64 {
    std::env::var("SECPULL_FAULT_SECONDS").map_or(90, |seconds| seconds.parse().unwrap())
}

/// Three daemons with somebody who starts them again, as systemd does.
struct Cluster {
    server: RealPostgres,
    database: Database,
    installations: Vec<Installation>,
    daemons: Vec<Daemon>,
    /// Who sleeps, and until when.
    asleep: Vec<Option<Instant>>,
    random: Random,
}

impl Cluster {
    fn start(toml: &str, random: Random) -> Self {
        let server = RealPostgres::start(&[]).unwrap();
        let database = Database::on(&server);
        let installations = installations(&database, toml);
        let daemons = installations.iter().map(Installation::daemon).collect();
        database.wait_for_tables();
        Self {
            server,
            database,
            installations,
            daemons,
            asleep: vec![None; DAEMONS],
            random,
        }
    }

    fn below(&mut self, limit: u64) -> usize {
        usize::try_from(self.random.below(limit)).unwrap()
    }

    fn fault(&mut self) {
        let victim = self.below(DAEMONS as u64);
        match self.below(16) {
            0..5 => self.kill(victim),
            5..10 => self.put_to_sleep(victim),
            10..13 => self.database.cut_connections(),
            13 => {
                self.server.stop().unwrap();
                std::thread::sleep(Duration::from_millis(self.random.below(1000)));
                self.server.start_again().unwrap();
            }
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(100 + self.random.below(500)));
        self.tend();
    }

    /// Kills it, unless it has ended, and starts it again.
    fn kill(&mut self, victim: usize) {
        drop(self.daemons.remove(victim));
        let next = Daemon::spawn(&self.installations[victim], &[]);
        self.daemons.insert(victim, next);
        self.asleep[victim] = None;
    }

    /// For less than its lease, or for longer.
    fn put_to_sleep(&mut self, victim: usize) {
        if self.asleep[victim].is_none() && !self.daemons[victim].has_ended() {
            self.daemons[victim].signal(Signal::SIGSTOP);
            let length = Duration::from_millis(500 + self.random.below(6000));
            self.asleep[victim] = Some(Instant::now() + length);
        }
    }

    /// Wakes whose time it is, and starts who has given up: a daemon that finds no store at its start ends.
    fn tend(&mut self) {
        for n in 0..DAEMONS {
            if self.asleep[n].is_some_and(|until| until <= Instant::now()) {
                self.wake(n);
            }
            if self.daemons[n].has_ended() {
                self.kill(n);
            }
        }
    }

    fn wake(&mut self, n: usize) {
        if self.asleep[n].take().is_some() {
            self.daemons[n].signal(Signal::SIGCONT);
        }
    }

    fn left(&self) -> i64 {
        self.database
            .number("SELECT count(*) FROM runs WHERE state IN ('queued', 'running')")
    }

    fn is_idle(&self) -> bool {
        self.slots() == i64::from(MANY) && self.left() == 0
    }

    fn slots(&self) -> i64 {
        self.database.number("SELECT count(*) FROM slots")
    }

    /// Everybody lives, and what was begun comes to its end.
    fn calm(&mut self) {
        (0..DAEMONS).for_each(|n| self.wake(n));
        wait_up_to(BACK_WITHIN, "all runs to end", || {
            self.tend();
            self.is_idle().then_some(())
        });
    }

    /// Each slot was run to its end once, by one run after the other: a run that three daemons did not survive is given up.
    fn check_runs(&self) {
        let runs = all_runs(&self.installations[0]);
        assert!(runs.iter().all(is_over));
        let interrupted = runs
            .iter()
            .filter(|run| run["status"] == "interrupted")
            .count();
        eprintln!("{} runs, {interrupted} of them interrupted", runs.len());
        assert!(interrupted > 0, "no fault has hit an import");
        let ends: BTreeSet<&str> = runs
            .iter()
            .map(|run| run["status"].as_str().unwrap())
            .collect();
        let expected = BTreeSet::from(["complete", "interrupted"]);
        assert!(
            ends.is_subset(&expected),
            "{:#?}",
            unexpected(&runs, &expected)
        );
        assert_eq!(self.slots(), i64::from(MANY));
        let of_slots = "FROM runs r WHERE r.\"trigger\" IN ('schedule', 'catch_up')";
        let twice = format!(
            "SELECT count(*) FROM (SELECT 1 {of_slots} AND r.state = 'complete' GROUP BY r.api_configuration_id HAVING count(*) > 1) n"
        );
        assert_eq!(self.database.number(&twice), 0, "{runs:#?}");
        let lost = format!(
            "SELECT a.name FROM api_configurations a WHERE NOT EXISTS (
             SELECT 1 {of_slots} AND r.api_configuration_id = a.id AND (r.state = 'complete' OR r.deaths = 3))"
        );
        assert_eq!(self.database.texts(&lost), [] as [&str; 0], "{runs:#?}");
        let together = "SELECT count(*) FROM runs a JOIN runs b ON b.api_configuration_id = a.api_configuration_id
             AND b.id <> a.id AND b.started_at >= a.started_at AND b.started_at < a.finished_at";
        assert_eq!(self.database.number(together), 0, "{runs:#?}");
    }
}

fn unexpected<'a>(runs: &'a [Value], expected: &BTreeSet<&str>) -> Vec<&'a Value> {
    runs.iter()
        .filter(|run| !expected.contains(run["status"].as_str().unwrap()))
        .collect()
}

/// The tool, and what it lacks or has lacked.
struct Source {
    tool: Simulator,
    absent: BTreeSet<u32>,
    ever_absent: BTreeSet<u32>,
}

impl Source {
    /// A finding goes, or comes back.
    fn change(&mut self, random: &mut Random) {
        let project = u32::try_from(random.below(u64::from(MANY))).unwrap();
        let number = project * FINDINGS + u32::try_from(random.below(CHANGING)).unwrap();
        let portfolio = self.tool.portfolio();
        let name = format!("p{project}");
        let uuid = portfolio
            .projects()
            .into_iter()
            .find(|project| project.name == name);
        let uuid = uuid.unwrap().uuid;
        if self.absent.remove(&number) {
            portfolio.change(&uuid, |project| project.findings.add(finding(number)));
        } else {
            let id = finding(number).vulnerability.id;
            portfolio.change(&uuid, |project| {
                project
                    .findings
                    .remove(|finding| finding.vulnerability.id == id)
            });
            self.absent.insert(number);
            self.ever_absent.insert(number);
        }
    }
}

fn number(finding: &Value) -> u32 {
    let id = finding["vulnerability_id"].as_str().unwrap();
    id.strip_prefix("CVE-2026-").unwrap().parse().unwrap()
}

#[test]
fn faults_at_random_lose_no_slot_and_no_finding() {
    let random = Random::seeded("SECPULL_FAULT_SEED");
    let (tool, toml) = world(MANY, FINDINGS, &an_hour_ago());
    // Several pages each, so that faults find many in the middle.
    let toml = toml.replace("page_size = 100", "page_size = 10");
    let mut source = Source {
        tool,
        absent: BTreeSet::new(),
        ever_absent: BTreeSet::new(),
    };
    let mut cluster = Cluster::start(&toml, random);
    let end = Instant::now() + Duration::from_secs(seconds());
    while Instant::now() < end {
        cluster.fault();
        assert_eq!(cluster.database.violations(), [] as [&str; 0]);
        let asked = cluster.below(DAEMONS as u64);
        if cluster.is_idle() && cluster.asleep[asked].is_none() {
            // All is done before the time is over: once more, as an operator would have it. Only now the tool changes, since a list
            // that changes while it is read is another matter; but for those who sleep over one.
            (0..MANY).for_each(|_| source.change(&mut cluster.random));
            cluster.installations[asked].secpull(&["run", "--all", "--detach"]);
        }
    }
    cluster.calm();
    cluster.check_runs();

    cluster.installations[0].secpull(&["run", "--all"]).exits(0);
    assert_eq!(cluster.database.violations(), [] as [&str; 0]);
    let mut known = BTreeSet::new();
    for finding in cluster.installations[1].findings() {
        let number = number(&finding);
        assert!(known.insert(number), "twice: {finding}");
        let expected = match source.absent.contains(&number) {
            true => "resolved",
            false => "open",
        };
        assert_eq!(finding["status"], expected, "{finding}");
    }
    let never_imported = |number: &u32| source.ever_absent.contains(number);
    let missing = (0..MANY * FINDINGS).filter(|number| !known.contains(number));
    assert_eq!(missing.filter(|number| !never_imported(number)).count(), 0);
    let resolved = cluster.database.texts(
        "SELECT DISTINCT f.canonical_id FROM history h JOIN findings f ON f.id = h.finding_id WHERE h.event = 'resolved'",
    );
    for id in resolved {
        let number: u32 = id.strip_prefix("CVE-2026-").unwrap().parse().unwrap();
        assert!(
            source.ever_absent.contains(&number),
            "falsely resolved: {id}"
        );
    }
    for daemon in &cluster.daemons {
        let log = daemon.log();
        assert!(
            !log.contains("panicked") && !log.contains("fault of secpull"),
            "{log}"
        );
    }
}
