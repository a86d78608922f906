//! Container image references, so that `nginx:1.27` and `index.docker.io/library/nginx` are known to be one image.

use super::Image;

/// A reference taken apart: `[registry/]repository[:tag][@digest]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// Registry and repository as written.
    pub name: String,
    /// Tag, without the colon.
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Takes a reference apart. Nothing is refused: what cannot be told apart stays in the name.
    #[must_use]
    pub fn parse(reference: &str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, non_empty(digest)),
            None => (reference, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let path_starts = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_starts..].find(':') {
            Some(colon) => (
                &rest[..path_starts + colon],
                non_empty(&rest[path_starts + colon + 1..]),
            ),
            None => (rest, None),
        };
        Self {
            name: name.to_owned(),
            tag,
            digest,
        }
    }

    /// The name that all spellings of one image share: the registry spelled out, Docker Hub as `docker.io`, official
    /// images under `library/`, in lower case.
    #[must_use]
    pub fn canonical_name(name: &str) -> String {
        let name = name.trim_matches('/').to_ascii_lowercase();
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => ("docker.io", name.as_str()),
        };
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io",
            other => other,
        };
        if registry == "docker.io" && !repository.contains('/') {
            format!("{registry}/library/{repository}")
        } else {
            format!("{registry}/{repository}")
        }
    }
}

impl From<ImageReference> for Image {
    fn from(reference: ImageReference) -> Self {
        Self {
            name: Some(reference.name),
            tag: reference.tag,
            digest: reference.digest,
        }
    }
}

/// Docker's own rule: the first part names a registry if it holds a dot or a colon, or is `localhost`.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_a_tag() {
        let reference = ImageReference::parse("localhost:5000/shop");
        assert_eq!(reference.name, "localhost:5000/shop");
        assert_eq!(reference.tag, None);
    }

    #[test]
    fn tag_and_digest_are_taken_off() {
        let reference = ImageReference::parse("registry.example.com/shop/web:1.2@sha256:abc");
        assert_eq!(reference.name, "registry.example.com/shop/web");
        assert_eq!(reference.tag.as_deref(), Some("1.2"));
        assert_eq!(reference.digest.as_deref(), Some("sha256:abc"));
    }

    #[test]
    fn all_spellings_of_an_official_image_are_one() {
        for spelling in [
            "nginx",
            "library/nginx",
            "docker.io/nginx",
            "index.docker.io/library/nginx",
        ] {
            assert_eq!(
                ImageReference::canonical_name(spelling),
                "docker.io/library/nginx"
            );
        }
    }

    #[test]
    fn a_registry_of_ones_own_is_not_docker_hub() {
        assert_eq!(
            ImageReference::canonical_name("registry/shop"),
            "docker.io/registry/shop"
        );
        assert_eq!(
            ImageReference::canonical_name("registry.corp/shop"),
            "registry.corp/shop"
        );
    }
}
