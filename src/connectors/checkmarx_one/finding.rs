//! The mapping of one result.

use serde_json::Value;

use super::api::page_of_result;
use super::cvss;
use super::row::{Data, Details, Row};
use super::tables::{FIXED, States, is_fixed, severity};
use super::time::time;
use crate::finding::{Component, Content, Image, Kind, Sighting, SourceLocation};

/// KICS says of some words where it took them from; that is no part of them.
const TAKEN_FROM: &str = " [Taken from ";

/// What all results of a scan share.
pub(super) struct Source<'a> {
    /// Root of the pages for people.
    pub(super) location: &'a str,
    pub(super) project: &'a str,
    pub(super) scan: &'a str,
    pub(super) states: &'a States,
}

/// What sort of result it is, by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Sast,
    Kics,
    Sca,
    Container,
    Secret,
    /// Any other that the engine of secrets and repositories finds.
    Repository,
    Unknown,
}

impl Sort {
    fn of(kind: &str) -> Self {
        match kind {
            "sast" => Self::Sast,
            "kics" => Self::Kics,
            "sca" => Self::Sca,
            "sca-container" | "containers" | "container" => Self::Container,
            kind if kind.starts_with("sscs") || kind.starts_with("scs") => {
                match kind.contains("secret") {
                    true => Self::Secret,
                    false => Self::Repository,
                }
            }
            _ => Self::Unknown,
        }
    }
}

/// Maps a result, or tells why it cannot be taken in.
pub(super) fn map(row: &Row<'_>, raw: &str, source: &Source<'_>) -> Result<Sighting, String> {
    let kind = row.type_name();
    let sort = Sort::of(&kind);
    let id = source_id(row, sort).ok_or_else(|| format!("a result of type {kind} has no id"))?;
    let status = row.status.as_str();
    let state = row.state.as_str().map(str::trim);
    let source_status = match status.is_some_and(is_fixed) {
        true => Some(FIXED),
        false => state,
    };
    let found = time(row.found_at.as_str());
    Ok(Sighting {
        id_space: None,
        source_id: format!("{kind}:{id}"),
        severity: severity(row.severity.as_str()),
        status: source.states.status(state, status),
        source_severity: row.severity.to_owned(),
        source_status: source_status.map(str::to_owned),
        found_at: time(row.first_found_at.as_str()),
        source_updated_at: found.max(time(row.update_at.as_str())),
        weakness: weakness(row, sort),
        content: content(row, sort, &kind, source),
        raw: match sort {
            Sort::Secret => without_snippet(raw),
            _ => raw.to_owned(),
        },
    })
}

/// The id that a result keeps from scan to scan (contract 5). The similarity of SAST is shared by several paths, the id of SCA by
/// all packages with the vulnerability, and the id of KICS is a number that changes.
fn source_id(row: &Row<'_>, sort: Sort) -> Option<String> {
    let data = &row.data.0;
    let id = || row.id.text();
    match sort {
        Sort::Sast => {
            let hash = data.result_hash.text().or_else(|| row.alternate_id.text());
            hash.or_else(id)
        }
        Sort::Kics | Sort::Secret | Sort::Repository => row.similarity().or_else(id),
        Sort::Sca => match data.package_identifier.as_str() {
            Some(package) => Some(format!("{}|{package}", id()?)),
            None => id(),
        },
        Sort::Container => {
            let mut parts = vec![id()?];
            parts.extend(image_reference(data));
            let version = data.package_version.as_str().unwrap_or_default();
            parts.extend((data.package_name.as_str()).map(|name| format!("{name}@{version}")));
            Some(parts.join("|"))
        }
        Sort::Unknown => id().or_else(|| row.similarity()),
    }
}

fn image_reference(data: &Data<'_>) -> Option<String> {
    let name = data.image_name.as_str()?;
    let tag = data.image_tag.as_str().unwrap_or_default();
    Some(format!("{name}:{tag}"))
}

/// The rule, where there is no vulnerability id.
fn weakness(row: &Row<'_>, sort: Sort) -> Option<String> {
    let data = &row.data.0;
    let rule = match sort {
        Sort::Sast => {
            let language = data.language_name.as_str().unwrap_or_default();
            let query = data.query_name.as_str()?;
            format!("{language}/{query}")
        }
        Sort::Kics => {
            let id = data.query_id.text();
            let id = id.as_deref().map(plain).map(str::to_owned);
            id.or_else(|| data.query_name.as_str().map(|name| plain(name).to_owned()))?
        }
        Sort::Secret | Sort::Repository => {
            let id = data.rule_id.as_str().or(data.rule_name.as_str());
            id?.to_owned()
        }
        Sort::Sca | Sort::Container => return None,
        Sort::Unknown => row.id.text()?,
    };
    Some(format!("checkmarx:{rule}"))
}

