#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::metric::METRICS;
use super::super::series::{Labels, Series};
use super::*;
use crate::finding::Kind;

fn mapped(metric: &str, labels: &Value) -> Result<Sighting, String> {
    let element = json!({"metric": labels, "value": [1_795_311_582.9, "1"]}).to_string();
    let Ok(Series::Present(labels)) = Series::parse(element.as_bytes()) else {
        return Err("no series".to_owned());
    };
    let (_, metric) = Metric::named(metric).unwrap();
    let cluster = labels.get("cluster").unwrap_or_default();
    let mapped = map(metric, &labels, cluster);
    // The import maps what is kept of a series.
    let kept = labels.raw();
    let kept = Labels::parse_kept(kept.as_bytes()).unwrap();
    assert_eq!(mapped, map(metric, &kept, cluster));
    if let Ok(sighting) = &mapped {
        assert_eq!(sighting.source_id, id(metric, &labels, cluster));
    }
    mapped
}

fn vulnerability() -> Value {
    json!({
        "__name__": "trivy_vulnerability_id", "cluster": "eu", "namespace": "shop", "name": "replicaset-web-6d4cf56db6-web",
        "resource_kind": "ReplicaSet", "resource_name": "web-6d4cf56db6", "container_name": "web",
        "image_registry": "registry.example.com", "image_repository": "shop/web", "image_tag": "1.2", "image_digest": "sha256:ab",
        "resource": "libssl3", "installed_version": "3.0.1", "fixed_version": "3.0.2, 3.1.0", "severity": "High",
        "vuln_id": "CVE-2024-1234", "vuln_title": "A flaw in libssl", "vuln_score": "7.5", "target": "web (debian 12)",
        "k8s_label_team": "payments", "instance": "10.0.0.1:8080", "pod": "trivy-operator-1"
    })
}

#[test]
fn a_vulnerability_is_mapped_field_by_field() {
    let sighting = mapped("trivy_vulnerability_id", &vulnerability()).unwrap();
    assert_eq!(
        sighting.source_id,
        "trivy_vulnerability_id|eu|shop|ReplicaSet|web-6d4cf56db6|web|registry.example.com|shop/web|libssl3|3.0.1|web (debian 12)||CVE-2024-1234"
    );
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.source_severity.as_deref(), Some("High"));
    assert_eq!(
        (sighting.status, sighting.source_status),
        (Status::Open, None)
    );
    assert_eq!(
        (sighting.found_at, sighting.source_updated_at),
        (None, None)
    );
    assert!(!sighting.raw.contains("10.0.0.1") && sighting.raw.starts_with("{\"metric\":{"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "CVE-2024-1234 in libssl3 3.0.1");
    assert_eq!(content.description.as_deref(), Some("A flaw in libssl"));
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Upgrade libssl3 to 3.0.2, 3.1.0")
    );
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2024-1234"));
    assert_eq!(content.cvss3_score, Some(7.5));
    let component = content.component.unwrap();
    assert_eq!(component.fixed_version.as_deref(), Some("3.0.2, 3.1.0"));
    let image = content.image.unwrap();
    assert_eq!(image.name.as_deref(), Some("registry.example.com/shop/web"));
    assert_eq!(image.tag.as_deref(), Some("1.2"));
    assert_eq!(
        content.source_location.unwrap().file.as_deref(),
        Some("web (debian 12)")
    );
    let kubernetes = content.kubernetes.unwrap();
    assert_eq!(kubernetes.cluster.as_deref(), Some("eu"));
    assert_eq!(kubernetes.namespace.as_deref(), Some("shop"));
    assert_eq!(kubernetes.kind.as_deref(), Some("ReplicaSet"));
    assert_eq!(kubernetes.name.as_deref(), Some("web-6d4cf56db6"));
    assert_eq!(
        content.references,
        ["https://avd.aquasec.com/nvd/cve-2024-1234"]
    );
    assert_eq!(content.tags, ["team=payments"]);
}

#[test]
fn the_identity_survives_whatever_is_no_news() {
    let before = mapped("trivy_vulnerability_id", &vulnerability()).unwrap();
    let mut later = vulnerability();
    for (label, value) in [
        ("image_tag", json!("1.3")),
        ("image_digest", json!(null)),
        ("severity", json!("Critical")),
        ("vuln_score", json!("9.8")),
        ("vuln_title", json!("Another title")),
        ("fixed_version", json!(null)),
        ("pod", json!("trivy-operator-2")),
        ("k8s_label_team", json!("other")),
    ] {
        later[label] = value;
    }
    let later = mapped("trivy_vulnerability_id", &later).unwrap();
    assert_eq!(before.source_id, later.source_id);
}

#[test]
fn a_new_pod_of_the_operator_changes_nothing() {
    let before = mapped("trivy_vulnerability_id", &vulnerability()).unwrap();
    let mut later = vulnerability();
    later["pod"] = "trivy-operator-2".into();
    later["instance"] = "10.0.0.2:8080".into();
    assert_eq!(before, mapped("trivy_vulnerability_id", &later).unwrap());
}

#[test]
fn an_image_without_registry_has_no_leading_slash_and_other_labels_may_be_missing_too() {
    let sighting = mapped(
        "trivy_vulnerability_id",
        &json!({"image_repository": "library/nginx", "name": "pod-nginx", "vuln_id": "GHSA-1", "severity": "Dreadful"}),
    )
    .unwrap();
    let content = sighting.content;
    assert_eq!(
        content.image.unwrap().name.as_deref(),
        Some("library/nginx")
    );
    assert_eq!(
        content.kubernetes.unwrap().name.as_deref(),
        Some("pod-nginx")
    );
    assert_eq!(content.title, "GHSA-1");
    assert_eq!(content.component, None);
    assert!(content.references.is_empty());
    assert_eq!(sighting.severity, Severity::Unknown);
    assert_eq!(sighting.source_severity.as_deref(), Some("Dreadful"));
}

