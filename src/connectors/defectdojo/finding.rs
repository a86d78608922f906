//! The mapping of one finding.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::inventory::number;
use super::row::Row;
use super::tables;
use crate::connectors::lenient::{Object, Text};
use crate::connectors::members::Members;
use crate::connectors::{cwe, markdown, rating};
use crate::finding::{Component, Content, Kind, Sighting, SourceLocation};

/// Members that are not kept: what changes every day or at every save, and recorded HTTP traffic, which has live credentials in it.
const NOT_KEPT: &[&str] = &["age", "sla_days_remaining", "updated", "request_response"];

/// A finding as it was read.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) id: u64,
    /// Id of its test.
    pub(super) test: u64,
    /// Another finding stands for it.
    pub(super) is_duplicate: bool,
    pub(super) is_active: bool,
    pub(super) sighting: Sighting,
}

/// Maps a finding, or tells why it cannot be read.
pub(super) fn map(element: &[u8]) -> Result<Finding, String> {
    let text = std::str::from_utf8(element).map_err(|_| "a finding is not UTF-8".to_owned())?;
    let unreadable = |error| format!("a finding cannot be read: {error}");
    let Object(row) = serde_json::from_str::<Object<Row<'_>>>(text).map_err(unreadable)?;
    let id = number(row.id).ok_or_else(|| "a finding has no id".to_owned())?;
    let test = number(row.test);
    let test = test.ok_or_else(|| format!("finding {id} is of no test"))?;
    let mut raw = serde_json::from_str::<Members<'_>>(text).map_err(unreadable)?;
    raw.leave_out(NOT_KEPT);
    let content = content(&row, id);
    Ok(Finding {
        id,
        test,
        is_duplicate: row.duplicate.0 == Some(true),
        is_active: row.active.0 != Some(false),
        sighting: Sighting {
            source_id: id.to_string(),
            id_space: None,
            severity: tables::severity(row.severity.as_str()),
            status: tables::status(&row),
            source_severity: row.severity.to_owned(),
            source_status: row.display_status.to_owned(),
            found_at: day(row.date.as_str()),
            source_updated_at: time(row.last_status_update.as_str()),
            weakness: weakness(&row, content.kind),
            content,
            raw: raw.write(),
        },
    })
}

/// The rule of the scanner. Where no place is told, rule and title are too little: then what DefectDojo tells findings apart by.
fn weakness(row: &Row<'_>, kind: Kind) -> Option<String> {
    let (rule, hash) = (row.vuln_id_from_tool.as_str(), row.hash_code.as_str());
    let own = match kind {
        Kind::Other => hash.or(rule),
        _ => rule,
    };
    own.map(|own| format!("defectdojo:{own}"))
}

fn content(row: &Row<'_>, id: u64) -> Content {
    let component = component(row);
    let source_location = source_location(row);
    let (vulnerability_id, aliases) = vulnerability_ids(row);
    let mut content = Content {
        kind: match (&component, &source_location) {
            (Some(_), _) => Kind::Component,
            (None, Some(_)) => Kind::Code,
            (None, None) => Kind::Other,
        },
        title: row
            .title
            .to_owned()
            .unwrap_or_else(|| format!("DefectDojo finding {id}")),
        description: row.description.to_owned(),
        recommendation: row.mitigation.to_owned(),
        vulnerability_id,
        aliases,
        cwes: cwes(row),
        epss_score: row.epss_score.0.filter(|score| (0.0..=1.0).contains(score)),
        component,
        source_location,
        references: row
            .references
            .as_str()
            .map(markdown::urls)
            .unwrap_or_default(),
        tags: tags(row),
        ..Content::default()
    };
    content.set_cvss3(rating::cvss3(trimmed(&row.cvssv3), row.cvssv3_score.0));
    content.set_cvss4(rating::cvss4(trimmed(&row.cvssv4), row.cvssv4_score.0));
    content
}

fn trimmed<'a>(text: &'a Text<'_>) -> Option<&'a str> {
    text.as_str().map(str::trim)
}

/// The first id of a vulnerability, and the rest of them.
fn vulnerability_ids(row: &Row<'_>) -> (Option<String>, Vec<String>) {
    let mut ids: Vec<String> = Vec::new();
    for Object(one) in &row.vulnerability_ids.0 {
        if let Some(id) = trimmed(&one.vulnerability_id)
            && tables::is_vulnerability_id(id)
            && !ids.iter().any(|known| known == id)
        {
            ids.push(id.to_owned());
        }
    }
    let mut ids = ids.into_iter();
    (ids.next(), ids.collect())
}

/// Those of 3.x, and the one of every release, where 0 stands for none.
fn cwes(row: &Row<'_>) -> Vec<u32> {
    let own = number(row.cwe).and_then(|number| u32::try_from(number).ok());
    let listed = row.cwes.0.iter();
    let listed = listed.filter_map(|Object(one)| one.cwe.as_str());
    let mut found: Vec<_> = own.into_iter().collect();
    for number in listed.flat_map(cwe::numbers) {
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

fn component(row: &Row<'_>) -> Option<Component> {
    let name = row.component_name.to_owned()?;
    Some(Component {
        name: Some(name),
        version: row.component_version.to_owned(),
        fixed_version: row.fix_version.to_owned(),
        ..Component::default()
    })
}

/// Where the weakness is, else where the data come from that reach it.
fn source_location(row: &Row<'_>) -> Option<SourceLocation> {
    let (file, line) = match (
        row.file_path.to_owned(),
        row.sast_source_file_path.to_owned(),
    ) {
        (Some(file), _) => (file, row.line),
        (None, Some(file)) => (file, row.sast_source_line),
        (None, None) => return None,
    };
    let line = number(line).and_then(|line| u32::try_from(line).ok());
    Some(SourceLocation {
        file: Some(file),
        line_start: line,
        ..SourceLocation::default()
    })
}

/// The finding's own, and its service: that is part of the product in DefectDojo, and no place of its own.
fn tags(row: &Row<'_>) -> Vec<String> {
    let own = row.tags.0.iter().filter_map(Text::to_owned);
    let service = row.service.as_str();
    let service = service.map(|service| format!("service:{}", service.trim()));
    own.chain(service).collect()
}

/// The beginning of a day.
fn day(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    // A time of day is cut off by DefectDojo itself; should one come, it is right.
    time(Some(text)).or_else(|| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(day.and_time(NaiveTime::MIN).and_utc())
    })
}

fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text?.trim()).ok()?;
    Some(time.to_utc())
}

#[cfg(test)]
mod tests;
