//! What OSV makes of a package URL (server source of August 2026), and what it should make of it.

use super::purl::Purl;

/// How an ecosystem names a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Name,
    /// `namespace/name`
    Path,
    /// `namespace/name`, and the subpath behind it
    Module,
    /// `namespace:name`
    Group,
}

/// Purl type, ecosystem, naming. The server answers `{}` to every other type, without an error.
const LANGUAGES: &[(&str, &str, Naming)] = &[
    ("npm", "npm", Naming::Path),
    ("composer", "Packagist", Naming::Path),
    ("hex", "Hex", Naming::Path),
    ("swift", "SwiftURL", Naming::Path),
    ("golang", "Go", Naming::Module),
    ("maven", "Maven", Naming::Group),
    ("gradle", "Maven", Naming::Group),
    ("pypi", "PyPI", Naming::Name),
    ("cargo", "crates.io", Naming::Name),
    ("gem", "RubyGems", Naming::Name),
    ("nuget", "NuGet", Naming::Name),
    ("pub", "Pub", Naming::Name),
    ("cran", "CRAN", Naming::Name),
    ("conan", "ConanCenter", Naming::Name),
    ("hackage", "Hackage", Naming::Name),
    ("julia", "Julia", Naming::Name),
    ("opam", "opam", Naming::Name),
    ("bitnami", "Bitnami", Naming::Name),
    ("generic", "OSS-Fuzz", Naming::Name),
];

/// Distributions: purl type, namespace, ecosystem, and whether the server knows it by the purl. (Those that it does not know are
/// spellings of generators; they are asked for by ecosystem or not at all.)
const DISTRIBUTIONS: &[(&str, &str, &str, bool)] = &[
    ("deb", "debian", "Debian", true),
    ("deb", "ubuntu", "Ubuntu", true),
    ("deb", "echo", "Echo", true),
    ("apk", "alpine", "Alpine", true),
    ("apk", "chainguard", "Chainguard", true),
    ("apk", "wolfi", "Wolfi", true),
    ("apk", "minimos", "MinimOS", true),
    ("apk", "alpaquita", "Alpaquita", true),
    ("rpm", "redhat", "Red Hat", true),
    ("rpm", "rhel", "Red Hat", false),
    ("rpm", "suse", "SUSE", true),
    ("rpm", "sles", "SUSE", false),
    ("rpm", "opensuse", "openSUSE", true),
    ("rpm", "almalinux", "AlmaLinux", true),
    ("rpm", "rocky-linux", "Rocky Linux", true),
    ("rpm", "rocky", "Rocky Linux", false),
    ("rpm", "azure-linux", "Azure Linux", true),
    ("rpm", "azurelinux", "Azure Linux", false),
    ("rpm", "mageia", "Mageia", true),
    ("rpm", "openeuler", "openEuler", true),
];

/// Code names of releases (distro-info-data).
const CODE_NAMES: &[(&str, &str, &str)] = &[
    ("Debian", "jessie", "8"),
    ("Debian", "stretch", "9"),
    ("Debian", "buster", "10"),
    ("Debian", "bullseye", "11"),
    ("Debian", "bookworm", "12"),
    ("Debian", "trixie", "13"),
    ("Debian", "forky", "14"),
    ("Ubuntu", "trusty", "14.04"),
    ("Ubuntu", "xenial", "16.04"),
    ("Ubuntu", "bionic", "18.04"),
    ("Ubuntu", "focal", "20.04"),
    ("Ubuntu", "jammy", "22.04"),
    ("Ubuntu", "noble", "24.04"),
    ("Ubuntu", "oracular", "24.10"),
    ("Ubuntu", "plucky", "25.04"),
    ("Ubuntu", "questing", "25.10"),
];

/// Distributions whose records are of one release each: asked for without it, they give those of others too, and miss some.
const RELEASED: &[&str] = &["Debian", "Ubuntu", "Alpine"];

/// An ecosystem, as a purl tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ecosystem {
    /// As OSV calls it, without a release.
    pub(super) name: &'static str,
    /// Whether it is a Linux distribution.
    pub(super) is_distribution: bool,
    /// Whether the server finds it by the purl.
    pub(super) by_purl: bool,
}

impl Ecosystem {
    /// That of a purl; none if OSV knows none.
    pub(super) fn of(purl: &Purl) -> Option<Self> {
        if let Some((_, name, _)) = language(&purl.ty) {
            return Some(Self {
                name,
                is_distribution: false,
                by_purl: true,
            });
        }
        let namespace = purl.namespace.as_deref()?;
        let (_, _, name, by_purl) = DISTRIBUTIONS
            .iter()
            .find(|(ty, known, _, _)| *ty == purl.ty && known.eq_ignore_ascii_case(namespace))?;
        Some(Self {
            name,
            is_distribution: true,
            by_purl: *by_purl,
        })
    }

