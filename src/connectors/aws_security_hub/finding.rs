//! The mapping of one finding.

use super::super::lenient::Object;
use super::super::rating;
use super::asff::{Finding, Package, Resource, Vulnerability};
use super::place;
use super::redact::redact;
use super::tables::{self, States};
use super::{region, time};
use crate::finding::{Component, Content, Cvss, Kind, Sighting};

/// A finding and the record that it belongs to.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) account: String,
    pub(super) region: String,
    /// The end of its ProductArn: `aws/inspector`.
    pub(super) product: String,
    pub(super) sighting: Sighting,
}

/// A finding that cannot be known again, and its record as far as it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) record: Option<(String, String)>,
    pub(super) reason: String,
}

/// Maps one element of `Findings`.
pub(super) fn map(text: &str) -> Result<Mapped, Unreadable> {
    let unreadable = |record, reason: &str| Unreadable {
        record,
        reason: reason.to_owned(),
    };
    let Object(finding) = serde_json::from_str::<Object<Finding<'_>>>(text)
        .map_err(|error| unreadable(None, &format!("a finding cannot be read: {error}")))?;
    let Some(account) = finding.aws_account_id.to_owned() else {
        return Err(unreadable(None, "a finding has no AwsAccountId"));
    };
    let Some(region) = region_of(&finding) else {
        return Err(unreadable(None, "a finding tells no Region"));
    };
    let record = || Some((account.clone(), region.clone()));
    let Some(id) = finding.id.to_owned() else {
        return Err(unreadable(record(), "a finding has no Id"));
    };
    let Some(product_arn) = finding.product_arn.to_owned() else {
        return Err(unreadable(record(), "a finding has no ProductArn"));
    };
    let product = product_arn.split_once("product/").map(|(_, end)| end);
    Ok(Mapped {
        product: product.unwrap_or_default().to_owned(),
        sighting: sighting(id, product_arn, &finding, (&account, &region), text),
        account,
        region,
    })
}

fn region_of(finding: &Finding<'_>) -> Option<String> {
    let of_resource = || finding.resources.0.first()?.0.region.as_str();
    let of_product = || region::of_arn(finding.product_arn.as_str()?).0;
    let region = finding.region.as_str().or_else(of_resource);
    region.or_else(of_product).map(str::to_owned)
}

fn sighting(
    id: String,
    product_arn: String,
    finding: &Finding<'_>,
    record: (&str, &str),
    raw: &str,
) -> Sighting {
    let severity = &finding.severity.0;
    let states = States {
        record: finding.record_state.as_str(),
        compliance: finding.compliance.0.status.as_str(),
        verification: finding.verification_state.as_str(),
        workflow: finding.workflow.0.status.as_str(),
        old_workflow: finding.workflow_state.as_str(),
    };
    let found_at = time::parse(finding.first_observed_at.as_str());
    Sighting {
        source_id: id,
        id_space: Some(product_arn),
        severity: tables::severity(severity.label.as_str(), severity.normalized.0),
        status: states.status(),
        source_severity: severity.label.to_owned(),
        source_status: states.source_status(),
        found_at: found_at.or_else(|| time::parse(finding.created_at.as_str())),
        source_updated_at: time::parse(finding.updated_at.as_str()),
        weakness: weakness(finding),
        content: content(finding, record),
        raw: redact(raw),
    }
}

/// A control is one rule under all standards that share it. For other products a generator is a detector of many things, so
/// the title goes with it.
fn weakness(finding: &Finding<'_>) -> Option<String> {
    let control = finding.compliance.0.security_control_id.to_owned();
    control.or_else(|| {
        let title = finding.title.as_str()?;
        let generator = finding.generator_id.as_str()?;
        Some(format!("{generator} {title}"))
    })
}

