//! The places that a weakness can be at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownWord;

/// What sort of place the weakness is at; it decides which fields make the fingerprint.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A software package, in an image or not.
    Component,
    /// A line of source code.
    Code,
    /// A credential in code or in an image.
    Secret,
    /// A URL.
    Endpoint,
    /// A machine's port.
    Host,
    /// A cloud resource.
    Cloud,
    /// A Kubernetes resource.
    Kubernetes,
    /// None of these.
    #[default]
    Other,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Component,
        Self::Code,
        Self::Secret,
        Self::Endpoint,
        Self::Host,
        Self::Cloud,
        Self::Kubernetes,
        Self::Other,
    ];

    /// The word used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Code => "code",
            Self::Secret => "secret",
            Self::Endpoint => "endpoint",
            Self::Host => "host",
            Self::Cloud => "cloud",
            Self::Kubernetes => "kubernetes",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| UnknownWord::new(word, &Self::ALL.map(Self::as_str)))
    }
}

/// A software package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Component {
    /// As the tool names it.
    pub name: Option<String>,
    /// Installed version.
    pub version: Option<String>,
    /// Package URL.
    pub purl: Option<String>,
    /// CPE 2.2 or 2.3.
    pub cpe: Option<String>,
    /// The version, or list of versions, that mends it.
    pub fixed_version: Option<String>,
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Image {
    /// Registry and repository, without tag and digest.
    pub name: Option<String>,
    /// Tag.
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: Option<String>,
}

/// A URL that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Endpoint {
    /// Full URL.
    pub url: Option<String>,
    /// HTTP method.
    pub method: Option<String>,
    /// Vulnerable parameter.
    pub parameter: Option<String>,
}

/// A place in source code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SourceLocation {
    /// Path inside the project.
    pub file: Option<String>,
    /// First line, from 1.
    pub line_start: Option<u32>,
    /// Last line, from 1.
    pub line_end: Option<u32>,
    /// Where a person can look at it.
    pub url: Option<String>,
}

/// A cloud resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cloud {
    /// `aws`, `azure`, `gcp`, …
    pub provider: Option<String>,
    /// Account, subscription or project.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// The provider's word for the sort of resource.
    pub resource_type: Option<String>,
    /// The provider's id of the resource.
    pub resource_id: Option<String>,
}

/// A Kubernetes resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Kubernetes {
    /// The cluster's name on our side.
    pub cluster: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// `ReplicaSet`, `Role`, …
    pub kind: Option<String>,
    /// The resource's name.
    pub name: Option<String>,
}

/// A machine's port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Host {
    /// Host name.
    pub name: Option<String>,
    /// IPv4 or IPv6 address.
    pub ip: Option<String>,
    /// Port number.
    pub port: Option<u16>,
    /// `tcp`, `udp`, …
    pub protocol: Option<String>,
}
