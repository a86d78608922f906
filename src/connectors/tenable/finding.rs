//! The mapping of one row.

use std::borrow::Cow;

use super::row::{Plugin, Row};
use super::selection::Source;
use super::tables;
use crate::connectors::rating;
use crate::finding::{Component, Content, Endpoint, Host, Kind, Sighting, Status};

/// What `solution` says where there is none.
const NO_SOLUTION: &[&str] = &["n/a", "none"];

/// Type of a reference in `xrefs` to a weakness.
const CWE: &str = "CWE";

/// Type of a reference in `xrefs` to the catalogue of vulnerabilities that are known to be exploited.
const EXPLOITED: &str = "CISA-KNOWN-EXPLOITED";

/// A finding, and what it is selected by beside its own words.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) sighting: Sighting,
    pub(super) family: Option<String>,
}

/// Reads a row, or tells why it cannot be read.
pub(super) fn map(text: &str, source: Source) -> Result<Mapped, String> {
    let row = Row::parse(text)?;
    let source_id = match source {
        Source::Vm => id_on_asset(&row)?,
        Source::Was => {
            let id = row.finding_id.as_str();
            format!("was:{}", id.ok_or("a web finding has no finding_id")?)
        }
    };
    let plugin = &row.plugin.0;
    let status = tables::status(row.state.as_str(), row.severity_modification_type.as_str());
    let sighting = Sighting {
        source_id,
        severity: tables::severity(row.severity.as_str(), row.severity_id.0),
        status,
        source_severity: row.severity.to_owned(),
        source_status: row.state.to_owned(),
        found_at: row.first_found.time(),
        source_updated_at: updated_at(&row, status),
        weakness: plugin.id.0.map(|id| id.to_string()),
        content: content(&row, source),
        raw: text.to_owned(),
        ..Sighting::default()
    };
    Ok(Mapped {
        sighting,
        family: plugin.family.to_owned(),
    })
}

/// Asset, plugin, port, protocol: the recipe of the vendor's own integrations. `finding_id` is younger than many findings.
fn id_on_asset(row: &Row<'_>) -> Result<String, String> {
    let asset = row.asset.0.uuid.as_str();
    let asset = asset.ok_or("a finding has no asset.uuid")?;
    let plugin = row.plugin.0.id.0.ok_or("a finding has no plugin.id")?;
    let port = &row.port.0;
    let number = port.port.0.ok_or("a finding has no port.port")?;
    let protocol = port.protocol.as_str();
    let protocol = protocol.ok_or("a finding has no port.protocol")?;
    Ok(format!("{asset}:{plugin}:{number}:{protocol}"))
}

/// When Tenable last touched it; where that is not said, when it was last seen, or seen to be gone.
fn updated_at(row: &Row<'_>, status: Status) -> Option<chrono::DateTime<chrono::Utc>> {
    let indexed = row.indexed.time().or_else(|| row.indexed_at.time());
    indexed.or_else(|| match status {
        Status::Resolved => row.last_fixed.time(),
        _ => row.last_found.time(),
    })
}

fn content(row: &Row<'_>, source: Source) -> Content {
    let plugin = &row.plugin.0;
    let mut ids = plugin.cve.iter().map(str::to_owned);
    let mut content = Content {
        title: title(plugin),
        description: description(row),
        recommendation: solution(plugin),
        vulnerability_id: ids.next(),
        aliases: ids.collect(),
        cwes: cwes(plugin),
        epss_score: epss(plugin),
        component: component(row),
        references: references(plugin),
        tags: tags(row),
        ..Content::default()
    };
    drop_own_alias(&mut content);
    rate(&mut content, plugin);
    match source {
        Source::Vm => {
            content.kind = Kind::Host;
            content.host = Some(host(row));
        }
        Source::Was => {
            content.kind = Kind::Endpoint;
            content.endpoint = Some(Endpoint {
                url: row.url.to_owned(),
                method: row.http_method.to_owned(),
                parameter: row.input_name.to_owned(),
            });
        }
    }
    content
}

