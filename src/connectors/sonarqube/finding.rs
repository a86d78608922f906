//! The mapping of one issue, one hotspot, one dependency risk (contract 4).

use super::place::Place;
use super::row::{Hotspot, Impact, Issue, Risk};
use super::rule::Rule;
use super::tables::{
    hotspot_status, impact, issue_status, old_status, probability, risk_status, severity,
};
use super::time::time;
use super::version::Mode;
use crate::connectors::lenient::{List, Object, Text};
use crate::connectors::rating;
use crate::finding::{Component, Content, Kind, Severity, Sighting, Status};

/// The quality whose impact is the severity, whichever others there are, and whichever is worse.
const SECURITY: &str = "SECURITY";

/// Rules of this repository find credentials.
const SECRETS: &str = "secrets:";

/// The type of dependency risk that is no weakness of the library.
const LICENCE: &str = "PROHIBITED_LICENSE";

/// The type that hotspots had as long as they were issues; it tells them apart from those.
const HOTSPOT: &str = "SECURITY_HOTSPOT";

/// Maps an issue, or tells why it cannot be taken in. `name` is the rule's where only the page tells it.
pub(super) fn issue(
    row: &Issue<'_>,
    raw: &str,
    place: &Place<'_>,
    mode: Mode,
    rule: Option<&Rule>,
    name: Option<&str>,
) -> Result<Sighting, String> {
    let key = row.key.as_str().ok_or("an issue has no key")?;
    let rule_key = row.rule.as_str();
    let file = place.file(row.component.as_str());
    let name = rule.and_then(|rule| rule.name.as_deref()).or(name);
    let title = row.message.as_str().or(name).or(rule_key).unwrap_or(key);
    let (severity, source_severity) = severity_of_issue(row, mode);
    let (status, source_status) = status_of_issue(row);
    let context = row.rule_description_context_key.as_str();
    let url = place.page_of_issue(key);
    Ok(Sighting {
        source_id: key.to_owned(),
        id_space: None,
        severity,
        status,
        source_severity,
        source_status,
        found_at: time(row.creation_date.as_str()),
        source_updated_at: time(row.update_date.as_str()),
        weakness: weakness(rule_key, file.as_deref(), title),
        content: Content {
            kind: kind(rule_key, file.as_deref()),
            title: title.to_owned(),
            source_location: Some(place.location(file, &row.text_range, row.line, url)),
            tags: [&row.kind, &row.rule]
                .into_iter()
                .chain(&row.tags.0)
                .chain(&row.internal_tags.0)
                .chain(&row.code_variants.0)
                .filter_map(Text::to_owned)
                .collect(),
            ..of_rule(rule, context)
        },
        raw: raw.to_owned(),
    })
}

/// Maps a hotspot likewise. `rule` is the one of its rule key, or, before 9.7, of its own details.
pub(super) fn hotspot(
    row: &Hotspot<'_>,
    raw: &str,
    place: &Place<'_>,
    rule: Option<&Rule>,
) -> Result<Sighting, String> {
    let key = row.key.as_str().ok_or("a hotspot has no key")?;
    let told = rule.and_then(|rule| rule.key.as_deref());
    let rule_key = row.rule_key.as_str().or(told);
    let file = place.file(row.component.as_str());
    let name = rule.and_then(|rule| rule.name.as_deref());
    let title = row.message.as_str().or(name).or(rule_key).unwrap_or(key);
    let (word, resolution) = (row.status.as_str(), row.resolution.as_str());
    let url = place.page_of_hotspot(key);
    let category = row.security_category.as_str();
    let tags = [Some(HOTSPOT), category, rule_key].into_iter().flatten();
    Ok(Sighting {
        source_id: key.to_owned(),
        id_space: None,
        severity: probability(row.vulnerability_probability.as_str()),
        status: hotspot_status(word, resolution),
        source_severity: row.vulnerability_probability.to_owned(),
        source_status: pair(word, resolution),
        found_at: time(row.creation_date.as_str()),
        source_updated_at: time(row.update_date.as_str()),
        weakness: weakness(rule_key, file.as_deref(), title),
        content: Content {
            kind: kind(rule_key, file.as_deref()),
            title: title.to_owned(),
            source_location: Some(place.location(file, &row.text_range, row.line, url)),
            tags: tags.map(str::to_owned).collect(),
            ..of_rule(rule, None)
        },
        raw: raw.to_owned(),
    })
}

