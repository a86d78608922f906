//! The connector `trivy-operator-prometheus` against a simulated Prometheus, and against a real one.

#![allow(clippy::unwrap_used)]

mod pulling;

use pulling::{Setup, setup};
use secpull::finding::Kind;
use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::prometheus::{Prometheus, Scrape, Series, Simulator, VendorError};
use secpull_simulators::real_prometheus::RealPrometheus;
use secpull_simulators::scenario::shop_cluster;

/// The five metrics, and how many failing series the shop's cluster has.
const METRICS: [(&str, Kind); 5] = [
    ("trivy_vulnerability_id", Kind::Component),
    ("trivy_exposedsecrets_info", Kind::Secret),
    ("trivy_configaudits_info", Kind::Kubernetes),
    ("trivy_rbacassessments_info", Kind::Kubernetes),
    ("trivy_compliance_info", Kind::Kubernetes),
];

/// An API configuration `it` of a tool `prom`.
fn configured(location: &str, tool: &str, query: &str) -> Setup {
    let toml = format!(
        "[tools.prom]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{location}\"\nproxy = \"none\"\ntimeout = \"5s\"\n{tool}\n\
         [api_configurations.it]\nproduct = \"Cluster\"\ntool = \"prom\"\nquery = '''{query}'''\n"
    );
    setup(&toml, "s3cret:with:colons")
}

async fn shop() -> Simulator {
    let server = Prometheus::new().series(shop_cluster());
    server.start().await.unwrap()
}

/// How many series of the shop are findings of this metric.
fn failing(metric: &str) -> usize {
    let passed = |series: &Series| {
        let passed = ["config_audit_success", "rbac_assessment_success"];
        passed.iter().any(|label| series.label(label) == "true") || series.label("status") == "Pass"
    };
    let series = shop_cluster();
    let of_metric = series.iter().filter(|series| series.metric() == metric);
    of_metric.filter(|series| !passed(series)).count()
}

#[tokio::test]
async fn each_of_the_five_metrics_is_imported_without_passed_checks() {
    let server = shop().await;
    for (metric, kind) in METRICS {
        for method in ["POST", "GET"] {
            let tool = format!("method = \"{method}\"");
            let setup = configured(server.url(), &tool, metric);
            let outcome = setup.pull("it").await;
            outcome.is_complete();
            assert_eq!(outcome.distinct(), failing(metric), "{metric}");
            assert!(failing(metric) > 0);
            for (scope, sighting) in &outcome.sightings {
                assert_eq!(sighting.content.kind, kind);
                assert_eq!(scope.record.id, "prom");
                assert!(sighting.source_id.starts_with(&format!("{metric}||")));
            }
            let records = outcome.records.unwrap();
            assert_eq!((records.len(), records[0].name.as_str()), (1, "prom"));
            let line = setup.check("it").await.unwrap();
            let findings = failing(metric);
            assert_eq!(
                line,
                format!("Prometheus 3.5.0, query accepted, {findings} findings, operator up")
            );
        }
    }
}

