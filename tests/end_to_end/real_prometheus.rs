//! Debian's Prometheus, scraping a page in Trivy Operator's shape, imported by the real binary.

use secpull_simulators::prometheus::Series;
use secpull_simulators::real_prometheus::RealPrometheus;
use secpull_simulators::scenario::shop_cluster;
use serde_json::Value;

use super::support::Installation;

/// Query, and how many of its series in the scenario are findings.
fn queries() -> Vec<(&'static str, usize)> {
    [
        ("trivy_vulnerability_id", None),
        ("trivy_exposedsecrets_info", None),
        (
            "trivy_configaudits_info",
            Some(("config_audit_success", "false")),
        ),
        (
            "trivy_rbacassessments_info",
            Some(("rbac_assessment_success", "false")),
        ),
        ("trivy_compliance_info", Some(("status", "Fail"))),
    ]
    .into_iter()
    .map(|(metric, failing)| {
        let counts = |series: &Series| {
            series.metric() == metric
                && failing.is_none_or(|(label, value)| series.label(label) == value)
        };
        (
            metric,
            shop_cluster()
                .iter()
                .filter(|series| counts(series))
                .count(),
        )
    })
    .collect()
}

fn installation(url: &str) -> Installation {
    let mut toml =
        format!("[tools.prom]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{url}\"\n");
    for (metric, _) in queries() {
        toml += &format!(
            "[api_configurations.{metric}]\ntool = \"prom\"\nproduct = \"{metric}\"\nquery = \"{metric}\"\n\
             automatic_import = {{ kubernetes_cluster = \"prod\" }}\n"
        );
    }
    Installation::new(&toml)
}

fn open_of<'a>(findings: &'a [Value], metric: &str) -> Vec<&'a Value> {
    findings
        .iter()
        .filter(|finding| finding["product"] == metric && finding["status"] == "open")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_five_queries_is_imported_and_a_scrape_that_stops_resolves_nothing() {
    let mut prometheus = RealPrometheus::start(shop_cluster()).await.unwrap();
    let installation = installation(prometheus.url());
    installation
        .secpull(&["run", "--standalone", "--all"])
        .exits(0);
    let first = installation.findings();
    for (metric, expected) in queries() {
        let run = installation.last_run(metric);
        assert_eq!(run["status"], "complete", "{run}");
        assert_eq!(run["new"], expected, "{metric}: {run}");
        let open = open_of(&first, metric);
        assert!(!open.is_empty(), "{metric}");
        assert!(
            open.iter().all(|f| f["kubernetes"]["cluster"] == "prod"),
            "{metric}"
        );
    }
    let vulnerability = open_of(&first, "trivy_vulnerability_id")[0];
    assert_eq!(vulnerability["kind"], "component");
    assert_eq!(
        vulnerability["image"]["name"],
        "registry.example.com/shop/web"
    );
    assert_eq!(vulnerability["kubernetes"]["namespace"], "shop");

    // Three times, as this connector resolves after two imports without a finding.
    prometheus.break_scrape().await.unwrap();
    for _ in 0..3 {
        installation
            .secpull(&["run", "--standalone", "--all"])
            .exits(1);
    }
    for (metric, _) in queries() {
        let run = installation.last_run(metric);
        assert_ne!(run["status"], "complete", "{run}");
        assert!(run["error"].as_str().unwrap().contains("up"), "{run}");
    }
    assert_eq!(installation.findings().len(), first.len());
    assert!(
        installation
            .findings()
            .iter()
            .all(|finding| finding["status"] == "open")
    );

    // The operator is back, and one vulnerability is repaired.
    let repaired = vulnerability["vulnerability_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut series = shop_cluster();
    series.retain(|series| series.label("vuln_id") != repaired);
    prometheus.serve(series).await.unwrap();
    for _ in 0..2 {
        installation
            .secpull(&["run", "--standalone", "--all"])
            .exits(0);
    }
    for finding in installation.findings() {
        let gone = finding["vulnerability_id"] == repaired.as_str();
        let expected = if gone { "resolved" } else { "open" };
        assert_eq!(finding["status"], expected, "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workloads_namespace_is_found_whether_the_scrape_honours_labels_or_not() {
    let prometheus = RealPrometheus::start_with(shop_cluster(), false)
        .await
        .unwrap();
    let installation = installation(prometheus.url());
    installation
        .secpull(&["run", "--standalone", "--all"])
        .exits(0);
    for finding in open_of(&installation.findings(), "trivy_vulnerability_id") {
        assert_eq!(finding["kubernetes"]["namespace"], "shop", "{finding}");
    }
    for finding in open_of(&installation.findings(), "trivy_compliance_info") {
        assert!(finding["kubernetes"]["namespace"].is_null(), "{finding}");
    }
}
