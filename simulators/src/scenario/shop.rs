//! The shop in Dependency-Track.

use super::catalogue::{CHECKOUT, PAYMENTS, Package, SEARCH, WEB_IMAGE};
use crate::dependency_track::{Component, Finding, Project, Vulnerability};
use crate::random::uuid_of;

/// The image of the project `shop-web`; in the cluster of [`super::shop_cluster`] it runs too.
pub const SHOP_IMAGE: &str = "registry.example.com/shop/web:1.2";

/// 2026-09-01, in milliseconds since 1970.
const FIRST_SEEN: i64 = 1_788_220_800_000;
const DAY: i64 = 86_400_000;

/// A collection with four services, and one that was given up: about sixty findings of every severity and status, with
/// aliases, and with twins where both NVD and GitHub have the vulnerability.
#[must_use]
pub fn shop() -> Vec<Project> {
    let mut shop = Project::new("shop", None);
    shop.collection = true;
    let services = [
        service("shop-web", "1.2", WEB_IMAGE, &shop),
        service("shop-checkout", "2.7.0", CHECKOUT, &shop),
        service("shop-payments", "3.1.4", PAYMENTS, &shop),
        service("shop-search", "0.9.2", SEARCH, &shop),
    ];
    let mut legacy = service("shop-legacy", "0.1", &CHECKOUT[..1], &shop);
    legacy.active = false;
    let mut projects = vec![shop];
    projects.extend(services);
    projects.push(legacy);
    hand_made(&mut projects[4]);
    audit(&mut projects);
    projects
}

fn service(name: &str, version: &str, packages: &[Package], parent: &Project) -> Project {
    let mut project = Project::new(name, Some(version));
    project.parent = Some(parent.uuid.clone());
    project.tags = vec!["shop".to_owned()];
    for (index, (package, known)) in (0_i64..).zip(packages.iter().flat_map(|package| {
        let vulnerabilities = package.vulnerabilities.iter();
        vulnerabilities.map(move |known| (package, known))
    })) {
        let component = package.component(name);
        let seen = FIRST_SEEN + index * DAY;
        let twin = known
            .by_github()
            .map(|vulnerability| Finding::new(component.clone(), vulnerability, seen));
        project
            .findings
            .add(Finding::new(component, known.by_nvd(), seen));
        if let Some(mut twin) = twin {
            twin.attribution.analyzer = "OSSINDEX_ANALYZER".to_owned();
            twin.attribution.reference_url = Some(format!(
                "https://ossindex.example.com/vulnerability/{}",
                twin.vulnerability.id
            ));
            project.findings.add(twin);
        }
    }
    project
}

/// A component that somebody typed in, with a vulnerability that only this server knows.
fn hand_made(project: &mut Project) {
    let component = Component {
        uuid: uuid_of("ranking"),
        group: None,
        name: "ranking".to_owned(),
        version: None,
        purl: None,
        cpe: None,
        latest_version: None,
    };
    let vulnerability = Vulnerability {
        uuid: uuid_of("INT-5e1f-0a2b-77c3"),
        source: "INTERNAL".to_owned(),
        id: "INT-5e1f-0a2b-77c3".to_owned(),
        title: Some("Debug page shows the index's settings".to_owned()),
        severity: "INFO".to_owned(),
        ..Vulnerability::default()
    };
    project
        .findings
        .add(Finding::new(component, vulnerability, FIRST_SEEN));
}

/// What auditors have said: vulnerability, state, suppressed, why.
#[rustfmt::skip]
const AUDIT: &[(&str, Option<&str>, bool, Option<&str>)] = &[
    ("CVE-2021-44228", Some("EXPLOITABLE"), false, Some("The checkout logs the user agent.")),
    ("CVE-2022-22965", Some("IN_TRIAGE"), false, None),
    ("CVE-2021-44832", Some("NOT_AFFECTED"), true, Some("The configuration is part of the image.")),
    ("GHSA-8489-44mv-ggj8", Some("NOT_AFFECTED"), true, None),
    ("CVE-2019-12384", Some("FALSE_POSITIVE"), false, None),
    ("CVE-2023-38546", None, true, None),
    ("CVE-2020-28500", Some("NOT_SET"), false, None),
    ("CVE-2023-45803", Some("RESOLVED"), false, None),
    ("CVE-2023-48795", Some("FALSE_POSITIVE"), true, Some("No SSH server in it.")),
];

fn audit(projects: &mut [Project]) {
    for (id, state, suppressed, detail) in AUDIT {
        for project in projects.iter_mut().filter(|project| project.active) {
            project.findings.change(
                |finding| finding.vulnerability.id == *id,
                |finding| {
                    finding.analysis.state = state.map(str::to_owned);
                    finding.analysis.suppressed = *suppressed;
                    finding.analysis.detail = detail.map(str::to_owned);
                },
            );
        }
    }
}
