//! The shop's cluster, as Trivy Operator sees it.

use super::catalogue::{Known, Package, WEB_IMAGE};
use crate::prometheus::Series;

/// Where the operator itself runs.
pub const OPERATOR_NAMESPACE: &str = "trivy-system";

const REGISTRY: &str = "registry.example.com";
const REPOSITORY: &str = "shop/web";
const TAG: &str = "1.2";
const DIGEST: &str = "sha256:5b1f7c0c7f0e7a43a3d1ad4a4cf3f2bf6d6f0c2b6c1e0de0d3a1b2c3d4e5f607";

/// Workloads that run the image of the web shop: kind, name, container.
const WORKLOADS: &[(&str, &str, &str)] = &[
    ("ReplicaSet", "web-6d4cf56db6", "web"),
    ("CronJob", "web-sitemap", "sitemap"),
];

/// All series of the five metrics that secpull imports, passed checks included, and `trivy_image_vulnerabilities`; without the
/// labels that a scrape adds.
#[must_use]
pub fn shop_cluster() -> Vec<Series> {
    let mut series = Vec::new();
    for workload in WORKLOADS {
        for package in WEB_IMAGE {
            let known = package.vulnerabilities.iter();
            series.extend(known.map(|known| vulnerability(workload, package, known)));
        }
        series.extend(per_severity(workload));
    }
    series.extend(secrets());
    series.extend(config_audits());
    series.extend(rbac_assessments());
    series.extend(compliance());
    series
}

fn report_name((kind, name, container): &(&str, &str, &str)) -> String {
    format!("{}-{name}-{container}", kind.to_lowercase())
}

fn image_labels<'a>(
    workload: &'a (&'a str, &'a str, &'a str),
    report: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("namespace", "shop"),
        ("name", report),
        ("resource_kind", workload.0),
        ("resource_name", workload.1),
        ("container_name", workload.2),
        ("image_registry", REGISTRY),
        ("image_repository", REPOSITORY),
        ("image_tag", TAG),
        ("image_digest", DIGEST),
    ]
}

fn vulnerability(workload: &(&str, &str, &str), package: &Package, known: &Known) -> Series {
    let report = report_name(workload);
    let (severity, score) = (title_case(known.severity), known.score.to_string());
    let mut labels = image_labels(workload, &report);
    labels.extend([
        ("installed_version", package.version),
        ("fixed_version", package.fixed),
        ("published_date", "2026-01-05T10:15:00Z"),
        ("last_modified_date", "2026-03-01T12:00:00Z"),
        ("resource", package.name),
        ("severity", severity),
        ("vuln_id", known.id),
        ("vuln_title", known.title),
        ("vuln_score", &score),
    ]);
    Series::new("trivy_vulnerability_id", &labels, 1.0)
}

/// The operator writes zeros too.
fn per_severity(workload: &(&str, &str, &str)) -> Vec<Series> {
    let report = report_name(workload);
    ["Critical", "High", "Medium", "Low", "Unknown"]
        .into_iter()
        .map(|severity| {
            let count = WEB_IMAGE
                .iter()
                .flat_map(|package| package.vulnerabilities)
                .filter(|known| title_case(known.severity) == severity)
                .count();
            let mut labels = image_labels(workload, &report);
            labels.push(("severity", severity));
            Series::new("trivy_image_vulnerabilities", &labels, count as f64)
        })
        .collect()
}

fn secrets() -> Vec<Series> {
    let report = report_name(&WORKLOADS[0]);
    [
        (
            "AWS",
            "aws-access-key-id",
            "/app/.env",
            "AWS Access Key ID",
            "Critical",
        ),
        (
            "AsymmetricPrivateKey",
            "private-key",
            "/app/certs/dev.pem",
            "Asymmetric Private Key",
            "High",
        ),
    ]
    .into_iter()
    .map(|(category, rule, target, title, severity)| {
        let mut labels = image_labels(&WORKLOADS[0], &report);
        labels.extend([
            ("secret_category", category),
            ("secret_rule_id", rule),
            ("secret_target", target),
            ("secret_title", title),
            ("severity", severity),
        ]);
        Series::new("trivy_exposedsecrets_info", &labels, 1.0)
    })
    .collect()
}

