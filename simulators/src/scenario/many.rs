//! As many findings as wanted, made one by one, the same ones every time.

use std::fmt::Write as _;

use crate::dependency_track::{Aliases, Component, Finding, Vulnerability};
use crate::prometheus::Series;
use crate::random::{Random, uuid_of};

/// Findings that are made when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many {
    count: u64,
    seed: u64,
}

/// `count` findings of about 2 KB of JSON each; the same for the same seed. A larger count only adds to them.
#[must_use]
pub fn many(count: u64, seed: u64) -> Many {
    Many { count, seed }
}

#[rustfmt::skip]
const SEVERITIES: &[&str] = &[
    "CRITICAL", "HIGH", "HIGH", "MEDIUM", "MEDIUM", "MEDIUM", "LOW", "LOW", "UNASSIGNED",
];
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "parser", "header", "buffer", "remote", "attacker", "request", "crafted", "memory", "session", "validation",
    "before", "release", "allows", "length", "untrusted", "input", "through", "field", "certificate", "overflow",
    "unexpected", "handler", "while", "configuration", "default", "service", "denial", "token", "value", "path",
];
/// Findings of one component.
const PER_COMPONENT: u64 = 4;
const FIRST_SEEN: i64 = 1_750_000_000_000;

impl Many {
    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finding of a number.
    #[must_use]
    pub fn finding(&self, number: u64) -> Finding {
        let mut random = Random::new(self.seed, number);
        let mut finding = Finding::new(
            self.component(number / PER_COMPONENT),
            vulnerability(&mut random, number),
            FIRST_SEEN + i64::try_from(random.below(30_000_000_000)).unwrap_or(0),
        );
        if random.below(20) == 0 {
            finding.analysis.state = Some("FALSE_POSITIVE".to_owned());
            finding.analysis.suppressed = true;
        }
        finding
    }

    fn component(&self, number: u64) -> Component {
        let mut random = Random::new(self.seed.wrapping_add(1), number);
        let name = format!("{}-{}-{number}", random.pick(WORDS), random.pick(WORDS));
        let version = format!(
            "{}.{}.{}",
            random.below(9),
            random.below(30),
            random.below(30)
        );
        Component {
            uuid: random.uuid(),
            group: Some("org.example.generated".to_owned()),
            purl: Some(format!(
                "pkg:maven/org.example.generated/{name}@{version}?type=jar"
            )),
            name,
            version: Some(version),
            cpe: None,
            latest_version: None,
        }
    }
}

fn vulnerability(random: &mut Random, number: u64) -> Vulnerability {
    let uuid = random.uuid();
    let id = cve(number);
    let score = (random.below(90) as f64 + 10.0) / 10.0;
    let ghsa = format!("GHSA-{}", &uuid[9..23]);
    Vulnerability {
        title: Some(text(random, 8)),
        description: Some(text(random, 70)),
        recommendation: Some(text(random, 15)),
        references: (0..3)
            .map(|part| format!("https://advisories.example.com/{id}/{part}"))
            .collect(),
        severity: random.pick(SEVERITIES).to_owned(),
        cvss3_vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N".to_owned()),
        cvss3_score: Some(score),
        epss: Some((score / 50.0, score / 10.0)),
        cwes: vec![
            (79, "Cross-site Scripting".to_owned()),
            (20, "Improper Input Validation".to_owned()),
        ],
        aliases: vec![Aliases {
            cve_id: Some(id.clone()),
            ghsa_id: Some(ghsa),
            ..Aliases::default()
        }],
        published: Some(FIRST_SEEN),
        source: "NVD".to_owned(),
        uuid,
        id,
        ..Vulnerability::default()
    }
}

/// A well-formed id that no real list has: the year is to come.
fn cve(number: u64) -> String {
    format!("CVE-2999-{:06}", number)
}

fn text(random: &mut Random, words: usize) -> String {
    let mut text = String::with_capacity(words * 9);
    for index in 0..words {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(random.pick(WORDS));
    }
    text
}

/// The `number`-th of many series of `trivy_vulnerability_id`, about 800 bytes of JSON.
#[must_use]
pub fn many_series(seed: u64, number: u64) -> Series {
    let mut random = Random::new(seed, number);
    let workload = number / 50;
    let namespace = format!("team-{:02}", workload % 20);
    let mut digest = String::from("sha256:");
    for part in uuid_of(&format!("image {workload}")).split('-') {
        // A string takes whatever is written.
        let _ = write!(digest, "{part}{part}");
    }
    let severity = random.pick(&[
        "Critical", "High", "High", "Medium", "Medium", "Low", "Unknown",
    ]);
    let version = format!("{}.{}", random.below(9), random.below(30));
    let score = format!("{}.{}", random.below(9) + 1, random.below(10));
    Series::new(
        "trivy_vulnerability_id",
        &[
            ("namespace", &namespace),
            (
                "name",
                &format!("replicaset-generated-{workload}-6d4cf56db6-app"),
            ),
            ("resource_kind", "ReplicaSet"),
            ("resource_name", &format!("generated-{workload}-6d4cf56db6")),
            ("container_name", "app"),
            ("image_registry", "registry.example.com"),
            ("image_repository", &format!("generated/image-{workload}")),
            ("image_tag", "1.0"),
            ("image_digest", &digest),
            ("installed_version", &version),
            ("fixed_version", &format!("{version}.1")),
            (
                "resource",
                &format!("lib{}-{}", random.pick(WORDS), number % 50),
            ),
            ("severity", severity),
            ("vuln_id", &cve(number)),
            ("vuln_title", &text(&mut random, 8)),
            ("vuln_score", &score),
        ],
        1.0,
    )
}
