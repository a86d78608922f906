//! When two sightings are one finding.

use std::fmt;

use packageurl::PackageUrl;

use super::{Component, Content, ImageReference, Kind};

/// Where findings are filed on our side. Findings of different filings are never one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Filing {
    /// Product.
    pub product: String,
    /// Branch or version of the product.
    pub branch: Option<String>,
    /// Service of the product.
    pub service: Option<String>,
}

/// A versioned hash over the weakness and the place; the same on every machine and for every connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Display for Fingerprint {
    /// `1:` and 32 hexadecimal digits; the number before the colon is the version of the rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// To be raised whenever the rule below changes, so that old and new fingerprints are never confused.
const VERSION: u8 = 1;

/// The id that stands for a vulnerability under all its names: CVE before GHSA before the rest, over id and aliases; among
/// equals the smallest.
#[must_use]
pub fn canonical_vulnerability_id(content: &Content) -> Option<String> {
    let own = content.vulnerability_id.as_deref()?.trim();
    content
        .aliases
        .iter()
        .map(|alias| alias.trim())
        .chain([own])
        .filter(|id| !id.is_empty())
        // The tool's own id before its aliases of the same rank: an advisory may list many CVEs as aliases.
        .min_by(|a, b| {
            let order = |id: &str| (rank(id), !id.eq_ignore_ascii_case(own));
            order(a)
                .cmp(&order(b))
                .then_with(|| in_capitals(a).cmp(in_capitals(b)))
        })
        .map(str::to_ascii_uppercase)
}

fn rank(id: &str) -> u8 {
    let begins = |prefix: &str| {
        id.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if begins("CVE-") {
        0
    } else if begins("GHSA-") {
        1
    } else {
        2
    }
}

fn in_capitals(id: &str) -> impl Iterator<Item = u8> {
    id.bytes().map(|byte| byte.to_ascii_uppercase())
}

/// The fingerprint of a sighting: the weakness at the most telling place of its kind.
#[must_use]
pub fn fingerprint(content: &Content, weakness: Option<&str>) -> Fingerprint {
    let mut hash = FieldHasher::new();
    hash.field(content.kind.as_str());
    match (canonical_vulnerability_id(content), weakness) {
        (Some(id), _) => hash.tagged("vulnerability", &id),
        (None, Some(rule)) => hash.tagged("rule", rule),
        (None, None) => hash.tagged("title", &content.title),
    }
    match content.kind {
        Kind::Component => hash_component(&mut hash, content),
        Kind::Code | Kind::Secret => hash_code(&mut hash, content),
        Kind::Endpoint => hash_endpoint(&mut hash, content),
        Kind::Host => hash_host(&mut hash, content),
        Kind::Cloud => hash_cloud(&mut hash, content),
        Kind::Kubernetes => hash_kubernetes(&mut hash, content),
        Kind::Other => {}
    }
    Fingerprint(hash.finish())
}

fn hash_component(hash: &mut FieldHasher, content: &Content) {
    let (name, version) = content
        .component
        .as_ref()
        .map(component_identity)
        .unwrap_or_default();
    hash.field(&name);
    hash.field(&version);
    hash_image(hash, content);
}

fn hash_image(hash: &mut FieldHasher, content: &Content) {
    let name = content
        .image
        .as_ref()
        .and_then(|image| image.name.as_deref());
    hash.optional(name.map(ImageReference::canonical_name).as_deref());
}

fn hash_code(hash: &mut FieldHasher, content: &Content) {
    let location = content.source_location.as_ref();
    hash.optional(location.and_then(|l| l.file.as_deref()));
    let line = location.and_then(|l| l.line_start);
    hash.optional(line.map(|line| line.to_string()).as_deref());
    // A secret baked into an image: the file is a path inside that image.
    hash_image(hash, content);
}

fn hash_endpoint(hash: &mut FieldHasher, content: &Content) {
    let endpoint = content.endpoint.as_ref();
    let method = endpoint.and_then(|e| e.method.as_deref());
    hash.optional(method.map(str::to_ascii_uppercase).as_deref());
    let url = endpoint.and_then(|e| e.url.as_deref());
    hash.optional(url.map(without_query).as_deref());
    hash.optional(endpoint.and_then(|e| e.parameter.as_deref()));
}

fn hash_host(hash: &mut FieldHasher, content: &Content) {
    let host = content.host.as_ref();
    let name = host.and_then(|h| h.name.as_deref().or(h.ip.as_deref()));
    hash.optional(name.map(str::to_ascii_lowercase).as_deref());
    let port = host.and_then(|h| h.port);
    hash.optional(port.map(|port| port.to_string()).as_deref());
    let protocol = host.and_then(|h| h.protocol.as_deref());
    hash.optional(protocol.map(str::to_ascii_lowercase).as_deref());
}

fn hash_cloud(hash: &mut FieldHasher, content: &Content) {
    let cloud = content.cloud.as_ref();
    hash.optional(cloud.and_then(|c| c.provider.as_deref()));
    hash.optional(cloud.and_then(|c| c.account.as_deref()));
    hash.optional(cloud.and_then(|c| c.region.as_deref()));
    hash.optional(cloud.and_then(|c| c.resource_id.as_deref()));
}

fn hash_kubernetes(hash: &mut FieldHasher, content: &Content) {
    let resource = content.kubernetes.as_ref();
    hash.optional(resource.and_then(|k| k.cluster.as_deref()));
    hash.optional(resource.and_then(|k| k.namespace.as_deref()));
    let kind = resource.and_then(|k| k.kind.as_deref());
    hash.optional(kind.map(str::to_ascii_lowercase).as_deref());
    let name = resource.and_then(|k| k.name.as_deref());
    let stable = match kind {
        Some(kind) if kind.eq_ignore_ascii_case("ReplicaSet") => name.map(without_template_hash),
        _ => name,
    };
    hash.optional(stable);
}

/// A Deployment's ReplicaSet is called after it, a dash and the pod template's hash, which changes with every rollout.
fn without_template_hash(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((deployment, hash))
            if (8..=10).contains(&hash.len())
                && hash
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
                && hash.bytes().any(|b| b.is_ascii_digit()) =>
        {
            deployment
        }
        _ => name,
    }
}