    /// Whether its records mean little without a release.
    pub(super) fn needs_release(&self) -> bool {
        RELEASED.contains(&self.name)
    }

    /// The ecosystem with the release that the `distro` qualifier names, in whichever of the usual ways; none if it
    /// cannot be told.
    pub(super) fn released(&self, distro: &str) -> Option<String> {
        let word = distro.trim().to_ascii_lowercase();
        let lower = self.name.to_ascii_lowercase();
        let word = word
            .strip_prefix(&lower)
            .map_or(word.as_str(), |rest| rest.trim_start_matches(['-', ':']));
        let named = CODE_NAMES
            .iter()
            .find(|(of, code, _)| *of == self.name && *code == word)
            .map(|(_, _, release)| *release);
        let parts: Vec<&str> = named
            .unwrap_or(word)
            .trim_start_matches('v')
            .split('.')
            .collect();
        let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !parts.iter().all(numeric) {
            return None;
        }
        match (self.name, &parts[..]) {
            ("Debian", [major, ..]) => Some(format!("Debian:{major}")),
            ("Ubuntu", [year, month, ..]) => Some(format!("Ubuntu:{year}.{month}")),
            ("Alpine", [major, minor, ..]) => Some(format!("Alpine:v{major}.{minor}")),
            _ => None,
        }
    }
}

fn language(ty: &str) -> Option<&'static (&'static str, &'static str, Naming)> {
    LANGUAGES.iter().find(|(known, _, _)| *known == ty)
}

/// The package's name as the ecosystem knows it.
pub(super) fn package_name(purl: &Purl) -> String {
    let naming = language(&purl.ty).map_or(Naming::Name, |(_, _, naming)| *naming);
    let (namespace, name) = (purl.namespace.as_deref(), &purl.name);
    let name = match (naming, namespace) {
        (Naming::Group, Some(group)) => format!("{group}:{name}"),
        (Naming::Path | Naming::Module, Some(path)) => format!("{path}/{name}"),
        _ => name.clone(),
    };
    match (naming, &purl.subpath) {
        (Naming::Module, Some(subpath)) => format!("{name}/{subpath}"),
        _ => name,
    }
}

/// Whether a text is a distribution's ecosystem with a release, as `linux_release` wants it.
pub(super) fn is_release(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, release)| {
        !release.trim().is_empty() && distributions().any(|known| known == name)
    })
}

/// The ecosystems of distributions, each once.
pub(super) fn distributions() -> impl Iterator<Item = &'static str> {
    let mut seen = Vec::new();
    DISTRIBUTIONS.iter().filter_map(move |(_, _, name, _)| {
        let is_new = !seen.contains(name);
        seen.push(*name);
        is_new.then_some(*name)
    })
}