fn content(row: &Row<'_>, sort: Sort, kind: &str, source: &Source<'_>) -> Content {
    let data = &row.data.0;
    let details = &row.vulnerability_details.0;
    let component = component(data, sort);
    let location = source_location(data, sort);
    let is_package = matches!(sort, Sort::Sca | Sort::Container);
    let vulnerability_id = row.id.text().filter(|_| is_package);
    let mut content = Content {
        kind: match sort {
            Sort::Sast | Sort::Kics => Kind::Code,
            Sort::Sca | Sort::Container => Kind::Component,
            Sort::Secret => Kind::Secret,
            Sort::Repository | Sort::Unknown => match &location {
                Some(_) => Kind::Code,
                None => Kind::Other,
            },
        },
        title: title(row, sort, kind, component.as_ref()),
        description: description(row, sort),
        recommendation: recommendation(data, sort, component.as_ref()),
        aliases: aliases(details, vulnerability_id.as_deref()),
        vulnerability_id,
        cwes: cwe(details).into_iter().collect(),
        image: image(data),
        component,
        source_location: location,
        references: references(row, sort, source),
        tags: tags(row, sort, kind),
        ..Content::default()
    };
    content.set_cvss3(cvss::rating(&details.cvss.0, details.cvss_score));
    content
}

fn title(row: &Row<'_>, sort: Sort, kind: &str, component: Option<&Component>) -> String {
    let data = &row.data.0;
    let id = || row.id.text().unwrap_or_else(|| kind.to_owned());
    match sort {
        Sort::Sast => match data.query_name.as_str() {
            Some(query) => query.replace('_', " "),
            None => "SAST result".to_owned(),
        },
        Sort::Kics => match data.query_name.as_str() {
            Some(query) => plain(query).to_owned(),
            None => "KICS result".to_owned(),
        },
        Sort::Sca | Sort::Container => {
            match component.and_then(|component| component.name.as_deref()) {
                Some(name) => format!("{} in {name}", id()),
                None => id(),
            }
        }
        Sort::Secret | Sort::Repository => {
            let rule = data.rule_name.as_str().or(data.rule_id.as_str());
            rule.map_or_else(id, str::to_owned)
        }
        Sort::Unknown => {
            let name = data.query_name.as_str().or(data.rule_name.as_str());
            name.map_or_else(|| format!("{kind} {}", id()), str::to_owned)
        }
    }
}

fn description(row: &Row<'_>, sort: Sort) -> Option<String> {
    let data = &row.data.0;
    let given = row.description.as_str();
    match sort {
        Sort::Kics => {
            let expected = data.expected_value.as_str();
            let expected = expected.map(|value| format!("Expected: {value}"));
            let found = data.value.as_str().map(|value| format!("Found: {value}"));
            let parts = [given.map(str::to_owned), expected, found];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join("\n\n"))
        }
        Sort::Secret | Sort::Repository => {
            given.or(data.rule_description.as_str()).map(str::to_owned)
        }
        _ => given.map(str::to_owned),
    }
}

fn recommendation(data: &Data<'_>, sort: Sort, component: Option<&Component>) -> Option<String> {
    match sort {
        Sort::Kics => data.expected_value.to_owned(),
        Sort::Sca | Sort::Container => {
            let fixed = component.and_then(|component| component.fixed_version.as_deref());
            let update = fixed.map(|version| format!("Update to {version}."));
            match (update, data.recommendations.as_str()) {
                (Some(update), Some(more)) => Some(format!("{update}\n\n{more}")),
                (update, more) => update.or_else(|| more.map(str::to_owned)),
            }
        }
        Sort::Secret | Sort::Repository => {
            let parts = [&data.remediation, &data.remediation_link];
            let parts: Vec<_> = parts.iter().filter_map(|part| part.as_str()).collect();
            (!parts.is_empty()).then(|| parts.join("\n\n"))
        }
        Sort::Sast | Sort::Unknown => None,
    }
}

/// What `cveName` adds; it may also be blank, or hold a CWE.
fn aliases(details: &Details<'_>, id: Option<&str>) -> Vec<String> {
    let name = details.cve_name.as_str().map(str::trim);
    name.filter(|name| name.starts_with("CVE-") && id.is_some_and(|id| id != *name))
        .map(str::to_owned)
        .into_iter()
        .collect()
}

/// A number, or `CWE-401`.
fn cwe(details: &Details<'_>) -> Option<u32> {
    let text = details.cwe_id.text()?;
    let text = text.trim().to_ascii_uppercase();
    let number = text.strip_prefix("CWE-").unwrap_or(&text);
    number.parse().ok().filter(|cwe| *cwe > 0)
}

