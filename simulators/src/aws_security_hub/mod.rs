//! AWS Security Hub CSPM, as the API `securityhub-2018-10-26` answers: signature version 4, four calls, pages whose tokens
//! are bound to the query.

mod access;
mod answer;
mod filter;
mod routes;
mod samples;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub use samples::{control, many, samples, vulnerability};

use crate::misfortune::Dialect;
use crate::server::{Running, lock};

/// The access key that a simulator knows. It opens nothing else in the world.
pub const ACCESS_KEY: &str = "AKIASIMULATEDLOOPBACK";

/// The secret access key that belongs to [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "simulated/only+on/loopback+nothing/behind";

/// The account of a simulated hub.
pub const ACCOUNT: &str = "111122223333";

/// The Region of a simulated hub.
pub const REGION: &str = "us-east-1";

/// A simulator to be started.
#[derive(Debug)]
pub struct SecurityHub {
    hub: Hub,
    address: SocketAddr,
}

/// What a running simulator is; may be changed while it runs.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Findings in ASFF, in the order in which they are listed.
    pub findings: Vec<Value>,
    /// Finding aggregator: home Region, linking mode, Regions.
    pub aggregator: Option<(String, String, Vec<String>)>,
    /// Whether Security Hub is enabled in the account.
    pub enabled: bool,
    /// Actions that IAM denies: `GetFindings`, …
    pub denied: BTreeSet<String>,
    /// Session token that a request must bring, if any.
    pub session_token: Option<String>,
    /// Credentials count as expired.
    pub expired: bool,
    /// The next so many tokens that are presented are refused.
    pub stale_tokens: u32,
    /// The next so many requests are throttled, with AWS's own code.
    pub throttled: u32,
    /// What GetFindings answers in place of its body.
    pub body: Option<String>,
    /// Pages that are short although more follow, as AWS may answer.
    pub short_pages: bool,
}

impl Default for SecurityHub {
    fn default() -> Self {
        Self::new()
    }
}

impl SecurityHub {
    /// An enabled hub without findings, and without aggregation.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hub: Hub {
                findings: Vec::new(),
                aggregator: None,
                enabled: true,
                denied: BTreeSet::new(),
                session_token: None,
                expired: false,
                stale_tokens: 0,
                throttled: 0,
                body: None,
                short_pages: false,
            },
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// With these findings, in ASFF.
    #[must_use]
    pub fn findings(mut self, findings: impl IntoIterator<Item = Value>) -> Self {
        self.hub.findings.extend(findings);
        self
    }

    /// With a finding aggregator: home Region, `RegionLinkingMode`, `Regions`.
    #[must_use]
    pub fn aggregator(mut self, home: &str, mode: &str, regions: &[&str]) -> Self {
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        self.hub.aggregator = Some((home.to_owned(), mode.to_owned(), regions));
        self
    }

    /// Listens here instead of on an ephemeral port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Starts it, for tests that are not async.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let hub = Arc::new(Mutex::new(self.hub));
        let router = routes::router(hub.clone());
        let running = Running::start(router, &DIALECT, self.address, "")?;
        Ok(Simulator { running, hub })
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
}

/// A running hub; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    running: Running,
    hub: Arc<Mutex<Hub>>,
}

impl Simulator {
    /// Changes what it holds and how it answers.
    pub fn change<T>(&self, change: impl FnOnce(&mut Hub) -> T) -> T {
        change(&mut lock(&self.hub))
    }

    /// The same for [`Running::before_request`], whose closure outlives this borrow.
    #[must_use]
    pub fn hub(&self) -> Arc<Mutex<Hub>> {
        self.hub.clone()
    }
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

static DIALECT: Dialect = Dialect {
    total_key: None,
    first_page: 1,
    vendor: "aws-security-hub",
    data: "/findings",
    empty: r#"{"Findings":[]}"#,
    opening: r#"{"Findings":["#,
    total_header: None,
    page_parameters: &["NextToken"],
    rows: &["Findings"],
    words: &["Label", "RecordState"],
    texts: &["Title", "Description", "GeneratorId"],
    as_of_page: |row: &mut Value, page| {
        if let Some(id) = row.get_mut("Id") {
            *id = format!("{}/{page}", id.as_str().unwrap_or_default()).into();
        }
    },
};

#[cfg(test)]
mod tests;
