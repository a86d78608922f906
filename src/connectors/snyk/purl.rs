//! Package URLs: Snyk does not give them, but in these ecosystems its names are those that they are made of.

use packageurl::PackageUrl;

/// How a name becomes namespace and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// There is no namespace.
    Name,
    /// `namespace/name`, split at the last slash, if there is one.
    Slash,
    /// `group:artifact`; neither can be missing.
    Colon,
}

/// A project's type, the type of its packages' URLs, and how they are named. Packages of an operating system would need its name,
/// which is not given.
#[rustfmt::skip]
const ECOSYSTEMS: &[(&str, &str, Parts)] = &[
    ("npm", "npm", Parts::Slash),
    ("yarn", "npm", Parts::Slash),
    ("yarn-workspace", "npm", Parts::Slash),
    ("pnpm", "npm", Parts::Slash),
    ("maven", "maven", Parts::Colon),
    ("gradle", "maven", Parts::Colon),
    ("sbt", "maven", Parts::Colon),
    ("pip", "pypi", Parts::Name),
    ("poetry", "pypi", Parts::Name),
    ("pipenv", "pypi", Parts::Name),
    ("rubygems", "gem", Parts::Name),
    ("composer", "composer", Parts::Slash),
    ("nuget", "nuget", Parts::Name),
    ("paket", "nuget", Parts::Name),
    ("gomodules", "golang", Parts::Slash),
    ("golangdep", "golang", Parts::Slash),
    ("govendor", "golang", Parts::Slash),
    ("golang", "golang", Parts::Slash),
    ("hex", "hex", Parts::Name),
    ("cocoapods", "cocoapods", Parts::Name),
];

/// The package URL of a package in a project of this type; none where it would be a guess.
pub(super) fn of(project_type: &str, name: &str, version: Option<&str>) -> Option<String> {
    let (_, ty, parts) = ECOSYSTEMS
        .iter()
        .find(|(known, ..)| *known == project_type)?;
    let (namespace, name) = match parts {
        Parts::Name => (None, name),
        Parts::Slash => match name.rsplit_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, name),
        },
        Parts::Colon => {
            let (group, artifact) = name.split_once(':')?;
            (Some(group), artifact)
        }
    };
    if name.is_empty() || namespace.is_some_and(str::is_empty) {
        return None;
    }
    let mut purl = PackageUrl::new(*ty, name).ok()?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).ok()?;
    }
    if let Some(version) = version {
        purl.with_version(version).ok()?;
    }
    Some(purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_their_ecosystem_does() {
        for (kind, name, version, purl) in [
            ("npm", "lodash", "4.17.20", Some("pkg:npm/lodash@4.17.20")),
            (
                "yarn",
                "@angular/core",
                "12.0.0",
                Some("pkg:npm/%40angular/core@12.0.0"),
            ),
            (
                "maven",
                "org.apache.logging.log4j:log4j-core",
                "2.14.1",
                Some("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"),
            ),
            ("pip", "Flask_Cors", "3.0", Some("pkg:pypi/flask-cors@3.0")),
            (
                "gomodules",
                "golang.org/x/net",
                "0.17.0",
                Some("pkg:golang/golang.org/x/net@0.17.0"),
            ),
            (
                "composer",
                "symfony/http-kernel",
                "5.0",
                Some("pkg:composer/symfony/http-kernel@5.0"),
            ),
            ("maven", "log4j-core", "2.14.1", None),
            ("npm", "@angular/", "1", None),
            ("deb", "binutils/binutils-common", "2.40", None),
            ("sast", "x", "1", None),
        ] {
            assert_eq!(
                of(kind, name, Some(version)).as_deref(),
                purl,
                "{kind} {name}"
            );
        }
        assert_eq!(of("npm", "lodash", None).as_deref(), Some("pkg:npm/lodash"));
    }
}
