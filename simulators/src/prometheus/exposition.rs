//! The operator's metrics page.

use std::fmt::Write as _;

use super::Series;

#[rustfmt::skip]
const IMAGE: &[&str] = &[
    "namespace", "name", "resource_kind", "resource_name", "container_name", "image_registry", "image_repository",
    "image_tag", "image_digest",
];

/// A metric with its help and the labels that the operator (v0.22 and later) writes for it, empty ones too.
struct Metric {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static [&'static str]],
}

#[rustfmt::skip]
const METRICS: &[Metric] = &[
    Metric {
        name: "trivy_vulnerability_id",
        help: "A vulnerability in an image",
        labels: &[IMAGE, &[
            "installed_version", "fixed_version", "published_date", "last_modified_date", "resource", "severity",
            "package_type", "pkg_path", "target", "class", "vuln_id", "vuln_title", "vuln_score",
        ]],
    },
    Metric {
        name: "trivy_image_vulnerabilities",
        help: "Vulnerabilities of an image by severity",
        labels: &[IMAGE, &["severity"]],
    },
    Metric {
        name: "trivy_exposedsecrets_info",
        help: "A secret in an image",
        labels: &[IMAGE, &["secret_category", "secret_rule_id", "secret_target", "secret_title", "severity"]],
    },
    Metric {
        name: "trivy_configaudits_info",
        help: "A check of a resource's configuration",
        labels: &[&[
            "namespace", "name", "resource_kind", "resource_name", "config_audit_id", "config_audit_title",
            "config_audit_description", "config_audit_category", "config_audit_success", "severity",
        ]],
    },
    Metric {
        name: "trivy_rbacassessments_info",
        help: "A check of a role",
        labels: &[&[
            "namespace", "name", "resource_kind", "resource_name", "rbac_assessment_id", "rbac_assessment_title",
            "rbac_assessment_description", "rbac_assessment_category", "rbac_assessment_success", "severity",
        ]],
    },
    Metric {
        name: "trivy_compliance_info",
        help: "A control of a compliance report",
        labels: &[&["title", "description", "compliance_id", "compliance_name", "status", "severity"]],
    },
];

/// The page in Prometheus' text format: labels in alphabetical order, those without a value as empty text.
#[must_use]
pub fn exposition(series: &[Series]) -> String {
    let mut page = String::new();
    for metric in METRICS {
        let mut rows = series
            .iter()
            .filter(|series| series.metric() == metric.name)
            .peekable();
        if rows.peek().is_none() {
            continue;
        }
        // A string takes whatever is written.
        let _ = writeln!(page, "# HELP {} {}", metric.name, metric.help);
        let _ = writeln!(page, "# TYPE {} gauge", metric.name);
        let mut names = metric.labels.concat();
        names.sort_unstable();
        for row in rows {
            let labels = names
                .iter()
                .map(|name| format!("{name}=\"{}\"", escaped(row.label(name))))
                .collect::<Vec<_>>();
            let _ = writeln!(
                page,
                "{}{{{}}} {}",
                metric.name,
                labels.join(","),
                row.value
            );
        }
    }
    page
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
