//! A Prometheus-compatible server that scrapes Trivy Operator: the query API, for the queries that secpull sends and the ones
//! that admins may write in their place.

mod access;
mod answer;
mod cluster;
mod evaluate;
mod exposition;
mod parse;
mod routes;
mod series;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use access::Access;
pub use answer::VendorError;
pub use cluster::{Cluster, Scrape};
pub use exposition::exposition;
pub use series::Series;

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// A simulator to be started.
#[derive(Debug)]
pub struct Prometheus {
    access: Access,
    limits: Limits,
    cluster: Cluster,
    prefix: String,
    address: SocketAddr,
}

/// What a server or the gateway before it refuses to answer.
#[derive(Debug, Clone, Default)]
struct Limits {
    response_bytes: Option<usize>,
    samples: Option<u64>,
    knows_limit: bool,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self::new()
    }
}

impl Prometheus {
    /// An open server that scrapes an operator without reports.
    #[must_use]
    pub fn new() -> Self {
        Self {
            access: Access::default(),
            limits: Limits::default(),
            cluster: Cluster::default(),
            prefix: String::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// With these series of the operator, without the labels that the scrape adds.
    #[must_use]
    pub fn series(mut self, series: impl IntoIterator<Item = Series>) -> Self {
        series
            .into_iter()
            .for_each(|series| self.cluster.add(series));
        self
    }

    /// With so many generated series of `trivy_vulnerability_id` before the others ([`crate::scenario::many_series`]).
    #[must_use]
    pub fn many(mut self, count: u64, seed: u64) -> Self {
        self.cluster.generate(count, seed);
        self
    }

    /// The scrape does not honour labels: the workload's namespace is renamed to `exported_namespace`.
    #[must_use]
    pub fn overriding_labels(mut self) -> Self {
        self.cluster.override_labels();
        self
    }

    /// Wants basic authentication.
    #[must_use]
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.access.basic(user, password);
        self
    }

    /// Wants a bearer token.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.access.bearer(token);
        self
    }

    /// Wants this tenant in `X-Scope-OrgID`.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.access.tenant(tenant);
        self
    }

    /// A gateway answers 413 to answers of more bytes.
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.limits.response_bytes = Some(bytes);
        self
    }

    /// Queries that load more series are answered with 422.
    #[must_use]
    pub fn max_samples(mut self, samples: u64) -> Self {
        self.limits.samples = Some(samples);
        self
    }

    /// Knows the parameter `limit`, as servers since 3.2 do; older ones ignore it.
    #[must_use]
    pub fn knows_limit(mut self) -> Self {
        self.limits.knows_limit = true;
        self
    }

    /// Answers under a path prefix, `/like/this`.
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
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let cluster = Arc::new(Mutex::new(self.cluster));
        let router = routes::router(self.access, self.limits, cluster.clone(), &self.prefix);
        let running = Running::start(router, &DIALECT, self.address, &self.prefix)?;
        Ok(Simulator { running, cluster })
    }
}

/// A running Prometheus; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    cluster: Arc<Mutex<Cluster>>,
}

impl Simulator {
    /// Changes what it scrapes and how it answers.
    pub fn change<T>(&self, change: impl FnOnce(&mut Cluster) -> T) -> T {
        change(&mut lock(&self.cluster))
    }

    /// The same for [`Running::before_request`], whose closure outlives this borrow.
    #[must_use]
    pub fn cluster(&self) -> Arc<Mutex<Cluster>> {
        self.cluster.clone()
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    vendor: "prometheus",
    data: "/api/v1/query",
    empty: r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
    opening: r#"{"status":"success","data":{"resultType":"vector","result":["#,
    total_header: None,
    total_key: None,
    page_parameters: &[],
    first_page: 1,
    rows: &["data", "result"],
    words: &["severity", "status"],
    texts: &["vuln_id", "name", "resource"],
    as_of_page: |_: &mut Value, _| {},
};

#[cfg(test)]
mod tests;