/// Resource, check, title, description, severity, passed.
type Check = (
    (&'static str, &'static str),
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    bool,
);

#[rustfmt::skip]
const CONFIG_AUDITS: &[Check] = &[
    (("ReplicaSet", "web-6d4cf56db6"), "KSV001", "Privileges can be raised", "The container may gain more privileges than its parent.", "Medium", false),
    (("ReplicaSet", "web-6d4cf56db6"), "KSV014", "Root file system is writable", "Whoever gets in can change the container's files.", "High", false),
    (("ReplicaSet", "web-6d4cf56db6"), "KSV017", "Privileged container", "The container shares the host's rights.", "High", true),
    (("ReplicaSet", "web-6d4cf56db6"), "KSV011", "No CPU limit", "The container may take all CPU of its node.", "Low", false),
    (("CronJob", "web-sitemap"), "KSV014", "Root file system is writable", "Whoever gets in can change the container's files.", "High", true),
    (("Service", "web"), "KSV108", "External IP", "The service can be reached from outside.", "Medium", true),
];

fn config_audits() -> Vec<Series> {
    CONFIG_AUDITS
        .iter()
        .map(|check| {
            checked(
                "trivy_configaudits_info",
                "config_audit",
                "Kubernetes Security Check",
                check,
            )
        })
        .collect()
}

#[rustfmt::skip]
const RBAC: &[Check] = &[
    (("Role", "web-deployer"), "KSV041", "Manages secrets", "The role may read and change all secrets of the namespace.", "Critical", false),
    (("Role", "web-deployer"), "KSV048", "Manages workloads", "The role may start any container.", "Medium", false),
    (("Role", "web-reader"), "KSV041", "Manages secrets", "The role may read and change all secrets of the namespace.", "Critical", true),
];

fn rbac_assessments() -> Vec<Series> {
    RBAC.iter()
        .map(|check| {
            checked(
                "trivy_rbacassessments_info",
                "rbac_assessment",
                "Kubernetes Security Check",
                check,
            )
        })
        .collect()
}

fn checked(metric: &str, prefix: &str, category: &str, check: &Check) -> Series {
    let ((kind, name), id, title, description, severity, passed) = *check;
    let key = |suffix: &str| format!("{prefix}_{suffix}");
    let report = format!("{}-{name}", kind.to_lowercase());
    Series::new(
        metric,
        &[
            ("namespace", "shop"),
            ("name", &report),
            ("resource_kind", kind),
            ("resource_name", name),
            (&key("id"), id),
            (&key("title"), title),
            (&key("description"), description),
            (&key("category"), category),
            (&key("success"), if passed { "true" } else { "false" }),
            ("severity", severity),
        ],
        1.0,
    )
}

fn compliance() -> Vec<Series> {
    [
        ("5.2.2", "Privileged containers", "Fail", "HIGH", 3.0),
        ("5.2.6", "Privileges can be raised", "Fail", "MEDIUM", 1.0),
        (
            "5.1.1",
            "Cluster-admin is used sparingly",
            "Pass",
            "HIGH",
            1.0,
        ),
    ]
    .into_iter()
    .map(|(id, name, status, severity, value)| {
        Series::new(
            "trivy_compliance_info",
            &[
                ("title", "CIS Kubernetes Benchmarks"),
                ("description", "Rules for a hardened cluster"),
                ("compliance_id", id),
                ("compliance_name", name),
                ("status", status),
                ("severity", severity),
            ],
            value,
        )
    })
    .collect()
}

fn title_case(severity: &str) -> &'static str {
    match severity {
        "CRITICAL" => "Critical",
        "HIGH" => "High",
        "MEDIUM" => "Medium",
        "LOW" => "Low",
        _ => "Unknown",
    }
}
