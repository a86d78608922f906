//! Organizations and projects.

use serde_json::value::RawValue;

use crate::connectors::Record;
use crate::connectors::lenient::{List, Object, Text};
use crate::finding::{Image, ImageReference, Kubernetes};

/// Types of projects that are the packages of an image's operating system (contract 10).
const OF_IMAGES: &[&str] = &["apk", "deb", "rpm", "linux"];

/// So begin the names of images that were scanned by the command line.
const IMAGE_PREFIX: &str = "docker-image|";

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Organization {
    pub(super) id: String,
    slug: Option<String>,
    group: Option<String>,
}

/// A project as far as the import needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    /// The package manager, or the sort of scan.
    pub(super) kind: Option<String>,
    /// Snyk still tests it, and reports what it has.
    pub(super) is_active: bool,
    /// `key:value`, or the key alone.
    pub(super) tags: Vec<String>,
    origin: Option<String>,
    target_reference: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Resource<'a, A: Default> {
    #[serde(borrow)]
    id: Text<'a>,
    attributes: Object<A>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct OrganizationAttributes<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    slug: Text<'a>,
    group_id: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ProjectAttributes<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    origin: Text<'a>,
    status: Text<'a>,
    target_reference: Text<'a>,
    tags: List<Object<Tag<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Tag<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    value: Text<'a>,
}

