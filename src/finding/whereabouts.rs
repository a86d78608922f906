//! Where a finding is, in the few words that a table or a message has place for.

use super::{Cloud, Component, Endpoint, Host, Image, Kubernetes, SourceLocation};

/// The places of a finding.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the fields of a finding")]
pub struct Places<'a> {
    pub component: Option<&'a Component>,
    pub source_location: Option<&'a SourceLocation>,
    pub endpoint: Option<&'a Endpoint>,
    pub cloud: Option<&'a Cloud>,
    pub kubernetes: Option<&'a Kubernetes>,
    pub host: Option<&'a Host>,
    pub image: Option<&'a Image>,
}

impl Places<'_> {
    /// The most telling place: `log4j-core 2.14.1 in registry/shop:1.2`; empty if there is none.
    #[must_use]
    pub fn in_words(&self) -> String {
        let places = [
            self.component.and_then(component),
            self.source_location.and_then(source_location),
            self.endpoint.and_then(endpoint),
            self.cloud.and_then(|cloud| cloud.resource_id.clone()),
            self.kubernetes.and_then(kubernetes),
            self.host.and_then(host),
        ];
        let place = places.into_iter().flatten().next();
        let image = self.image.and_then(image);
        match (place, image) {
            (Some(place), Some(image)) => format!("{place} in {image}"),
            (place, image) => place.or(image).unwrap_or_default(),
        }
    }
}

/// Where it is filed: `Shop/checkout@main`, product, service and branch.
#[must_use]
pub fn filed(product: &str, service: Option<&str>, branch: Option<&str>) -> String {
    let mut filed = product.to_owned();
    for (mark, part) in [('/', service), ('@', branch)] {
        if let Some(part) = part {
            filed.push(mark);
            filed.push_str(part);
        }
    }
    filed
}

fn component(component: &Component) -> Option<String> {
    let name = component.name.as_ref().or(component.purl.as_ref())?;
    Some(joined(name, ' ', component.version.as_deref()))
}

fn source_location(location: &SourceLocation) -> Option<String> {
    let line = location.line_start.map(|line| line.to_string());
    Some(joined(location.file.as_ref()?, ':', line.as_deref()))
}

fn endpoint(endpoint: &Endpoint) -> Option<String> {
    let url = endpoint.url.as_ref()?;
    Some(match &endpoint.method {
        Some(method) => format!("{method} {url}"),
        None => url.clone(),
    })
}

fn kubernetes(resource: &Kubernetes) -> Option<String> {
    let parts = [&resource.namespace, &resource.kind, &resource.name];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn host(host: &Host) -> Option<String> {
    let name = host.name.as_ref().or(host.ip.as_ref())?;
    let port = host.port.map(|port| port.to_string());
    Some(joined(name, ':', port.as_deref()))
}

fn image(image: &Image) -> Option<String> {
    Some(joined(image.name.as_ref()?, ':', image.tag.as_deref()))
}

fn joined(first: &str, mark: char, second: Option<&str>) -> String {
    match second {
        Some(second) => format!("{first}{mark}{second}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_a_few_words() {
        let some = |text: &str| Some(text.to_owned());
        let component = Component {
            name: some("log4j-core"),
            version: some("2.14.1"),
            ..Component::default()
        };
        let image = Image {
            name: some("i"),
            tag: some("1"),
            ..Image::default()
        };
        let source_location = SourceLocation {
            file: some("a/b.rs"),
            line_start: Some(7),
            ..SourceLocation::default()
        };
        let endpoint = Endpoint {
            url: some("https://x/y"),
            method: some("GET"),
            ..Endpoint::default()
        };
        let host = Host {
            ip: some("10.0.0.1"),
            port: Some(443),
            ..Host::default()
        };
        let cloud = Cloud {
            resource_id: some("arn:aws:s3:::b"),
            ..Cloud::default()
        };
        let kubernetes = Kubernetes {
            namespace: some("n"),
            kind: some("Role"),
            name: some("r"),
            ..Kubernetes::default()
        };
        let none = Places::default();
        let image = Some(&image);
        for (places, words) in [
            (
                Places {
                    component: Some(&component),
                    image,
                    ..none
                },
                "log4j-core 2.14.1 in i:1",
            ),
            (
                Places {
                    source_location: Some(&source_location),
                    ..none
                },
                "a/b.rs:7",
            ),
            (
                Places {
                    endpoint: Some(&endpoint),
                    ..none
                },
                "GET https://x/y",
            ),
            (
                Places {
                    host: Some(&host),
                    ..none
                },
                "10.0.0.1:443",
            ),
            (
                Places {
                    cloud: Some(&cloud),
                    ..none
                },
                "arn:aws:s3:::b",
            ),
            (
                Places {
                    kubernetes: Some(&kubernetes),
                    ..none
                },
                "n/Role/r",
            ),
            (Places { image, ..none }, "i:1"),
            (none, ""),
        ] {
            assert_eq!(places.in_words(), words);
        }
    }

    #[test]
    fn a_filing_names_product_service_and_branch() {
        assert_eq!(filed("Shop", None, None), "Shop");
        assert_eq!(
            filed("Shop", Some("checkout"), Some("main")),
            "Shop/checkout@main"
        );
    }
}
