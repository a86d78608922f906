#![allow(clippy::unwrap_used)]

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::*;
use crate::scenario::shop_cluster;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(prometheus: Prometheus) -> Self {
        Self {
            simulator: prometheus.start().await.unwrap(),
            client: Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .unwrap(),
        }
    }

    async fn shop() -> Self {
        Self::new(Prometheus::new().series(shop_cluster())).await
    }

    fn location(&self) -> String {
        format!("{}/api/v1/query", self.simulator.url())
    }

    async fn post(&self, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(self.location()).form(form);
        request.send().await.unwrap()
    }

    async fn data(&self, query: &str) -> Value {
        let response = self
            .post(&[("query", query), ("time", "1795311582.9")])
            .await;
        assert_eq!(response.status(), 200, "{query}");
        let mut answer = response.json::<Value>().await.unwrap();
        assert_eq!(answer["status"], "success");
        answer["data"].take()
    }

    async fn vector(&self, query: &str) -> Vec<Value> {
        let data = self.data(query).await;
        assert_eq!(data["resultType"], "vector", "{query}");
        data["result"].as_array().unwrap().clone()
    }

    /// Status and what was said.
    async fn error(&self, query: &str) -> (u16, String, String) {
        let response = self.post(&[("query", query)]).await;
        let status = response.status().as_u16();
        let answer = response.json::<Value>().await.unwrap();
        assert_eq!(answer["status"], "error");
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        (status, text("errorType"), text("error"))
    }
}

