//! Burp Suite DAST's GraphQL API: sites, their scans, the scans' issues.
//!
//! Requests are validated against a schema as strictly as the specification says, so a field that a server does not know
//! fails the whole request, with status 200. The 401's body and the words of errors are this simulator's own.

mod execute;
mod generated;
mod model;
mod scenario;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use execute::{Call, execute};
pub use model::{Folder, Issue, IssueType, Scan, Site};
pub use scenario::shop;

use crate::misfortune::Dialect;
use crate::server::{Running, lock, parameters};

/// The key that the simulator knows. It opens nothing else in the world.
pub const API_KEY: &str = "SimuLated.BurpKey.OnlyOnLoopback.000";

const SCHEMA: &str = include_str!("schema.graphql");

/// Larger than any request of secpull's.
const BODY_LIMIT: usize = 1 << 20;

/// What a server has, and how it behaves.
#[derive(Debug, Clone)]
pub struct World {
    /// Folders, the root among them.
    pub folders: Vec<Folder>,
    /// Sites of both sorts.
    pub sites: Vec<Site>,
    /// Scans, in no order.
    pub scans: Vec<Scan>,
    /// Gives no more issues at once than this, without a word.
    pub page_cap: u64,
    /// Whether introspection is allowed.
    pub tells_its_schema: bool,
    /// Answers `issues: null`, without an error.
    pub lists_no_issues: bool,
    /// Answers calls of operations with this in their name with these words in an error, and with no data.
    pub denies: Option<(String, String)>,
    /// Answers calls for issues with all data, and an error beside it.
    pub complains: bool,
}

impl World {
    fn tree(&self) -> Value {
        let sites = |from_pipeline: bool| -> Vec<Value> {
            self.sites
                .iter()
                .filter(|site| site.from_pipeline == from_pipeline)
                .map(|site| {
                    json!({
                        "id": site.id,
                        "name": site.name,
                        "parent_id": site.parent,
                        "ephemeral": false,
                        "correlation_id": format!("pipeline-{}", site.id),
                    })
                })
                .collect()
        };
        let folders = self.folders.iter().map(
            |folder| json!({"id": folder.id, "name": folder.name, "parent_id": folder.parent}),
        );
        json!({
            "folders": folders.collect::<Vec<_>>(),
            "sites": sites(false),
            "cids_sites": sites(true),
        })
    }
}

/// A simulator to be started.
#[derive(Debug)]
pub struct Burp {
    world: World,
    is_old: bool,
    prefix: String,
    address: SocketAddr,
}

impl Default for Burp {
    fn default() -> Self {
        Self::new()
    }
}

impl Burp {
    /// A server of today with the root folder and nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            world: World {
                folders: vec![Folder {
                    id: "0".to_owned(),
                    name: "All Sites".to_owned(),
                    parent: None,
                }],
                sites: Vec::new(),
                scans: Vec::new(),
                page_cap: u64::MAX,
                tells_its_schema: true,
                lists_no_issues: false,
                denies: None,
                complains: false,
            },
            is_old: false,
            prefix: String::new(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Is a server of the first years: `site_id` in place of `scan_target_id`, no fingerprints.
    #[must_use]
    pub fn old(mut self) -> Self {
        self.is_old = true;
        self
    }

    /// With what `change` makes of its world.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    /// With a site directly below the root.
    #[must_use]
    pub fn site(self, id: &str, name: &str) -> Self {
        self.with(|world| {
            world.sites.push(Site {
                id: id.to_owned(),
                name: name.to_owned(),
                parent: "0".to_owned(),
                from_pipeline: false,
            });
        })
    }

    /// With a scan.
    #[must_use]
    pub fn scan(self, scan: Scan) -> Self {
        self.with(|world| world.scans.push(scan))
    }

    /// With one more site, whose scan has so many generated issues.
    #[must_use]
    pub fn many(self, count: u64) -> Self {
        if count == 0 {
            return self;
        }
        let mut scan = Scan::new("9001", "900", "2026-10-01T06:00:00.000Z", Vec::new());
        scan.generated = count;
        self.site("900", "generated").scan(scan)
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
    pub fn start_blocking(self) -> io::Result<Simulator> {
        let world = Arc::new(Mutex::new(self.world));
        let server = Server {
            schema: schema(self.is_old)?,
            world: world.clone(),
        };
        let path = format!("{}/graphql/v1", self.prefix);
        let router = Router::new()
            .route(&path, post(answer))
            .with_state(Arc::new(server));
        let running = Running::start(router, &DIALECT, self.address, &self.prefix)?;
        Ok(Simulator { running, world })
    }
}

/// A running server; stops when dropped.
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
}

