//! Dependency-Track's API v1, as servers 4.x and 5.x answer it.
//!
//! 4.x ignores paging on a project's findings and always sends all of them; 5.x pages them, 100 by default. Both read a
//! page only from a page number *and* a size.

mod access;
mod answer;
mod findings;
mod model;
mod paging;
mod render;
mod routes;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use access::{Key, Permission};
pub use findings::Findings;
pub use model::{Aliases, Analysis, Attribution, Component, Finding, Project, Vulnerability};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The key that a simulator knows if none was given: all permissions, all projects. It opens nothing else in the world.
pub const API_KEY: &str = "odt_SimuLate_OnlyOnLoopbackNothingBehindIt000";

/// The server's version, major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16);

impl Version {
    /// Without aliases.
    pub const V4_7: Self = Self(4, 7);
    /// Without `/project/latest`, CVSS vectors and references.
    pub const V4_11: Self = Self(4, 11);
    /// The last 4.x.
    pub const V4_14: Self = Self(4, 14);
    /// The first that pages a project's findings.
    pub const V5_0: Self = Self(5, 0);
    /// Tells of known exploited vulnerabilities.
    pub const V5_1: Self = Self(5, 1);

    fn pages_findings(self) -> bool {
        self >= Self::V5_0
    }
}

/// A simulator to be started.
#[derive(Debug)]
pub struct DependencyTrack {
    pub(super) version: Version,
    pub(super) frontend: bool,
    pub(super) access_control: bool,
    pub(super) keys: BTreeMap<String, Key>,
    prefix: String,
    address: SocketAddr,
    projects: Vec<Project>,
}

impl DependencyTrack {
    /// A server of this version without projects.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            frontend: false,
            access_control: false,
            keys: BTreeMap::new(),
            prefix: String::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            projects: Vec::new(),
        }
    }

    /// With this project.
    #[must_use]
    pub fn project(mut self, project: Project) -> Self {
        self.projects.push(project);
        self
    }

    /// With these projects.
    #[must_use]
    pub fn projects(mut self, projects: impl IntoIterator<Item = Project>) -> Self {
        self.projects.extend(projects);
        self
    }

    /// Knows this key, and no longer [`API_KEY`] unless that is given too.
    #[must_use]
    pub fn key(mut self, secret: &str, key: Key) -> Self {
        self.keys.insert(secret.to_owned(), key);
        self
    }

    /// Switches portfolio access control on: a key sees only the projects it is assigned to.
    #[must_use]
    pub fn access_control(mut self) -> Self {
        self.access_control = true;
        self
    }

    /// Is the frontend instead of the API server: 200 and an HTML page for every path.
    #[must_use]
    pub fn frontend(mut self) -> Self {
        self.frontend = true;
        self
    }

    /// Answers under a path prefix, `/like/this`, as behind a reverse proxy.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
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
    pub fn start_blocking(mut self) -> io::Result<Simulator> {
        if self.keys.is_empty() {
            self.keys.insert(API_KEY.to_owned(), Key::all());
        }
        let projects = Arc::new(Mutex::new(std::mem::take(&mut self.projects)));
        let (prefix, address) = (self.prefix.clone(), self.address);
        let router = routes::router(self, projects.clone());
        let running = Running::start(router, &DIALECT, address, &prefix)?;
        Ok(Simulator {
            running,
            portfolio: Portfolio(projects),
        })
    }
}

/// A running Dependency-Track; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    portfolio: Portfolio,
}

impl Simulator {
    /// Its projects, to be changed while it runs.
    #[must_use]
    pub fn portfolio(&self) -> Portfolio {
        self.portfolio.clone()
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
pub struct Portfolio(Arc<Mutex<Vec<Project>>>);

impl Portfolio {
    /// Adds a project.
    pub fn add(&self, project: Project) {
        lock(&self.0).push(project);
    }

    /// Removes the project of this UUID and says whether it was there.
    pub fn remove(&self, uuid: &str) -> bool {
        let mut projects = lock(&self.0);
        let before = projects.len();
        projects.retain(|project| project.uuid != uuid);
        projects.len() < before
    }

    /// Changes the project of this UUID; none if there is none.
    pub fn change<T>(&self, uuid: &str, change: impl FnOnce(&mut Project) -> T) -> Option<T> {
        let mut projects = lock(&self.0);
        projects
            .iter_mut()
            .find(|project| project.uuid == uuid)
            .map(change)
    }

    /// A copy of all projects.
    #[must_use]
    pub fn projects(&self) -> Vec<Project> {
        lock(&self.0).clone()
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "dependency-track",
    data: "/api/v1/finding/",
    empty: "[]",
    opening: "[",
    total_header: Some(answer::TOTAL_COUNT),
    total_key: None,
    page_parameters: paging::PAGE,
    first_page: 1,
    rows: &[],
    words: &["severity", "source", "state", "analyzerIdentity"],
    texts: &["name", "version", "purl"],
    as_of_page,
};

/// Another component of the same project.
fn as_of_page(row: &mut Value, page: u32) {
    let Some(matrix) = row.get("matrix").and_then(Value::as_str) else {
        return;
    };
    let [project, component, vulnerability] = matrix.splitn(3, ':').collect::<Vec<_>>()[..] else {
        return;
    };
    let component = format!("{page:08x}{}", component.get(8..).unwrap_or_default());
    row["matrix"] = format!("{project}:{component}:{vulnerability}").into();
    row["component"]["uuid"] = component.into();
}

#[cfg(test)]
mod tests;
