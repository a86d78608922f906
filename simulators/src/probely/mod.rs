//! Probely (Snyk API & Web): an account's targets and their findings.
//!
//! Every list comes in one envelope, ten rows at once unless asked otherwise. A key without `view_target` is not refused: its
//! lists are empty. In front of the API stands a gateway that wants a User-Agent and answers with HTML. What the vendor has
//! not documented (the words for a wrong key and for a page past the end, the redirect of a path without its last slash) is
//! as its framework does it.

mod model;
mod routes;
mod scenario;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use model::{Account, Target, finding};
pub use scenario::{LOGIN_SECRETS, shop};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The key that the simulator knows. It opens nothing else in the world.
pub const API_KEY: &str = "e30.eyJzaW11bGF0ZWQiOiJwcm9iZWx5In0.OnlyOnLoopbackNothingBehindIt";

/// A simulator to be started.
#[derive(Debug)]
pub struct Probely {
    account: Account,
    address: SocketAddr,
}

impl Default for Probely {
    fn default() -> Self {
        Self::new()
    }
}

impl Probely {
    /// An account without targets.
    #[must_use]
    pub fn new() -> Self {
        Self {
            account: Account::default(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// With a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.account.targets.push(target);
        self
    }

    /// With one more target that has so many generated findings.
    #[must_use]
    pub fn many(self, count: u64) -> Self {
        if count == 0 {
            return self;
        }
        let mut target = Target::new("generated000", "Generated", &[]);
        target.generated = count;
        self.target(target)
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
        let account = Arc::new(Mutex::new(self.account));
        let router = routes::router(Arc::clone(&account));
        let running = Running::start(router, &DIALECT, self.address, "")?;
        Ok(Simulator { running, account })
    }
}

/// A running account; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    account: Arc<Mutex<Account>>,
}

impl Simulator {
    /// Changes what it has, or how it behaves.
    pub fn change<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut lock(&self.account))
    }

    /// The same for [`Running::before_request`], whose closure outlives this borrow.
    pub fn changing(
        &self,
        change: impl FnOnce(&mut Account) + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let account = Arc::clone(&self.account);
        move || change(&mut lock(&account))
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "probely",
    data: "/findings/",
    empty: r#"{"count":0,"page_total":1,"page":1,"length":30,"results":[]}"#,
    opening: r#"{"count":60,"page_total":3,"page":1,"length":20,"results":["#,
    total_header: None,
    total_key: Some("count"),
    page_parameters: &["page"],
    first_page: 1,
    rows: &["results"],
    words: &[
        "state",
        "severity",
        "method",
        "insertion_point",
        "review_status",
    ],
    texts: &["url", "fix", "desc", "last_found"],
    as_of_page,
};

/// Another finding of the same target.
fn as_of_page(row: &mut Value, page: u32) {
    if let Some(id) = row["id"].as_u64() {
        row["id"] = (id + 1_000_000 * u64::from(page - 1)).into();
    }
}

#[cfg(test)]
mod tests;
