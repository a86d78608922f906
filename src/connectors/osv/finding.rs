//! The mapping of what all records about one flaw say of one package.

use super::group::is_cve;
use super::package::Package;
use super::row::Row;
use crate::finding::{Component, Content, Kind, Severity, Sighting, Status};

/// Maps a group of records, the one that is kept first. What that one leaves out is taken from the next.
pub(super) fn map(package: &Package, kept: &Row, others: &[Row]) -> Sighting {
    let rows = || [kept].into_iter().chain(others);
    let (vulnerability_id, aliases) = ids(kept, others);
    let assessed = rows().find(|row| row.assessment.severity != Severity::Unknown);
    let assessment = &assessed.unwrap_or(kept).assessment;
    let name = &package.name;
    let mut content = Content {
        kind: Kind::Component,
        title: rows()
            .find_map(|row| row.summary.clone())
            .unwrap_or_else(|| format!("{vulnerability_id} in {name} {}", package.version)),
        description: rows().find_map(|row| row.details.clone()),
        cwes: rows().flat_map(|row| &row.cwes).copied().collect(),
        component: Some(Component {
            name: Some(name.clone()),
            version: Some(package.version.clone()),
            purl: Some(package.purl.clone()),
            cpe: package.cpe.clone(),
            fixed_version: rows().find_map(|row| row.fixed.clone()),
        }),
        references: rows().flat_map(|row| &row.references).cloned().collect(),
        vulnerability_id: Some(vulnerability_id),
        aliases,
        ..Content::default()
    };
    let cvss3 = rows()
        .map(|row| &row.assessment.cvss3)
        .find(|cvss| cvss.score.is_some());
    let cvss4 = rows()
        .map(|row| &row.assessment.cvss4)
        .find(|cvss| cvss.score.is_some());
    content.set_cvss3(cvss3.cloned().unwrap_or_default());
    content.set_cvss4(cvss4.cloned().unwrap_or_default());
    Sighting {
        source_id: format!("{}|{}", package.id, kept.id),
        severity: assessment.severity,
        status: Status::Open,
        source_severity: rows().find_map(|row| row.assessment.word.clone()),
        source_updated_at: rows().filter_map(|row| row.modified).max(),
        content,
        raw: kept.raw.clone(),
        ..Sighting::default()
    }
}

/// The flaw's id, and its other ones: the record's own if it is a CVE, else the only CVE there is, else the record's own.
fn ids(kept: &Row, others: &[Row]) -> (String, Vec<String>) {
    let mut all: Vec<&String> = Vec::new();
    for row in [kept].into_iter().chain(others) {
        for id in [&row.id]
            .into_iter()
            .chain(&row.aliases)
            .chain(&row.upstream)
        {
            if !all.contains(&id) {
                all.push(id);
            }
        }
    }
    let mut cves = all.iter().filter(|id| is_cve(id));
    let chosen = match (cves.next(), cves.next()) {
        _ if is_cve(&kept.id) => &kept.id,
        (Some(only), None) => *only,
        _ => &kept.id,
    };
    let chosen = chosen.clone();
    let aliases = all.into_iter().filter(|id| **id != chosen).cloned();
    let aliases = aliases.collect();
    (chosen, aliases)
}

#[cfg(test)]
mod tests;
