//! Which connectors exist. A new one is one line in `ENTRIES`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[cfg(feature = "aws")]
use super::aws_security_hub;
use super::{
    Connector, ConnectorError, burp, checkmarx_one, defectdojo, dependency_track, osv, probely,
    semgrep, snyk, sonarqube, tenable, trivy_prometheus,
};
use crate::config::{Config, ConnectorSpec, Tool};
use crate::http::HttpError;

type Open = fn(&Tool) -> Result<Arc<dyn Connector>, HttpError>;

struct Entry {
    spec: &'static ConnectorSpec,
    open: Open,
}

const ENTRIES: &[Entry] = &[
    #[cfg(feature = "aws")]
    entry(&aws_security_hub::SPEC, aws_security_hub::open),
    entry(&burp::SPEC, burp::open),
    entry(&checkmarx_one::SPEC, checkmarx_one::open),
    entry(&defectdojo::SPEC, defectdojo::open),
    entry(&dependency_track::SPEC, dependency_track::open),
    entry(&osv::SPEC, osv::open),
    entry(&probely::SPEC, probely::open),
    entry(&semgrep::SPEC, semgrep::open),
    entry(&snyk::SPEC, snyk::open),
    entry(&sonarqube::SPEC, sonarqube::open),
    entry(&tenable::SPEC, tenable::open),
    entry(&trivy_prometheus::SPEC, trivy_prometheus::open),
];

/// A connector, and its reader of pages.
#[cfg(any(test, feature = "fuzzing"))]
type PageTarget = (&'static ConnectorSpec, fn(&[u8]));

#[cfg(any(test, feature = "fuzzing"))]
const PAGE_TARGETS: &[PageTarget] = &[
    #[cfg(feature = "aws")]
    (&aws_security_hub::SPEC, aws_security_hub::fuzzed::page),
    (&burp::SPEC, burp::fuzzed::page),
    (&checkmarx_one::SPEC, checkmarx_one::fuzzed::page),
    (&defectdojo::SPEC, defectdojo::fuzzed::page),
    (&dependency_track::SPEC, dependency_track::fuzzed::page),
    (&osv::SPEC, osv::fuzzed::page),
    (&probely::SPEC, probely::fuzzed::page),
    (&semgrep::SPEC, semgrep::fuzzed::page),
    (&snyk::SPEC, snyk::fuzzed::page),
    (&sonarqube::SPEC, sonarqube::fuzzed::page),
    (&tenable::SPEC, tenable::fuzzed::page),
    (&trivy_prometheus::SPEC, trivy_prometheus::fuzzed::page),
];

/// Each connector's reader of pages, by the connector's name, to be fuzzed.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn page_targets() -> impl Iterator<Item = (&'static str, fn(&[u8]))> {
    let targets = PAGE_TARGETS.iter();
    targets.map(|(spec, target)| (spec.name, *target))
}

const fn entry(spec: &'static ConnectorSpec, open: Open) -> Entry {
    Entry { spec, open }
}

/// The descriptions of all connectors, by name.
pub fn specs() -> impl Iterator<Item = &'static ConnectorSpec> {
    ENTRIES.iter().map(|entry| entry.spec)
}

/// The description of one connector.
#[must_use]
pub fn spec_of(connector: &str) -> Option<&'static ConnectorSpec> {
    specs().find(|spec| spec.name == connector)
}

/// The connectors of all configured tools, opened once per configuration, so that rate limits and connections are shared.
pub struct Connectors(BTreeMap<String, Result<Arc<dyn Connector>, String>>);

impl Connectors {
    /// Opens a connector for each tool. One that cannot be opened (a bad key, no trust store) fails when it is asked for.
    #[must_use]
    pub fn open(config: &Config) -> Self {
        Self(
            config
                .tools
                .values()
                .map(|tool| (tool.name.clone(), open(tool)))
                .collect(),
        )
    }

    /// The connectors of a new configuration: those of the tools named in `same` are kept, with their connections and rate
    /// limits, all others opened.
    #[must_use]
    pub fn reopen(before: &Self, config: &Config, same: &BTreeSet<String>) -> Self {
        let kept_or_opened = |tool: &Tool| match before.0.get(&tool.name) {
            Some(connector) if same.contains(&tool.name) => connector.clone(),
            _ => open(tool),
        };
        Self(
            config
                .tools
                .values()
                .map(|tool| (tool.name.clone(), kept_or_opened(tool)))
                .collect(),
        )
    }

    /// The connector of a tool.
    ///
    /// # Errors
    /// Why it could not be opened.
    pub fn get(&self, tool: &str) -> Result<Arc<dyn Connector>, ConnectorError> {
        match self.0.get(tool) {
            Some(Ok(connector)) => Ok(Arc::clone(connector)),
            Some(Err(reason)) => Err(ConnectorError::Refused(reason.clone())),
            None => Err(ConnectorError::Refused(format!(
                "tool {tool} is not configured"
            ))),
        }
    }
}

fn open(tool: &Tool) -> Result<Arc<dyn Connector>, String> {
    let entry = ENTRIES
        .iter()
        .find(|entry| entry.spec.name == tool.connector)
        .ok_or_else(|| format!("there is no connector {}", tool.connector))?;
    (entry.open)(tool).map_err(|error| error.to_string())
}