/// The ecosystem's full name and the version, spelled as all tools can agree on.
fn component_identity(component: &Component) -> (String, String) {
    let purl = component
        .purl
        .as_deref()
        .and_then(|purl| purl.parse::<PackageUrl<'_>>().ok());
    let Some(purl) = purl else {
        let name = component.name.as_deref().unwrap_or_default();
        let version = component.version.as_deref().unwrap_or_default();
        return (name.to_lowercase(), plain_version(version));
    };
    let name = match (purl.ty(), purl.namespace()) {
        ("maven", Some(group)) => format!("{group}:{}", purl.name()),
        // Linux distributions' namespaces name the distribution, which is no part of a package's name.
        ("deb" | "rpm" | "apk" | "alpm" | "qpkg", _) | (_, None) => purl.name().to_owned(),
        (_, Some(namespace)) => format!("{namespace}/{}", purl.name()),
    };
    let version = purl
        .version()
        .filter(|version| !version.is_empty())
        .or(component.version.as_deref())
        .unwrap_or_default();
    let version = match purl.qualifiers().get("epoch") {
        Some(epoch) if epoch != "0" && !version.contains(':') => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    };
    (name.to_lowercase(), plain_version(&version))
}

/// Go modules carry a `v` in some tools and none in others.
fn plain_version(version: &str) -> String {
    match version.strip_prefix('v') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_owned(),
        _ => version.to_owned(),
    }
}

fn without_query(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url[..end].to_owned()
}

/// Hashes fields with their lengths, so that no two lists of fields give the same bytes.
struct FieldHasher(blake3::Hasher);

