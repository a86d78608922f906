use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{ApiConfiguration, Config, Notification};
use crate::notice::{Event, Notice};
use crate::store::NewMessage;

/// Who is told by one `[notifications.NAME]`, and of which API configurations.
pub(super) struct Audience {
    /// `notifications.NAME`.
    pub(super) destination: String,
    pub(super) notification: Arc<Notification>,
    /// The API configurations that it is about, each with its connector.
    apis: BTreeMap<String, (Arc<ApiConfiguration>, String)>,
    /// Whether anything is imported by schedule.
    automatic_import: bool,
}

impl Audience {
    pub(super) fn of(notification: &Arc<Notification>, config: &Config) -> Self {
        let apis = config
            .api_configurations
            .values()
            .filter(|api| notification.from.is_match(&api.name))
            .filter_map(|api| {
                let connector = config.tools.get(&api.tool)?.connector.clone();
                Some((api.name.clone(), (Arc::clone(api), connector)))
            });
        Self {
            destination: format!("notifications.{}", notification.name),
            notification: Arc::clone(notification),
            apis: apis.collect(),
            automatic_import: config.automatic_import,
        }
    }

    /// The API configuration of this name, if it is configured still.
    pub(super) fn api(&self, name: &str) -> Option<&ApiConfiguration> {
        self.apis.get(name).map(|(api, _)| &**api)
    }

    /// The API configurations whose absence is told, each with its connector and with how long it may be absent.
    pub(super) fn watched(&self) -> impl Iterator<Item = (&ApiConfiguration, &str, Duration)> {
        self.apis.values().filter_map(|(api, connector)| {
            let limit = self.patience_with(&api.name)?;
            Some((&**api, connector.as_str(), limit))
        })
    }

    /// How long an API configuration may be absent before that is told; none if it is not told at all.
    pub(super) fn patience_with(&self, name: &str) -> Option<Duration> {
        let api = self.api(name).filter(|api| api.automatic_import)?;
        let is_told =
            self.automatic_import && self.notification.events.contains(&Event::NotImported);
        is_told.then(|| self.notification.patience_with(api))
    }

    /// Names a message by what it tells: the same however often it is written.
    pub(super) fn id_of(&self, told: &[String]) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(&self.destination).chain(told) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// The notice as it waits.
    pub(super) fn message(&self, notice: &Notice) -> Option<NewMessage> {
        match serde_json::to_string(notice) {
            Ok(content) => Some(NewMessage {
                destination: self.destination.clone(),
                // Each tells something of its own.
                topic: None,
                content,
            }),
            Err(error) => {
                tracing::error!("{}: a message cannot be kept: {error}", self.destination);
                None
            }
        }
    }
}
