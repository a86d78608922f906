//! The mapping of one issue.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::place::{self, Place};
use super::project::Project;
use super::row::{Attributes, Coordinate, Row};
use super::tables::{PACKAGE_VULNERABILITY, RESULT_MESSAGE, rank, severity, status};
use crate::connectors::lenient::{Object, Text};
use crate::connectors::rating;
use crate::finding::{Content, Cvss, Kind, Sighting};

/// Pages of Snyk's own vulnerabilities.
const VULNERABILITY_PAGES: &str = "https://security.snyk.io/vuln/";

/// So begin Snyk's ids of vulnerabilities, and of rules for configurations, which have no such page.
const SNYK: &str = "SNYK-";
const SNYK_RULE: &str = "SNYK-CC-";

/// Whose ids of classes are CWEs.
const CWE: &str = "CWE";

/// Maps an issue of a project, if it is known, or tells why it cannot be taken in.
pub(super) fn map(row: &Row<'_>, raw: &str, project: Option<&Project>) -> Result<Sighting, String> {
    let id = row.id.as_str().map(str::trim);
    let id = id.ok_or_else(|| "an issue has no id".to_owned())?;
    let attributes = &row.attributes.0;
    let word = attributes.status.as_str();
    let ignored = attributes.ignored.0 == Some(true);
    let vulnerability = Vulnerability::of(attributes);
    let place = attributes.coordinate().map(|one| Place::of(one, project));
    let place = place.unwrap_or_default();
    Ok(Sighting {
        id_space: None,
        source_id: id.to_owned(),
        severity: severity(attributes.effective_severity_level.as_str()),
        status: status(word, ignored),
        source_severity: attributes.effective_severity_level.to_owned(),
        source_status: attributes.status.to_owned(),
        found_at: time(&attributes.created_at),
        source_updated_at: time(&attributes.updated_at),
        weakness: match vulnerability.id {
            Some(_) => None,
            None => weakness(attributes, &place),
        },
        content: content(attributes, vulnerability, place, project, id),
        raw: steady(raw),
    })
}

fn content(
    attributes: &Attributes<'_>,
    vulnerability: Vulnerability,
    place: Place,
    project: Option<&Project>,
    id: &str,
) -> Content {
    let coordinate = attributes.coordinate();
    let title = attributes.title.as_str().or(attributes.key.as_str());
    let mut content = Content {
        kind: kind(attributes.kind.as_str(), &place),
        title: title.unwrap_or(id).to_owned(),
        description: description(attributes, coordinate),
        recommendation: joined(remedies(attributes, |kind| kind != Some(RESULT_MESSAGE))),
        references: references(attributes),
        tags: tags(attributes, coordinate, &place, project),
        cwes: attributes
            .classes
            .0
            .iter()
            .filter_map(|c| cwe(&c.0.source, &c.0.id))
            .collect(),
        vulnerability_id: vulnerability.id,
        aliases: vulnerability.aliases,
        component: place.component,
        source_location: place.source_location,
        cloud: place.cloud,
        image: project.and_then(Project::image),
        kubernetes: project.and_then(Project::workload),
        ..Content::default()
    };
    content.set_cvss3(cvss(attributes, "3", rating::cvss3));
    content.set_cvss4(cvss(attributes, "4", rating::cvss4));
    content
}

/// What sort of place it is at: by what its type is about, else by the place that it names.
fn kind(issue_type: Option<&str>, place: &Place) -> Kind {
    match issue_type {
        Some("secrets") => Kind::Secret,
        Some(PACKAGE_VULNERABILITY | "license") => Kind::Component,
        Some("code") => Kind::Code,
        _ if place.cloud.is_some() => Kind::Cloud,
        _ if place.component.is_some() => Kind::Component,
        _ if place.source_location.is_some() => Kind::Code,
        _ => Kind::Other,
    }
}

/// The ids of a vulnerability.
#[derive(Debug, Default)]
struct Vulnerability {
    id: Option<String>,
    aliases: Vec<String>,
}

impl Vulnerability {
    /// CVE before GHSA before Snyk's own. By the ids' beginnings, as sources are named in several ways.
    fn of(attributes: &Attributes<'_>) -> Self {
        if attributes.kind.as_str() != Some(PACKAGE_VULNERABILITY) {
            return Self::default();
        }
        let ids = attributes.problems.0.iter().filter_map(|p| p.0.id.as_str());
        let mut ids: Vec<&str> = ids.map(str::trim).collect();
        if ids.is_empty() {
            ids.extend(attributes.key.as_str().filter(|key| key.starts_with(SNYK)));
        }
        let begins = |prefix: &str| ids.iter().position(|id| id.starts_with(prefix));
        let Some(own) = begins("CVE-")
            .or_else(|| begins("GHSA-"))
            .or((!ids.is_empty()).then_some(0))
        else {
            return Self::default();
        };
        let own = ids[own];
        let mut aliases: Vec<String> = Vec::new();
        for id in ids {
            if id != own && !aliases.iter().any(|alias| alias == id) {
                aliases.push(id.to_owned());
            }
        }
        Self {
            id: Some(own.to_owned()),
            aliases,
        }
    }
}

/// The rule, where there is no vulnerability. An issue that names no place is told from others of its rule by what it names
/// instead.
fn weakness(attributes: &Attributes<'_>, place: &Place) -> Option<String> {
    let rule = attributes.problems.0.iter().find_map(|p| p.0.id.as_str())?;
    let placed =
        place.component.is_some() || place.source_location.is_some() || place.cloud.is_some();
    let instead = place.resource_path.as_deref().or(attributes.key.as_str());
    Some(match instead.filter(|_| !placed) {
        Some(instead) => format!("snyk:{rule}|{instead}"),
        None => format!("snyk:{rule}"),
    })
}

