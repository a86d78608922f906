//! SonarQube: a server of any version since 8.9, or SonarQube Cloud with one organization.
//!
//! Names of parameters changed with 10.2, and what a version does not know it ignores: issues of every project come then. A search
//! answers with nothing for a project that is not there or may not be browsed. No search gives more than 10,000 rows, and Cloud
//! does not count further.

mod access;
mod answer;
mod filter;
mod model;
mod render;
mod routes;
mod rules;
mod search;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use model::{Branch, Hotspot, Issue, Project};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The user token that opens it, and nothing else in the world.
pub const TOKEN: &str = "squ_5imu1ate0n1yOnLoopbackNothingBehindItAtAll";

/// The organization that a Cloud is if none was given.
pub const ORGANIZATION: &str = "acme-org";

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// A server of a version, `9.9.8.100196`.
    Server(&'static str),
    /// SonarQube Cloud.
    Cloud,
}

/// A simulator to be started.
#[derive(Debug)]
pub struct SonarQube {
    edition: Edition,
    standard_experience: bool,
    advanced_security: bool,
    status: &'static str,
    prefix: &'static str,
    address: SocketAddr,
    projects: Vec<Project>,
}

impl SonarQube {
    /// One without projects.
    #[must_use]
    pub fn new(edition: Edition) -> Self {
        Self {
            edition,
            standard_experience: false,
            advanced_security: true,
            status: "UP",
            prefix: "",
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            projects: Vec::new(),
        }
    }

    /// With these projects.
    #[must_use]
    pub fn projects(mut self, projects: impl IntoIterator<Item = Project>) -> Self {
        self.projects.extend(projects);
        self
    }

    /// A server from 10.8 on in its older mode.
    #[must_use]
    pub fn standard_experience(mut self) -> Self {
        self.standard_experience = true;
        self
    }

    /// Without the add-on that dependency risks come with.
    #[must_use]
    pub fn without_advanced_security(mut self) -> Self {
        self.advanced_security = false;
        self
    }

    /// What it says of its health.
    #[must_use]
    pub fn status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    /// Below a context path, `/sonar`.
    #[must_use]
    pub fn below(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
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
        let mut projects = self.projects;
        projects.iter_mut().for_each(Project::sort);
        let portfolio = Portfolio(Arc::new(Mutex::new(projects)));
        let server = routes::Server {
            portfolio: portfolio.clone(),
            ways: render::Ways::of(self.edition),
            mode: match self.standard_experience {
                true => "STANDARD_EXPERIENCE",
                false => "MQR",
            },
            advanced_security: self.advanced_security,
            status: self.status,
        };
        let router = routes::router(server, self.prefix);
        let running = Running::start(router, &DIALECT, self.address, self.prefix)?;
        Ok(Simulator { running, portfolio })
    }
}

/// A running SonarQube; stops when dropped.
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
    pub fn add(&self, mut project: Project) {
        project.sort();
        lock(&self.0).push(project);
    }

    /// Removes the project of this key and says whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        let mut projects = lock(&self.0);
        let before = projects.len();
        projects.retain(|project| project.key != key);
        projects.len() < before
    }

    /// Changes the project of this key; none if there is none.
    pub fn change<T>(&self, key: &str, change: impl FnOnce(&mut Project) -> T) -> Option<T> {
        let mut projects = lock(&self.0);
        let project = projects.iter_mut().find(|project| project.key == key)?;
        let changed = change(project);
        project.sort();
        Some(changed)
    }

    fn read<T>(&self, read: impl FnOnce(&[Project]) -> T) -> T {
        read(&lock(&self.0))
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "sonarqube",
    data: "/api/issues/search",
    empty: r#"{"total":0,"p":1,"ps":500,"paging":{"pageIndex":1,"pageSize":500,"total":0},"effortTotal":0,"issues":[],"components":[],"facets":[]}"#,
    opening: r#"{"total":60,"p":1,"ps":500,"paging":{"pageIndex":1,"pageSize":500,"total":60},"issues":["#,
    total_header: None,
    total_key: Some("total"),
    page_parameters: &["p"],
    first_page: 1,
    rows: &["issues"],
    words: &[
        "type",
        "status",
        "issueStatus",
        "resolution",
        "severity",
        "softwareQuality",
    ],
    texts: &["message", "creationDate", "updateDate", "component"],
    as_of_page,
};

/// Another issue of the same rule.
fn as_of_page(row: &mut Value, page: u32) {
    if page > 1
        && let Some(key) = row.get_mut("key")
        && let Some(text) = key.as_str()
    {
        *key = format!("{text}-{page}").into();
    }
}

#[cfg(test)]
mod tests;
