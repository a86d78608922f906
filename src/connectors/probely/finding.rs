//! The mapping of one finding.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::kept::kept;
use super::row::{Definition, Row, names};
use super::tables;
use crate::connectors::lenient::Object;
use crate::connectors::rating;
use crate::finding::{Content, Endpoint, Kind, Sighting};

/// Maps a finding of a target, or tells why it cannot be read.
pub(super) fn map(element: &[u8], target: &str) -> Result<Sighting, String> {
    let text = std::str::from_utf8(element).map_err(|_| "a finding is not UTF-8".to_owned())?;
    let raw = kept(text)?;
    let Object(row) = serde_json::from_str::<Object<Row<'_>>>(&raw)
        .map_err(|error| format!("a finding cannot be read: {error}"))?;
    let source_id = source_id(&row, target)?;
    Ok(Sighting {
        source_id,
        id_space: None,
        severity: tables::severity(row.severity.as_str()),
        status: tables::status(
            row.state.as_str(),
            row.retesting.0 == Some(true),
            row.review_status.as_str(),
        ),
        source_severity: row.severity.to_owned(),
        source_status: row.state.to_owned(),
        found_at: time(row.created_at.as_str()),
        source_updated_at: time(row.changed.as_str()),
        weakness: weakness(&row.definition.0),
        content: content(&row),
        raw,
    })
}

/// Numbers of findings count per target. Once the vendor gives `<target>-<number>` itself, that is the same id.
fn source_id(row: &Row<'_>, target: &str) -> Result<String, String> {
    let own = row.target.0.id.as_str();
    let own = own.ok_or_else(|| {
        "a finding has no target.id, without which its number means nothing".to_owned()
    })?;
    if own != target {
        return Err(format!(
            "a finding of target {own} in the list of another one"
        ));
    }
    let id = row.id.as_str().map(str::trim).unwrap_or_default();
    let number = id
        .strip_prefix(target)
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(id);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match is_number {
        true => Ok(format!("{target}-{number}")),
        false => Err("a finding has no id".to_owned()),
    }
}

fn weakness(definition: &Definition<'_>) -> Option<String> {
    let id = definition.id.as_str()?;
    Some(format!("probely:{id}"))
}

fn content(row: &Row<'_>) -> Content {
    let definition = &row.definition.0;
    let mut content = Content {
        kind: Kind::Endpoint,
        title: title(definition),
        description: description(definition.desc.as_str(), row.evidence.as_str()),
        recommendation: row.fix.to_owned(),
        cwes: definition.cwe_id.as_str().map(cwes).unwrap_or_default(),
        endpoint: endpoint(row),
        tags: names(&row.labels),
        ..Content::default()
    };
    let (vector, score) = (row.cvss_vector.as_str(), row.cvss_score.0);
    // The one score belongs to the vector beside it.
    match vector.map(str::trim) {
        Some(vector) if vector.starts_with("CVSS:4") => {
            content.set_cvss4(rating::cvss4(Some(vector), score));
        }
        vector => content.set_cvss3(rating::cvss3(vector, score)),
    }
    content
}

fn title(definition: &Definition<'_>) -> String {
    let id = definition.id.as_str();
    match (definition.name.to_owned(), id) {
        (Some(name), _) => name,
        (None, Some(id)) => format!("Probely finding {id}"),
        (None, None) => "Probely finding".to_owned(),
    }
}

/// What the sort of weakness is, and how this one showed itself.
fn description(sort: Option<&str>, evidence: Option<&str>) -> Option<String> {
    let evidence = evidence.map(|evidence| format!("## Evidence\n\n{evidence}"));
    match (sort, evidence) {
        (Some(sort), Some(evidence)) => Some(format!("{sort}\n\n{evidence}")),
        (Some(sort), None) => Some(sort.to_owned()),
        (None, evidence) => evidence,
    }
}

/// The numbers in it, whether it says `CWE-79` or `79`.
fn cwes(id: &str) -> Vec<u32> {
    let numbers = id.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// `path` holds the same URL as `url`, in old accounts a bare path.
fn endpoint(row: &Row<'_>) -> Option<Endpoint> {
    let path = row.path.as_str();
    let path = path.filter(|path| path.starts_with("http://") || path.starts_with("https://"));
    let endpoint = Endpoint {
        url: row.url.as_str().or(path).map(str::to_owned),
        method: tables::method(row.method.as_str()),
        parameter: row.parameter.to_owned(),
    };
    (endpoint != Endpoint::default()).then_some(endpoint)
}

/// A time in RFC 3339; one without a zone is of UTC.
fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    zoned.or_else(|_| naive().map(|time| time.and_utc())).ok()
}

#[cfg(test)]
mod tests;
