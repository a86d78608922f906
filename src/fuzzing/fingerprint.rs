//! The fingerprint: the order of aliases does not count.

use crate::finding::{
    Cloud, Component, Content, Endpoint, Host, Image, ImageReference, Kind, Kubernetes,
    SourceLocation, canonical_vulnerability_id, fingerprint,
};

/// The first byte chooses the kind; lines are the fields, in the order in which they are taken below. Empty ones are absent.
pub(super) fn run(input: &[u8]) {
    let [kind, fields @ ..] = input else {
        return;
    };
    let text = String::from_utf8_lossy(fields);
    let mut lines = text.split('\n');
    let mut field = || {
        lines
            .next()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
    };
    let weakness = field();
    let mut content = content(Kind::ALL[usize::from(*kind) % Kind::ALL.len()], field);

    let print = fingerprint(&content, weakness.as_deref());
    let id = canonical_vulnerability_id(&content);
    assert_eq!(id.is_some(), has_id(&content), "{id:?}");
    content.aliases.reverse();
    assert_eq!(
        id,
        canonical_vulnerability_id(&content),
        "the order of aliases counts"
    );
    content.aliases.extend(content.aliases.clone());
    assert_eq!(
        print,
        fingerprint(&content, weakness.as_deref()),
        "repeated aliases count"
    );

    let image = content
        .image
        .as_ref()
        .and_then(|image| image.name.as_deref());
    if let Some(name) = image.filter(|name| name.split('/').all(|part| !part.is_empty())) {
        let canonical = ImageReference::canonical_name(name);
        let again = ImageReference::canonical_name(&canonical);
        assert_eq!(canonical, again, "{name:?}");
    }
}

fn has_id(content: &Content) -> bool {
    let own = content.vulnerability_id.iter();
    let mut all = own.chain(&content.aliases);
    content.vulnerability_id.is_some() && all.any(|id| !id.trim().is_empty())
}

fn content(kind: Kind, mut field: impl FnMut() -> Option<String>) -> Content {
    Content {
        kind,
        title: field().unwrap_or_default(),
        vulnerability_id: field(),
        aliases: (0..3).filter_map(|_| field()).collect(),
        component: Some(Component {
            name: field(),
            version: field(),
            purl: field(),
            ..Component::default()
        }),
        image: Some(Image {
            name: field(),
            ..Image::default()
        }),
        endpoint: Some(Endpoint {
            url: field(),
            method: field(),
            parameter: field(),
        }),
        source_location: Some(SourceLocation {
            file: field(),
            line_start: field().and_then(|line| line.parse().ok()),
            ..SourceLocation::default()
        }),
        cloud: Some(Cloud {
            provider: field(),
            account: field(),
            region: field(),
            resource_id: field(),
            ..Cloud::default()
        }),
        kubernetes: Some(Kubernetes {
            cluster: field(),
            namespace: field(),
            kind: field(),
            name: field(),
        }),
        host: Some(Host {
            name: field(),
            ip: field(),
            port: field().and_then(|port| port.parse().ok()),
            protocol: field(),
        }),
        ..Content::default()
    }
}
