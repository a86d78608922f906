//! Semgrep AppSec Platform, API v1: one deployment.
//!
//! Lists of findings have neither count nor cursor and end with a page without rows; pages are numbered from 0. Without `dedup` a
//! finding is there once for every ref that it is on, each time with another id. Secrets are another endpoint, which goes by the
//! deployment's number and by cursors. An unknown project is an empty list of findings. A token without the scope Web API gets 404 for
//! everything.

mod answer;
mod model;
mod routes;
mod select;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use model::{Finding, Project, Rows};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// Slug of the one deployment that a token sees.
pub const DEPLOYMENT: &str = "acme-prod";

/// Its number.
pub const DEPLOYMENT_ID: u64 = 20169;

/// The token that opens it, and nothing else in the world.
pub const API_TOKEN: &str = "sgp_0nlyOnLoopback0000000000000000000000000000000000000000000000000";

/// A token for CI: good, and without the scope of the Web API.
pub const CI_TOKEN: &str = "sgp_0nlyForCI000000000000000000000000000000000000000000000000000000";

/// What this server does otherwise than most.
#[derive(Debug, Clone, Copy, Default)]
struct Quirks {
    most_rows: Option<u64>,
    ignores_repos: bool,
    stuck_cursor: bool,
    leaves_out_empty_lists: bool,
    lacks_secrets: bool,
    strikes_secrets: bool,
}

/// A simulator to be started.
#[derive(Debug)]
pub struct Semgrep {
    address: SocketAddr,
    projects: Vec<Project>,
    quirks: Quirks,
}

impl Default for Semgrep {
    fn default() -> Self {
        Self::new()
    }
}

impl Semgrep {
    /// A deployment without projects.
    #[must_use]
    pub fn new() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            projects: Vec::new(),
            quirks: Quirks::default(),
        }
    }

    /// With these projects.
    #[must_use]
    pub fn projects(mut self, projects: impl IntoIterator<Item = Project>) -> Self {
        self.projects.extend(projects);
        self
    }

    /// Gives so many rows at most, whatever is asked for, without a word.
    #[must_use]
    pub fn clamps_pages(mut self, rows: u64) -> Self {
        self.quirks.most_rows = Some(rows);
        self
    }

    /// Takes no notice of which projects' findings are asked for.
    #[must_use]
    pub fn ignores_repos(mut self) -> Self {
        self.quirks.ignores_repos = true;
        self
    }

    /// The first cursor is followed by itself.
    #[must_use]
    pub fn stuck_cursor(mut self) -> Self {
        self.quirks.stuck_cursor = true;
        self
    }

    /// A page of secrets without rows has no list at all.
    #[must_use]
    pub fn leaves_out_empty_lists(mut self) -> Self {
        self.quirks.leaves_out_empty_lists = true;
        self
    }

    /// The deployment does not have the product that finds secrets.
    #[must_use]
    pub fn lacks_secrets(mut self) -> Self {
        self.quirks.lacks_secrets = true;
        self
    }

    /// Misfortunes strike the secrets in place of the findings.
    #[must_use]
    pub fn strikes_secrets(mut self) -> Self {
        self.quirks.strikes_secrets = true;
        self
    }

    /// Listens here instead of on an ephemeral port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// The address cannot be listened on.
    #[expect(
        clippy::unused_async,
        reason = "so that it reads like every other start in an async test"
    )]
    pub async fn start(self) -> io::Result<Simulator> {
        self.start_blocking()
    }

    /// Starts it, for tests that are not async.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let deployment = Deployment(Arc::new(Mutex::new(self.projects)));
        let router = routes::router(deployment.clone(), self.quirks);
        let dialect = match self.quirks.strikes_secrets {
            true => &DIALECT_OF_SECRETS,
            false => &DIALECT_OF_FINDINGS,
        };
        let running = Running::start(router, dialect, self.address, "")?;
        Ok(Simulator {
            running,
            deployment,
        })
    }
}

/// A running deployment; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    deployment: Deployment,
}

impl Simulator {
    /// Its projects, to be changed while it runs.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        self.deployment.clone()
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

/// A handle to the projects of a running simulator.
#[derive(Debug, Clone)]
pub struct Deployment(Arc<Mutex<Vec<Project>>>);

impl Deployment {
    /// Adds a project.
    pub fn add(&self, project: Project) {
        lock(&self.0).push(project);
    }

    /// Removes the project of this name and says whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        let mut projects = lock(&self.0);
        let before = projects.len();
        projects.retain(|project| project.name != name);
        projects.len() < before
    }

    /// Changes the project of this name; none if there is none.
    pub fn change<T>(&self, name: &str, change: impl FnOnce(&mut Project) -> T) -> Option<T> {
        let mut projects = lock(&self.0);
        let project = projects.iter_mut().find(|project| project.name == name);
        project.map(change)
    }

    fn read<T>(&self, read: impl FnOnce(&[Project]) -> T) -> T {
        read(&lock(&self.0))
    }
}

const DIALECT: Dialect = Dialect {
    vendor: "semgrep",
    data: "/findings",
    empty: r#"{"findings":[]}"#,
    opening: r#"{"findings":["#,
    total_header: None,
    total_key: None,
    page_parameters: &["page"],
    first_page: 0,
    rows: &["findings"],
    words: &[
        "severity",
        "confidence",
        "status",
        "state",
        "triage_state",
        "validationState",
        "mode",
    ],
    texts: &[
        "message",
        "rule_message",
        "line_of_code_url",
        "created_at",
        "createdAt",
        "findingPathUrl",
    ],
    as_of_page,
};

static DIALECT_OF_FINDINGS: Dialect = DIALECT;

static DIALECT_OF_SECRETS: Dialect = Dialect {
    data: "/secrets",
    // Cursors have no numbers.
    page_parameters: &[],
    ..DIALECT
};

/// Another finding of the same rule.
fn as_of_page(row: &mut Value, page: u32) {
    if page == 0 {
        return;
    }
    if let Some(id) = row.get_mut("id")
        && let Some(number) = id.as_u64()
    {
        *id = (number + u64::from(page) * 10_000_000_000).into();
    }
}

#[cfg(test)]
mod tests;