#[tokio::test]
async fn selectors_choose_by_equality_inequality_and_anchored_regular_expressions() {
    let tester = Tester::shop().await;
    let all = tester.vector("trivy_vulnerability_id").await.len();

    let high = tester
        .vector(r#"trivy_vulnerability_id{severity="High"}"#)
        .await;
    let rest = tester
        .vector(r#"trivy_vulnerability_id{severity!='High',}"#)
        .await;
    assert!(!high.is_empty());
    assert_eq!(high.len() + rest.len(), all);
    let log = tester.vector(r#"{__name__=~"trivy_vulnerability_.*", vuln_id =~ "CVE-2023.*"}"#);
    assert!(!log.await.is_empty());
    assert!(
        tester
            .vector(r#"trivy_vulnerability_id{vuln_id=~"CVE"}"#)
            .await
            .is_empty()
    );
    let failed = tester
        .vector(r#"trivy_configaudits_info{config_audit_success="false"}"#)
        .await;
    let passed = tester
        .vector(r#"trivy_configaudits_info{config_audit_success!="false"}"#)
        .await;
    assert_eq!((failed.len(), passed.len()), (3, 3));
    let first = &failed[0];
    assert_eq!(first["value"], json!([1_795_311_582.9, "1"]));
    assert_eq!(first["metric"]["job"], "trivy-operator");
    assert_eq!(first["metric"]["namespace"], "shop");
}

#[tokio::test]
async fn the_queries_of_the_health_check_and_of_discovery_are_understood() {
    let tester = Tester::shop().await;

    let up = tester.vector(r#"min(up{job="trivy-operator"})"#).await;
    assert_eq!(
        up[0],
        json!({"metric": {}, "value": [1_795_311_582.9, "1"]})
    );
    let sum = tester.vector("sum(trivy_image_vulnerabilities)").await;
    let vulnerabilities = tester.vector("trivy_vulnerability_id").await.len();
    assert_eq!(sum[0]["value"][1], vulnerabilities.to_string());
    let by_namespace = tester
        .vector("count by (namespace) (trivy_vulnerability_id)")
        .await;
    assert_eq!(by_namespace[0]["metric"], json!({"namespace": "shop"}));
    let behind = tester
        .vector("count(trivy_vulnerability_id) by (namespace)")
        .await;
    assert_eq!(behind, by_namespace);
    let clusters = r#"group by (cluster) ({__name__=~"trivy_.*_info|trivy_vulnerability_id"})"#;
    assert_eq!(tester.vector(clusters).await[0]["metric"], json!({}));
    assert!(tester.vector("count(nothing)").await.is_empty());
    assert_eq!(
        tester.data("1").await,
        json!({"resultType": "scalar", "result": [1_795_311_582.9, "1"]})
    );
    assert_eq!(tester.data("\"a\"").await["resultType"], "string");
    assert_eq!(tester.data("up[5m]").await["resultType"], "matrix");
    let bridged = tester
        .vector("last_over_time(trivy_vulnerability_id[10m])")
        .await;
    assert_eq!(bridged.len(), vulnerabilities);
}

#[tokio::test]
async fn get_and_post_are_answered_alike_and_other_bodies_are_not_read() {
    let tester = Tester::shop().await;
    let got = tester.client.get(tester.location());
    let got = got.query(&[
        ("query", "trivy_compliance_info"),
        ("time", "2026-11-24T06:00:00Z"),
    ]);
    let got: Value = got.send().await.unwrap().json().await.unwrap();
    assert_eq!(got["data"]["result"].as_array().unwrap().len(), 3);
    assert_eq!(got["data"]["result"][0]["value"][0], 1_795_500_000.0);
    assert_eq!(
        got["data"]["result"][0]["metric"]["namespace"],
        "trivy-system"
    );

    let json = tester.client.post(tester.location());
    let json = json.json(&json!({"query": "up"})).send().await.unwrap();
    assert_eq!(json.status(), 400);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_the_vendors_way() {
    let tester = Tester::shop().await;
    for (query, said) in [
        ("", "no expression found"),
        ("{}", "at least one non-empty matcher"),
        (r#"{a=~".*"}"#, "at least one non-empty matcher"),
        ("up{", "expected \"}\""),
        ("up{job}", "expected label matching operator"),
        (r#"up{job="x}"#, "unterminated"),
        (r#"up{job=~"("}"#, "error parsing regexp"),
        ("up up", "unexpected character"),
        ("sum(1)", "got scalar"),
        ("sum(up[5m])", "got range vector"),
        ("up[5x]", "not a valid duration"),
        ("rate(up)", "unknown function"),
    ] {
        let (status, kind, error) = tester.error(query).await;
        assert_eq!((status, &*kind), (400, "bad_data"), "{query}");
        assert!(
            error.starts_with("invalid parameter \"query\": "),
            "{error}"
        );
        assert!(error.contains(said), "{query}: {error}");
    }
    let wrong_time = tester.post(&[("query", "up"), ("time", "now")]).await;
    assert_eq!(wrong_time.status(), 400);
    let elsewhere = format!("{}/prometheus/api/v1/query", tester.simulator.url());
    let elsewhere = tester.client.get(elsewhere).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    assert_eq!(elsewhere.text().await.unwrap(), "404 page not found\n");
}

#[tokio::test]
async fn credentials_and_tenant_are_wanted_exactly() {
    let basic = Tester::new(Prometheus::new().basic("secpull", "a:b ö")).await;
    let bearer = Tester::new(Prometheus::new().bearer("t0ken").tenant("team-a")).await;
    let get = |tester: &Tester| {
        tester
            .client
            .get(tester.location())
            .query(&[("query", "1")])
    };

    let refused = get(&basic).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["www-authenticate"], "Basic");
    let wrong = get(&basic)
        .basic_auth("secpull", Some("no"))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 401);
    let right = get(&basic)
        .basic_auth("secpull", Some("a:b ö"))
        .send()
        .await
        .unwrap();
    assert_eq!(right.status(), 200);
    let homeless = get(&bearer).bearer_auth("t0ken").send().await.unwrap();
    assert_eq!(homeless.status(), 401);
    assert_eq!(homeless.text().await.unwrap(), "no org id\n");
    let right = get(&bearer)
        .bearer_auth("t0ken")
        .header("X-Scope-OrgID", "team-a");
    assert_eq!(right.send().await.unwrap().status(), 200);
    assert!(bearer.simulator.requests()[1].credential);
}

#[tokio::test]
async fn a_failing_scrape_shows_up_as_0_and_nothing_else() {
    let tester = Tester::shop().await;
    tester
        .simulator
        .change(|cluster| cluster.scrape = Scrape::Failing);

    assert_eq!(tester.vector("min(up)").await[0]["value"][1], "0");
    assert!(tester.vector("trivy_vulnerability_id").await.is_empty());

    tester
        .simulator
        .change(|cluster| cluster.scrape = Scrape::Gone);
    assert!(tester.vector("min(up)").await.is_empty());

    tester.simulator.change(|cluster| {
        cluster.scrape = Scrape::Healthy;
        cluster.switch_off("trivy_vulnerability_id");
    });
    assert!(tester.vector("trivy_vulnerability_id").await.is_empty());
    assert_ne!(
        tester.vector("sum(trivy_image_vulnerabilities)").await[0]["value"][1],
        "0"
    );
}

#[tokio::test]
async fn without_honoured_labels_the_workloads_namespace_is_exported() {
    let tester = Tester::new(Prometheus::new().overriding_labels().series(shop_cluster())).await;

    let series = tester.vector("trivy_exposedsecrets_info").await;

    assert_eq!(series[0]["metric"]["namespace"], "trivy-system");
    assert_eq!(series[0]["metric"]["exported_namespace"], "shop");
}

#[tokio::test]
async fn limits_errors_and_warnings_come_on_demand() {
    let prometheus = Prometheus::new()
        .series(shop_cluster())
        .max_samples(10)
        .knows_limit();
    let tester = Tester::new(prometheus).await;
    assert_eq!(tester.error("trivy_vulnerability_id").await.0, 422);
    assert_eq!(tester.vector("trivy_compliance_info").await.len(), 3);
    let limited = tester
        .post(&[("query", "trivy_compliance_info"), ("limit", "2")])
        .await;
    let limited: Value = limited.json().await.unwrap();
    assert_eq!(limited["data"]["result"].as_array().unwrap().len(), 2);
    assert_eq!(
        limited["warnings"],
        json!(["results truncated due to limit"])
    );

    let gateway = Tester::new(Prometheus::new().many(500, 1).max_response_bytes(100_000)).await;
    let large = gateway.post(&[("query", "trivy_vulnerability_id")]).await;
    assert_eq!(large.status(), 413);
    let part = gateway
        .vector(r#"trivy_vulnerability_id{severity="Critical"}"#)
        .await;
    assert!((10..150).contains(&part.len()));

    tester.simulator.change(|cluster| {
        cluster.fail("trivy_compliance", VendorError::Timeout);
        cluster.warnings.push("a store did not answer".to_owned());
        cluster
            .infos
            .push("metric might not be a counter".to_owned());
    });
    let (status, kind, _) = tester.error("trivy_compliance_info").await;
    assert_eq!((status, &*kind), (503, "timeout"));
    let warned: Value = tester.post(&[("query", "up")]).await.json().await.unwrap();
    assert_eq!(warned["warnings"][0], "a store did not answer");
    assert_eq!(warned["infos"][0], "metric might not be a counter");
    tester.simulator.change(Cluster::recover);
    assert_eq!(tester.vector("trivy_compliance_info").await.len(), 3);
}

#[tokio::test]
async fn many_series_are_streamed_as_one_vector() {
    let tester = Tester::new(Prometheus::new().many(5000, 1).series(shop_cluster())).await;

    let all = tester.vector("trivy_vulnerability_id").await;

    let listed = shop_cluster();
    let listed = listed
        .iter()
        .filter(|s| s.metric() == "trivy_vulnerability_id");
    assert_eq!(all.len(), 5000 + listed.count());
    let bytes = all[..5000]
        .iter()
        .map(|s| s.to_string().len())
        .sum::<usize>();
    assert!((600..1200).contains(&(bytes / 5000)), "{}", bytes / 5000);
}

#[test]
fn numbers_are_written_as_the_server_does() {
    let written = [1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(series::number);
    assert_eq!(written, ["1", "0.5", "NaN", "+Inf", "-Inf"]);
}