fn content(finding: &Finding<'_>, (account, region): (&str, &str)) -> Content {
    let none = Vulnerability::default();
    let vulnerability = finding.vulnerabilities.0.first().map_or(&none, |v| &v.0);
    let package = vulnerability.vulnerable_packages.0.first();
    let package = package.map(|package| &package.0);
    let component = package.and_then(component);
    let source_location = place::source_location(vulnerability, package);
    let vulnerability_id = vulnerability.id.to_owned();
    let vulnerability_id = vulnerability_id.filter(|id| tables::is_vulnerability(id));
    let kind = if component.is_some() {
        Kind::Component
    } else if !vulnerability.code_vulnerabilities.0.is_empty() {
        Kind::Code
    } else {
        Kind::Cloud
    };
    let mut content = Content {
        kind,
        title: title(finding),
        description: description(finding),
        recommendation: recommendation(finding),
        aliases: vulnerability_id
            .as_deref()
            .map(|id| aliases(vulnerability, id))
            .unwrap_or_default(),
        vulnerability_id,
        cwes: cwes(finding),
        epss_score: (vulnerability.epss_score.0).filter(|epss| (0.0..=1.0).contains(epss)),
        component,
        image: place::image(finding, account, region),
        source_location,
        cloud: Some(place::cloud(finding, account, region)),
        kubernetes: place::kubernetes(finding),
        host: place::host(finding),
        references: references(finding),
        tags: tags(finding),
        ..Content::default()
    };
    content.set_cvss3(cvss(vulnerability, "3", rating::cvss3));
    content.set_cvss4(cvss(vulnerability, "4", rating::cvss4));
    content
}

fn title(finding: &Finding<'_>) -> String {
    [&finding.title, &finding.id]
        .into_iter()
        .find_map(|text| text.to_owned())
        .unwrap_or_default()
}

