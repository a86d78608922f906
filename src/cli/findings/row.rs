//! The part of a finding's JSON that a table shows.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::cli::table::{Column, Field, severity_colour};
use crate::cli::text::stamp;
use crate::finding::{
    Cloud, Component, Endpoint, Host, Image, Kubernetes, Severity, SourceLocation, Status,
};

pub(super) const COLUMNS: &[Column] = &[
    Column::number("ID"),
    Column::word("SEVERITY"),
    Column::word("STATUS"),
    Column::word("VULNERABILITY"),
    Column::text("TITLE"),
    Column::text("PLACE"),
    Column::text("PRODUCT"),
    Column::word("FIRST SEEN"),
];

#[derive(Debug, Deserialize)]
pub(super) struct Row<'a> {
    id: i64,
    #[serde(borrow)]
    product: Cow<'a, str>,
    branch: Option<String>,
    service: Option<String>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    severity: Severity,
    status: Status,
    vulnerability_id: Option<String>,
    component: Option<Component>,
    image: Option<Image>,
    endpoint: Option<Endpoint>,
    source_location: Option<SourceLocation>,
    cloud: Option<Cloud>,
    kubernetes: Option<Kubernetes>,
    host: Option<Host>,
    first_seen: DateTime<Utc>,
}

impl Row<'_> {
    pub(super) fn fields(&self) -> Vec<Field> {
        vec![
            self.id.to_string().into(),
            Field::from(self.severity.as_str()).coloured(severity_colour(self.severity)),
            self.status.as_str().into(),
            self.vulnerability_id.as_deref().unwrap_or_default().into(),
            (&self.title).into(),
            self.place().into(),
            self.filed().into(),
            stamp(self.first_seen).into(),
        ]
    }

    /// `Shop/checkout@main`: product, service and branch.
    fn filed(&self) -> String {
        let mut filed = self.product.to_string();
        for (mark, part) in [('/', &self.service), ('@', &self.branch)] {
            if let Some(part) = part {
                filed.push(mark);
                filed.push_str(part);
            }
        }
        filed
    }

    /// The most telling place, in a few words.
    fn place(&self) -> String {
        let places = [
            self.component.as_ref().and_then(component),
            self.source_location.as_ref().and_then(source_location),
            self.endpoint.as_ref().and_then(endpoint),
            self.cloud
                .as_ref()
                .and_then(|cloud| cloud.resource_id.clone()),
            self.kubernetes.as_ref().and_then(kubernetes),
            self.host.as_ref().and_then(host),
        ];
        let place = places.into_iter().flatten().next();
        let image = self.image.as_ref().and_then(image);
        match (place, image) {
            (Some(place), Some(image)) => format!("{place} in {image}"),
            (place, image) => place.or(image).unwrap_or_default(),
        }
    }
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
pub(super) mod samples {
    use serde_json::Value;

    /// A finding as it is printed, with a newline and an escape in its title.
    pub(in crate::cli::findings) fn log4shell() -> Value {
        serde_json::from_str(include_str!("sample.json")).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(changes: serde_json::Value) -> String {
        let mut finding = samples::log4shell();
        finding["component"] = serde_json::Value::Null;
        finding["image"] = serde_json::Value::Null;
        for (key, value) in changes.as_object().unwrap() {
            finding[key] = value.clone();
        }
        let text = finding.to_string();
        serde_json::from_str::<Row<'_>>(&text).unwrap().place()
    }

    #[test]
    fn a_place_is_told_in_a_few_words() {
        use serde_json::json;
        for (changes, words) in [
            (
                json!({"source_location": {"file": "a/b.rs", "line_start": 7}}),
                "a/b.rs:7",
            ),
            (
                json!({"endpoint": {"url": "https://x/y", "method": "GET"}}),
                "GET https://x/y",
            ),
            (
                json!({"host": {"ip": "10.0.0.1", "port": 443}}),
                "10.0.0.1:443",
            ),
            (
                json!({"cloud": {"resource_id": "arn:aws:s3:::b"}}),
                "arn:aws:s3:::b",
            ),
            (
                json!({"kubernetes": {"namespace": "n", "kind": "Role", "name": "r"}}),
                "n/Role/r",
            ),
            (json!({"image": {"name": "i", "tag": "1"}}), "i:1"),
            (json!({}), ""),
        ] {
            assert_eq!(place(changes), words);
        }
    }
}
