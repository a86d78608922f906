#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::group::of_one_package;
use super::super::sbom::Listed;
use super::*;

fn package(purl: &str) -> Package {
    let listed = Listed {
        purl: Some(purl.to_owned()),
        cpe: Some("cpe:2.3:a:apache:log4j:2.14.1".to_owned()),
        ..Listed::default()
    };
    Package::of(listed, None).unwrap()
}

fn row(package: &Package, record: &Value) -> Option<Row> {
    Row::of(package, &record.to_string()).unwrap()
}

fn mapped(purl: &str, records: &[Value]) -> Vec<Sighting> {
    let package = package(purl);
    let rows = records
        .iter()
        .filter_map(|record| row(&package, record))
        .collect();
    let groups = of_one_package(rows).into_iter();
    groups
        .map(|group| map(&package, &group[0], &group[1..]))
        .collect()
}

fn only(purl: &str, record: &Value) -> Sighting {
    mapped(purl, std::slice::from_ref(record)).remove(0)
}

const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar";

fn log4shell() -> Value {
    json!({
        "id": "GHSA-jfh8-c2jp-5v3q", "schema_version": "1.7.3", "published": "2021-12-10T00:40:56Z",
        "modified": "2026-05-20T08:11:02.423329Z", "aliases": ["CVE-2021-44228"], "related": ["CVE-2021-45046"],
        "summary": "Remote code injection in Log4j", "details": "# Summary\n\nLookups.",
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},
            {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}
        ],
        "affected": [{
            "package": {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "2.4"}, {"fixed": "2.12.2"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "2.13.0"}, {"fixed": "2.15.0"}]}
            ]
        }],
        "references": [
            {"type": "ADVISORY", "url": "https://nvd.example.com/CVE-2021-44228"}, {"type": "WEB", "url": "javascript:alert(1)"},
            {"type": "FIX", "url": "https://example.com/fix"}
        ],
        "database_specific": {"severity": "CRITICAL", "cwe_ids": ["CWE-20", "CWE-400", "CWE-502", "odd", 7]},
        "credits": [{"name": "somebody"}]
    })
}

#[test]
fn every_field_of_a_record_has_its_place() {
    let record = log4shell();
    let sighting = only(LOG4J, &record);
    assert_eq!(
        sighting.source_id,
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1|GHSA-jfh8-c2jp-5v3q"
    );
    assert_eq!(
        (sighting.severity, sighting.status),
        (Severity::Critical, Status::Open)
    );
    assert_eq!(sighting.source_severity.as_deref(), Some("CRITICAL"));
    assert_eq!((&sighting.source_status, sighting.found_at), (&None, None));
    assert_eq!(
        sighting.source_updated_at.unwrap().to_rfc3339(),
        "2026-05-20T08:11:02.423329+00:00"
    );
    assert_eq!(sighting.raw, record.to_string());
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "Remote code injection in Log4j");
    assert_eq!(
        content.description.as_deref(),
        Some("# Summary\n\nLookups.")
    );
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2021-44228"));
    assert_eq!(
        content.aliases,
        ["GHSA-jfh8-c2jp-5v3q"],
        "related ones are no aliases"
    );
    assert_eq!(content.cwes, [20, 400, 502]);
    assert_eq!(content.cvss3_score, Some(10.0));
    assert_eq!(
        content.cvss3_vector.as_deref(),
        Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H")
    );
    assert_eq!(content.cvss4_score, Some(9.3));
    assert!(content.cvss4_vector.is_some());
    assert_eq!(
        content.references,
        [
            "https://nvd.example.com/CVE-2021-44228",
            "https://example.com/fix"
        ]
    );
    assert_eq!(
        content.component,
        Some(Component {
            name: Some("org.apache.logging.log4j:log4j-core".to_owned()),
            version: Some("2.14.1".to_owned()),
            purl: Some("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar".to_owned()),
            cpe: Some("cpe:2.3:a:apache:log4j:2.14.1".to_owned()),
            fixed_version: Some("2.15.0".to_owned()),
        })
    );
}

#[test]
fn a_record_of_nothing_but_an_id_is_a_finding() {
    let sighting = only(
        "pkg:npm/lodash@4.17.20",
        &json!({"id": "OSV-2024-1", "modified": "soon"}),
    );
    assert_eq!(sighting.source_id, "pkg:npm/lodash@4.17.20|OSV-2024-1");
    assert_eq!(sighting.content.title, "OSV-2024-1 in lodash 4.17.20");
    assert_eq!(
        sighting.content.vulnerability_id.as_deref(),
        Some("OSV-2024-1")
    );
    assert_eq!(
        (sighting.severity, sighting.source_updated_at),
        (Severity::Unknown, None)
    );
    let bare = map(
        &package("pkg:npm/lodash@4.17.20"),
        &Row::bare("OSV-2024-1", "2026-01-01T00:00:00Z"),
        &[],
    );
    assert_eq!(bare.source_id, sighting.source_id);
    assert!(bare.source_updated_at.is_some());
}

#[test]
fn a_record_without_an_id_is_unreadable_and_a_withdrawn_one_is_no_finding() {
    let package = package(LOG4J);
    assert!(Row::of(&package, "{}").unwrap_err().contains("no id"));
    assert!(Row::of(&package, "[").is_err());
    let withdrawn = json!({"id": "GHSA-1", "withdrawn": "2026-01-01T00:00:00Z"});
    assert_eq!(row(&package, &withdrawn), None);
}

