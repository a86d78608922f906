//! TOML to a validated [`Config`]: tools, API configurations, schedules, secrets.
//!
//! Belongs here: reading files and environment, and every check that needs no network. Does not belong here: what a
//! connector does with its settings. Connectors describe their settings as data ([`ConnectorSpec`]); this floor checks
//! them without knowing a connector.

mod api_configurations;
mod document;
mod environment;
mod field;
mod files;
mod forwards;
mod key_path;
mod keys;
mod kind;
mod load;
mod notifications;
mod postgres;
mod problem;
mod read;
mod reference;
mod resolve;
mod revision;
mod scalars;
mod schedule;
mod secret;
mod settings;
mod sources;
mod spec;
mod store;
mod suggest;
mod template;
mod tools;
mod trust;
mod types;
mod wrong;

pub use environment::process_environment;
pub use files::DEFAULT_PATH;
pub use kind::EndpointOfRegion;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use load::load_texts;
pub use load::{Loaded, Local, load, load_local};
pub use postgres::{PostgresHost, PostgresServer, PostgresTls, PostgresUrl};
pub use problem::{Place, Problem, Problems};
pub use reference::reference_markdown;
pub use secret::Secret;
pub use settings::{Settings, Value};
pub use spec::{ConnectorSpec, Direction, Need, Setting, SettingKind, ToolDraft};
pub use template::{Placeholder, Template};
pub use types::{
    ApiConfiguration, CloseOld, Config, Control, Forward, Hook, ImportLimits, Labels, Mail,
    MailTls, MissingRecords, Notification, ProxySetting, Receiver, RecordFilter, ScheduleSetting,
    StoreUrl, Tool, Trust,
};

#[cfg(test)]
mod tests;
