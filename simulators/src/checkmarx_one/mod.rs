//! Checkmarx One: a tenant's API on one port, and the identity service that gives out its tokens on another.
//!
//! The `offset` of `/api/results` is the number of a page, from 0; everywhere else it counts items. Scans come oldest first
//! unless asked otherwise. A token is good for a while and then is not.

mod access;
mod answer;
mod model;
mod routes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

pub use model::{Project, Results, Scan};

use self::access::Access;
use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The tenant that a simulator is if none was given.
pub const TENANT: &str = "acme";

/// The key that opens it, and nothing else in the world. It says of itself that it is of the EU's `acme`.
pub const API_KEY: &str = "e30.eyJpc3MiOiJodHRwczovL2V1LmlhbS5jaGVja21hcngubmV0L2F1dGgvcmVhbG1zL2FjbWUiLCJhenAiOiJhc3QtYXBwIiwidHlwIjoiT2ZmbGluZSJ9.Simulate_OnlyOnLoopbackNothingBehindIt";

/// An OAuth client of the tenant.
pub const OAUTH_CLIENT: &str = "secpull-import";

/// Its secret.
pub const OAUTH_SECRET: &str = "Simulated-client-secret-only-on-loopback";

/// A simulator to be started.
#[derive(Debug)]
pub struct CheckmarxOne {
    lifetime: Duration,
    counts_items: bool,
    address: SocketAddr,
    projects: Vec<Project>,
}

impl Default for CheckmarxOne {
    fn default() -> Self {
        Self::new()
    }
}

impl CheckmarxOne {
    /// A tenant without projects.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lifetime: Duration::from_secs(1800),
            counts_items: false,
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

    /// Tokens are good for this long.
    #[must_use]
    pub fn tokens_live(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Takes the `offset` of results for items, as the vendor's own description says.
    #[must_use]
    pub fn counts_items(mut self) -> Self {
        self.counts_items = true;
        self
    }

    /// Listens here instead of on an ephemeral port of 127.0.0.1; the identity service always takes an ephemeral one.
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
    /// An address cannot be listened on.
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let tenant = Tenant(Arc::new(Mutex::new(self.projects)));
        let access = Arc::new(Mutex::new(Access::new(self.lifetime)));
        let api = routes::api(tenant.clone(), access.clone(), self.counts_items);
        let running = Running::start(api, &DIALECT, self.address, "")?;
        let ephemeral = (self.address.ip(), 0).into();
        let iam = Running::start(routes::iam(access.clone()), &DIALECT, ephemeral, "")?;
        Ok(Simulator {
            running,
            iam,
            tenant,
            access,
        })
    }
}

/// A running tenant; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    iam: Running,
    tenant: Tenant,
    access: Arc<Mutex<Access>>,
}

impl Simulator {
    /// Its projects, to be changed while it runs.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        self.tenant.clone()
    }

    /// The identity service, a host of its own.
    #[must_use]
    pub fn iam(&self) -> &Running {
        &self.iam
    }

    /// No token that was given out so far is good any more.
    pub fn revoke_tokens(&self) {
        lock(&self.access).revoke_tokens();
    }

    /// The same for [`Running::before_request`], whose closure outlives this borrow.
    pub fn revoking_tokens(&self) -> impl FnOnce() + Send + 'static {
        let access = self.access.clone();
        move || lock(&access).revoke_tokens()
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
pub struct Tenant(Arc<Mutex<Vec<Project>>>);

impl Tenant {
    /// Adds a project.
    pub fn add(&self, project: Project) {
        lock(&self.0).push(project);
    }

    /// Removes the project of this id and says whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        let mut projects = lock(&self.0);
        let before = projects.len();
        projects.retain(|project| project.id != id);
        projects.len() < before
    }

    /// Changes the project of this id; none if there is none.
    pub fn change<T>(&self, id: &str, change: impl FnOnce(&mut Project) -> T) -> Option<T> {
        let mut projects = lock(&self.0);
        let project = projects.iter_mut().find(|project| project.id == id);
        project.map(change)
    }

    fn read<T>(&self, read: impl FnOnce(&[Project]) -> T) -> T {
        read(&lock(&self.0))
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "checkmarx-one",
    data: "/api/results",
    empty: r#"{"results":[],"totalCount":0}"#,
    opening: r#"{"totalCount":60,"results":["#,
    total_header: None,
    total_key: Some("totalCount"),
    page_parameters: &["offset"],
    first_page: 0,
    rows: &["results"],
    words: &["type", "status", "state", "severity", "languageName"],
    texts: &[
        "description",
        "queryName",
        "packageIdentifier",
        "firstFoundAt",
    ],
    as_of_page,
};

/// Another path through the same code.
fn as_of_page(row: &mut Value, page: u32) {
    if page == 0 {
        return;
    }
    if let Some(hash) = row.pointer_mut("/data/resultHash")
        && let Some(text) = hash.as_str()
    {
        *hash = format!("{page:08x}{text}").into();
    }
}

#[cfg(test)]
mod tests;