impl Deref for Simulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

struct Server {
    schema: Valid<Schema>,
    world: Arc<Mutex<World>>,
}

/// The schema of a server of today, or of an old one.
fn schema(is_old: bool) -> io::Result<Valid<Schema>> {
    let unknown = if is_old { "# today" } else { "# once" };
    let lines = SCHEMA.lines().filter(|line| !line.ends_with(unknown));
    let text = lines.collect::<Vec<_>>().join("\n");
    Schema::parse_and_validate(text, "schema.graphql")
        .map_err(|invalid| io::Error::other(invalid.errors.to_string()))
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let key = request.headers().get("authorization");
    if key.is_none_or(|key| key != API_KEY) {
        let body = json!({"error": "Unauthorized"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let page = page_of(&request);
    let (_, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await;
    let Some(call) = body.ok().and_then(|body| call(&body, page)) else {
        return (StatusCode::BAD_REQUEST, "not a GraphQL request").into_response();
    };
    let world = lock(&server.world).clone();
    let operation = call.operation.as_deref().unwrap_or_default();
    if let Some((what, words)) = &world.denies
        && operation.contains(what)
    {
        let error = json!({"message": words, "extensions": {"code": 403}});
        return Json(json!({"data": null, "errors": [error]})).into_response();
    }
    let mut answer = execute(&server.schema, &world, &call);
    if world.complains && operation.contains("ScanIssue") {
        let path = ["scan", "issues"];
        answer["errors"] = json!([{"message": "no access to some fields", "path": path, "extensions": {"code": 84}}]);
    }
    Json(answer).into_response()
}

fn call(body: &Bytes, page: Option<i64>) -> Option<Call> {
    let mut call: Call = serde_json::from_slice(body).ok()?;
    if let Some(variables) = &mut call.variables
        && let (Some(start), Some(count)) = (
            variables.get("start").and_then(Value::as_i64),
            variables.get("count").and_then(Value::as_i64),
        )
        && let Some(page) = page
        && page != start / count.max(1) + 1
    {
        // A misfortune asks for another page.
        variables.insert("start".to_owned(), ((page - 1) * count).into());
    }
    Some(call)
}

fn page_of(request: &Request) -> Option<i64> {
    let parameters = parameters(request.extensions());
    let (_, page) = parameters.iter().find(|(name, _)| name == "page")?;
    page.parse().ok()
}

static DIALECT: Dialect = Dialect {
    total_key: None,
    first_page: 1,
    vendor: "burp",
    data: "ScanIssue",
    empty: r#"{"data":{"scan":{"id":"1003","status":"succeeded","issues":[]}}}"#,
    opening: r#"{"data":{"scan":{"id":"1003","status":"succeeded","issues":["#,
    total_header: None,
    page_parameters: &["page"],
    rows: &["data", "scan", "issues"],
    words: &["severity", "confidence", "novelty", "original_severity"],
    texts: &["path", "origin", "name"],
    as_of_page,
};

/// Another issue of the same sort at the same place.
fn as_of_page(row: &mut Value, page: u32) {
    for name in ["serial_number", "fingerprint"] {
        if let Some(text) = row[name].as_str() {
            row[name] = format!("{page}{text}").into();
        }
    }
}

#[cfg(test)]
mod tests;
