//! The operator's metrics, as data. Facts from its source, v0.1.0–v0.32.0.

use crate::finding::{Kind, Severity};

/// One metric that findings are made of.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name.
    pub(super) name: &'static str,
    /// What its series say.
    pub(super) class: Class,
    /// Label and value of the series that are findings; the others are passed checks, and most of the volume.
    pub(super) failing: Option<(&'static str, &'static str)>,
    /// A metric that is always exported, with zeroes; its sum tells an absent metric from a clean cluster.
    pub(super) evidence: &'static str,
    /// The Helm value that switches it on.
    pub(super) switch: &'static str,
}

/// What the series of a metric say.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    /// A package in an image.
    Vulnerability,
    /// A credential in an image.
    Secret,
    /// A check of a resource or role, under these labels.
    Check(&'static CheckLabels),
    /// A control of a benchmark: of the whole cluster.
    Compliance,
}

/// The labels of a check.
#[derive(Debug)]
pub(super) struct CheckLabels {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) category: &'static str,
}

/// The metrics that are read. `trivy_infraassessments_info` is not among them: up to v0.32.0 the operator fills it from the
/// reports of another scanner.
pub(super) static METRICS: [Metric; 5] = [
    Metric {
        name: "trivy_vulnerability_id",
        class: Class::Vulnerability,
        failing: None,
        evidence: "trivy_image_vulnerabilities",
        switch: "operator.metricsVulnIdEnabled",
    },
    Metric {
        name: "trivy_exposedsecrets_info",
        class: Class::Secret,
        failing: None,
        evidence: "trivy_image_exposedsecrets",
        switch: "operator.metricsExposedSecretInfo",
    },
    Metric {
        name: "trivy_configaudits_info",
        class: Class::Check(&CheckLabels {
            id: "config_audit_id",
            title: "config_audit_title",
            description: "config_audit_description",
            category: "config_audit_category",
        }),
        failing: Some(("config_audit_success", "false")),
        evidence: "trivy_resource_configaudits",
        switch: "operator.metricsConfigAuditInfo",
    },
    Metric {
        name: "trivy_rbacassessments_info",
        class: Class::Check(&CheckLabels {
            id: "rbac_assessment_id",
            title: "rbac_assessment_title",
            description: "rbac_assessment_description",
            category: "rbac_assessment_category",
        }),
        failing: Some(("rbac_assessment_success", "false")),
        evidence: "trivy_role_rbacassessments",
        switch: "operator.metricsRbacAssessmentInfo",
    },
    Metric {
        name: "trivy_compliance_info",
        class: Class::Compliance,
        failing: Some(("status", "Fail")),
        evidence: "trivy_cluster_compliance",
        switch: "operator.metricsClusterComplianceInfo",
    },
];

/// The index of the vulnerability metric in [`METRICS`].
pub(super) const VULNERABILITY: usize = 0;

/// All findings' metrics, as one selector.
pub(super) const ANY_FINDING: &str = r#"__name__=~"trivy_.*_info|trivy_vulnerability_id""#;

/// Labels that scraping and replicated servers add: of the operator's own pod, or of the server that answered. They tell
/// nothing of a finding and change without news.
pub(super) const SCRAPE_LABELS: [&str; 9] = [
    "__replica__",
    "container",
    "endpoint",
    "instance",
    "job",
    "pod",
    "prometheus_replica",
    "replica",
    "service",
];

/// Labels that the operator itself sets on its metrics, or that are made of such by the scrape. A matcher on any other one
/// chooses the source and not the findings.
pub(super) const OWN_LABELS: [&str; 39] = [
    "class",
    "compliance_id",
    "compliance_name",
    "config_audit_category",
    "config_audit_description",
    "config_audit_id",
    "config_audit_success",
    "config_audit_title",
    "container_name",
    "description",
    "exported_namespace",
    "fixed_version",
    "image_digest",
    "image_registry",
    "image_repository",
    "image_tag",
    "installed_version",
    "last_modified_date",
    "name",
    "namespace",
    "package_type",
    "pkg_path",
    "published_date",
    "rbac_assessment_category",
    "rbac_assessment_description",
    "rbac_assessment_id",
    "rbac_assessment_success",
    "rbac_assessment_title",
    "resource",
    "resource_kind",
    "resource_name",
    "secret_category",
    "secret_rule_id",
    "secret_target",
    "secret_title",
    "severity",
    "status",
    "target",
    "title",
];

/// Prefix of the labels that `trivyOperator.reportResourceLabels` adds.
pub(super) const RESOURCE_LABEL: &str = "k8s_label_";

/// The severities of the four metrics of reports, as they are spelled there; `trivy_compliance_info` passes on whatever its
/// benchmark says, mostly in capitals.
pub(super) const SEVERITIES: [(&str, Severity); 5] = [
    ("Critical", Severity::Critical),
    ("High", Severity::High),
    ("Medium", Severity::Medium),
    ("Low", Severity::Low),
    ("Unknown", Severity::Unknown),
];

impl Metric {
    /// The metric of this name, and its index.
    pub(super) fn named(name: &str) -> Option<(usize, &'static Self)> {
        METRICS
            .iter()
            .enumerate()
            .find(|(_, metric)| metric.name == name)
    }

    /// The names of all, for messages.
    pub(super) fn names() -> String {
        let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.join(", ")
    }

    pub(super) fn kind(&self) -> Kind {
        match self.class {
            Class::Vulnerability => Kind::Component,
            Class::Secret => Kind::Secret,
            Class::Check(_) | Class::Compliance => Kind::Kubernetes,
        }
    }
}