/// An ecosystem without what does not make another release of it: Ubuntu's `:LTS` and `:Pro`.
pub(super) fn plain(ecosystem: &str) -> String {
    if !ecosystem.starts_with("Ubuntu:") {
        return ecosystem.to_owned();
    }
    let parts = ecosystem.split(':');
    let kept: Vec<_> = parts
        .filter(|part| !matches!(*part, "LTS" | "Pro"))
        .collect();
    kept.join(":")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn purl(text: &str) -> Purl {
        Purl::parse(text).unwrap()
    }

    fn name(text: &str) -> Option<(&'static str, String)> {
        let purl = purl(text);
        let ecosystem = Ecosystem::of(&purl)?;
        Some((ecosystem.name, package_name(&purl)))
    }

    #[test]
    fn every_type_has_its_ecosystem_and_its_way_to_name() {
        for (text, ecosystem, expected) in [
            ("pkg:npm/%40babel/core@7", "npm", "@babel/core"),
            ("pkg:npm/lodash@4", "npm", "lodash"),
            (
                "pkg:composer/symfony/http-kernel@5",
                "Packagist",
                "symfony/http-kernel",
            ),
            ("pkg:hex/acme/plug@1", "Hex", "acme/plug"),
            (
                "pkg:swift/github.com/Alamofire/Alamofire@5",
                "SwiftURL",
                "github.com/Alamofire/Alamofire",
            ),
            (
                "pkg:golang/github.com/gin-gonic/gin@v1#binding",
                "Go",
                "github.com/gin-gonic/gin/binding",
            ),
            ("pkg:golang/stdlib@1.20", "Go", "stdlib"),
            ("pkg:maven/org.a/b@1", "Maven", "org.a:b"),
            ("pkg:gradle/org.a/b@1", "Maven", "org.a:b"),
            ("pkg:pypi/Jinja2@2", "PyPI", "jinja2"),
            ("pkg:cargo/time@0.1", "crates.io", "time"),
            ("pkg:gem/rack@2", "RubyGems", "rack"),
            ("pkg:nuget/Newtonsoft.Json@12", "NuGet", "Newtonsoft.Json"),
            ("pkg:pub/http@0.1", "Pub", "http"),
            ("pkg:cran/readxl@1", "CRAN", "readxl"),
            ("pkg:conan/openssl@3", "ConanCenter", "openssl"),
            ("pkg:hackage/aeson@1", "Hackage", "aeson"),
            ("pkg:julia/HTTP@1?uuid=x", "Julia", "HTTP"),
            ("pkg:opam/cohttp@1", "opam", "cohttp"),
            ("pkg:bitnami/wordpress@6", "Bitnami", "wordpress"),
            ("pkg:generic/libxml2@2", "OSS-Fuzz", "libxml2"),
            ("pkg:deb/debian/openssl@3", "Debian", "openssl"),
            ("pkg:deb/ubuntu/openssl@3", "Ubuntu", "openssl"),
            ("pkg:deb/echo/openssl@3", "Echo", "openssl"),
            ("pkg:apk/alpine/openssl@3", "Alpine", "openssl"),
            ("pkg:apk/chainguard/openssl@3", "Chainguard", "openssl"),
            ("pkg:apk/wolfi/openssl@3", "Wolfi", "openssl"),
            ("pkg:apk/minimos/openssl@3", "MinimOS", "openssl"),
            ("pkg:apk/alpaquita/openssl@3", "Alpaquita", "openssl"),
            ("pkg:rpm/redhat/openssl@3", "Red Hat", "openssl"),
            ("pkg:rpm/suse/openssl@3", "SUSE", "openssl"),
            ("pkg:rpm/opensuse/openssl@3", "openSUSE", "openssl"),
            ("pkg:rpm/almalinux/openssl@3", "AlmaLinux", "openssl"),
            ("pkg:rpm/rocky-linux/openssl@3", "Rocky Linux", "openssl"),
            ("pkg:rpm/azure-linux/openssl@3", "Azure Linux", "openssl"),
            ("pkg:rpm/mageia/openssl@3", "Mageia", "openssl"),
            ("pkg:rpm/openeuler/openssl@3", "openEuler", "openssl"),
        ] {
            assert_eq!(name(text), Some((ecosystem, expected.to_owned())), "{text}");
        }
    }

    #[test]
    fn other_types_have_none() {
        for text in [
            "pkg:github/acme/shop@1",
            "pkg:docker/nginx@1",
            "pkg:oci/nginx@sha256:1",
            "pkg:bitbucket/acme/shop@1",
            "pkg:deb/raspbian/openssl@3",
            "pkg:deb/openssl@3",
            "pkg:rpm/amzn/openssl@3",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn a_release_is_told_from_every_usual_spelling() {
        let released =
            |text: &str, distro: &str| Ecosystem::of(&purl(text)).unwrap().released(distro);
        for (text, distro, release) in [
            ("pkg:deb/debian/a@1", "debian-12", Some("Debian:12")),
            ("pkg:deb/debian/a@1", "debian-12.5", Some("Debian:12")),
            ("pkg:deb/debian/a@1", "12", Some("Debian:12")),
            ("pkg:deb/debian/a@1", "bookworm", Some("Debian:12")),
            ("pkg:deb/debian/a@1", "Trixie", Some("Debian:13")),
            ("pkg:deb/debian/a@1", "sid", None),
            ("pkg:deb/debian/a@1", "", None),
            ("pkg:deb/ubuntu/a@1", "ubuntu-24.04", Some("Ubuntu:24.04")),
            ("pkg:deb/ubuntu/a@1", "noble", Some("Ubuntu:24.04")),
            ("pkg:deb/ubuntu/a@1", "24", None),
            ("pkg:apk/alpine/a@1", "alpine-3.19.1", Some("Alpine:v3.19")),
            ("pkg:apk/alpine/a@1", "3.19", Some("Alpine:v3.19")),
            ("pkg:apk/alpine/a@1", "v3.19", Some("Alpine:v3.19")),
            ("pkg:apk/alpine/a@1", "alpine-edge", None),
            ("pkg:rpm/rocky-linux/a@1", "rocky-9.3", None),
            ("pkg:apk/wolfi/a@1", "wolfi-20230201", None),
        ] {
            assert_eq!(
                released(text, distro).as_deref(),
                release,
                "{text} {distro}"
            );
        }
    }

    #[test]
    fn ubuntus_support_terms_are_no_other_release() {
        assert_eq!(plain("Ubuntu:24.04:LTS"), "Ubuntu:24.04");
        assert_eq!(plain("Ubuntu:Pro:18.04:LTS"), "Ubuntu:18.04");
        assert_eq!(plain("Debian:12"), "Debian:12");
        assert!(is_release("Ubuntu:24.04:LTS") && is_release("Rocky Linux:9"));
        for wrong in ["Ubuntu", "Ubuntu:", "ubuntu:24.04", "PyPI:1", ""] {
            assert!(!is_release(wrong), "{wrong}");
        }
    }
}
