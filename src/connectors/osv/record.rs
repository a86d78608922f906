//! A vulnerability's record (OSV schema 1.7) as far as it is needed. Everything but the id may be missing.

use super::super::lenient::{List, Object, Text};
use super::ecosystems::plain;
use super::package::Target;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) modified: Text<'a>,
    pub(super) withdrawn: Text<'a>,
    pub(super) aliases: List<Text<'a>>,
    pub(super) upstream: List<Text<'a>>,
    pub(super) summary: Text<'a>,
    pub(super) details: Text<'a>,
    pub(super) severity: List<Object<Rating<'a>>>,
    pub(super) affected: List<Object<Affected<'a>>>,
    pub(super) references: List<Object<Reference<'a>>>,
    pub(super) database_specific: Object<Specific<'a>>,
}

/// A vector, or Ubuntu's word.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Rating<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) ty: Text<'a>,
    pub(super) score: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Affected<'a> {
    #[serde(borrow)]
    pub(super) package: Object<Package<'a>>,
    pub(super) severity: List<Object<Rating<'a>>>,
    pub(super) ranges: List<Object<Range<'a>>>,
    pub(super) ecosystem_specific: Object<Specific<'a>>,
    pub(super) database_specific: Object<Specific<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Package<'a> {
    #[serde(borrow)]
    pub(super) ecosystem: Text<'a>,
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Range<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) ty: Text<'a>,
    pub(super) events: List<Object<Event<'a>>>,
}

/// One of these only.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) introduced: Text<'a>,
    pub(super) fixed: Text<'a>,
    pub(super) last_affected: Text<'a>,
    pub(super) limit: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

/// What databases add by themselves.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Specific<'a> {
    #[serde(borrow)]
    pub(super) severity: Text<'a>,
    pub(super) cwe_ids: List<Text<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let Object(record) = serde_json::from_str::<Object<Self>>(text)
            .map_err(|error| format!("a record cannot be read: {error}"))?;
        Ok(record)
    }

    /// The entries that speak of a package: the same name, and the same release where that is known.
    pub(super) fn of_package(&self, target: &Target) -> Vec<&Affected<'a>> {
        let affected = self.affected.0.iter().map(|Object(affected)| affected);
        affected
            .filter(|affected| affected.package.0.is(target))
            .collect()
    }
}

impl Package<'_> {
    pub(super) fn is(&self, target: &Target) -> bool {
        let (Some(ecosystem), Some(name)) = (self.ecosystem.as_str(), self.name.as_str()) else {
            return false;
        };
        let ecosystem = plain(ecosystem);
        let same_ecosystem = if target.is_released {
            // Red Hat's streams stand behind the release.
            let rest = ecosystem.strip_prefix(&target.ecosystem);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        } else {
            // A suffix is a release here that is not known there, or a registry's address.
            ecosystem.split(':').next() == Some(target.ecosystem.as_str())
        };
        same_ecosystem && same_name(&target.ecosystem, name, &target.name)
    }
}

/// Whether an ecosystem takes two names for one package.
fn same_name(ecosystem: &str, listed: &str, own: &str) -> bool {
    match ecosystem {
        "PyPI" => normalised(listed) == normalised(own),
        "NuGet" | "Packagist" | "Hex" => listed.eq_ignore_ascii_case(own),
        // A package below the module.
        "Go" => own
            .strip_prefix(listed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        _ => listed == own,
    }
}

/// PEP 503.
fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn speaks_of(ecosystem: &str, name: &str, target: (&str, &str, bool)) -> bool {
        let text =
            serde_json::json!({"affected": [{"package": {"ecosystem": ecosystem, "name": name}}]})
                .to_string();
        let target = Target {
            ecosystem: target.0.to_owned(),
            name: target.1.to_owned(),
            version: "1".to_owned(),
            is_released: target.2,
        };
        !Record::parse(&text).unwrap().of_package(&target).is_empty()
    }

    #[test]
    fn an_entry_speaks_of_a_package_of_its_name_and_release() {
        let debian = ("Debian:12", "openssl", true);
        assert!(speaks_of("Debian:12", "openssl", debian));
        assert!(!speaks_of("Debian:11", "openssl", debian));
        assert!(!speaks_of("Debian", "openssl", debian));
        assert!(!speaks_of("Debian:12", "libssl3", debian));
        let ubuntu = ("Ubuntu:22.04", "openssl", true);
        assert!(speaks_of("Ubuntu:22.04:LTS", "openssl", ubuntu));
        assert!(speaks_of("Ubuntu:Pro:22.04:LTS", "openssl", ubuntu));
        assert!(!speaks_of("Ubuntu:24.04:LTS", "openssl", ubuntu));
        let red_hat = ("Red Hat:enterprise_linux:9", "openssl", true);
        assert!(speaks_of(
            "Red Hat:enterprise_linux:9::baseos",
            "openssl",
            red_hat
        ));
        assert!(!speaks_of(
            "Red Hat:enterprise_linux:95",
            "openssl",
            red_hat
        ));
        assert!(speaks_of("Wolfi", "openssl", ("Wolfi", "openssl", false)));
        assert!(speaks_of(
            "Debian:11",
            "openssl",
            ("Debian", "openssl", false)
        ));
    }

    #[test]
    fn names_are_compared_as_their_ecosystem_does() {
        assert!(speaks_of(
            "PyPI",
            "zope-interface",
            ("PyPI", "zope.interface", false)
        ));
        assert!(speaks_of("PyPI", "Jinja2", ("PyPI", "jinja2", false)));
        assert!(speaks_of(
            "NuGet",
            "newtonsoft.json",
            ("NuGet", "Newtonsoft.Json", false)
        ));
        assert!(!speaks_of(
            "npm",
            "JSONStream",
            ("npm", "jsonstream", false)
        ));
        assert!(speaks_of(
            "Go",
            "example.com/m",
            ("Go", "example.com/m/sub", false)
        ));
        assert!(!speaks_of(
            "Go",
            "example.com/m",
            ("Go", "example.com/mine", false)
        ));
        assert!(speaks_of(
            "Maven:https://repo.example.com/maven2",
            "a:b",
            ("Maven", "a:b", false)
        ));
    }

    #[test]
    fn nothing_has_to_be_there_and_nothing_has_to_have_the_right_type() {
        for text in [
            "{}",
            "[]",
            r#"{"id":7,"aliases":null,"severity":{"type":"CVSS_V3"},"affected":[null,7,{"package":[],"ranges":[{"events":{}}]}],"database_specific":[]}"#,
        ] {
            let record = Record::parse(text).unwrap();
            assert_eq!(record.id.as_str(), None);
        }
        assert!(Record::parse("{").is_err());
    }
}
