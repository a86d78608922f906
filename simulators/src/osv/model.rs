//! What the service knows.

use serde_json::{Map, Value, json};

/// Packages of one generated group, which share their advisories.
const GROUP: u64 = 20;

/// One record, and the packages that it is found by.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// Its id.
    pub id: String,
    /// When it was last changed, as the service writes it.
    pub modified: String,
    /// All its other members.
    pub members: Map<String, Value>,
    /// Ecosystem, name and exact versions.
    pub found_by: Vec<(String, String, Vec<String>)>,
    /// Whether batches name it. Withdrawn ones they do not.
    pub is_listed: bool,
    /// Whether it is given out when it is asked for by its id.
    pub is_served: bool,
}

impl Advisory {
    /// A record of an id with these members (an object).
    #[must_use]
    pub fn new(id: &str, members: Value) -> Self {
        Self {
            id: id.to_owned(),
            modified: "2026-05-20T08:11:02.423329Z".to_owned(),
            members: match members {
                Value::Object(members) => members,
                _ => Map::new(),
            },
            found_by: Vec::new(),
            is_listed: true,
            is_served: true,
        }
    }

    /// Found by a package in these versions, whatever its ranges say.
    #[must_use]
    pub fn found_by(mut self, ecosystem: &str, name: &str, versions: &[&str]) -> Self {
        let versions = versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect();
        self.found_by
            .push((ecosystem.to_owned(), name.to_owned(), versions));
        self
    }

    /// The record as it is given out.
    #[must_use]
    pub fn render(&self) -> Value {
        let mut record = self.members.clone();
        record.insert("id".to_owned(), json!(self.id));
        record.insert("modified".to_owned(), json!(self.modified));
        Value::Object(record)
    }

    fn is_found_by(&self, asked: &Asked) -> bool {
        self.is_listed
            && self.found_by.iter().any(|(ecosystem, name, versions)| {
                same_ecosystem(ecosystem, &asked.ecosystem)
                    && *name == asked.name
                    && asked
                        .version
                        .as_ref()
                        .is_none_or(|version| versions.contains(version))
            })
    }
}

/// A release is another one than its neighbour; Ubuntu's are known with and without their support terms. Without a release
/// all are meant.
fn same_ecosystem(listed: &str, asked: &str) -> bool {
    let plain = |text: &str| {
        let parts = text
            .split(':')
            .filter(|part| !matches!(*part, "LTS" | "Pro"));
        parts.collect::<Vec<_>>().join(":")
    };
    let (listed, asked) = (plain(listed), plain(asked));
    match asked.contains(':') {
        true => listed == asked,
        false => listed.split(':').next() == Some(asked.as_str()),
    }
}

/// A package as the service understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) ecosystem: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) advisories: Vec<Advisory>,
    pub(super) generated: u64,
    /// Names of packages whose pages never end.
    pub(super) endless: Vec<String>,
    /// Names of packages that are refused, though nothing is wrong with them.
    pub(super) refused: Vec<String>,
}

impl Known {
    /// Ids and times of change, in a fixed order.
    pub(super) fn hits(&self, asked: &Asked) -> Vec<(String, String)> {
        let own = self
            .advisories
            .iter()
            .filter(|advisory| advisory.is_found_by(asked));
        let own = own.map(|advisory| (advisory.id.clone(), advisory.modified.clone()));
        let number = generated_number(asked).filter(|number| *number < packages(self.generated));
        let group = number.map(|number| number / GROUP * GROUP);
        let generated = group.into_iter().flat_map(|first| first..first + GROUP);
        own.chain(generated.map(|number| {
            let advisory = generated_advisory(number);
            (advisory.id, advisory.modified)
        }))
        .collect()
    }

    /// The record of an id.
    pub(super) fn record(&self, id: &str) -> Option<Value> {
        if let Some(advisory) = self.advisories.iter().find(|advisory| advisory.id == id) {
            return advisory.is_served.then(|| advisory.render());
        }
        let number: u64 = id.strip_prefix("GHSA-made-")?.parse().ok()?;
        let advisories = packages(self.generated).next_multiple_of(GROUP);
        (number < advisories).then(|| generated_advisory(number).render())
    }

    /// The ids of which this one is an alias.
    pub(super) fn aliases_of(&self, id: &str) -> Vec<&str> {
        let names = |advisory: &&Advisory| {
            let aliases = advisory.members.get("aliases").and_then(Value::as_array);
            aliases.is_some_and(|aliases| aliases.iter().any(|alias| alias == id))
        };
        let naming = self.advisories.iter().filter(names);
        naming.map(|advisory| advisory.id.as_str()).collect()
    }
}

/// So many packages have this many findings together: each as many as its group has packages.
fn packages(findings: u64) -> u64 {
    findings / GROUP
}

fn generated_number(asked: &Asked) -> Option<u64> {
    let is_npm = asked.ecosystem == "npm" && asked.version.as_deref() == Some("1.0.0");
    asked
        .name
        .strip_prefix("generated-")
        .filter(|_| is_npm)?
        .parse()
        .ok()
}

fn generated_advisory(number: u64) -> Advisory {
    let words = "An attacker who controls the input can make the parser allocate without bound. "
        .repeat(20);
    let first = number / GROUP * GROUP;
    let affected: Vec<_> = (first..first + GROUP)
        .map(|number| {
            json!({
                "package": {"ecosystem": "npm", "name": format!("generated-{number}"), "purl": format!("pkg:npm/generated-{number}")},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.1"}]}]
            })
        })
        .collect();
    Advisory::new(
        &format!("GHSA-made-{number}"),
        json!({
            "summary": format!("Unbounded allocation, case {number}"), "details": words,
            "aliases": [format!("CVE-2026-{:05}", 10_000 + number)],
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
            "affected": affected,
            "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-770"]},
            "schema_version": "1.7.5"
        }),
    )
}

/// An SBOM (CycloneDX) of the packages that have so many generated findings.
#[must_use]
pub fn generated_sbom(findings: u64) -> String {
    let components: Vec<_> = (0..packages(findings))
        .map(|number| json!({"type": "library", "name": format!("generated-{number}"), "version": "1.0.0", "purl": format!("pkg:npm/generated-{number}@1.0.0")}))
        .collect();
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})
        .to_string()
}
