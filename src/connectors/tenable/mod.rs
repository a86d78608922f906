//! Tenable Vulnerability Management and Web App Scanning, in the vendor's cloud: all findings, by export jobs.
//!
//! An export is asked for, watched until it is finished, and read chunk by chunk. What the vendor leaves out unless told (what is
//! older than 30 days, what is fixed, assets without a licence) is asked for explicitly: a finding that is absent from a whole
//! export is gone, and so are those of deleted assets, which never become FIXED.

mod api;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod import;
mod job;
mod keys;
mod listing;
mod pace;
mod row;
mod selection;
mod spec;
mod status;
mod tables;
mod words;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::api::Api;
use self::import::{Import, Manner};
use self::job::Exports;
use self::keys::Keys;
use self::pace::Pace;
use self::selection::{Selection, Source, id_of_network, id_of_tag, whole};
use super::{Connector, ConnectorError, Pulled, Record, Sink};
use crate::config::{ApiConfiguration, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind};

pub(super) use self::spec::SPEC;

/// Networks of a page; Tenable gives 50 unless asked.
const NETWORKS: usize = 1000;

/// Tags of a page, as Tenable gives unless asked.
const TAGS: usize = 5000;

struct Tenable {
    client: Client,
    exports: Arc<Exports>,
    manner: Manner,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    Tenable::at_pace(tool, Pace::default()).map(|tenable| Arc::new(tenable) as Arc<dyn Connector>)
}

impl Tenable {
    fn at_pace(tool: &Tool, pace: Pace) -> Result<Self, HttpError> {
        let unusable = |reason: String| HttpError {
            kind: HttpErrorKind::Setup,
            message: format!("tool {}: {reason}", tool.name),
        };
        let settings = &tool.settings;
        let secret = tool.secret.as_ref();
        let secret = secret.ok_or_else(|| unusable("secret is missing".to_owned()))?;
        let keys = Keys::of(settings.text("access_key"), secret)
            .map_err(|reason| unusable(format!("secret {reason}")))?;
        // Where the secret holds both keys, the one that opens the door has to be kept out of what is shown.
        let tool = Tool {
            secret: Some(keys.secret.clone()),
            ..tool.clone()
        };
        let authentication = Authentication {
            headers: vec![("X-ApiKeys".to_owned(), keys.header())],
            ..Authentication::default()
        };
        let minutes = settings.integer("export_timeout_minutes").unwrap_or(180);
        Ok(Self {
            client: Client::new(&tool, authentication)?,
            exports: Arc::default(),
            manner: Manner {
                num_assets: settings.integer("num_assets").unwrap_or(500),
                limit: Duration::from_secs(minutes.unsigned_abs() * 60),
                pace,
            },
        })
    }
}

#[async_trait]
impl Connector for Tenable {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = Api::new(&self.client, Arc::default());
        let version = server.version().await?;
        let version = version.map_or_else(String::new, |version| format!(" {version}"));
        let source = api.map_or(Source::Vm, |api| Source::of(&api.settings));
        let product = match source {
            Source::Vm => "Tenable Vulnerability Management",
            Source::Was => "Tenable Web App Scanning",
        };
        Ok(match server.may_export(source).await? {
            Some(()) => format!("{product}{version}, keys accepted, exports allowed"),
            None => format!(
                "{product}{version}, keys accepted; whether they may export is seen at the first import"
            ),
        })
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = Api::new(&self.client, Arc::default());
        let mut records = vec![
            Record {
                detail: Some("everything, unless network_id, cidr_range or tags select".to_owned()),
                ..whole(Source::Vm)
            },
            Record {
                detail: Some("with source = \"was\"".to_owned()),
                ..whole(Source::Was)
            },
        ];
        match server.list("/networks", "networks", NETWORKS).await {
            Ok(networks) => records.extend(networks.iter().filter_map(network)),
            // To list them needs more than to import from them.
            Err(ConnectorError::Http(error)) if error.status() == Some(403) => {}
            Err(error) => return Err(error),
        }
        let tags = server.list("/tags/values", "values", TAGS).await?;
        records.extend(tags.iter().filter_map(tag));
        Ok(records)
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        Selection::of(&api.settings).names(record)
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = Api::new(&self.client, sink.meter());
        let selection = Selection::of(&api.settings);
        let record = selection.record();
        // What was selected before is missing now, and is closed if `missing_records` says so.
        sink.put(Pulled::Records(vec![record.clone()])).await?;
        if !sink.wants(&record) {
            let warning = format!("records leaves out what is selected, {}", record.name);
            return Ok(sink.put(Pulled::Warning(warning)).await?);
        }
        let import = Import::new(&server, &self.exports, &selection, self.manner, sink);
        import.read().await
    }
}

type Item = serde_json::Map<String, serde_json::Value>;

fn network(item: &Item) -> Option<Record> {
    let uuid = item.get("uuid")?.as_str()?;
    let name = item.get("name").and_then(|name| name.as_str());
    Some(Record {
        id: id_of_network(uuid),
        name: name.unwrap_or(uuid).to_owned(),
        detail: Some(format!("with network_id = \"{uuid}\"")),
    })
}

/// A category without values is no tag.
fn tag(item: &Item) -> Option<Record> {
    let category = item.get("category_name")?.as_str()?;
    let value = item.get("value")?.as_str()?;
    Some(Record {
        id: id_of_tag(category, value),
        name: format!("{category}: {value}"),
        detail: Some(format!("with tags = {{ {category:?} = [{value:?}] }}")),
    })
}

#[cfg(test)]
mod tests;