/// AWS's own text, and what else the finding is about: a finding here has one weakness at one place.
fn description(finding: &Finding<'_>) -> Option<String> {
    let packages = finding.vulnerabilities.0.iter();
    let packages = packages.flat_map(|vulnerability| &vulnerability.0.vulnerable_packages.0);
    let packages = packages.skip(1).filter_map(|package| {
        let package = component(&package.0)?;
        let fixed = package
            .fixed_version
            .map(|fixed| format!(", fixed in {fixed}"));
        let version = package.version.map(|version| format!(" {version}"));
        Some(
            [package.name, version, fixed]
                .into_iter()
                .flatten()
                .collect(),
        )
    });
    let others = finding.vulnerabilities.0.iter().skip(1);
    let others = others.filter_map(|vulnerability| vulnerability.0.id.to_owned());
    let resources = finding.resources.0.iter().skip(1);
    let resources = resources.filter_map(|resource| resource_in_words(&resource.0));
    let mut text = finding.description.to_owned().unwrap_or_default();
    for (heading, items) in [
        (
            "Other vulnerable packages",
            packages.collect::<Vec<String>>(),
        ),
        ("Other vulnerabilities", others.collect()),
        ("Other resources", resources.collect()),
    ] {
        if !items.is_empty() {
            text.push_str(&format!("\n\n{heading}: {}", items.join("; ")));
        }
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn resource_in_words(resource: &Resource<'_>) -> Option<String> {
    let id = resource.id.as_str()?;
    Some(match resource.kind.as_str() {
        Some(kind) => format!("{kind} {id}"),
        None => id.to_owned(),
    })
}

fn recommendation(finding: &Finding<'_>) -> Option<String> {
    let general = finding.remediation.0.recommendation.0.text.to_owned();
    general.or_else(|| {
        let packages = finding.vulnerabilities.0.iter();
        let packages = packages.flat_map(|vulnerability| &vulnerability.0.vulnerable_packages.0);
        let mut advice = Vec::new();
        for text in packages.filter_map(|package| package.0.remediation.to_owned()) {
            push_new(&mut advice, text);
        }
        (!advice.is_empty()).then(|| advice.join("\n"))
    })
}

/// Inspector repeats the id among them.
fn aliases(vulnerability: &Vulnerability<'_>, id: &str) -> Vec<String> {
    let mut aliases: Vec<String> = Vec::new();
    for alias in &vulnerability.related_vulnerabilities.0 {
        let Some(alias) = alias.as_str().map(str::trim) else {
            continue;
        };
        let known = alias.eq_ignore_ascii_case(id.trim())
            || aliases
                .iter()
                .any(|known| known.eq_ignore_ascii_case(alias));
        if !known {
            aliases.push(alias.to_owned());
        }
    }
    aliases
}

fn cwes(finding: &Finding<'_>) -> Vec<u32> {
    let code = finding.vulnerabilities.0.iter();
    let code = code.flat_map(|vulnerability| &vulnerability.0.code_vulnerabilities.0);
    let words = code.flat_map(|code| &code.0.cwes.0);
    let mut cwes = Vec::new();
    for word in words.filter_map(|word| word.as_str()) {
        let number = word.trim().to_ascii_uppercase();
        let number = number.strip_prefix("CWE-").unwrap_or(&number);
        if let Ok(cwe) = number.parse() {
            push_new(&mut cwes, cwe);
        }
    }
    cwes
}

/// The rating of a major version; NVD's before others'. Vectors of CVSS 2 have another form, and are nobody's here.
fn cvss(
    vulnerability: &Vulnerability<'_>,
    major: &str,
    rate: fn(Option<&str>, Option<f64>) -> Cvss,
) -> Cvss {
    let of_major = || {
        vulnerability
            .cvss
            .0
            .iter()
            .map(|cvss| &cvss.0)
            .filter(|cvss| {
                let version = cvss.version.as_str();
                version.is_some_and(|version| version.trim().starts_with(major))
            })
    };
    let is_nvd = |source: Option<&str>| source.is_some_and(|source| source.contains("NVD"));
    let chosen = of_major()
        .find(|cvss| is_nvd(cvss.source.as_str()))
        .or_else(|| of_major().next());
    chosen.map_or_else(Cvss::default, |cvss| {
        rate(cvss.base_vector.as_str(), cvss.base_score.0)
    })
}

/// A package with its version as its package manager writes it: `1:1.1.1k-12.el8_9`.
fn component(package: &Package<'_>) -> Option<Component> {
    let name = package.name.to_owned()?;
    let epoch = package.epoch.as_str().filter(|epoch| *epoch != "0");
    let version = package.version.as_str().map(|version| {
        let epoch = epoch.filter(|_| !version.contains(':'));
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let release = package.release.as_str();
        let release = release.filter(|release| !version.ends_with(release));
        let release = release.map(|release| format!("-{release}"));
        format!("{epoch}{version}{}", release.unwrap_or_default())
    });
    let fixed_version = package.fixed_in_version.to_owned();
    Some(Component {
        name: Some(name),
        version,
        fixed_version: fixed_version.filter(|fixed| !fixed.eq_ignore_ascii_case("NotAvailable")),
        ..Component::default()
    })
}

fn references(finding: &Finding<'_>) -> Vec<String> {
    let vulnerabilities = || finding.vulnerabilities.0.iter().map(|v| &v.0);
    let own = [
        &finding.remediation.0.recommendation.0.url,
        &finding.source_url,
    ];
    let listed = vulnerabilities().flat_map(|v| &v.reference_urls.0);
    let vendors = vulnerabilities().map(|v| &v.vendor.0.url);
    let mut references = Vec::new();
    for url in own.into_iter().chain(listed).chain(vendors) {
        let url = url.as_str().map(str::trim).unwrap_or_default();
        if url.starts_with("https://") || url.starts_with("http://") {
            push_new(&mut references, url.to_owned());
        }
    }
    references
}

fn tags(finding: &Finding<'_>) -> Vec<String> {
    let compliance = &finding.compliance.0;
    let marked = [
        ("product", &finding.product_name),
        ("control", &compliance.security_control_id),
        ("compliance", &compliance.status),
    ];
    let marked = marked
        .into_iter()
        .filter_map(|(mark, text)| Some(format!("{mark}:{}", text.as_str()?)));
    let types = finding.types.0.iter().filter_map(|text| text.to_owned());
    let sample = (finding.sample.0 == Some(true)).then(|| "sample".to_owned());
    marked.chain(types).chain(sample).collect()
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests;
