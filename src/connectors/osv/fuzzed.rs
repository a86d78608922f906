//! SBOMs, answers to batches and records, for fuzzing.

use serde_json::value::RawValue;

use super::super::fuzzed::hold;
use super::answer::{self, refusal};
use super::batch::Page;
use super::finding;
use super::group::of_one_package;
use super::package::Package;
use super::row::Row;
use super::sbom::{self, Listed};
use super::selection::Selection;

/// The packages that records are read for: of a language, and of a release of a distribution.
const PACKAGES: [&str; 3] = [
    "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
    "pkg:deb/debian/openssl@3.0.11-1~deb12u1?distro=debian-12",
    "pkg:pypi/jinja2@2.4.1",
];

/// The input is read as an SBOM, as an answer, as a refusal, and as a record.
pub(in crate::connectors) fn page(input: &[u8]) {
    if let Ok(sbom) = sbom::parse(input) {
        packages(Selection::of(sbom, Some("Ubuntu:24.04:LTS")));
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(entry) = serde_json::from_str::<&RawValue>(text)
        && let Page::Hits { hits, .. } = answer::page(entry)
    {
        assert!(
            hits.iter().all(|(id, _)| !id.is_empty()),
            "a hit without identity"
        );
    }
    if let Some((_, reason)) = refusal(text) {
        assert_eq!(reason.trim(), reason);
    }
    for purl in PACKAGES {
        record(purl, text);
    }
}

fn packages(selection: Selection) {
    for package in selection.packages {
        assert!(
            !package.version.is_empty(),
            "{} is asked without a version",
            package.id
        );
        let query = serde_json::to_string(package.query()).unwrap_or_default();
        assert!(query.contains("package"), "{query}");
        // Written once more it is the same.
        let again = Listed {
            purl: Some(package.id.clone()),
            ..Listed::default()
        };
        if let Ok(again) = Package::of(again, None) {
            assert_eq!(again.id, package.id);
        }
    }
}

fn record(purl: &str, text: &str) {
    let listed = Listed {
        purl: Some(purl.to_owned()),
        ..Listed::default()
    };
    let Ok(package) = Package::of(listed, None) else {
        unreachable!("{purl} is a package");
    };
    let row = match Row::of(&package, text) {
        Ok(Some(row)) => row,
        Ok(None) => return,
        Err(reason) => return hold(Err(reason)),
    };
    let groups = of_one_package(vec![row.clone(), Row::bare("GHSA-1", ""), row]);
    assert!((1..=2).contains(&groups.len()));
    for group in groups {
        if let Some((kept, others)) = group.split_first() {
            hold(Ok(finding::map(&package, kept, others)));
        }
    }
}
