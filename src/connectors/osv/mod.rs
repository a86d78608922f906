//! OSV.dev: the known vulnerabilities of the packages that SBOM files list.
//!
//! The one tool whose records are files of the admin's: OSV itself has no projects, takes no keys, and only answers what is asked.

mod answer;
mod api;
mod batch;
mod details;
mod ecosystems;
mod files;
mod finding;
mod fixed;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod group;
mod package;
mod purl;
mod reading;
mod record;
mod row;
mod sbom;
mod selection;
mod severity;
mod spec;
mod versions;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use self::api::Api;
use self::details::{Details, is_pointless};
use self::files::{File, Files, NoFiles};
use self::reading::Reading;
use self::selection::Selection;
use self::spec::Wanted;
use super::pages::Pages;
use super::{Completeness, Connector, ConnectorError, Pulled, Record, Scope, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError};

pub(super) use self::spec::SPEC;

/// After so many SBOMs in a row that could not be read because of the service or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

struct Osv {
    client: Client,
    location: String,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let tool = Tool {
        location: service_root(&tool.location),
        ..tool.clone()
    };
    Ok(Arc::new(Osv {
        client: Client::new(&tool, Authentication::default())?,
        location: tool.location.to_string(),
    }))
}

/// Takes off what people paste along: `/v1`, `/v1/query`, `/v1/querybatch`. A proxy's prefix stays.
fn service_root(location: &Url) -> Url {
    let mut root = location.clone();
    let path = location.path().trim_end_matches('/');
    let pasted = ["/v1/querybatch", "/v1/query", "/v1"];
    if let Some(path) = pasted.iter().find_map(|tail| path.strip_suffix(tail)) {
        root.set_path(path);
    }
    root
}

#[async_trait]
impl Connector for Osv {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        Api::new(self.client.clone()).prove().await?;
        let proven = "OSV answers (no key needed)";
        let Some(api) = api else {
            return Ok(proven.to_owned());
        };
        let wanted = Wanted::of(&api.settings);
        let files = Files::at(wanted.sbom).await;
        let files = files.map_err(|none| ConnectorError::Refused(none.into_reason()))?;
        let mut told = Vec::new();
        for file in files.as_slice() {
            let sbom = file.read().await.map_err(ConnectorError::Refused)?;
            let format = sbom.format.clone();
            let selection = Selection::of(sbom, wanted.release);
            told.push(format!(
                "{}: {format}, packages: {}, to be asked: {}",
                file.record.id,
                selection.total(),
                selection.packages.len()
            ));
        }
        Ok(match told.as_slice() {
            [first, _, .., last] => {
                format!("{proven}; SBOMs: {}, from {first} to {last}", told.len())
            }
            _ => format!("{proven}; {}", told.join("; ")),
        })
    }

    /// None: the records are files, which API configurations name.
    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let wanted = Wanted::of(&api.settings);
        let files = match Files::at(wanted.sbom).await {
            Ok(files) => files,
            Err(none) => {
                if let NoFiles::Gone(_) = none {
                    sink.put(Pulled::Records(Vec::new())).await?;
                }
                return Err(ConnectorError::Refused(none.into_reason()));
            }
        };
        sink.put(Pulled::Records(files.records())).await?;
        let service = Api::new(self.client.metered(sink.meter()));
        let mut details = Details::new(&service, sink.documents(), &self.location);
        let mut run = Run {
            wanted,
            service: &service,
            details: &mut details,
            sink,
        };
        match &files {
            Files::One(file) => run.pull_one(file).await,
            Files::All(files) => run.pull_all(files).await,
        }
    }
}

/// One run over the SBOMs of an API configuration.
struct Run<'a, 'd> {
    wanted: Wanted<'a>,
    service: &'a Api,
    details: &'a mut Details<'d>,
    sink: &'a mut Sink,
}

impl Run<'_, '_> {
    /// Reads the one file that is configured. That it cannot be read is an error of the run and not "no findings".
    async fn pull_one(&mut self, file: &File) -> Result<(), ConnectorError> {
        if !self.sink.wants(&file.record) {
            let warning = format!("records leaves out the configured SBOM {}", file.record.id);
            return Ok(self.sink.put(Pulled::Warning(warning)).await?);
        }
        match self.pull(file).await? {
            Outcome::Ended | Outcome::Broken(_) => Ok(()),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    /// Reads all files, one after the other.
    async fn pull_all(&mut self, files: &[File]) -> Result<(), ConnectorError> {
        let mut failures = 0;
        for file in files {
            if !self.sink.wants(&file.record) {
                continue;
            }
            let failure = match self.pull(file).await? {
                Outcome::Ended => {
                    failures = 0;
                    continue;
                }
                Outcome::Broken(failure) => failure,
                Outcome::Failed(failure) => {
                    let scope = scope(file);
                    let end = Completeness::Incomplete(failure.to_string());
                    Pages::of(scope).end(end, self.sink).await?;
                    failure
                }
            };
            if let ConnectorError::Http(error) = &failure {
                failures += u32::from(error.concerns_all());
                if is_pointless(error) || failures >= FAILURES_IN_A_ROW {
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// Reads one file.
    async fn pull(&mut self, file: &File) -> Result<Outcome, ConnectorError> {
        let sbom = match file.read().await {
            Ok(sbom) => sbom,
            Err(reason) => return Ok(Outcome::Failed(ConnectorError::Refused(reason))),
        };
        let selection = Selection::of(sbom, self.wanted.release);
        let record = file.record.clone();
        let mut reading = Reading::new(record, self.service, self.details, self.sink);
        reading.warn(&file.record.id, &selection).await?;
        match reading.read(&selection).await {
            Ok(completeness) => {
                reading.end(completeness).await?;
                Ok(Outcome::Ended)
            }
            Err(ConnectorError::Closed(closed)) => Err(closed.into()),
            Err(failure) if reading.has_read => {
                let end = Completeness::Incomplete(failure.to_string());
                reading.end(end).await?;
                Ok(Outcome::Broken(failure))
            }
            Err(failure) => Ok(Outcome::Failed(failure)),
        }
    }
}

/// How the reading of an SBOM went.
enum Outcome {
    /// To its end, which was told.
    Ended,
    /// It broke off, and its end was told.
    Broken(ConnectorError),
    /// Nothing was read.
    Failed(ConnectorError),
}

fn scope(file: &File) -> Scope {
    Scope {
        record: file.record.clone(),
        branch: None,
        part: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_people_paste_along_is_taken_off_and_a_prefix_is_kept() {
        for (location, root) in [
            ("https://api.osv.dev", "https://api.osv.dev/"),
            ("https://api.osv.dev/v1", "https://api.osv.dev/"),
            ("https://api.osv.dev/v1/querybatch/", "https://api.osv.dev/"),
            (
                "https://proxy.example.com/osv/v1/query",
                "https://proxy.example.com/osv",
            ),
            (
                "https://proxy.example.com/my-v1",
                "https://proxy.example.com/my-v1",
            ),
        ] {
            assert_eq!(
                service_root(&location.parse().unwrap()).as_str(),
                root,
                "{location}"
            );
        }
    }
}
