//! TOML to a validated [`Config`]: tools, API configurations, schedules, secrets.
//!
//! Belongs here: reading files and environment, and every check that needs no network. Does not belong here: what a
//! connector does with its settings. Connectors describe their settings as data ([`ConnectorSpec`]); this floor checks
//! them without knowing a connector.

mod secret;
mod settings;
mod spec;
mod types;

pub use secret::Secret;
pub use settings::{Settings, Value};
pub use spec::{ConnectorSpec, Need, Setting, SettingKind};
pub use types::{
    ApiConfiguration, Config, Control, ImportLimits, Labels, MissingRecords, ProxySetting,
    RecordFilter, ScheduleSetting, StoreUrl, Tool, Trust,
};
