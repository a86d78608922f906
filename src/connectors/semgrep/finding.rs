//! The mapping of one finding in code or in a package.

use super::issue_type::IssueType;
use super::package;
use super::row::{Row, Rule, web};
use super::spec::Identity;
use super::tables::{severity, status};
use super::time::time;
use crate::connectors::cwe;
use crate::connectors::lenient::Text;
use crate::finding::{Content, Kind, Sighting, SourceLocation};

/// What all findings of a reading share.
pub(super) struct Source<'a> {
    /// What was asked for; a row does not say it.
    pub(super) issue_type: IssueType,
    pub(super) project: &'a str,
    pub(super) identity: Identity,
    /// The ref is the scope's; else each finding says its own.
    pub(super) of_one_ref: bool,
}

/// Maps a finding, or tells why it cannot be taken in.
pub(super) fn map(row: &Row<'_>, raw: &str, source: &Source<'_>) -> Result<Sighting, String> {
    let id = row.id.text().ok_or("a finding has no id")?;
    let source_id = match (source.identity, row.match_based_id.as_str()) {
        (Identity::Match, Some(of_match)) => {
            // Neither project nor match alone is unique.
            let project = row.repository.0.name.as_str().unwrap_or(source.project);
            format!("{project}:{of_match}")
        }
        _ => id.clone(),
    };
    let changes = [&row.relevant_since, &row.state_updated_at, &row.triaged_at];
    let changed = changes.into_iter().filter_map(|text| time(text.as_str()));
    Ok(Sighting {
        source_id,
        id_space: None,
        severity: severity(row.severity.as_str()),
        status: status(row.status.as_str(), row.triage_reason.as_str()),
        source_severity: row.severity.to_owned(),
        source_status: row.status.to_owned(),
        found_at: time(row.created_at.as_str()),
        source_updated_at: changed.max(),
        weakness: rule_name(row).map(|rule| format!("semgrep:{rule}")),
        content: content(row, &id, source),
        raw: raw.to_owned(),
    })
}

fn rule_name<'a>(row: &'a Row<'_>) -> Option<&'a str> {
    row.rule.0.name.as_str().or(row.rule_name.as_str())
}

fn content(row: &Row<'_>, id: &str, source: &Source<'_>) -> Content {
    let sca = source.issue_type == IssueType::Sca;
    let epss = row.epss_score.0.score.0;
    Content {
        kind: if sca { Kind::Component } else { Kind::Code },
        title: title(row, id, source),
        description: description(row),
        recommendation: recommendation(row),
        vulnerability_id: package::vulnerability_id(row).filter(|_| sca),
        cwes: cwes(&row.rule.0),
        epss_score: epss.filter(|score| (0.0..=1.0).contains(score)),
        component: package::component(row).filter(|_| sca),
        source_location: source_location(row),
        references: [
            &row.found_dependency.0.lockfile_line_url,
            &row.external_ticket.0.url,
        ]
        .into_iter()
        .filter_map(web)
        .collect(),
        tags: tags(row, source),
        ..Content::default()
    }
}

/// The last part of the rule's name; of a package, what is wrong with it.
fn title(row: &Row<'_>, id: &str, source: &Source<'_>) -> String {
    let rule = rule_name(row).map(|name| name.rsplit('.').next().unwrap_or(name));
    let class = row.rule.0.vulnerability_classes.0.iter();
    let class = class.filter_map(Text::as_str).next();
    let package = row.found_dependency.0.package.as_str();
    if let (IssueType::Sca, Some(package)) = (source.issue_type, package) {
        let what = class.or(row.vulnerability_identifier.as_str()).or(rule);
        return what.map_or_else(|| package.to_owned(), |what| format!("{package}: {what}"));
    }
    let name = rule.filter(|name| !name.trim().is_empty()).or(class);
    name.map_or_else(|| format!("{} {id}", source.issue_type), str::to_owned)
}

fn description(row: &Row<'_>) -> Option<String> {
    let message = row.rule.0.message.as_str().or(row.rule_message.as_str());
    let condition = row.reachable_condition.as_str();
    let condition = condition.map(|condition| format!("Reachable if {condition}"));
    paragraphs([message.map(str::to_owned), condition])
}

fn recommendation(row: &Row<'_>) -> Option<String> {
    let guidance = &row.assistant.0.guidance.0;
    paragraphs([
        package::updates(row),
        guidance.summary.to_owned(),
        guidance.instructions.to_owned(),
    ])
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// `CWE-89: Improper …`, several or none.
fn cwes(rule: &Rule<'_>) -> Vec<u32> {
    let names = rule.cwe_names.0.iter().filter_map(Text::as_str);
    names.flat_map(cwe::numbers).collect()
}

/// Older findings have none, and of some only the URL is known.
fn source_location(row: &Row<'_>) -> Option<SourceLocation> {
    let location = &row.location.0;
    let line = |line: Option<i64>| u32::try_from(line?).ok().filter(|line| *line > 0);
    let place = SourceLocation {
        file: location.file_path.to_owned(),
        line_start: line(location.line.0),
        line_end: line(location.end_line.0),
        url: web(&row.line_of_code_url),
    };
    (place.file.is_some() || place.url.is_some()).then_some(place)
}

fn tags(row: &Row<'_>, source: &Source<'_>) -> Vec<String> {
    let rule = &row.rule.0;
    let confidence = row.confidence.as_str().or(rule.confidence.as_str());
    let git_ref = row.git_ref.as_str().filter(|_| !source.of_one_ref);
    let marked = [
        ("confidence", confidence),
        ("reachability", row.reachability.as_str()),
        ("transitivity", row.found_dependency.0.transitivity.as_str()),
        ("triage", row.triage_reason.as_str()),
        ("ref", git_ref),
    ];
    let marked = marked
        .into_iter()
        .filter_map(|(mark, word)| Some(format!("{mark}:{}", word?)));
    let words = row.categories.0.iter();
    let words = words
        .chain([&rule.category])
        .chain(&rule.subcategories.0)
        .chain(&rule.vulnerability_classes.0)
        .chain(&rule.owasp_names.0)
        .filter_map(Text::to_owned);
    let malicious = (row.is_malicious.0 == Some(true)).then(|| "malicious".to_owned());
    std::iter::once(source.issue_type.to_string())
        .chain(malicious)
        .chain(marked)
        .chain(words)
        .collect()
}

#[cfg(test)]
mod tests;
