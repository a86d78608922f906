//! What a finding says about itself, apart from its severity and status.

use serde::{Deserialize, Serialize};

use super::{Cloud, Component, Cvss, Endpoint, Host, Image, Kind, Kubernetes, SourceLocation};

/// The fields of a finding that come from its leading sighting, in the order in which they are printed.
///
/// Empty fields are left out when it is stored, so a stored content is small.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// What sort of place the weakness is at.
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// Markdown or plain text, never HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// CVE, GHSA, … as the tool gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerability_id: Option<String>,
    /// Other ids of the same vulnerability, without the id itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// CWE numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cwes: Vec<u32>,
    /// `CVSS:3.x/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss3_vector: Option<String>,
    /// 0.0 to 10.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss3_score: Option<f64>,
    /// `CVSS:4.0/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss4_vector: Option<String>,
    /// 0.0 to 10.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss4_score: Option<f64>,
    /// Probability of exploitation, 0.0 to 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epss_score: Option<f64>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_location: Option<SourceLocation>,
    /// The cloud resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
    /// The Kubernetes resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
    /// The machine's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// URLs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Free words of the tool.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Content {
    /// Puts a CVSS 3 rating on the content.
    pub fn set_cvss3(&mut self, cvss: Cvss) {
        self.cvss3_vector = cvss.vector;
        self.cvss3_score = cvss.score;
    }

    /// Puts a CVSS 4 rating on the content.
    pub fn set_cvss4(&mut self, cvss: Cvss) {
        self.cvss4_vector = cvss.vector;
        self.cvss4_score = cvss.score;
    }

    /// Calls `field` for every field in a fixed order; two contents are equal exactly when the calls are.
    pub(super) fn visit(&self, mut field: impl FnMut(Option<&[u8]>)) {
        field(Some(self.kind.as_str().as_bytes()));
        field(Some(self.title.as_bytes()));
        for text in [
            &self.description,
            &self.recommendation,
            &self.vulnerability_id,
            &self.cvss3_vector,
            &self.cvss4_vector,
        ] {
            field(text.as_deref().map(str::as_bytes));
        }
        for score in [self.cvss3_score, self.cvss4_score, self.epss_score] {
            let bits = score.map(|score| score.to_bits().to_le_bytes());
            field(bits.as_ref().map(<[u8; 8]>::as_slice));
        }
        for list in [&self.aliases, &self.references, &self.tags] {
            list.iter().for_each(|item| field(Some(item.as_bytes())));
            field(None);
        }
        for cwe in &self.cwes {
            field(Some(&cwe.to_le_bytes()));
        }
        field(None);
        visit_place(self.component.as_ref(), &mut field);
        visit_place(self.image.as_ref(), &mut field);
        visit_place(self.endpoint.as_ref(), &mut field);
        visit_place(self.source_location.as_ref(), &mut field);
        visit_place(self.cloud.as_ref(), &mut field);
        visit_place(self.kubernetes.as_ref(), &mut field);
        visit_place(self.host.as_ref(), &mut field);
    }
}

fn visit_place(place: Option<&impl Serialize>, field: &mut impl FnMut(Option<&[u8]>)) {
    // Plain structs of strings and numbers: nothing in them can fail to serialise.
    let json = place.and_then(|place| serde_json::to_vec(place).ok());
    field(json.as_deref());
}