fn component(data: &Data<'_>, sort: Sort) -> Option<Component> {
    let fixed_version = data.recommended_version.text();
    let (name, version) = match sort {
        Sort::Sca => {
            let parts = data.package_identifier.as_str().map(split_identifier);
            let (_, name, version) = parts.unwrap_or_default();
            (
                data.package_name.as_str().map(str::to_owned).or(name),
                data.package_version.as_str().map(str::to_owned).or(version),
            )
        }
        Sort::Container => (
            data.package_name.to_owned(),
            data.package_version.to_owned(),
        ),
        _ => return None,
    };
    let component = Component {
        name,
        version,
        fixed_version,
        ..Component::default()
    };
    (component != Component::default()).then_some(component)
}

/// `Npm-bluebird-3.7.2`: ecosystem, name, version. The first dash ends the ecosystem, the last one begins the version.
fn split_identifier(identifier: &str) -> (Option<String>, Option<String>, Option<String>) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let Some((ecosystem, rest)) = identifier.split_once('-') else {
        return (None, some(identifier), None);
    };
    match rest.rsplit_once('-') {
        Some((name, version)) => (some(ecosystem), some(name), some(version)),
        None => (some(ecosystem), some(rest), None),
    }
}

fn image(data: &Data<'_>) -> Option<Image> {
    let image = Image {
        name: data.image_name.to_owned(),
        tag: data.image_tag.to_owned(),
        digest: None,
    };
    image.name.is_some().then_some(image)
}

/// Of a path through the code its first node, where the bad data comes in.
fn source_location(data: &Data<'_>, sort: Sort) -> Option<SourceLocation> {
    let (file, line) = match sort {
        Sort::Sast => {
            let node = &data.nodes.0.first()?.0;
            (
                node.file_name.as_str().or(node.filename.as_str()),
                node.line,
            )
        }
        Sort::Container => (data.image_file_path.as_str(), data.line),
        Sort::Sca => return None,
        _ => (
            data.file_name.as_str().or(data.filename.as_str()),
            data.line,
        ),
    };
    let file = file?;
    let line = line.0.and_then(|line| u32::try_from(line).ok());
    Some(SourceLocation {
        file: Some(file.strip_prefix('/').unwrap_or(file).to_owned()),
        line_start: line.filter(|line| *line > 0),
        ..SourceLocation::default()
    })
}

fn references(row: &Row<'_>, sort: Sort, source: &Source<'_>) -> Vec<String> {
    let data = &row.data.0;
    let engine = match sort {
        Sort::Sast => Some("sast"),
        Sort::Kics => Some("kics"),
        _ => None,
    };
    let page = engine.zip(row.id.text()).map(|(engine, id)| {
        page_of_result(source.location, source.scan, source.project, engine, &id)
    });
    let packages = data.package_data.0.iter().map(|data| &data.0.url);
    [&data.query_url, &data.remediation_link, &data.commit_url]
        .into_iter()
        .chain(packages)
        .filter_map(|url| url.as_str().map(str::trim))
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(str::to_owned)
        .chain(page)
        .collect()
}

fn tags(row: &Row<'_>, sort: Sort, kind: &str) -> Vec<String> {
    let data = &row.data.0;
    let details = &row.vulnerability_details.0;
    let identifier = data.package_identifier.as_str().map(split_identifier);
    let ecosystem = identifier.and_then(|(ecosystem, ..)| ecosystem);
    let words: Vec<Option<&str>> = match sort {
        Sort::Sast => [&data.language_name, &data.group]
            .into_iter()
            .chain(&details.compliances.0)
            .map(|text| text.as_str())
            .collect(),
        Sort::Kics => [&data.platform, &data.group, &data.issue_type]
            .into_iter()
            .map(|text| text.as_str().map(plain))
            .collect(),
        Sort::Sca => vec![row.sca_type.as_str(), ecosystem.as_deref()],
        Sort::Container => vec![data.image_origin.as_str()],
        Sort::Secret | Sort::Repository => vec![data.slsa_step.as_str(), data.validity.as_str()],
        Sort::Unknown => Vec::new(),
    };
    let words = words.into_iter().flatten().map(str::to_owned);
    std::iter::once(kind.to_owned()).chain(words).collect()
}

/// A word without where it was taken from.
fn plain(text: &str) -> &str {
    let end = text.find(TAKEN_FROM).unwrap_or(text.len());
    text[..end].trim()
}

/// A found secret stands in the lines around it, too: those are not kept.
fn without_snippet(raw: &str) -> String {
    let Ok(mut row) = serde_json::from_str::<Value>(raw) else {
        return String::new();
    };
    if let Some(snippet) = row.pointer_mut("/data/snippet").filter(|s| !s.is_null()) {
        *snippet = Value::from("***");
    }
    row.to_string()
}

#[cfg(test)]
mod tests;