#[test]
fn without_honor_labels_the_workloads_namespace_is_the_exported_one() {
    let mut labels = vulnerability();
    labels["namespace"] = "trivy-system".into();
    labels["exported_namespace"] = "shop".into();
    let sighting = mapped("trivy_vulnerability_id", &labels).unwrap();
    assert_eq!(
        sighting.source_id,
        mapped("trivy_vulnerability_id", &vulnerability())
            .unwrap()
            .source_id
    );
}

#[test]
fn a_secret_is_known_by_rule_target_and_title() {
    let sighting = mapped(
        "trivy_exposedsecrets_info",
        &json!({"namespace": "shop", "resource_kind": "Pod", "resource_name": "web", "container_name": "web",
            "image_registry": "index.docker.io", "image_repository": "shop/web", "secret_category": "AWS",
            "secret_rule_id": "aws-access-key-id", "secret_target": "/app/.env", "secret_title": "AWS Access Key ID", "severity": "Critical"}),
    )
    .unwrap();
    assert_eq!(
        sighting.source_id,
        "trivy_exposedsecrets_info||shop|Pod|web|web|index.docker.io|shop/web|aws-access-key-id|/app/.env|AWS Access Key ID"
    );
    assert_eq!(sighting.weakness.as_deref(), Some("aws-access-key-id"));
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Secret);
    assert_eq!(content.title, "AWS Access Key ID");
    assert_eq!(
        content.description.as_deref(),
        Some("AWS: rule aws-access-key-id")
    );
    assert_eq!(
        content.source_location.unwrap().file.as_deref(),
        Some("/app/.env")
    );
    assert_eq!(content.vulnerability_id, None);
}

#[test]
fn checks_of_resources_and_of_roles_are_mapped_alike() {
    for (metric, prefix) in [
        ("trivy_configaudits_info", "config_audit"),
        ("trivy_rbacassessments_info", "rbac_assessment"),
    ] {
        let mut labels = json!({"namespace": "shop", "name": "replicaset-web", "resource_kind": "ReplicaSet", "severity": "Medium"});
        for (label, value) in [
            ("id", "KSV104"),
            ("title", "Seccomp policies disabled"),
            ("description", "Bypass"),
            ("category", "Kubernetes Security Check"),
            ("success", "false"),
        ] {
            labels[format!("{prefix}_{label}")] = value.into();
        }
        let sighting = mapped(metric, &labels).unwrap();
        assert_eq!(
            sighting.source_id,
            format!("{metric}||shop|ReplicaSet|replicaset-web|KSV104")
        );
        assert_eq!(sighting.weakness.as_deref(), Some("KSV104"));
        assert_eq!(sighting.source_status.as_deref(), Some("false"));
        let content = sighting.content;
        assert_eq!(content.kind, Kind::Kubernetes);
        assert_eq!(content.title, "Seccomp policies disabled");
        assert_eq!(
            content.description.as_deref(),
            Some("Bypass\n\nCheck KSV104 (Kubernetes Security Check)")
        );
        assert_eq!(content.tags, ["KSV104"]);
        assert_eq!(
            content.references,
            ["https://avd.aquasec.com/misconfig/ksv104"]
        );
    }
}

#[test]
fn a_failed_control_belongs_to_the_cluster_and_to_no_namespace() {
    let sighting = mapped(
        "trivy_compliance_info",
        &json!({"cluster": "eu", "namespace": "trivy-system", "title": "CIS Benchmark", "compliance_id": "5.1.1",
            "compliance_name": "Limit cluster-admin", "description": "Use few", "status": "Fail", "severity": "HIGH"}),
    )
    .unwrap();
    assert_eq!(
        sighting.source_id,
        "trivy_compliance_info|eu|CIS Benchmark|5.1.1"
    );
    assert_eq!(sighting.weakness.as_deref(), Some("CIS Benchmark|5.1.1"));
    assert_eq!(sighting.source_status.as_deref(), Some("Fail"));
    assert_eq!(sighting.severity, Severity::High);
    let content = sighting.content;
    assert_eq!(content.title, "CIS Benchmark: Limit cluster-admin");
    assert_eq!(
        content.description.as_deref(),
        Some("Use few\n\nControl 5.1.1")
    );
    let kubernetes = content.kubernetes.unwrap();
    assert_eq!(kubernetes.cluster.as_deref(), Some("eu"));
    assert_eq!(kubernetes.namespace, None);
}

#[test]
fn passed_checks_are_no_findings() {
    let failing = |metric: &Metric, value: &str| {
        let (label, _) = metric.failing.unwrap();
        let element = json!({"metric": {label: value}, "value": [1, "1"]}).to_string();
        match Series::parse(element.as_bytes()) {
            Ok(Series::Present(labels)) => is_failing(metric, &labels),
            _ => false,
        }
    };
    assert!(failing(&METRICS[2], "false") && !failing(&METRICS[2], "true"));
    assert!(failing(&METRICS[3], "false") && !failing(&METRICS[3], "true"));
    assert!(failing(&METRICS[4], "Fail") && !failing(&METRICS[4], "Pass"));
}

#[test]
fn a_series_without_its_id_is_unreadable() {
    for (index, metric) in METRICS.iter().enumerate() {
        let reason = mapped(metric.name, &json!({"namespace": "shop"})).unwrap_err();
        assert!(reason.contains("has no label"), "{index}: {reason}");
    }
}
