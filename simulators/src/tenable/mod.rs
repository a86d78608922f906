//! Tenable's cloud: export jobs of Vulnerability Management and Web App Scanning, networks, tags.
//!
//! A job takes a few looks until it is finished; its chunks come in any order, with ids that have gaps. What an export leaves out
//! unless told is left out here too: what is older than 30 days, what is fixed, assets without a licence. The tenant runs two
//! exports of findings at once, and no two of the same filters.

mod answer;
mod filter;
mod generated;
mod jobs;
mod model;
mod routes;
mod scenario;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

pub use jobs::{Fate, JobSeen};
pub use model::World;
pub use scenario::{finding, shop, web_finding};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};
use jobs::Jobs;

/// The access key that the simulator knows.
pub const ACCESS_KEY: &str = "51ac1a7edacce550000000000000000000000000000000000000000000000a11";

/// Its secret key. Together they open nothing else in the world.
pub const SECRET_KEY: &str = "51ac1a7ed5ec2e70000000000000000000000000000000000000000000000b22";

/// A simulator to be started.
#[derive(Debug)]
pub struct Tenable {
    world: World,
    address: SocketAddr,
}

impl Default for Tenable {
    fn default() -> Self {
        Self::new()
    }
}

impl Tenable {
    /// A tenant with the default network and no findings.
    #[must_use]
    pub fn new() -> Self {
        Self {
            world: World::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// With what `change` makes of its world.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    /// With so many generated findings, on assets of their own.
    #[must_use]
    pub fn many(self, count: u64) -> Self {
        self.with(|world| world.generated = count)
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
        let tenant = Arc::new(Mutex::new(Tenant {
            world: self.world,
            jobs: Jobs::default(),
        }));
        let router = routes::router(tenant.clone());
        let running = Running::start(router, &DIALECT, self.address, "")?;
        Ok(Simulator { running, tenant })
    }
}

/// What the routes share.
#[derive(Debug)]
struct Tenant {
    world: World,
    jobs: Jobs,
}

/// A running tenant; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    tenant: Arc<Mutex<Tenant>>,
}

impl Simulator {
    /// Changes what it has, or how it behaves. Jobs that were started before have the findings of before.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.tenant).world)
    }

    /// The jobs of exports so far, in the order in which they were started.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobSeen> {
        lock(&self.tenant).jobs.seen()
    }

    /// Starts a job of findings as somebody else does it.
    ///
    /// # Panics
    /// The body is no export's.
    pub fn start_elsewhere(&self, body: &serde_json::Value) -> String {
        let mut tenant = lock(&self.tenant);
        let Tenant { world, jobs } = &mut *tenant;
        match jobs.start(world, jobs::Product::Vulns, body) {
            Ok(id) => id,
            Err(refusal) => panic!("no export: {refusal:?}"),
        }
    }

    /// Ends a job as an administrator does it.
    pub fn cancel(&self, job: &str) {
        lock(&self.tenant).jobs.cancel(job);
    }

    /// The most exports that ran at once so far.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        lock(&self.tenant).jobs.most_at_once
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "tenable",
    data: "/chunks/",
    empty: "[]",
    opening: "[",
    total_header: None,
    total_key: None,
    page_parameters: &[],
    first_page: 1,
    rows: &[],
    words: &["severity", "state", "severity_modification_type", "source"],
    texts: &["fqdn", "name", "first_found", "indexed"],
    as_of_page: |_, _| {},
};

#[cfg(test)]
mod tests;
