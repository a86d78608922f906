//! Debian's own `prometheus` on loopback, scraping a page in Trivy Operator's shape: what the simulator claims, for real.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::misfortune::Dialect;
use crate::prometheus::{Series, exposition};
use crate::scenario::OPERATOR_NAMESPACE;
use crate::server::{Running, lock};

/// Start, scrape and stale series take a second or two; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Between choosing a port and listening on it somebody else may take it.
const ATTEMPTS: u32 = 3;

/// A Prometheus server; killed when dropped.
#[derive(Debug)]
pub struct RealPrometheus {
    url: String,
    client: reqwest::Client,
    operator: Running,
    page: Arc<Mutex<Page>>,
    process: Child,
    folder: TempDir,
}

/// The operator's metrics page.
#[derive(Debug)]
enum Page {
    Series(Vec<Series>),
    Broken,
}

impl RealPrometheus {
    /// Starts an operator with these series and a Prometheus that scrapes it each second and honours its labels, and returns
    /// when the first scrape has been stored.
    ///
    /// # Errors
    /// There is no `prometheus` in the PATH, or it does not start or scrape within a minute; its log is in the error.
    pub async fn start(series: Vec<Series>) -> io::Result<Self> {
        Self::start_with(series, true).await
    }

    /// The same, with or without `honor_labels`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(series: Vec<Series>, honor_labels: bool) -> io::Result<Self> {
        let expected = series.len();
        let page = Arc::new(Mutex::new(Page::Series(series)));
        let served = page.clone();
        let router = Router::new().fallback(move || {
            let page = served.clone();
            async move { lock(&page).answer() }
        });
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let operator = Running::start(router, &OPERATOR, address, "")?;
        let folder = TempDir::new()?;
        let configuration = configuration(&operator, honor_labels);
        std::fs::write(folder.path().join("prometheus.yml"), configuration)?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(io::Error::other)?;
        let (url, process) = launch(&folder, &client).await?;
        let started = Self {
            url,
            client,
            operator,
            page,
            process,
            folder,
        };
        started.until_stored(expected).await?;
        Ok(started)
    }

    /// The Location to configure.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The operator answers 500 from now on; returns when Prometheus has noticed: `up` is 0 and no series is left.
    ///
    /// # Errors
    /// Prometheus does not notice within a minute.
    pub async fn break_scrape(&mut self) -> io::Result<()> {
        *lock(&self.page) = Page::Broken;
        self.until("min(up)", "0").await?;
        self.until_none(r#"count({__name__=~"trivy_.*"})"#).await
    }

    /// The operator serves these series from now on; returns when Prometheus has exactly them.
    ///
    /// # Errors
    /// Prometheus does not have them within a minute.
    pub async fn serve(&mut self, series: Vec<Series>) -> io::Result<()> {
        let expected = series.len();
        *lock(&self.page) = Page::Series(series);
        self.until_scraped(expected).await
    }

    async fn until_scraped(&self, expected: usize) -> io::Result<()> {
        // Two scrapes more: the page that is being read now may still be the old one.
        let seen = self.operator.request_count();
        self.until_true("a scrape of the new page", async || {
            Ok(self.operator.request_count() >= seen + 2)
        })
        .await?;
        self.until_stored(expected).await
    }

    async fn until_stored(&self, expected: usize) -> io::Result<()> {
        self.until("min(up)", "1").await?;
        let count = r#"count({__name__=~"trivy_.*"})"#;
        match expected {
            0 => self.until_none(count).await,
            some => self.until(count, &some.to_string()).await,
        }
    }

    async fn until(&self, query: &str, value: &str) -> io::Result<()> {
        let what = format!("{query} to be {value}");
        self.until_true(&what, async || {
            Ok(self.value(query).await?.as_deref() == Some(value))
        })
        .await
    }

    async fn until_none(&self, query: &str) -> io::Result<()> {
        let what = format!("{query} to be empty");
        self.until_true(&what, async || Ok(self.value(query).await?.is_none()))
            .await
    }

    async fn until_true(
        &self,
        what: &str,
        holds: impl AsyncFn() -> io::Result<bool>,
    ) -> io::Result<()> {
        let start = Instant::now();
        while !holds().await? {
            if start.elapsed() > PATIENCE {
                let log = log(&self.folder);
                return Err(io::Error::other(format!(
                    "waited {PATIENCE:?} for {what}; Prometheus says: {log}"
                )));
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// The value of the only element of a vector; none if the vector is empty.
    async fn value(&self, query: &str) -> io::Result<Option<String>> {
        let answer = self
            .client
            .get(format!("{}/api/v1/query", self.url))
            .query(&[("query", query)])
            .send()
            .await
            .map_err(io::Error::other)?;
        let answer: Value = answer.json().await.map_err(io::Error::other)?;
        let value = &answer["data"]["result"][0]["value"][1];
        Ok(value.as_str().map(str::to_owned))
    }

    /// Stops the server and waits for its end; after that nothing listens at its URL.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn stop(&mut self) -> io::Result<()> {
        self.process.kill().await
    }
}

impl Page {
    fn answer(&self) -> Response {
        let version = "text/plain; version=0.0.4; charset=utf-8";
        match self {
            Self::Series(series) => ([(CONTENT_TYPE, version)], exposition(series)).into_response(),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "An error has occurred while serving metrics",
            )
                .into_response(),
        }
    }
}

async fn launch(folder: &TempDir, client: &reqwest::Client) -> io::Result<(String, Child)> {
    let mut log_of_last = String::new();
    for _ in 0..ATTEMPTS {
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        let mut process = spawn(folder, port)?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE && process.try_wait()?.is_none() {
            let ready = client.get(format!("{url}/-/ready")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok((url, process));
            }
            sleep(BETWEEN_LOOKS).await;
        }
        log_of_last = log(folder);
    }
    let message = format!("prometheus does not start; it says: {log_of_last}");
    Err(io::Error::other(message))
}

fn spawn(folder: &TempDir, port: u16) -> io::Result<Child> {
    let at = |name: &str| folder.path().join(name);
    let argument = |name: &str, path: &str| format!("--{name}={}", at(path).display());
    Command::new("prometheus")
        .arg(argument("config.file", "prometheus.yml"))
        .arg(argument("storage.tsdb.path", "data"))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(at("log"))?)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                error.kind(),
                "there is no prometheus in the PATH; scripts/test installs it",
            ),
            _ => error,
        })
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// The last lines of the server's log.
fn log(folder: &TempDir) -> String {
    let text = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let lines = text.lines().rev().take(5).collect::<Vec<_>>();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

fn configuration(operator: &Running, honor_labels: bool) -> String {
    let mut text = String::from("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n");
    // A string takes whatever is written.
    let _ = write!(
        text,
        "scrape_configs:\n\
         - job_name: trivy-operator\n  \
           honor_labels: {honor_labels}\n  \
           static_configs:\n  \
           - targets: ['{}']\n    \
             labels: {{namespace: {OPERATOR_NAMESPACE}, service: trivy-operator, endpoint: metrics, \
             pod: trivy-operator-5b57d94649-9ngdz, container: trivy-operator}}\n",
        operator.address(),
    );
    text
}

static OPERATOR: Dialect = Dialect {
    vendor: "trivy-operator",
    data: "/metrics",
    empty: "",
    opening: "",
    total_header: None,
    total_key: None,
    page_parameters: &[],
    first_page: 1,
    rows: &[],
    words: &[],
    texts: &[],
    as_of_page: |_: &mut Value, _| {},
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::prometheus::Prometheus;
    use crate::scenario::shop_cluster;

    const QUERIES: &[&str] = &[
        "trivy_vulnerability_id",
        r#"trivy_vulnerability_id{severity="High",vuln_id!~"CVE-2023.*"}"#,
        "trivy_exposedsecrets_info",
        r#"trivy_configaudits_info{config_audit_success="false"}"#,
        r#"trivy_rbacassessments_info{rbac_assessment_success!="true"}"#,
        r#"trivy_compliance_info{status="Fail"}"#,
        "count by (namespace) (trivy_vulnerability_id)",
        r#"group by (cluster) ({__name__=~"trivy_.*_info|trivy_vulnerability_id"})"#,
        "sum(trivy_image_vulnerabilities)",
        r#"min(up{job="trivy-operator"})"#,
        "last_over_time(trivy_compliance_info[1m])",
        "1",
        "nothing",
    ];

    /// Kind and elements in an order of their own, without what differs by nature.
    async fn answer(client: &reqwest::Client, url: &str, query: &str) -> (Value, BTreeSet<String>) {
        let form = [("query", query)];
        let request = client.post(format!("{url}/api/v1/query")).form(&form);
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let data = &mut answer["data"];
        if let Some(elements) = data["result"].as_array_mut() {
            for element in elements {
                if element.is_number() {
                    *element = 0.into();
                }
                if let Some(metric) = element.pointer_mut("/metric") {
                    metric["instance"].take();
                }
                if let Some(time) = element.pointer_mut("/value/0") {
                    *time = 0.into();
                }
            }
        }
        let elements = data["result"].as_array().unwrap().iter();
        (
            data["resultType"].clone(),
            elements.map(Value::to_string).collect(),
        )
    }

    #[tokio::test]
    async fn the_simulator_answers_every_query_as_the_real_server_does() {
        for honor_labels in [true, false] {
            let real = RealPrometheus::start_with(shop_cluster(), honor_labels)
                .await
                .unwrap();
            let mut simulated = Prometheus::new().series(shop_cluster());
            if !honor_labels {
                simulated = simulated.overriding_labels();
            }
            let simulated = simulated.start().await.unwrap();

            for query in QUERIES {
                let really = answer(&real.client, real.url(), query).await;
                let simulated = answer(&real.client, simulated.url(), query).await;
                assert_eq!(really, simulated, "{query}, honor_labels: {honor_labels}");
            }
        }
    }

    #[tokio::test]
    async fn a_broken_page_leaves_up_at_0_and_nothing_else_until_it_is_mended() {
        let mut real = RealPrometheus::start(shop_cluster()).await.unwrap();

        real.break_scrape().await.unwrap();
        assert_eq!(real.value("trivy_vulnerability_id").await.unwrap(), None);

        real.serve(shop_cluster()[..1].to_vec()).await.unwrap();
        assert_eq!(
            real.value("count(trivy_vulnerability_id)")
                .await
                .unwrap()
                .as_deref(),
            Some("1")
        );

        real.stop().await.unwrap();
        assert!(real.value("1").await.is_err());
    }
}
