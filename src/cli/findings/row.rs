//! The part of a finding's JSON that a table shows.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::cli::table::{Column, Field, severity_colour};
use crate::cli::text::stamp;
use crate::finding::{
    Cloud, Component, Endpoint, Host, Image, Kubernetes, Places, Severity, SourceLocation, Status,
    filed,
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

    fn filed(&self) -> String {
        filed(
            &self.product,
            self.service.as_deref(),
            self.branch.as_deref(),
        )
    }

    fn place(&self) -> String {
        let places = Places {
            component: self.component.as_ref(),
            source_location: self.source_location.as_ref(),
            endpoint: self.endpoint.as_ref(),
            cloud: self.cloud.as_ref(),
            kubernetes: self.kubernetes.as_ref(),
            host: self.host.as_ref(),
            image: self.image.as_ref(),
        };
        places.in_words()
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
