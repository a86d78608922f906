//! OSV.dev: batches of queries, and records by their ids. It takes no credentials and has no projects.
//!
//! One bad query makes a whole batch fail. Purl types that are not known are answered as if they were clean. Pages are per query.

mod model;
mod purl;
mod routes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use model::{Advisory, generated_sbom};

use self::model::Known;
use self::routes::Service;
use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// A simulator to be started.
#[derive(Debug)]
pub struct Osv {
    address: SocketAddr,
    advisories: Vec<Advisory>,
    generated: u64,
    page_size: usize,
    batch_size: usize,
}

impl Default for Osv {
    fn default() -> Self {
        Self::new()
    }
}

impl Osv {
    /// A service that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            advisories: Vec::new(),
            generated: 0,
            page_size: 1000,
            batch_size: 3000,
        }
    }

    /// With these records.
    #[must_use]
    pub fn advisories(mut self, advisories: impl IntoIterator<Item = Advisory>) -> Self {
        self.advisories.extend(advisories);
        self
    }

    /// With so many findings in the packages of [`generated_sbom`].
    #[must_use]
    pub fn many(mut self, findings: u64) -> Self {
        self.generated = findings;
        self
    }

    /// Pages and batches of so many ids, in place of 1,000 and 3,000.
    #[must_use]
    pub fn pages_of(mut self, page: usize, batch: usize) -> Self {
        (self.page_size, self.batch_size) = (page, batch);
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
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let known = Arc::new(Mutex::new(Known {
            advisories: self.advisories,
            generated: self.generated,
            ..Known::default()
        }));
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let api = routes::api(Service {
            known: known.clone(),
            asked: asked.clone(),
            page_size: self.page_size,
            batch_size: self.batch_size,
        });
        let running = Running::start(api, &DIALECT, self.address, "")?;
        Ok(Simulator {
            running,
            known,
            asked,
        })
    }
}

/// A running service; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    known: Arc<Mutex<Known>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Simulator {
    /// Changes the records.
    pub fn change<T>(&self, change: impl FnOnce(&mut Vec<Advisory>) -> T) -> T {
        change(&mut lock(&self.known).advisories)
    }

    /// Changes the record of this id; none if there is none.
    pub fn change_one<T>(&self, id: &str, change: impl FnOnce(&mut Advisory) -> T) -> Option<T> {
        self.change(|all| all.iter_mut().find(|one| one.id == id).map(change))
    }

    /// From now on there are so many generated findings.
    pub fn generate(&self, findings: u64) {
        lock(&self.known).generated = findings;
    }

    /// From now on the first page of the package of this name comes for ever.
    pub fn never_end(&self, name: &str) {
        lock(&self.known).endless.push(name.to_owned());
    }

    /// From now on queries for the package of this name are refused.
    pub fn refuse(&self, name: &str) {
        lock(&self.known).refused.push(name.to_owned());
    }

    /// All packages are answered for properly again.
    pub fn answer_all(&self) {
        let mut known = lock(&self.known);
        known.endless.clear();
        known.refused.clear();
    }

    /// The queries that were read so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Value> {
        lock(&self.asked).clone()
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "osv",
    data: "/v1/querybatch",
    empty: r#"{"results":[]}"#,
    opening: r#"{"results":["#,
    total_header: None,
    total_key: None,
    // Pages are per query, by tokens.
    page_parameters: &[],
    first_page: 1,
    rows: &["results"],
    words: &["modified"],
    texts: &["id"],
    as_of_page: |_, _| {},
};

#[cfg(test)]
mod tests;
