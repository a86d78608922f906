//! The package of a supply-chain finding.

use packageurl::PackageUrl;

use super::row::{Dependency, Fix, Row};
use super::tables::purl_type;
use crate::finding::Component;

/// Ids that other tools know too. Semgrep's own (`UNKNOWN-…`) are none.
const PUBLIC: &[&str] = &["CVE-", "GHSA-", "MAL-"];

/// The vulnerability, where it has a public id.
pub(super) fn vulnerability_id(row: &Row<'_>) -> Option<String> {
    let id = row.vulnerability_identifier.as_str()?.trim();
    let public = PUBLIC.iter().any(|prefix| {
        let (start, rest) = id.split_at_checked(prefix.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(prefix) && !rest.is_empty()
    });
    public.then(|| id.to_owned())
}

pub(super) fn component(row: &Row<'_>) -> Option<Component> {
    let dependency = &row.found_dependency.0;
    let component = Component {
        name: dependency.package.to_owned(),
        version: dependency.version.to_owned(),
        purl: purl(dependency),
        cpe: None,
        fixed_version: fixed_version(row),
    };
    component.name.is_some().then_some(component)
}

/// The version that is recommended for the same package; of several the first.
fn fixed_version(row: &Row<'_>) -> Option<String> {
    let package = row.found_dependency.0.package.as_str()?;
    let mut fixes = row.fix_recommendations.0.iter().map(|fix| &fix.0);
    let fix = fixes.find(|fix| fix.version.as_str().is_some() && is_for(fix, package))?;
    fix.version.to_owned()
}

fn is_for(fix: &Fix<'_>, package: &str) -> bool {
    let named = fix.package.as_str();
    named.is_none_or(|named| named.eq_ignore_ascii_case(package))
}

/// All recommended versions, one a line.
pub(super) fn updates(row: &Row<'_>) -> Option<String> {
    let own = row.found_dependency.0.package.as_str();
    let mut lines: Vec<String> = Vec::new();
    for Fix { package, version } in row.fix_recommendations.0.iter().map(|fix| &fix.0) {
        let line = match (package.as_str().or(own), version.as_str()) {
            (Some(package), Some(version)) => format!("Update {package} to {version}."),
            (None, Some(version)) => format!("Update to {version}."),
            (_, None) => continue,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// None where the ecosystem has no package URLs, or none for such a name.
fn purl(dependency: &Dependency<'_>) -> Option<String> {
    let kind = purl_type(dependency.ecosystem.as_str()?)?;
    let full = dependency.package.as_str()?.trim();
    let separator = if kind == "maven" { ':' } else { '/' };
    let (namespace, name) = match full.rsplit_once(separator) {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, full),
    };
    let mut purl = PackageUrl::new(kind, name).ok()?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).ok()?;
    }
    if let Some(version) = dependency.version.as_str() {
        purl.with_version(version.trim()).ok()?;
    }
    Some(purl.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::super::row::parse;
    use super::*;

    fn with<T>(json: &Value, read: impl FnOnce(&Row<'_>) -> T) -> T {
        let json = json.to_string();
        let (_, row) = parse::<Row<'_>>(json.as_bytes()).unwrap();
        read(&row)
    }

    fn purl_of(ecosystem: &str, package: &str, version: &str) -> Option<String> {
        let json = json!({"found_dependency": {"ecosystem": ecosystem, "package": package, "version": version}});
        with(&json, component).unwrap().purl
    }

    #[test]
    fn every_ecosystem_has_its_package_urls() {
        for (ecosystem, package, purl) in [
            ("npm", "lodash", "pkg:npm/lodash@1.2"),
            ("npm", "@babel/core", "pkg:npm/%40babel/core@1.2"),
            ("pypi", "Django_REST", "pkg:pypi/django-rest@1.2"),
            (
                "gomod",
                "github.com/gin-gonic/gin",
                "pkg:golang/github.com/gin-gonic/gin@1.2",
            ),
            ("cargo", "tokio", "pkg:cargo/tokio@1.2"),
            (
                "maven",
                "org.apache.commons:commons-text",
                "pkg:maven/org.apache.commons/commons-text@1.2",
            ),
            ("gem", "rails", "pkg:gem/rails@1.2"),
            (
                "composer",
                "symfony/http-kernel",
                "pkg:composer/symfony/http-kernel@1.2",
            ),
            (
                "nuget",
                "System.Drawing.Common",
                "pkg:nuget/System.Drawing.Common@1.2",
            ),
            ("pub", "http", "pkg:pub/http@1.2"),
            (
                "swiftpm",
                "github.com/apple/swift-nio",
                "pkg:swift/github.com/apple/swift-nio@1.2",
            ),
            ("hex", "phoenix", "pkg:hex/phoenix@1.2"),
        ] {
            assert_eq!(purl_of(ecosystem, package, "1.2").as_deref(), Some(purl));
        }
    }

    #[test]
    fn where_there_is_no_package_manager_or_no_known_one_there_is_no_package_url() {
        assert_eq!(purl_of("no_package_manager", "zlib", "1.2"), None);
        assert_eq!(purl_of("conan", "zlib", "1.2"), None);
        assert_eq!(purl_of("maven", "commons-text:", "1.2"), None);
        let bare = with(&json!({"found_dependency": {"package": "zlib"}}), component).unwrap();
        assert_eq!((bare.name.as_deref(), bare.purl), (Some("zlib"), None));
        assert_eq!(with(&json!({"found_dependency": null}), component), None);
    }

    #[test]
    fn the_fixed_version_is_the_one_of_the_same_package_and_all_are_recommended() {
        let json = json!({
            "found_dependency": {"package": "lodash", "version": "4.17.20"},
            "fix_recommendations": [
                {"package": "lodash-es", "version": "9.0.0"}, {"package": "lodash", "version": null},
                {"package": "Lodash", "version": "4.17.21"}, {"package": "lodash", "version": "5.0.0"}, null,
                {"package": "lodash-es", "version": "9.0.0"}
            ]
        });
        let fixed = with(&json, component).unwrap().fixed_version;
        assert_eq!(fixed.as_deref(), Some("4.17.21"));
        assert_eq!(
            with(&json, updates).as_deref(),
            Some("Update lodash-es to 9.0.0.\nUpdate Lodash to 4.17.21.\nUpdate lodash to 5.0.0.")
        );
        let other = json!({"found_dependency": {"package": "a"}, "fix_recommendations": [{"package": "b", "version": "1"}]});
        assert_eq!(with(&other, component).unwrap().fixed_version, None);
        let none = json!({"found_dependency": {"package": "a"}, "fix_recommendations": []});
        assert_eq!(with(&none, updates), None);
    }

    #[test]
    fn only_public_ids_stand_for_a_vulnerability() {
        let id = |id: &str| with(&json!({"vulnerability_identifier": id}), vulnerability_id);
        for public in ["CVE-2021-23337", "GHSA-35jh-r3h4-6jhm", "MAL-2024-1"] {
            assert_eq!(id(public).as_deref(), Some(public));
        }
        for own in ["UNKNOWN-a1b2", "CVE-", "", "é", "SSC-1"] {
            assert_eq!(id(own), None, "{own}");
        }
    }
}