impl FieldHasher {
    fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[VERSION]);
        Self(hasher)
    }

    fn field(&mut self, field: &str) {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field.as_bytes());
    }

    fn tagged(&mut self, tag: &str, field: &str) {
        self.field(tag);
        self.field(field);
    }

    fn optional(&mut self, field: Option<&str>) {
        match field {
            Some(field) if !field.is_empty() => self.tagged("some", field),
            _ => self.field("none"),
        }
    }

    fn finish(self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        short
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Image, Kubernetes, SourceLocation};
    use super::*;

    fn vulnerable(purl: Option<&str>, name: &str, version: &str) -> Content {
        Content {
            kind: Kind::Component,
            vulnerability_id: Some("CVE-2021-44228".to_owned()),
            component: Some(Component {
                name: Some(name.to_owned()),
                version: Some(version.to_owned()),
                purl: purl.map(str::to_owned),
                ..Component::default()
            }),
            ..Content::default()
        }
    }

    #[test]
    fn a_cve_and_a_ghsa_that_are_aliases_are_one_weakness() {
        let mut cve = vulnerable(None, "lodash", "4.17.20");
        cve.vulnerability_id = Some("CVE-2021-23337".to_owned());
        let mut ghsa = cve.clone();
        ghsa.vulnerability_id = Some("GHSA-35jh-r3h4-6jhm".to_owned());
        ghsa.aliases = vec!["CVE-2021-23337".to_owned()];
        assert_eq!(fingerprint(&cve, None), fingerprint(&ghsa, None));
    }

    #[test]
    fn a_package_url_and_a_full_name_are_one_place() {
        for (purl, name, version) in [
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "org.apache.logging.log4j:log4j-core",
                "2.14.1",
            ),
            ("pkg:npm/%40angular/core@12.0.0", "@angular/core", "12.0.0"),
            (
                "pkg:golang/golang.org/x/net@v0.17.0",
                "golang.org/x/net",
                "0.17.0",
            ),
            (
                "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
                "openssl",
                "3.0.11-1~deb12u2",
            ),
            (
                "pkg:deb/debian/shadow@4.13%2Bdfsg1-1?epoch=1",
                "shadow",
                "1:4.13+dfsg1-1",
            ),
            ("pkg:pypi/pyyaml@5.3", "PyYAML", "5.3"),
        ] {
            assert_eq!(
                fingerprint(&vulnerable(Some(purl), "short", version), None),
                fingerprint(&vulnerable(None, name, version), None),
                "{purl}"
            );
        }
    }

    #[test]
    fn two_versions_of_a_component_are_two_places() {
        assert_ne!(
            fingerprint(&vulnerable(None, "a", "1"), None),
            fingerprint(&vulnerable(None, "a", "2"), None)
        );
    }

    #[test]
    fn tags_and_digests_of_an_image_do_not_matter_but_its_name_does() {
        let in_image = |name: &str, tag: &str| {
            let mut content = vulnerable(None, "a", "1");
            content.image = Some(Image {
                name: Some(name.to_owned()),
                tag: Some(tag.to_owned()),
                digest: None,
            });
            fingerprint(&content, None)
        };
        assert_eq!(
            in_image("nginx", "1"),
            in_image("docker.io/library/nginx", "2")
        );
        assert_ne!(in_image("nginx", "1"), in_image("httpd", "1"));
    }

    #[test]
    fn a_rollout_is_the_same_kubernetes_resource() {
        let check = |kind: &str, name: &str| {
            let content = Content {
                kind: Kind::Kubernetes,
                kubernetes: Some(Kubernetes {
                    kind: Some(kind.to_owned()),
                    name: Some(name.to_owned()),
                    ..Kubernetes::default()
                }),
                ..Content::default()
            };
            fingerprint(&content, Some("KSV104"))
        };
        assert_eq!(
            check("ReplicaSet", "web-6d4cf56db6"),
            check("ReplicaSet", "web-7f9c8b6d54")
        );
        assert_ne!(
            check("ReplicaSet", "web-6d4cf56db6"),
            check("ReplicaSet", "api-6d4cf56db6")
        );
        assert_ne!(
            check("DaemonSet", "web-6d4cf56db6"),
            check("DaemonSet", "web-7f9c8b6d54")
        );
    }

    #[test]
    fn a_line_is_part_of_the_place_of_code() {
        let at = |line| {
            let content = Content {
                kind: Kind::Code,
                source_location: Some(SourceLocation {
                    file: Some("src/a.c".to_owned()),
                    line_start: Some(line),
                    ..SourceLocation::default()
                }),
                ..Content::default()
            };
            fingerprint(&content, Some("c:S100"))
        };
        assert_ne!(at(1), at(2));
    }
}