/// Ids are written in capitals or not.
pub(super) fn id(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

impl Organization {
    /// Reads an organization.
    ///
    /// # Errors
    /// It has no id.
    pub(super) fn parse(json: &RawValue) -> Result<Self, String> {
        let Object(row) =
            serde_json::from_str::<Object<Resource<'_, OrganizationAttributes<'_>>>>(json.get())
                .map_err(|error| format!("an organization cannot be read: {error}"))?;
        let own = row.id.as_str().map(id);
        let attributes = row.attributes.0;
        Ok(Self {
            id: own.ok_or_else(|| "an organization has no id".to_owned())?,
            slug: attributes.slug.to_owned().or(attributes.name.to_owned()),
            group: attributes.group_id.as_str().map(id),
        })
    }

    /// One of which only the id is known.
    pub(super) fn of_id(text: &str) -> Self {
        Self {
            id: id(text),
            slug: None,
            group: None,
        }
    }

    /// Its name in addresses, or else its id.
    pub(super) fn slug(&self) -> &str {
        self.slug.as_deref().unwrap_or(&self.id)
    }

    /// Whether the key is its id or its slug.
    pub(super) fn is_called(&self, key: &str) -> bool {
        self.id.eq_ignore_ascii_case(key) || self.slug.as_deref() == Some(key)
    }

    /// Whether it belongs to the group; Snyk does not tell of all organizations.
    pub(super) fn is_of(&self, group: &str) -> bool {
        self.group.as_deref().is_none_or(|own| own == group)
    }
}

impl Project {
    /// Reads a project; a missing name is replaced by the id.
    ///
    /// # Errors
    /// It has no id.
    pub(super) fn parse(json: &RawValue) -> Result<Self, String> {
        let Object(row) =
            serde_json::from_str::<Object<Resource<'_, ProjectAttributes<'_>>>>(json.get())
                .map_err(|error| format!("a project cannot be read: {error}"))?;
        let own = row.id.as_str().map(id);
        let own = own.ok_or_else(|| "a project has no id".to_owned())?;
        let attributes = row.attributes.0;
        let tags = attributes.tags.0.iter().filter_map(|Object(tag)| {
            let key = tag.key.as_str()?;
            Some(match tag.value.as_str() {
                Some(value) => format!("{key}:{value}"),
                None => key.to_owned(),
            })
        });
        let status = attributes.status.as_str();
        Ok(Self {
            name: attributes.name.to_owned().unwrap_or_else(|| own.clone()),
            kind: attributes.kind.as_str().map(str::to_ascii_lowercase),
            // A word that nobody knows proves nothing.
            is_active: status.is_none_or(|status| status.eq_ignore_ascii_case("active")),
            tags: tags.collect(),
            origin: attributes.origin.as_str().map(str::to_ascii_lowercase),
            target_reference: attributes.target_reference.to_owned(),
            id: own,
        })
    }

    /// Its record, as issues belong to it.
    pub(super) fn record(&self) -> Record {
        Record {
            id: self.id.clone(),
            name: self.name.clone(),
            detail: None,
        }
    }

    /// Its record among those of all organizations.
    pub(super) fn record_in(&self, organization: &Organization) -> Record {
        let parts = [
            Some(organization.slug()),
            self.kind.as_deref(),
            self.target_reference.as_deref(),
            (!self.is_active).then_some("inactive"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        Record {
            detail: Some(parts.join(", ")),
            ..self.record()
        }
    }

    /// The branch that it follows. Of an image the reference is the tag, which moves while the project stays.
    pub(super) fn branch(&self) -> Option<String> {
        match self.is_image() {
            true => None,
            false => self.target_reference.clone(),
        }
    }

    /// The image that it is, as well as its name tells.
    pub(super) fn image(&self) -> Option<Image> {
        if !self.is_image() {
            return None;
        }
        let name = self.name.strip_prefix(IMAGE_PREFIX).unwrap_or(&self.name);
        // The path of an application that was found inside may follow.
        let name = name.split(":/").next().unwrap_or(name);
        let reference = ImageReference::parse(name);
        Some(Image {
            name: Some(reference.name),
            tag: self.target_reference.clone().or(reference.tag),
            digest: reference.digest,
        })
    }

    /// The workload that it is, by its name `namespace/kind/name:…`.
    pub(super) fn workload(&self) -> Option<Kubernetes> {
        if !self.is_workload() {
            return None;
        }
        let mut parts = self.name.splitn(3, '/');
        let namespace = parts.next()?;
        let kind = parts.next()?;
        let name = parts.next()?.split(':').next()?;
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Kubernetes {
            cluster: None,
            namespace: part(namespace),
            kind: part(kind),
            name: part(name),
        })
    }

    fn is_workload(&self) -> bool {
        self.origin.as_deref() == Some("kubernetes")
    }

    fn is_image(&self) -> bool {
        let of_image = (self.kind.as_deref()).is_some_and(|kind| OF_IMAGES.contains(&kind));
        self.name.starts_with(IMAGE_PREFIX) || (of_image && !self.is_workload())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn project(json: &str) -> Project {
        Project::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn a_project_needs_an_id_and_nothing_else() {
        let nameless = RawValue::from_string(r#"{"attributes":{"name":"a"}}"#.to_owned()).unwrap();
        assert!(Project::parse(&nameless).is_err());
        let bare = project(r#"{"id":"AB-1","attributes":{"name":null,"tags":7}}"#);
        assert_eq!((bare.id.as_str(), bare.name.as_str()), ("ab-1", "ab-1"));
        assert!(bare.is_active && bare.tags.is_empty() && bare.branch().is_none());
        for (status, active) in [("active", true), ("inactive", false), ("paused", false)] {
            let one = project(&format!(
                r#"{{"id":"a","attributes":{{"status":"{status}"}}}}"#
            ));
            assert_eq!(one.is_active, active, "{status}");
        }
    }

    #[test]
    fn tags_and_the_branch_are_kept() {
        let shop = project(
            r#"{"id":"a","attributes":{"name":"acme/shop:package.json","type":"NPM","target_reference":"main",
            "tags":[{"key":"team","value":"blue"},{"key":"pci"},{"value":"x"}]}}"#,
        );
        assert_eq!(shop.tags, ["team:blue", "pci"]);
        assert_eq!(shop.branch().as_deref(), Some("main"));
        assert_eq!((shop.kind.as_deref(), shop.image()), (Some("npm"), None));
    }

    #[test]
    fn an_image_is_known_by_its_name_or_type_and_its_reference_is_the_tag() {
        for (name, kind, reference, image, tag) in [
            (
                "docker-image|registry.example.com/web",
                "deb",
                "1.2",
                "registry.example.com/web",
                Some("1.2"),
            ),
            (
                "docker-image|web:/app/package.json",
                "npm",
                "1.2",
                "web",
                Some("1.2"),
            ),
            (
                "registry.example.com:5000/web:3",
                "apk",
                "",
                "registry.example.com:5000/web",
                Some("3"),
            ),
            ("docker-image|web", "linux", "", "web", None),
        ] {
            let one = project(&format!(
                r#"{{"id":"a","attributes":{{"name":"{name}","type":"{kind}","target_reference":"{reference}"}}}}"#
            ));
            let found = one.image().unwrap();
            assert_eq!(found.name.as_deref(), Some(image), "{name}");
            assert_eq!(found.tag.as_deref(), tag, "{name}");
            assert_eq!(one.branch(), None, "{name}");
        }
    }

    #[test]
    fn a_workload_is_taken_apart_as_far_as_its_name_goes() {
        let of = |name: &str, origin: &str| {
            project(&format!(
                r#"{{"id":"a","attributes":{{"name":"{name}","type":"deb","origin":"{origin}"}}}}"#
            ))
            .workload()
        };
        let found = of(
            "shop/deployment.apps/web:registry.example.com/web:1",
            "kubernetes",
        )
        .unwrap();
        assert_eq!(found.namespace.as_deref(), Some("shop"));
        assert_eq!(found.kind.as_deref(), Some("deployment.apps"));
        assert_eq!(found.name.as_deref(), Some("web"));
        assert_eq!(of("web", "kubernetes"), None);
        assert_eq!(of("shop/deployment.apps/web", "github"), None);
    }

    #[test]
    fn an_organization_is_called_by_id_or_slug() {
        let json = r#"{"id":"4A18","type":"org","attributes":{"name":"Acme","slug":"acme","group_id":"B667"}}"#;
        let acme = Organization::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap();
        assert!(acme.is_called("4a18") && acme.is_called("acme") && !acme.is_called("Acme"));
        assert!(acme.is_of("b667") && !acme.is_of("other"));
        assert!(Organization::of_id("x").is_of("any"));
        let shop = Project {
            id: "p".to_owned(),
            name: "shop".to_owned(),
            kind: Some("npm".to_owned()),
            ..Project::default()
        };
        let detail = shop.record_in(&acme).detail;
        assert_eq!(detail.as_deref(), Some("acme, npm, inactive"));
    }
}