/// Lists may hold an id twice.
fn drop_own_alias(content: &mut Content) {
    let own = content.vulnerability_id.clone();
    content.aliases.retain(|alias| Some(alias) != own.as_ref());
}

fn title(plugin: &Plugin<'_>) -> String {
    match (plugin.name.as_str(), plugin.id.0) {
        (Some(name), _) => unescaped(name.trim()).into_owned(),
        (None, Some(id)) => format!("Tenable plugin {id}"),
        (None, None) => "Tenable finding".to_owned(),
    }
}

/// The names of passive plugins are written as HTML.
fn unescaped(text: &str) -> Cow<'_, str> {
    const ENTITIES: &[(&str, &str)] = &[
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        // The last one: what it makes is no entity again.
        ("&amp;", "&"),
    ];
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let replaced = |text: String, (entity, c): &(&str, &str)| text.replace(entity, c);
    Cow::Owned(ENTITIES.iter().fold(text.to_owned(), replaced))
}

/// What the plugin says, then what it saw here.
fn description(row: &Row<'_>) -> Option<String> {
    let plugin = &row.plugin.0;
    let description = plugin.description.as_str().map(str::trim);
    let synopsis = plugin.synopsis.as_str().map(str::trim);
    let synopsis = synopsis.filter(|synopsis| Some(*synopsis) != description);
    let mut parts: Vec<String> = description
        .into_iter()
        .chain(synopsis)
        .map(str::to_owned)
        .collect();
    let seen = [
        ("Output", &row.output),
        ("Proof", &row.proof),
        ("Payload", &row.payload),
    ];
    for (heading, text) in seen {
        if let Some(text) = text.as_str() {
            parts.push(format!("### {heading}\n\n{}", fenced(text)));
        }
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// As a block of code, by a fence that is longer than any in the text.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let text = text.trim_matches(['\r', '\n']);
    format!("{fence}\n{text}\n{fence}")
}

fn solution(plugin: &Plugin<'_>) -> Option<String> {
    let solution = plugin.solution.as_str()?.trim();
    let none = NO_SOLUTION
        .iter()
        .any(|word| solution.eq_ignore_ascii_case(word));
    (!none).then(|| solution.to_owned())
}

/// The numbers of `xrefs` and, of web findings, of `cwe`; `79` or `CWE-79`.
fn cwes(plugin: &Plugin<'_>) -> Vec<u32> {
    let references = plugin.xrefs.0.iter().map(|reference| &reference.0);
    let references = references.filter(|reference| is(reference.kind.as_str(), CWE));
    references
        .flat_map(|reference| reference.id.iter())
        .chain(plugin.cwe.iter())
        .filter_map(|id| {
            let id = id.to_ascii_uppercase();
            let number = id.strip_prefix("CWE-").unwrap_or(&id);
            number.parse().ok().filter(|cwe| *cwe > 0)
        })
        .collect()
}

fn is(word: Option<&str>, known: &str) -> bool {
    word.is_some_and(|word| word.trim().eq_ignore_ascii_case(known))
}

/// Tenable gives a percentage.
fn epss(plugin: &Plugin<'_>) -> Option<f64> {
    /// Without it a percentage with three digits becomes a fraction with seventeen.
    const DIGITS: f64 = 1e7;
    let percentage = plugin.epss_score.0?;
    let fraction = (percentage / 100.0 * DIGITS).round() / DIGITS;
    (0.0..=1.0).contains(&fraction).then_some(fraction)
}

fn rate(content: &mut Content, plugin: &Plugin<'_>) {
    let with = |prefix: &str, raw: Option<&str>| {
        let raw = raw?.trim();
        Some(match raw.starts_with("CVSS:") {
            true => raw.to_owned(),
            false => format!("{prefix}{raw}"),
        })
    };
    let vector = with("CVSS:3.0/", plugin.cvss3_vector.0.raw.as_str());
    // A zero without a vector stands for "not rated".
    let rated = |score: Option<f64>, vector: &Option<String>| {
        score.filter(|score| *score != 0.0 || vector.is_some())
    };
    let score = rated(plugin.cvss3_base_score.0, &vector);
    content.set_cvss3(rating::cvss3(vector.as_deref(), score));
    let vector = with("CVSS:4.0/", plugin.cvss4_vector.0.raw.as_str());
    let score = rated(plugin.cvss4_base_score.0, &vector);
    content.set_cvss4(rating::cvss4(vector.as_deref(), score));
}

/// The one software package where Tenable attributes the finding to one; always the plugin's first CPE.
fn component(row: &Row<'_>) -> Option<Component> {
    let cpe = row.plugin.0.cpe.first().map(str::to_owned);
    let component = match row.software_vulns.0.as_slice() {
        [only] => {
            let software = &only.0;
            let identifier = software.identifier.as_str().map(str::trim);
            let purl = identifier.filter(|id| id.starts_with("pkg:"));
            let own_cpe = identifier.filter(|id| id.starts_with("cpe:"));
            let fixes = software.fixes.0.iter();
            let fixes: Vec<_> = fixes
                .filter_map(|fix| fixed_version(fix.0.value.as_str()?))
                .collect();
            Component {
                name: software.product.to_owned(),
                version: software.version.to_owned(),
                purl: purl.map(str::to_owned),
                cpe: own_cpe.map(str::to_owned).or(cpe),
                fixed_version: (!fixes.is_empty()).then(|| fixes.join(", ")),
            }
        }
        _ => Component {
            cpe,
            ..Component::default()
        },
    };
    (component != Component::default()).then_some(component)
}

/// A version, or the one in a package URL.
fn fixed_version(value: &str) -> Option<String> {
    let value = value.trim();
    let Some(purl) = value.strip_prefix("pkg:") else {
        return (!value.is_empty()).then(|| value.to_owned());
    };
    let purl = purl.split(['?', '#']).next().unwrap_or(purl);
    let (_, version) = purl.rsplit_once('@')?;
    (!version.is_empty()).then(|| version.to_owned())
}

fn host(row: &Row<'_>) -> Host {
    let asset = &row.asset.0;
    let ip = asset.ipv4.first().or_else(|| asset.ipv6.first());
    let names = [&asset.fqdn, &asset.hostname, &asset.netbios_name];
    let name = names.into_iter().find_map(|name| name.first()).or(ip);
    let port = &row.port.0;
    let number = port.port.0.and_then(|port| u16::try_from(port).ok());
    let protocol = port.protocol.as_str();
    Host {
        name: name.map(str::to_owned),
        ip: ip.map(str::to_owned),
        // 0 is the machine as a whole.
        port: number.filter(|port| *port > 0),
        protocol: protocol.map(|protocol| protocol.trim().to_ascii_lowercase()),
    }
}

/// Each is a list of links, or one text with a link a line.
fn references(plugin: &Plugin<'_>) -> Vec<String> {
    plugin
        .see_also
        .iter()
        .flat_map(str::split_whitespace)
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(str::to_owned)
        .collect()
}

fn tags(row: &Row<'_>) -> Vec<String> {
    let plugin = &row.plugin.0;
    let mut tags = Vec::new();
    if let Some(family) = plugin.family.as_str() {
        tags.push(format!("family:{}", family.trim()));
    }
    if let Some(source) = row.source.as_str() {
        tags.push(format!("source:{}", source.trim()));
    }
    let mut references = plugin.xrefs.0.iter();
    if references.any(|reference| is(reference.0.kind.as_str(), EXPLOITED)) {
        tags.push("kev".to_owned());
    }
    let rule = row.severity_modification_type.as_str();
    tags.extend(rule.and_then(tables::tag_of_rule).map(str::to_owned));
    // Its UUID is another one after each scan, and so is the identity of its findings.
    if row.asset.0.tracked.0 == Some(false) {
        tags.push("untracked".to_owned());
    }
    tags
}

#[cfg(test)]
mod tests;
