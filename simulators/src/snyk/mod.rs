//! Snyk's REST API: a group with its organizations, their projects and their issues.
//!
//! Lists are followed by links whose cursors are opaque; the links are written in whatever way the vendor was seen to write them.
//! An unknown parameter, a page of another size than a multiple of ten, and a missing version are errors. The issues of inactive
//! projects are not listed.

mod access;
mod answer;
mod model;
mod query;
mod routes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use answer::REQUEST_ID;
pub use model::{ENVIRONMENT, Organization, Project, Quirk, Spelling, World};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The key of a service account of the group. It opens nothing else in the world.
pub const API_KEY: &str = "51b01a7e-0000-4000-8000-00510bacc0a1";

/// The key of a service account of the first organization.
pub const ORGANIZATION_KEY: &str = "51b01a7e-0000-4000-8000-00510b0e0a11";

/// An access token as OAuth gives them out.
pub const ACCESS_TOKEN: &str = "simulated.access.token.only.on.loopback";

/// The name of the service account.
pub const SERVICE_ACCOUNT: &str = "secpull";

/// A simulator to be started.
#[derive(Debug)]
pub struct Snyk {
    world: World,
    address: SocketAddr,
}

impl Snyk {
    /// One that serves this.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            world,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
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
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let customer = Customer(Arc::new(Mutex::new(self.world)));
        let api = routes::api(customer.clone());
        let running = Running::start(api, &DIALECT, self.address, "")?;
        Ok(Simulator { running, customer })
    }
}

/// A running simulator; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    customer: Customer,
}

impl Simulator {
    /// What it serves, to be changed while it runs.
    #[must_use]
    pub fn customer(&self) -> Customer {
        self.customer.clone()
    }

    /// The location to configure.
    #[must_use]
    pub fn rest(&self) -> String {
        format!("{}/rest", self.url())
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

/// A handle to what a running simulator serves.
#[derive(Debug, Clone)]
pub struct Customer(Arc<Mutex<World>>);

impl Customer {
    /// Changes it.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.0))
    }

    fn read<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        read(&lock(&self.0))
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "snyk",
    data: "/issues",
    empty: r#"{"jsonapi":{"version":"1.0"},"data":[],"links":{}}"#,
    opening: r#"{"jsonapi":{"version":"1.0"},"data":["#,
    total_header: None,
    total_key: None,
    // Cursors are no numbers: what can happen to pages is among the quirks.
    page_parameters: &[],
    first_page: 0,
    rows: &["data"],
    words: &[
        "type",
        "status",
        "effective_severity_level",
        "state",
        "reachability",
    ],
    texts: &["title", "description", "key", "package_version"],
    as_of_page,
};

/// There are no numbered pages.
fn as_of_page(_: &mut Value, _: u32) {}

#[cfg(test)]
mod tests;
