//! DefectDojo: products, engagements, tests and their findings, through API v2 of release 3.2.
//!
//! Who may not see something is told that there is nothing of it, and a parameter that is not known is ignored: both answer 200.
//! Wrong credentials are a 403. Every list is a page of 25 rows unless another limit is asked for, and a limit that is none counts
//! as none asked for. In the order that findings come in by themselves, equals have no order among each other.

mod access;
mod answer;
mod filter;
mod finding;
mod form;
mod import;
mod model;
mod page;
mod render;
mod report;
mod routes;
mod scenario;
mod uploads;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use finding::Finding;
pub use model::{
    Behaviour, Engagement, Gateway, Product, ProductType, Table, Test, TestImport, TestType, World,
};
pub use scenario::{many, shop};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The API v2 key that the simulator knows. It opens nothing else in the world.
pub const TOKEN: &str = "5111a7ed0000000000000000000000c0ffee5111";

/// The test type of reports in DefectDojo's own format.
pub const GENERIC: &str = "Generic Findings Import";

/// A simulator to be started.
#[derive(Debug, Default)]
pub struct DefectDojo {
    world: World,
    address: Option<SocketAddr>,
    prefix: &'static str,
}

impl DefectDojo {
    /// One that has this.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            world,
            address: None,
            prefix: "",
        }
    }

    /// Below a path, `/dojo`.
    #[must_use]
    pub fn below(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Listens here instead of on an ephemeral port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
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
        let world = Arc::new(Mutex::new(self.world));
        let router = routes::router(Arc::clone(&world), self.prefix);
        let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
        let address = self.address.unwrap_or(anywhere);
        let running = Running::start(router, &DIALECT, address, self.prefix)?;
        Ok(Simulator { running, world })
    }
}

/// A running instance; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    world: Arc<Mutex<World>>,
}

impl Simulator {
    /// Changes what it has, or how it behaves.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.world))
    }

    /// The same for [`Running::before_request`], whose closure outlives this borrow.
    pub fn changing(
        &self,
        change: impl FnOnce(&mut World) + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let world = Arc::clone(&self.world);
        move || change(&mut lock(&world))
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "defectdojo",
    data: "/api/v2/findings/",
    empty: r#"{"count":0,"next":null,"previous":null,"results":[],"prefetch":{}}"#,
    opening: r#"{"count":60,"next":null,"previous":null,"results":["#,
    total_header: None,
    total_key: Some("count"),
    page_parameters: &["offset"],
    first_page: 0,
    rows: &["results"],
    words: &["severity", "display_status", "numerical_severity"],
    texts: &["title", "description", "mitigation", "created"],
    as_of_page,
};

/// Another finding of the same test. What tells the pages apart is the offset.
fn as_of_page(row: &mut Value, offset: u32) {
    if let Some(id) = row["id"].as_u64() {
        row["id"] = (id + 1_000_000 * u64::from(offset)).into();
    }
}

#[cfg(test)]
mod tests;
