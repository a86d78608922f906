//! The mapping of one series to a finding.

use super::super::lenient::finite;
use super::super::rating;
use super::metric::{CheckLabels, Class, Metric, RESOURCE_LABEL, SEVERITIES};
use super::series::Labels;
use crate::finding::{
    Component, Content, Image, Kubernetes, Severity, Sighting, SourceLocation, Status,
};

/// Whether the series is a finding and not a passed check.
pub(super) fn is_failing(metric: &Metric, labels: &Labels<'_>) -> bool {
    match metric.failing {
        Some((label, value)) => labels
            .get(label)
            .is_some_and(|found| found.eq_ignore_ascii_case(value)),
        None => true,
    }
}

/// The `source_id` that [`map`] gives.
pub(super) fn id(metric: &Metric, labels: &Labels<'_>, cluster: &str) -> String {
    let cluster = (!cluster.is_empty()).then_some(cluster);
    source_id(metric, labels, &Place::of(metric, labels, cluster))
}

/// Maps a series; `cluster` is the value of the configured cluster label, empty without one.
pub(super) fn map(metric: &Metric, labels: &Labels<'_>, cluster: &str) -> Result<Sighting, String> {
    let cluster = (!cluster.is_empty()).then_some(cluster);
    let place = Place::of(metric, labels, cluster);
    let (id, weakness) = match metric.class {
        Class::Vulnerability => (required(metric, labels, "vuln_id")?, None),
        Class::Secret => {
            let rule = labels.get("secret_rule_id").or(labels.get("secret_title"));
            let rule = rule.ok_or_else(|| missing(metric, "secret_rule_id"))?;
            (rule, Some(rule.to_owned()))
        }
        Class::Check(check) => {
            let id = required(metric, labels, check.id)?;
            (id, Some(id.to_owned()))
        }
        Class::Compliance => {
            let id = required(metric, labels, "compliance_id")?;
            let title = labels.get("title").unwrap_or_default();
            (id, Some(format!("{title}|{id}")))
        }
    };
    let word = labels.get("severity");
    Ok(Sighting {
        source_id: source_id(metric, labels, &place),
        id_space: None,
        severity: severity(word),
        status: Status::Open,
        source_severity: word.map(str::to_owned),
        source_status: metric.failing.and_then(|(label, _)| labels.owned(label)),
        found_at: None,
        source_updated_at: None,
        content: content(metric, labels, &place, id),
        weakness,
        raw: labels.raw(),
    })
}

fn required<'a>(
    metric: &Metric,
    labels: &'a Labels<'_>,
    label: &'static str,
) -> Result<&'a str, String> {
    labels.get(label).ok_or_else(|| missing(metric, label))
}

fn missing(metric: &Metric, label: &str) -> String {
    format!("a series of {} has no label {label}", metric.name)
}

fn severity(word: Option<&str>) -> Severity {
    let known = |word: &str| {
        SEVERITIES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
    };
    word.and_then(known)
        .map_or(Severity::Unknown, |(_, severity)| *severity)
}

/// Where a finding is.
struct Place<'a> {
    cluster: Option<&'a str>,
    namespace: Option<&'a str>,
    kind: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(metric: &Metric, labels: &'a Labels<'_>, cluster: Option<&'a str>) -> Self {
        match metric.class {
            // Of the whole cluster. What stands in `namespace` is the operator's own.
            Class::Compliance => Self {
                cluster,
                namespace: None,
                kind: None,
                name: None,
            },
            _ => Self {
                cluster,
                // Without `honorLabels` the scrape moves the workload's namespace aside for the operator's.
                namespace: labels.get("exported_namespace").or(labels.get("namespace")),
                kind: labels.get("resource_kind"),
                // Missing where the name is no valid label value: then the report's name, which holds it.
                name: labels.get("resource_name").or(labels.get("name")),
            },
        }
    }

    fn kubernetes(&self) -> Option<Kubernetes> {
        let kubernetes = Kubernetes {
            cluster: self.cluster.map(str::to_owned),
            namespace: self.namespace.map(str::to_owned),
            kind: self.kind.map(str::to_owned),
            name: self.name.map(str::to_owned),
        };
        (kubernetes != Kubernetes::default()).then_some(kubernetes)
    }
}

/// The operator gives no id. So: the metric's name and the labels that stay as long as the finding does, joined by `|`,
/// missing ones empty. Tags, digests, severities, titles of checks and whatever the scrape adds are not among them.
fn source_id(metric: &Metric, labels: &Labels<'_>, place: &Place<'_>) -> String {
    let own: &[&str] = match metric.class {
        Class::Vulnerability => &[
            "resource",
            "installed_version",
            "target",
            "pkg_path",
            "vuln_id",
        ],
        Class::Secret => &["secret_rule_id", "secret_target", "secret_title"],
        Class::Check(check) => &[check.id],
        Class::Compliance => &["title", "compliance_id"],
    };
    let mut id = String::with_capacity(256);
    id.push_str(metric.name);
    let mut push = |part: Option<&str>| {
        id.push('|');
        id.push_str(part.unwrap_or_default());
    };
    push(place.cluster);
    if !matches!(metric.class, Class::Compliance) {
        push(place.namespace);
        push(place.kind);
        push(place.name);
    }
    if matches!(metric.class, Class::Vulnerability | Class::Secret) {
        for label in ["container_name", "image_registry", "image_repository"] {
            push(labels.get(label));
        }
    }
    for label in own {
        push(labels.get(label));
    }
    id
}