#[test]
fn the_vulnerability_is_the_cve_if_there_is_exactly_one() {
    let ids = |record: Value| {
        let content = only("pkg:npm/a@1", &record).content;
        (content.vulnerability_id.unwrap(), content.aliases)
    };
    let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        ids(json!({"id": "CVE-2024-1", "aliases": ["GHSA-1", "CVE-2024-2"]})),
        ("CVE-2024-1".to_owned(), own(&["GHSA-1", "CVE-2024-2"]))
    );
    assert_eq!(
        ids(json!({"id": "DEBIAN-CVE-2024-1", "upstream": ["CVE-2024-1"]})),
        ("CVE-2024-1".to_owned(), own(&["DEBIAN-CVE-2024-1"]))
    );
    assert_eq!(
        ids(json!({"id": "USN-1", "upstream": ["CVE-2024-1", "CVE-2024-2"], "aliases": ["USN-1"]})),
        ("USN-1".to_owned(), own(&["CVE-2024-1", "CVE-2024-2"]))
    );
    assert_eq!(
        ids(json!({"id": "PYSEC-1", "aliases": ["GHSA-1"]})),
        ("PYSEC-1".to_owned(), own(&["GHSA-1"]))
    );
}

#[test]
fn records_of_one_flaw_are_one_finding_that_lacks_nothing_that_any_of_them_says() {
    let github = json!({"id": "GHSA-1", "aliases": ["CVE-2020-28493"], "summary": "ReDoS in Jinja2", "modified": "2026-01-01T00:00:00Z",
        "references": [{"url": "https://a.example.com"}], "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-400"]}});
    let python = json!({"id": "PYSEC-2021-66", "aliases": ["CVE-2020-28493", "GHSA-1", "SNYK-1"], "details": "Words.",
        "modified": "2026-02-01T00:00:00.5Z", "references": [{"url": "https://b.example.com"}],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": "jinja2"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}]}]});
    let sightings = mapped("pkg:pypi/Jinja2@2.4.1", &[python, github.clone()]);
    assert_eq!(sightings.len(), 1);
    let sighting = &sightings[0];
    assert_eq!(sighting.source_id, "pkg:pypi/jinja2@2.4.1|GHSA-1");
    assert_eq!(sighting.raw, github.to_string());
    assert_eq!(sighting.severity, Severity::Medium);
    let content = &sighting.content;
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2020-28493"));
    assert_eq!(content.aliases, ["GHSA-1", "PYSEC-2021-66", "SNYK-1"]);
    assert_eq!(
        (content.title.as_str(), content.description.as_deref()),
        ("ReDoS in Jinja2", Some("Words."))
    );
    assert_eq!(
        content.references,
        ["https://a.example.com", "https://b.example.com"]
    );
    assert_eq!(content.cvss3_score, Some(5.3));
    let component = content.component.as_ref().unwrap();
    assert_eq!(component.fixed_version.as_deref(), Some("2.11.3"));
    assert_eq!(
        sighting.source_updated_at.unwrap().to_rfc3339(),
        "2026-02-01T00:00:00.500+00:00"
    );
}

#[test]
fn a_record_of_another_release_is_no_finding() {
    let record = |ecosystem: &str| json!({"id": "DEBIAN-CVE-2024-1", "affected": [{"package": {"ecosystem": ecosystem, "name": "openssl"}}]});
    let openssl = "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl";
    assert_eq!(mapped(openssl, &[record("Debian:12")]).len(), 1);
    assert_eq!(mapped(openssl, &[record("Debian:11")]).len(), 0);
    let unreleased = "pkg:deb/debian/openssl@3.0.11-1";
    assert_eq!(mapped(unreleased, &[record("Debian:11")]).len(), 1);
    // The server has matched it, by whatever it knows.
    assert_eq!(mapped("pkg:npm/a@1", &[record("Debian:11")]).len(), 1);
}

#[test]
fn a_long_record_keeps_the_packages_own_entries_only() {
    let versions: Vec<_> = (0..4000).map(|number| format!("2.0.{number}")).collect();
    let mut record = log4shell();
    let other = json!({"package": {"ecosystem": "Maven", "name": "other"}, "versions": versions});
    record["affected"].as_array_mut().unwrap().push(other);
    let raw = only(LOG4J, &record).raw;
    let raw: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(raw, log4shell());
}

#[test]
fn times_of_any_precision_are_read() {
    for (modified, expected) in [
        ("2026-07-29T05:15:34Z", "2026-07-29T05:15:34+00:00"),
        ("2026-07-29T05:15:34.2Z", "2026-07-29T05:15:34.200+00:00"),
        (
            "2026-07-29T05:15:34.230069123456789Z",
            "2026-07-29T05:15:34.230069123+00:00",
        ),
        ("2026-07-29T07:15:34+02:00", "2026-07-29T05:15:34+00:00"),
    ] {
        let sighting = only("pkg:npm/a@1", &json!({"id": "A", "modified": modified}));
        assert_eq!(sighting.source_updated_at.unwrap().to_rfc3339(), expected);
    }
}