/// Maps a dependency risk likewise.
pub(super) fn risk(row: &Risk<'_>, raw: &str) -> Result<Sighting, String> {
    let key = row.key.as_str().ok_or("a dependency risk has no key")?;
    let release = &row.release.0;
    let kind = row.kind.as_str();
    let id = row.vulnerability_id.to_owned();
    let component = Component {
        name: release.package_name.to_owned(),
        version: release.version.to_owned(),
        purl: release.package_url.to_owned(),
        ..Component::default()
    };
    let what = id.as_deref().or(kind).unwrap_or(key);
    let mut content = Content {
        kind: Kind::Component,
        title: match &component.name {
            Some(name) => format!("{what} in {name}"),
            None => what.to_owned(),
        },
        cwes: row.cwe_ids.0.iter().filter_map(cwe).collect(),
        component: (component != Component::default()).then_some(component),
        tags: [&row.kind, &release.package_manager]
            .into_iter()
            .filter_map(Text::to_owned)
            .collect(),
        vulnerability_id: id,
        ..Content::default()
    };
    // Which version of CVSS it is of, nothing tells; Advanced Security began with 3.1.
    content.set_cvss3(rating::cvss3(None, row.cvss_score.0));
    Ok(Sighting {
        source_id: key.to_owned(),
        id_space: None,
        severity: impact(row.severity.as_str()),
        status: risk_status(row.status.as_str()),
        source_severity: row.severity.to_owned(),
        source_status: row.status.to_owned(),
        found_at: time(row.created_at.as_str()),
        source_updated_at: None,
        weakness: kind.map(|kind| format!("sonarqube:{kind}")),
        content,
        raw: raw.to_owned(),
    })
}

pub(super) fn is_licence(row: &Risk<'_>) -> bool {
    row.kind.as_str() == Some(LICENCE)
}

/// Whether an issue has an impact on a quality.
pub(super) fn concerns(row: &Issue<'_>, quality: &str) -> bool {
    impact_on(&row.impacts, quality).is_some()
}

fn impact_on<'a, 'b>(
    impacts: &'b List<Object<Impact<'a>>>,
    quality: &str,
) -> Option<&'b Impact<'a>> {
    let mut impacts = impacts.0.iter().map(|impact| &impact.0);
    impacts.find(|impact| impact.software_quality.as_str() == Some(quality))
}

/// The issue's own: quality profiles change what the rule says.
fn severity_of_issue(row: &Issue<'_>, mode: Mode) -> (Severity, Option<String>) {
    let of_security = match mode {
        Mode::Quality => impact_on(&row.impacts, SECURITY),
        Mode::Standard => None,
    };
    match of_security.and_then(|one| one.severity.as_str()) {
        Some(word) => (impact(Some(word)), Some(word.to_owned())),
        None => (severity(row.severity.as_str()), row.severity.to_owned()),
    }
}

fn status_of_issue(row: &Issue<'_>) -> (Status, Option<String>) {
    if let Some(word) = row.issue_status.as_str() {
        return (issue_status(word), Some(word.to_owned()));
    }
    let (status, resolution) = (row.status.as_str(), row.resolution.as_str());
    (old_status(status, resolution), pair(status, resolution))
}

/// `RESOLVED/WONTFIX`.
fn pair(status: Option<&str>, resolution: Option<&str>) -> Option<String> {
    match (status, resolution) {
        (Some(status), Some(resolution)) => Some(format!("{status}/{resolution}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

fn kind(rule: Option<&str>, file: Option<&str>) -> Kind {
    match (rule, file) {
        (_, None) => Kind::Other,
        (Some(rule), _) if rule.starts_with(SECRETS) => Kind::Secret,
        _ => Kind::Code,
    }
}

/// The rule. What is at no file is told apart by its text: analysers of dependencies say there which one it is.
fn weakness(rule: Option<&str>, file: Option<&str>, title: &str) -> Option<String> {
    let rule = rule?;
    Some(match file {
        Some(_) => format!("sonarqube:{rule}"),
        None => format!("sonarqube:{rule} {title}"),
    })
}

fn of_rule(rule: Option<&Rule>, context: Option<&str>) -> Content {
    let Some(rule) = rule else {
        return Content::default();
    };
    Content {
        description: rule.description.clone(),
        recommendation: rule.recommendation(context),
        cwes: rule.cwes.clone(),
        references: rule.references.clone(),
        ..Content::default()
    }
}

/// `CWE-94`.
fn cwe(text: &Text<'_>) -> Option<u32> {
    let text = text.as_str()?.trim();
    let number = text.strip_prefix("CWE-").unwrap_or(text).parse().ok();
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests;
