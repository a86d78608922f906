//! What the tenant knows.

use std::ops::Range;

use serde_json::{Value, json};

use crate::random::uuid_of;
use crate::scenario::{ManyResults, many_results};

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Empty where nobody has set it.
    pub main_branch: String,
    /// Its scans, in any order.
    pub scans: Vec<Scan>,
}

impl Project {
    /// A project without scans; its id follows from its name.
    #[must_use]
    pub fn new(name: &str, main_branch: &str) -> Self {
        Self {
            id: uuid_of(&format!("checkmarx project {name}")),
            name: name.to_owned(),
            main_branch: main_branch.to_owned(),
            scans: Vec::new(),
        }
    }

    /// With this scan.
    #[must_use]
    pub fn with(mut self, scan: Scan) -> Self {
        self.scans.push(scan);
        self
    }

    pub(super) fn render(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "createdAt": "2025-01-02T03:04:05.678901Z",
            "updatedAt": "2026-11-10T06:00:00.000000Z", "groups": [], "tags": {}, "repoUrl": "",
            "mainBranch": self.main_branch, "origin": "Github", "criticality": 3, "applicationIds": [],
            "scmRepoId": "", "repoId": null, "privatePackage": false,
        })
    }
}

/// A scan.
#[derive(Debug, Clone)]
pub struct Scan {
    /// UUID.
    pub id: String,
    /// Empty for an upload without one.
    pub branch: String,
    /// `Completed`, `Partial`, `Failed`, ...
    pub status: String,
    /// RFC 3339; lists are sorted by it.
    pub created_at: String,
    /// What it ran.
    pub engines: Vec<String>,
    /// Engines that failed in it.
    pub failed: Vec<String>,
    /// What it found.
    pub results: Results,
}

impl Scan {
    /// A completed scan of a branch on a day of November 2026.
    #[must_use]
    pub fn new(branch: &str, day: u32, engines: &[&str]) -> Self {
        let created_at = format!("2026-11-{day:02}T06:00:00.123456Z");
        Self {
            id: uuid_of(&format!("scan {branch} {created_at} {engines:?}")),
            branch: branch.to_owned(),
            status: "Completed".to_owned(),
            created_at,
            engines: engines.iter().map(|engine| (*engine).to_owned()).collect(),
            failed: Vec::new(),
            results: Results::default(),
        }
    }

    /// With these results.
    #[must_use]
    pub fn with(mut self, results: impl Into<Results>) -> Self {
        self.results = results.into();
        self
    }

    /// With another status than Completed.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    pub(super) fn render(&self, project: &Project) -> Value {
        let status_of = |engine: &String| match self.failed.contains(engine) {
            true => "Failed",
            false => "Completed",
        };
        let mut details = vec![json!({"name": "general", "status": "Completed", "details": ""})];
        details.extend(self.engines.iter().map(
            |engine| json!({"name": engine, "status": status_of(engine), "details": "", "loc": 80_623}),
        ));
        json!({
            "id": self.id, "status": self.status, "statusDetails": details,
            "branch": self.branch, "createdAt": self.created_at, "updatedAt": self.created_at,
            "projectId": project.id, "projectName": project.name, "userAgent": "", "initiator": "ci", "tags": {},
            "metadata": {"configs": []}, "engines": self.engines, "sourceType": "github",
            "sourceOrigin": "Github Webhook",
        })
    }

    /// As `/projects/last-scan` has it.
    pub(super) fn render_short(&self) -> Value {
        json!({
            "id": self.id, "createdAt": self.created_at, "updatedAt": self.created_at, "status": self.status,
            "userAgent": "", "initiator": "ci", "branch": self.branch, "engines": self.engines,
            "sourceType": "github", "sourceOrigin": "Github Webhook",
        })
    }
}

/// Results of a scan: some that are made when they are asked for, and some that are listed.
#[derive(Debug, Clone, Default)]
pub struct Results {
    many: Option<ManyResults>,
    /// Behind the made ones.
    pub listed: Vec<Value>,
}

impl From<Vec<Value>> for Results {
    fn from(listed: Vec<Value>) -> Self {
        Self { many: None, listed }
    }
}

impl Results {
    /// So many results, made when they are asked for.
    #[must_use]
    pub fn many(count: u64, seed: u64) -> Self {
        Self {
            many: Some(many_results(count, seed)),
            listed: Vec::new(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.made() + self.listed.len() as u64
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn made(&self) -> u64 {
        self.many.as_ref().map_or(0, ManyResults::len)
    }

    /// The one at a position.
    #[must_use]
    pub fn get(&self, position: u64) -> Option<Value> {
        let made = self.made();
        if position < made {
            return self.many.as_ref().map(|many| many.result(position));
        }
        let index = usize::try_from(position - made).ok()?;
        self.listed.get(index).cloned()
    }

    /// Those at some positions, made one by one.
    pub fn range(&self, positions: Range<u64>) -> impl Iterator<Item = Value> + '_ {
        positions.filter_map(|position| self.get(position))
    }
}