fn content(metric: &Metric, labels: &Labels<'_>, place: &Place<'_>, id: &str) -> Content {
    let mut content = match metric.class {
        Class::Vulnerability => vulnerability(labels, id),
        Class::Secret => secret(labels, id),
        Class::Check(check) => failed_check(labels, check, id),
        Class::Compliance => failed_control(labels, id),
    };
    content.kind = metric.kind();
    content.kubernetes = place.kubernetes();
    let resource_labels = labels.beginning(RESOURCE_LABEL);
    content
        .tags
        .extend(resource_labels.map(|(name, value)| format!("{name}={value}")));
    content
}

fn vulnerability(labels: &Labels<'_>, id: &str) -> Content {
    let component = Component {
        name: labels.owned("resource"),
        version: labels.owned("installed_version"),
        fixed_version: labels.owned("fixed_version"),
        ..Component::default()
    };
    let title = match (&component.name, &component.version) {
        (Some(name), Some(version)) => format!("{id} in {name} {version}"),
        (Some(name), None) => format!("{id} in {name}"),
        (None, _) => id.to_owned(),
    };
    let fix = component.fixed_version.as_deref();
    let recommendation = fix.map(|fix| match &component.name {
        Some(name) => format!("Upgrade {name} to {fix}"),
        None => format!("Upgrade to {fix}"),
    });
    let mut content = Content {
        title,
        description: labels.owned("vuln_title"),
        recommendation,
        vulnerability_id: Some(id.to_owned()),
        component: (component != Component::default()).then_some(component),
        image: image(labels),
        source_location: file(labels.get("target").or(labels.get("pkg_path"))),
        references: advisory("nvd", "CVE-", id),
        ..Content::default()
    };
    // The operator exports CVSS 3 scores only (v0.12–v0.32.0).
    content.set_cvss3(rating::cvss3(
        None,
        labels.get("vuln_score").and_then(finite),
    ));
    content
}

fn secret(labels: &Labels<'_>, rule: &str) -> Content {
    let category = labels.get("secret_category");
    Content {
        title: labels
            .owned("secret_title")
            .unwrap_or_else(|| rule.to_owned()),
        description: Some(match category {
            Some(category) => format!("{category}: rule {rule}"),
            None => format!("Rule {rule}"),
        }),
        image: image(labels),
        source_location: file(labels.get("secret_target")),
        ..Content::default()
    }
}

fn failed_check(labels: &Labels<'_>, check: &CheckLabels, id: &str) -> Content {
    let about = match labels.get(check.category) {
        Some(category) => format!("Check {id} ({category})"),
        None => format!("Check {id}"),
    };
    Content {
        title: labels.owned(check.title).unwrap_or_else(|| id.to_owned()),
        description: described(labels.get(check.description), &about),
        references: advisory("misconfig", "KSV", id),
        tags: vec![id.to_owned()],
        ..Content::default()
    }
}

fn failed_control(labels: &Labels<'_>, id: &str) -> Content {
    let title = match (labels.get("title"), labels.get("compliance_name")) {
        (Some(benchmark), Some(control)) => format!("{benchmark}: {control}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => id.to_owned(),
    };
    Content {
        title,
        description: described(labels.get("description"), &format!("Control {id}")),
        tags: vec![id.to_owned()],
        ..Content::default()
    }
}

fn described(description: Option<&str>, about: &str) -> Option<String> {
    Some(match description {
        Some(description) => format!("{description}\n\n{about}"),
        None => about.to_owned(),
    })
}

/// Registry and repository are separate labels, and the registry may be missing.
fn image(labels: &Labels<'_>) -> Option<Image> {
    let name = match (labels.get("image_registry"), labels.get("image_repository")) {
        (Some(registry), Some(repository)) => Some(format!("{registry}/{repository}")),
        (registry, repository) => repository.or(registry).map(str::to_owned),
    };
    let image = Image {
        name,
        tag: labels.owned("image_tag"),
        digest: labels.owned("image_digest"),
    };
    (image != Image::default()).then_some(image)
}

fn file(path: Option<&str>) -> Option<SourceLocation> {
    path.map(|path| SourceLocation {
        file: Some(path.to_owned()),
        ..SourceLocation::default()
    })
}

/// Aqua's page about an id of this family.
fn advisory(section: &str, family: &str, id: &str) -> Vec<String> {
    if id.starts_with(family) {
        let id = id.to_ascii_lowercase();
        vec![format!("https://avd.aquasec.com/{section}/{id}")]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
