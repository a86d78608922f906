//! What the service makes of a package URL.

use super::model::Asked;

/// Purl type and ecosystem; how the name is made follows from the type.
const TYPES: &[(&str, &str)] = &[
    ("npm", "npm"),
    ("composer", "Packagist"),
    ("hex", "Hex"),
    ("swift", "SwiftURL"),
    ("golang", "Go"),
    ("maven", "Maven"),
    ("gradle", "Maven"),
    ("pypi", "PyPI"),
    ("cargo", "crates.io"),
    ("gem", "RubyGems"),
    ("nuget", "NuGet"),
    ("pub", "Pub"),
    ("cran", "CRAN"),
    ("conan", "ConanCenter"),
    ("hackage", "Hackage"),
    ("julia", "Julia"),
    ("opam", "opam"),
    ("bitnami", "Bitnami"),
    ("generic", "OSS-Fuzz"),
    ("deb/debian", "Debian"),
    ("deb/ubuntu", "Ubuntu"),
    ("deb/echo", "Echo"),
    ("apk/alpine", "Alpine"),
    ("apk/chainguard", "Chainguard"),
    ("apk/wolfi", "Wolfi"),
    ("apk/minimos", "MinimOS"),
    ("apk/alpaquita", "Alpaquita"),
    ("rpm/redhat", "Red Hat"),
    ("rpm/suse", "SUSE"),
    ("rpm/opensuse", "openSUSE"),
    ("rpm/almalinux", "AlmaLinux"),
    ("rpm/rocky-linux", "Rocky Linux"),
    ("rpm/azure-linux", "Azure Linux"),
    ("rpm/mageia", "Mageia"),
    ("rpm/openeuler", "openEuler"),
];

/// Debian's releases that have a name here.
const DEBIAN: &[(&str, &str)] = &[("bullseye", "11"), ("bookworm", "12"), ("trixie", "13")];

/// Whether it is the name of an ecosystem, with or without a release. Names are case-sensitive.
pub(super) fn is_ecosystem(ecosystem: &str) -> bool {
    let name = ecosystem.split(':').next().unwrap_or_default();
    TYPES.iter().any(|(_, known)| *known == name)
}

/// The package that a purl names; none where the service knows no ecosystem for it.
///
/// # Errors
/// The parser's words.
pub(super) fn read(purl: &str) -> Result<Option<Asked>, &'static str> {
    let rest = purl
        .strip_prefix("pkg:")
        .ok_or("purl scheme is not \"pkg\"")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (ty, rest) = rest.split_once('/').ok_or("purl is missing type or name")?;
    let (path, version) = match rest.rsplit_once('@') {
        Some((path, version)) => (path, Some(decoded(version)?)),
        None => (rest, None),
    };
    if path.contains('@') || path.is_empty() {
        return Err("purl is malformed");
    }
    let (namespace, name) = match path.rsplit_once('/') {
        Some((namespace, name)) => (Some(decoded(namespace)?), decoded(name)?),
        None => (None, decoded(path)?),
    };
    if name.is_empty() || name.contains('/') {
        return Err("purl name is malformed");
    }
    let namespace = namespace.as_deref();
    let distribution = format!("{ty}/{}", namespace.unwrap_or_default());
    let known = TYPES
        .iter()
        .find(|(known, _)| *known == ty || *known == distribution);
    let Some((known, ecosystem)) = known else {
        return Ok(None);
    };
    let name = match (*known, namespace) {
        ("maven" | "gradle", Some(group)) => format!("{group}:{name}"),
        ("npm" | "composer" | "hex" | "swift" | "golang", Some(path)) => format!("{path}/{name}"),
        _ => name,
    };
    let distro = qualifiers
        .split('&')
        .find_map(|pair| pair.strip_prefix("distro="));
    let ecosystem = match (*known, distro) {
        ("deb/debian", Some(distro)) => {
            let named = DEBIAN.iter().find(|(code, _)| *code == distro);
            format!("Debian:{}", named.map_or(distro, |(_, release)| release))
        }
        _ => (*ecosystem).to_owned(),
    };
    Ok(Some(Asked {
        ecosystem,
        name,
        version: version.filter(|version| !version.is_empty()),
    }))
}

fn decoded(text: &str) -> Result<String, &'static str> {
    // The query's rules but for the plus, which is itself here.
    let text = text.replace('+', "%2B");
    let pairs = format!("x={}", text.replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(pairs.as_bytes());
    match pairs.next() {
        Some((_, value)) if !value.contains('\u{fffd}') => Ok(value.into_owned()),
        _ => Err("purl has invalid percent-encoding"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn asked(purl: &str) -> Option<(String, String, Option<String>)> {
        let asked = read(purl).unwrap()?;
        Some((asked.ecosystem, asked.name, asked.version))
    }

    #[test]
    fn the_ecosystem_and_the_name_follow_from_the_type() {
        for (purl, ecosystem, name, version) in [
            (
                "pkg:npm/%40babel/core@7.0.0",
                "npm",
                "@babel/core",
                Some("7.0.0"),
            ),
            ("pkg:maven/org.a/b", "Maven", "org.a:b", None),
            (
                "pkg:deb/debian/a@1%2B2~3?distro=bookworm",
                "Debian:12",
                "a",
                Some("1+2~3"),
            ),
            (
                "pkg:deb/debian/a@1+2?distro=debian-12",
                "Debian:debian-12",
                "a",
                Some("1+2"),
            ),
            (
                "pkg:deb/ubuntu/a@1?distro=ubuntu-24.04",
                "Ubuntu",
                "a",
                Some("1"),
            ),
        ] {
            let expected = (
                ecosystem.to_owned(),
                name.to_owned(),
                version.map(str::to_owned),
            );
            assert_eq!(asked(purl), Some(expected), "{purl}");
        }
        assert_eq!(asked("pkg:docker/nginx@1"), None);
        for purl in [
            "npm/a",
            "pkg:npm",
            "pkg:npm/@babel/core@1",
            "pkg:npm/%40vitest%2Fmocker@3",
        ] {
            assert!(read(purl).is_err(), "{purl}");
        }
    }
}