/// The descriptions of the remedies of these types, each once.
fn remedies<'a>(
    attributes: &'a Attributes<'_>,
    of_type: impl Fn(Option<&str>) -> bool,
) -> Vec<&'a str> {
    let mut texts: Vec<&str> = Vec::new();
    let coordinates = attributes.coordinates.0.iter();
    for Object(remedy) in coordinates.flat_map(|coordinate| &coordinate.0.remedies.0) {
        if let Some(text) = remedy.description.as_str().map(str::trim)
            && of_type(remedy.kind.as_str())
            && !texts.contains(&text)
        {
            texts.push(text);
        }
    }
    texts
}

fn joined(texts: Vec<&str>) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// Its description, else what its rule found; and where else it is.
fn description(attributes: &Attributes<'_>, coordinate: Option<&Coordinate<'_>>) -> Option<String> {
    let given = attributes.description.to_owned();
    let given = given.or_else(|| joined(remedies(attributes, |kind| kind == Some(RESULT_MESSAGE))));
    let others = coordinate
        .map(|chosen| place::others(attributes, chosen))
        .unwrap_or_default();
    if others.is_empty() {
        return given;
    }
    let others: Vec<_> = others.iter().map(|place| format!("* {place}")).collect();
    let others = format!("Also at:\n\n{}", others.join("\n"));
    Some(match given {
        Some(given) => format!("{given}\n\n{others}"),
        None => others,
    })
}

fn cwe(source: &Text<'_>, id: &Text<'_>) -> Option<u32> {
    let source = source.as_str()?.trim();
    let id = id.as_str()?.trim();
    let number = id
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("CWE-"))
        .map(|_| &id[4..]);
    let number = number.filter(|_| source.eq_ignore_ascii_case(CWE))?;
    number.parse().ok().filter(|number| *number > 0)
}

/// The rating of a CVSS version's best source that gives one.
fn cvss(
    attributes: &Attributes<'_>,
    version: &str,
    check: impl Fn(Option<&str>, Option<f64>) -> Cvss,
) -> Cvss {
    let ratings = attributes.severities.0.iter().map(|Object(rating)| rating);
    let mut ratings: Vec<_> = ratings
        .filter(|rating| {
            let own = rating.version.as_str().unwrap_or_default().trim();
            own.split('.').next() == Some(version)
        })
        .collect();
    // A stable sort: among others the first stays the first.
    ratings.sort_by_key(|rating| rank(rating.source.as_str()));
    ratings
        .into_iter()
        .map(|rating| check(rating.vector.as_str(), rating.score.0))
        .find(|cvss| *cvss != Cvss::default())
        .unwrap_or_default()
}

fn references(attributes: &Attributes<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let problems = attributes.problems.0.iter().map(|Object(problem)| problem);
    let pages = problems.clone().filter_map(|problem| {
        let id = problem.id.as_str()?.trim();
        let has_page = id.starts_with(SNYK) && !id.starts_with(SNYK_RULE);
        has_page.then(|| format!("{VULNERABILITY_PAGES}{id}"))
    });
    let urls = problems.map(|problem| &problem.url);
    let urls = urls.chain(attributes.classes.0.iter().map(|class| &class.0.url));
    let urls = urls
        .filter_map(|url| url.as_str().map(str::trim))
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(str::to_owned);
    for url in urls.chain(pages) {
        if !found.contains(&url) {
            found.push(url);
        }
    }
    found
}

fn tags(
    attributes: &Attributes<'_>,
    coordinate: Option<&Coordinate<'_>>,
    place: &Place,
    project: Option<&Project>,
) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |prefix: &str, word: Option<&str>| {
        tags.extend(word.map(|word| format!("{prefix}{}", word.trim())));
    };
    add("", attributes.kind.as_str());
    add("", attributes.tool.as_str());
    add(
        "",
        (attributes.ignored.0 == Some(true)).then_some("ignored"),
    );
    add("resolution:", attributes.resolution.0.kind.as_str());
    add(
        "reachability:",
        coordinate.and_then(|one| one.reachability.as_str()),
    );
    for Object(level) in &attributes.exploit_details.0.maturity_levels.0 {
        add("exploit:", level.level.as_str());
    }
    let score = attributes.risk.0.score.0.value.0;
    add(
        "risk-score:",
        score.map(|score| score.to_string()).as_deref(),
    );
    add("", place.resource_path.as_deref());
    for Object(class) in &attributes.classes.0 {
        let no_cwe = cwe(&class.source, &class.id).is_none();
        add("", class.id.as_str().filter(|_| no_cwe));
    }
    tags.extend(
        project
            .into_iter()
            .flat_map(|project| project.tags.iter().cloned()),
    );
    tags
}

fn time(text: &Text<'_>) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text.as_str()?.trim()).ok()?;
    Some(time.to_utc())
}

/// The vendor's JSON without what every test of a project changes: which test it was, and when the risk was reckoned.
fn steady(raw: &str) -> String {
    let unsteady = ["\"test_executions\"", "\"score\""];
    if !unsteady.iter().any(|key| raw.contains(key)) {
        return raw.to_owned();
    }
    let Ok(mut row) = serde_json::from_str::<Value>(raw) else {
        return raw.to_owned();
    };
    let mut changed = false;
    for (owner, key) in [
        ("/relationships", "test_executions"),
        ("/attributes/risk/score", "updated_at"),
    ] {
        if let Some(Value::Object(members)) = row.pointer_mut(owner) {
            changed |= members.remove(key).is_some();
        }
    }
    match changed {
        true => row.to_string(),
        false => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests;
