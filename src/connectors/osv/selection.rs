//! Which packages of an SBOM are asked for, and which are not.

use std::collections::BTreeMap;

use super::package::{NotAsked, Package};
use super::sbom::Sbom;

/// Names that are given as examples.
const EXAMPLES: usize = 5;

/// The packages of an SBOM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// In order, each once.
    pub(super) packages: Vec<Package>,
    /// Counts of what is not asked for.
    not_asked: BTreeMap<NotAsked, usize>,
}

impl Selection {
    pub(super) fn of(sbom: Sbom, release: Option<&str>) -> Self {
        let mut packages = Vec::new();
        let mut not_asked = BTreeMap::new();
        for listed in sbom.listed {
            match Package::of(listed, release) {
                Ok(package) => packages.push(package),
                Err(reason) => *not_asked.entry(reason).or_default() += 1,
            }
        }
        // The order of an SBOM is no news.
        packages.sort_by(|a, b| (&a.id, &a.purl).cmp(&(&b.id, &b.purl)));
        packages.dedup_by(|a, b| a.id == b.id);
        Self {
            packages,
            not_asked,
        }
    }

    /// How many are not asked for.
    pub(super) fn left(&self) -> usize {
        self.not_asked.values().sum()
    }

    /// How many there are.
    pub(super) fn total(&self) -> usize {
        self.packages.len() + self.left()
    }

    /// What an operator should know; none if all packages are scanned as they should be.
    pub(super) fn warning(&self) -> Option<String> {
        let left = self.left();
        let unreleased = self
            .packages
            .iter()
            .filter(|package| package.lacks_release)
            .count();
        let mut told = Vec::new();
        if left > 0 {
            told.push(format!(
                "{} packages, {} asked, {left} not scanned ({})",
                self.total(),
                self.packages.len(),
                self.reasons()
            ));
        }
        if unreleased > 0 {
            told.push(format!(
                "{unreleased} packages of distributions do not tell their release, so findings may be missing or be another release's: set linux_release"
            ));
        }
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn reasons(&self) -> String {
        let count = |fits: fn(&NotAsked) -> bool| {
            let fitting = self.not_asked.iter().filter(|(reason, _)| fits(reason));
            fitting.map(|(_, count)| count).sum::<usize>()
        };
        let names = |name: fn(&NotAsked) -> Option<&str>| {
            let names = self.not_asked.keys().filter_map(name).take(EXAMPLES);
            names.collect::<Vec<_>>().join(", ")
        };
        let types = names(|reason| match reason {
            NotAsked::Unsupported(ty) => Some(ty),
            _ => None,
        });
        let purls = names(|reason| match reason {
            NotAsked::BadPurl(purl) => Some(purl),
            _ => None,
        });
        let parts = [
            (
                count(|reason| *reason == NotAsked::NoPurl),
                "without a purl".to_owned(),
            ),
            (
                count(|reason| *reason == NotAsked::NoVersion),
                "without a version".to_owned(),
            ),
            (
                count(|reason| matches!(reason, NotAsked::Unsupported(_))),
                format!("of types that OSV does not know: {types}"),
            ),
            (
                count(|reason| matches!(reason, NotAsked::BadPurl(_))),
                format!("with a purl that is none: {purls}"),
            ),
        ];
        let told = parts.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        told.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::sbom::Listed;
    use super::*;

    fn selection(purls: &[&str]) -> Selection {
        let listed = |purl: &&str| Listed {
            purl: Some((*purl).to_owned()).filter(|purl| !purl.is_empty()),
            ..Listed::default()
        };
        let sbom = Sbom {
            format: String::new(),
            listed: purls.iter().map(listed).collect(),
        };
        Selection::of(sbom, None)
    }

    #[test]
    fn packages_are_asked_for_once_whatever_their_order_and_qualifiers() {
        let one = selection(&[
            "pkg:npm/b@1",
            "pkg:npm/a@1?x=2",
            "pkg:npm/a@1?x=1",
            "pkg:npm/b@1",
        ]);
        let ids: Vec<_> = one
            .packages
            .iter()
            .map(|package| package.id.as_str())
            .collect();
        assert_eq!(ids, ["pkg:npm/a@1", "pkg:npm/b@1"]);
        assert_eq!(
            one,
            selection(&["pkg:npm/b@1", "pkg:npm/a@1?x=1", "pkg:npm/a@1?x=2"])
        );
        assert_eq!(one.warning(), None);
    }

    #[test]
    fn what_is_not_scanned_is_told() {
        let some = selection(&[
            "pkg:npm/a@1",
            "",
            "",
            "pkg:docker/a@1",
            "pkg:github/a/b@1",
            "pkg:npm/c",
            "what",
        ]);
        assert_eq!(
            some.warning().unwrap_or_default(),
            "7 packages, 1 asked, 6 not scanned (2 without a purl; 1 without a version; \
             2 of types that OSV does not know: docker, github; 1 with a purl that is none: what)"
        );
        let unreleased = selection(&["pkg:deb/ubuntu/openssl@3"]);
        assert!(
            unreleased
                .warning()
                .is_some_and(|warning| warning.contains("linux_release"))
        );
    }
}