#[tokio::test]
async fn all_queries_of_a_run_ask_for_the_same_time() {
    let server = shop().await;
    configured(server.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await
        .is_complete();
    let requests = server.requests();
    let times: Vec<_> = requests
        .iter()
        .filter_map(|request| request.parameter("time"))
        .collect();
    assert_eq!(times.len(), requests.len() - 1);
    assert!(times.iter().all(|time| *time == times[0]));
}

#[tokio::test]
async fn passed_checks_are_dropped_even_if_the_query_asks_for_them() {
    let server = shop().await;
    let query = "last_over_time(trivy_configaudits_info[10m])";
    let outcome = configured(server.url(), "", query).pull("it").await;
    outcome.is_complete();
    assert_eq!(outcome.distinct(), failing("trivy_configaudits_info"));
}

#[tokio::test]
async fn the_cluster_is_called_as_the_label_of_the_import_says() {
    let server = shop().await;
    let query =
        "trivy_vulnerability_id'''\nautomatic_import = { kubernetes_cluster = \"prod-eu\" }\n#'''";
    let outcome = configured(server.url(), "", query).pull("it").await;
    outcome.is_complete();
    assert_eq!(outcome.ends[0].0.record.id, "prod-eu");
}

#[tokio::test]
async fn without_honor_labels_the_findings_are_the_same() {
    let ids = async |server: &Simulator| {
        let outcome = configured(server.url(), "", "trivy_vulnerability_id")
            .pull("it")
            .await;
        outcome.is_complete();
        let mut ids: Vec<_> = outcome
            .sightings
            .into_iter()
            .map(|(_, one)| one.source_id)
            .collect();
        ids.sort_unstable();
        ids
    };
    let overriding = Prometheus::new().series(shop_cluster()).overriding_labels();
    let overriding = overriding.start().await.unwrap();
    assert_eq!(ids(&shop().await).await, ids(&overriding).await);
}

#[tokio::test]
async fn a_scrape_that_fails_or_is_gone_proves_nothing() {
    for scrape in [Scrape::Failing, Scrape::Gone] {
        let server = shop().await;
        server.change(|cluster| cluster.scrape = scrape);
        for (metric, _) in METRICS {
            let outcome = configured(server.url(), "", metric).pull("it").await;
            assert_eq!((outcome.distinct(), outcome.error.as_ref()), (0, None));
            let reason = outcome.proves_nothing();
            assert!(reason.contains("up_query"), "{reason}");
        }
    }
}

#[tokio::test]
async fn a_metric_that_is_switched_off_proves_nothing() {
    let server = shop().await;
    for (metric, _) in METRICS {
        server.change(|cluster| cluster.switch_off(metric));
        let setup = configured(server.url(), "up_query = \"\"", metric);
        let reason = setup.pull("it").await.proves_nothing();
        assert!(reason.contains("=true"), "{metric}: {reason}");
    }
}

#[tokio::test]
async fn a_clean_cluster_is_complete() {
    // Sums of zero: the operator runs and finds nothing.
    let server = shop().await;
    server.change(|cluster| {
        cluster.switch_off("trivy_vulnerability_id");
        cluster.change(
            |series| series.metric() == "trivy_image_vulnerabilities",
            |series| series.value = 0.0,
        );
    });
    let outcome = configured(server.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await;
    outcome.is_complete();
    assert_eq!(outcome.distinct(), 0);
    // All checks pass.
    let server = shop().await;
    server.change(|cluster| {
        cluster.change(
            |series| series.metric() == "trivy_configaudits_info",
            |series| series.set("config_audit_success", "true"),
        );
    });
    let outcome = configured(server.url(), "", "trivy_configaudits_info")
        .pull("it")
        .await;
    outcome.is_complete();
    assert_eq!(outcome.distinct(), 0);
    // The matchers leave nothing over, although the metric is exported.
    let outcome = configured(
        server.url(),
        "",
        "trivy_vulnerability_id{namespace=\"none\"}",
    )
    .pull("it")
    .await;
    outcome.is_complete();
}

#[tokio::test]
async fn warnings_make_a_sync_incomplete_and_infos_do_not() {
    let server = shop().await;
    server.change(|cluster| cluster.infos.push("PromQL info: a hint".to_owned()));
    let setup = configured(server.url(), "up_query = \"\"", "trivy_vulnerability_id");
    setup.pull("it").await.is_complete();
    server.change(|cluster| cluster.warnings.push("a store is away".to_owned()));
    let outcome = setup.pull("it").await;
    assert_eq!(outcome.distinct(), failing("trivy_vulnerability_id"));
    assert!(outcome.proves_nothing().contains("a store is away"));
}

#[tokio::test]
async fn what_is_too_much_is_asked_for_in_parts_at_the_same_time() {
    for error in [
        VendorError::ResponseTooLarge,
        VendorError::TooManySamples,
        VendorError::Timeout,
    ] {
        let server = shop().await;
        server.change(|cluster| cluster.fail("trivy_vulnerability_id", error));
        // The time, `up`, the whole query; then the parts, which the server can answer.
        let cluster = server.cluster();
        server.before_request(4, move || cluster.lock().unwrap().recover());
        let setup = configured(server.url(), "", "trivy_vulnerability_id");
        let outcome = setup.pull("it").await;
        outcome.is_complete();
        assert_eq!(outcome.distinct(), failing("trivy_vulnerability_id"));
        let requests = server.requests();
        assert_eq!(requests.len(), 3 + 6 + 1, "{error:?}");
    }
    let all = Prometheus::new().many(3000, 1).series(shop_cluster());
    let server = all.max_response_bytes(400_000).start().await.unwrap();
    let outcome = configured(server.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await;
    assert_eq!(outcome.error, None);
    outcome.is_complete();
    let whole = Prometheus::new().many(3000, 1).series(shop_cluster());
    let whole = whole.start().await.unwrap();
    let expected = configured(whole.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await;
    assert_eq!(outcome.distinct(), expected.distinct());
    let requests = server.requests();
    let parts: Vec<_> = requests
        .iter()
        .filter(|request| {
            request
                .parameter("query")
                .is_some_and(|q| q.contains("severity"))
        })
        .collect();
    assert!(parts.len() >= 6);
    assert!(parts.iter().any(|part| {
        part.parameter("query")
            .unwrap()
            .contains("exported_namespace")
    }));
    assert!(
        parts
            .iter()
            .all(|part| part.parameter("time") == parts[0].parameter("time"))
    );
}

#[tokio::test]
async fn a_part_that_cannot_be_split_further_leaves_the_rest_imported() {
    let server = Prometheus::new().series(shop_cluster()).max_samples(5);
    let server = server.start().await.unwrap();
    let outcome = configured(server.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await;
    assert!(outcome.distinct() > 0);
    let reason = outcome.proves_nothing();
    assert!(reason.contains("cannot be split any further"), "{reason}");
}

#[tokio::test]
async fn a_query_that_gives_no_findings_is_refused_in_clear_words() {
    let server = shop().await;
    for (query, words) in [
        ("count(trivy_vulnerability_id)", "without a metric name"),
        (
            "sum by (vuln_id) (trivy_vulnerability_id)",
            "without a metric name",
        ),
        ("{__name__=\"trivy_image_vulnerabilities\"}", "no findings"),
        ("trivy_vulnerability_id[5m]", "range selector"),
        ("42", "scalar"),
        ("'text'", "string"),
        ("trivy_vulnerability_id{", "parse error"),
    ] {
        let outcome = configured(server.url(), "", query).pull("it").await;
        let error = outcome
            .error
            .unwrap_or_else(|| panic!("{query} is accepted"));
        assert!(error.contains(words), "{query}: {error}");
        assert!(outcome.ends.is_empty());
    }
}

#[tokio::test]
async fn each_value_of_the_cluster_label_is_a_record() {
    let in_cluster = |name: &'static str| {
        shop_cluster().into_iter().map(move |mut series| {
            series.set("cluster", name);
            series
        })
    };
    let server = Prometheus::new()
        .series(in_cluster("eu"))
        .series(in_cluster("us"));
    let server = server.start().await.unwrap();
    let tool = "cluster_label = \"cluster\"";
    let setup = configured(server.url(), tool, "trivy_vulnerability_id");
    let outcome = setup.pull("it").await;
    outcome.is_complete();
    assert_eq!(outcome.distinct(), 2 * failing("trivy_vulnerability_id"));
    let records: Vec<_> = outcome
        .records
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(records, ["eu", "us"]);
    for (scope, sighting) in &outcome.sightings {
        let cluster = sighting
            .content
            .kubernetes
            .as_ref()
            .unwrap()
            .cluster
            .as_deref();
        assert_eq!(cluster, Some(scope.record.id.as_str()));
    }
    let discovered = setup.discover("prom").await.unwrap();
    assert_eq!(discovered.len(), 2);
    assert!(discovered[0].detail.as_ref().unwrap().contains("shop "));

    // One cluster loses the metric; the other is judged by itself.
    server.change(|cluster| {
        cluster.remove(|series| {
            series.metric() == "trivy_vulnerability_id" && series.label("cluster") == "us"
        })
    });
    let outcome = setup.pull("it").await;
    assert_eq!(outcome.end_of("eu"), None);
    assert!(
        outcome
            .end_of("us")
            .unwrap()
            .contains("switch the metric on")
    );

    // A query for one cluster is not kept from its end by the other.
    let query = "trivy_vulnerability_id{cluster=\"eu\"}";
    let outcome = configured(server.url(), tool, query).pull("it").await;
    outcome.is_complete();
    assert_eq!(outcome.ends.len(), 1);
}

#[tokio::test]
async fn credentials_and_tenants_are_sent_and_asked_for_in_clear_words() {
    let password = "s3cret:with:colons";
    let secret = "secret = { env = \"KEY\" }";
    let basic = Prometheus::new()
        .series(shop_cluster())
        .basic("secpull", password);
    let basic = basic.start().await.unwrap();
    let tool = format!("username = \"secpull\"\n{secret}");
    configured(basic.url(), &tool, "trivy_vulnerability_id")
        .pull("it")
        .await
        .is_complete();
    let error = configured(basic.url(), secret, "trivy_vulnerability_id")
        .check("it")
        .await
        .unwrap_err();
    assert!(
        error.contains("401") && error.contains("bearer token"),
        "{error}"
    );

    let bearer = Prometheus::new().series(shop_cluster()).bearer(password);
    let bearer = bearer.start().await.unwrap();
    configured(bearer.url(), secret, "trivy_vulnerability_id")
        .pull("it")
        .await
        .is_complete();

    let tenant = Prometheus::new()
        .series(shop_cluster())
        .tenant(password)
        .under("/prometheus");
    let tenant = tenant.start().await.unwrap();
    let header = "headers = { \"X-Scope-OrgID\" = { env = \"KEY\" } }";
    configured(tenant.url(), header, "trivy_vulnerability_id")
        .pull("it")
        .await
        .is_complete();
    let error = configured(tenant.url(), "", "trivy_vulnerability_id")
        .check("it")
        .await
        .unwrap_err();
    assert!(error.contains("X-Scope-OrgID"), "{error}");
    let root = tenant.url().trim_end_matches("/prometheus");
    let error = configured(root, header, "trivy_vulnerability_id")
        .check("it")
        .await
        .unwrap_err();
    assert!(error.contains("/prometheus"), "{error}");
}

#[tokio::test]
async fn nothing_is_concluded_from_an_answer_that_went_wrong() {
    for misfortune in [
        Misfortune::TruncatedJson,
        Misfortune::GarbageBehindJson,
        Misfortune::WrongContentType,
        Misfortune::HtmlLoginPage,
        Misfortune::ConnectionReset,
        Misfortune::RedirectToAnotherHost,
        Misfortune::KeyRevoked,
        Misfortune::PermissionLostInTheMiddle,
        Misfortune::NullInsteadOfARow,
        Misfortune::InvalidUtf8,
    ] {
        for on in [
            "trivy_vulnerability_id",
            "up{",
            "trivy_image_vulnerabilities",
            "",
        ] {
            let server = shop().await;
            server.inflict_as(misfortune.plan().on(on));
            let setup = configured(server.url(), "", "trivy_vulnerability_id");
            let outcome = setup.pull("it").await;
            if misfortune == Misfortune::PermissionLostInTheMiddle && !on.is_empty() {
                // It strikes the second query of a kind, and there is but one.
                continue;
            }
            if on == "up{" && misfortune == Misfortune::InvalidUtf8 {
                continue;
            }
            let reason = outcome.proves_nothing();
            assert!(!reason.contains('\n'));
        }
    }
}

#[tokio::test]
async fn a_null_among_the_series_is_counted_and_the_series_behind_it_are_read() {
    let server = shop().await;
    let plan = Plan::new(Misfortune::NullInsteadOfARow).on("trivy_vulnerability_id");
    server.inflict_as(plan);
    let setup = configured(server.url(), "", "trivy_vulnerability_id");
    let outcome = setup.pull("it").await;
    assert_eq!(outcome.unreadable, 1);
    assert_eq!(outcome.distinct() + 1, failing("trivy_vulnerability_id"));
    outcome.proves_nothing();
}

#[tokio::test]
async fn odd_words_in_a_row_lose_neither_the_row_nor_the_rest() {
    let server = shop().await;
    let plan = Plan::new(Misfortune::UnknownEnumValues).on("trivy_vulnerability_id");
    server.inflict_as(plan);
    let outcome = configured(server.url(), "", "trivy_vulnerability_id")
        .pull("it")
        .await;
    outcome.is_complete();
    assert_eq!(outcome.distinct(), failing("trivy_vulnerability_id"));
}

#[tokio::test]
async fn a_real_prometheus_is_imported_and_believed_only_while_its_scrape_is_up() {
    let mut real = RealPrometheus::start(shop_cluster()).await.unwrap();
    for (metric, _) in METRICS {
        let setup = configured(real.url(), "", metric);
        let outcome = setup.pull("it").await;
        outcome.is_complete();
        assert_eq!(outcome.distinct(), failing(metric));
        assert!(setup.check("it").await.unwrap().contains("operator up"));
    }
    let setup = configured(real.url(), "", "trivy_vulnerability_id offset 1m [5m]");
    assert!(
        setup
            .pull("it")
            .await
            .error
            .unwrap()
            .contains("parse error")
    );
    let setup = configured(real.url(), "", "trivy_vulnerability_id[5m]");
    assert!(
        setup
            .pull("it")
            .await
            .error
            .unwrap()
            .contains("range selector")
    );
    let setup = configured(real.url(), "", "count(trivy_vulnerability_id)");
    assert!(
        setup
            .pull("it")
            .await
            .error
            .unwrap()
            .contains("without a metric name")
    );
    let setup = configured(real.url(), "", "3");
    assert!(setup.pull("it").await.error.unwrap().contains("scalar"));

    real.break_scrape().await.unwrap();
    for (metric, _) in METRICS {
        let outcome = configured(real.url(), "", metric).pull("it").await;
        assert_eq!((outcome.distinct(), outcome.error.as_ref()), (0, None));
        assert!(outcome.proves_nothing().contains("scrape is down"));
    }
}
