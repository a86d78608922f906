//! The validated configuration: nothing in it can be wrong, nothing that must be there is optional.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use globset::GlobSet;
use lettre::message::Mailbox;
use url::Url;

use super::{PostgresUrl, Secret, Settings, Template};
use crate::finding::Severity;
use crate::notice::{Event, Templates};

/// Everything that the program uses of its configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where findings are kept.
    pub store: StoreUrl,
    /// `[automatic_import] enabled`: false switches the schedule off for all API configurations.
    pub automatic_import: bool,
    /// How many imports may run at the same time, at least 1.
    pub max_concurrent: usize,
    /// How old a missed slot may be to be run at start.
    pub catch_up_within: Duration,
    /// When an import is held.
    pub import: ImportLimits,
    /// The control socket.
    pub control: Control,
    /// Tools by name.
    pub tools: BTreeMap<String, Arc<Tool>>,
    /// API configurations by name. Each one's `tool` is a key of `tools`.
    pub api_configurations: BTreeMap<String, Arc<ApiConfiguration>>,
    /// Where findings are sent on to, by name. Each one's `tool` is a key of `tools`.
    pub forwards: BTreeMap<String, Arc<Forward>>,
    /// Who is told of what, by name.
    pub notifications: BTreeMap<String, Arc<Notification>>,
}

impl Config {
    /// What everybody should know who reads of an import of this API configuration, each time.
    #[must_use]
    pub fn warnings_of(&self, api: &ApiConfiguration) -> Vec<String> {
        self.tools
            .get(&api.tool)
            .map(|tool| tool.warnings())
            .unwrap_or_default()
    }
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`, with what else `[store]` says of it.
    Postgres(Box<PostgresUrl>),
}

/// `[import]`: when a run is held, and how long it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportLimits {
    /// More than this share (0.0 to 1.0) of an API configuration's open findings is not resolved without `accept`.
    pub max_resolved_fraction: f64,
    /// Runs that would resolve fewer findings than this are never held.
    pub min_held: u64,
    /// How long one run may take, unless the API configuration says otherwise.
    pub run_timeout: Duration,
}

/// `[control]`: the socket, and TCP where the admin asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Path of the Unix socket.
    pub socket: PathBuf,
    /// Group that owns the socket, if not the daemon's own.
    pub group: Option<String>,
    /// `metrics_listen`: `GET /metrics` and `GET /healthz` on TCP as well; nothing else is served there.
    pub metrics_listen: Option<SocketAddr>,
}

/// One configured instance of a connector.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name in TOML.
    pub name: String,
    /// Name of a known connector.
    pub connector: String,
    /// Base URL; http or https, without credentials, query and fragment.
    pub location: Url,
    /// The tool's `secret`, resolved.
    pub secret: Option<Secret>,
    /// Whom to trust, and as whom to present oneself.
    pub trust: Trust,
    /// By which way to go out.
    pub proxy: ProxySetting,
    /// Limit for one whole request with its body.
    pub timeout: Duration,
    /// Limit for the rate of requests, if any; shared by all API configurations of the tool.
    pub max_requests_per_second: Option<f64>,
    /// How many requests may be under way at the same time, at least 1.
    pub max_concurrent_requests: usize,
    /// The connector's own settings.
    pub settings: Settings,
    /// Tells this state of the tool from another after a reload: it changes with anything written down for the tool, and
    /// with the contents of its secrets and certificates. Comparable within one process only.
    pub revision: [u8; 8],
}

impl Tool {
    fn warnings(&self) -> Vec<String> {
        if !self.trust.accept_invalid {
            return Vec::new();
        }
        let host = self.location.host_str().unwrap_or_default();
        vec![format!(
            "verify_tls = false of tool {}: who answered as {host} was not checked, it may have been anybody; set ca_bundle in its place",
            self.name
        )]
    }
}

/// TLS trust of a tool.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// PEM bundle to add to the system's trust, read and found to hold certificates.
    pub ca_bundle: Option<Vec<u8>>,
    /// The bundle replaces the system's trust.
    pub ca_bundle_only: bool,
    /// Certificates are not checked at all; warned about at each run.
    pub accept_invalid: bool,
    /// PEM of client certificate and key, together.
    pub client_identity: Option<Vec<u8>>,
}

/// Without the contents: a private key is among them.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("ca_bundle", &self.ca_bundle.is_some())
            .field("ca_bundle_only", &self.ca_bundle_only)
            .field("accept_invalid", &self.accept_invalid)
            .field("client_identity", &self.client_identity.is_some())
            .finish()
    }
}

/// By which way a tool is reached.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum ProxySetting {
    /// As HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
    #[default]
    Environment,
    /// `proxy = "none"`: directly.
    Direct,
    /// By this proxy (http, https, socks5, socks5h). The URL may hold a password.
    Through(Url),
}

/// Without user name and password.
impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::Direct => f.write_str("Direct"),
            Self::Through(url) => write!(
                f,
                "Through({}://{}:{})",
                url.scheme(),
                url.host_str().unwrap_or_default(),
                url.port_or_known_default().unwrap_or_default()
            ),
        }
    }
}

/// What to import from a tool into which product, and when.
#[derive(Debug, Clone)]
pub struct ApiConfiguration {
    /// Its name in TOML.
    pub name: String,
    /// Name of a configured tool.
    pub tool: String,
    /// Product; none means that every record becomes a product of its own name.
    pub product: Option<String>,
    /// What is put on every imported finding.
    pub labels: Labels,
    /// Which of the tool's records to import.
    pub records: RecordFilter,
    /// What becomes of the findings of a record that is no longer listed.
    pub missing_records: MissingRecords,
    /// After how many complete imports in a row without it a finding is resolved, at least 1.
    pub resolve_after: u32,
    /// Whether the schedule imports it (its own switch; the general one is [`Config::automatic_import`]).
    pub automatic_import: bool,
    /// When.
    pub schedule: ScheduleSetting,
    /// How long one run may take.
    pub run_timeout: Duration,
    /// The connector's own settings.
    pub settings: Settings,
    /// Tells this state of the API configuration from another after a reload: it changes with anything written down for
    /// it and with what it takes from the general settings, not with its tool ([`Tool::revision`]). Comparable within one
    /// process only.
    pub revision: [u8; 8],
}

/// `[forwards.NAME]`: where findings are sent on to when an import has changed them.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Its name in TOML.
    pub name: String,
    /// Name of a configured tool whose connector can receive.
    pub tool: String,
    /// Whose findings are sent: names of API configurations, none of which reads from the receiving tool itself.
    pub api_configurations: BTreeSet<String>,
    /// Product type of products that are made.
    pub product_type: String,
    /// Name of the product.
    pub product: Template,
    /// Name of the engagement.
    pub engagement: Template,
    /// Title of the test, before what has to be added to it.
    pub test_title: Template,
    /// Whether what is resolved here is closed there.
    pub close_old: CloseOld,
    /// What is less severe is not sent. Never unknown.
    pub minimum_severity: Severity,
    /// A test type of its own.
    pub test_type: Option<String>,
    /// Tags of the tests, in lower case.
    pub tags: Vec<String>,
    /// How long one upload may take.
    pub request_timeout: Duration,
    /// Tells this state of the forward from another after a reload. Comparable within one process only.
    pub revision: [u8; 8],
}

/// Whether a forward closes what is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOld {
    /// Never.
    Never,
    /// When the newest import of the API configuration has read everything to its proper end.
    CompleteOnly,
}

/// The labels of `automatic_import`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Branch of every finding.
    pub branch: Option<String>,
    /// Service of every finding.
    pub service: Option<String>,
    /// Image `name:tag` where the connector found none.
    pub docker_image: Option<String>,
    /// URL where the connector found none.
    pub endpoint_url: Option<String>,
    /// Cluster of every finding.
    pub kubernetes_cluster: Option<String>,
}

/// When an API configuration is imported, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ScheduleSetting {
    /// Once a day.
    Daily {
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// Every so often, counted from 1970 with an offset per name; at least a minute.
    Every(Duration),
    /// A cron expression of five fields, checked to have a next occurrence.
    Cron(String),
}

/// What becomes of the findings of a record that a complete discovery no longer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingRecords {
    /// They stay.
    #[default]
    Keep,
    /// They are resolved.
    Resolve,
}

/// `records = { include = […], exclude = […] }`: globs over a record's name and id.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// None: everything is included.
    pub include: Option<GlobSet>,
    /// What is left out of that.
    pub exclude: Option<GlobSet>,
}

impl RecordFilter {
    /// Whether the record of this id and name is to be imported.
    #[must_use]
    pub fn admits(&self, id: &str, name: &str) -> bool {
        let matches = |set: &GlobSet| set.is_match(id) || set.is_match(name);
        self.include.as_ref().is_none_or(matches) && !self.exclude.as_ref().is_some_and(matches)
    }
}

/// Who is told of what.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Its name in TOML.
    pub name: String,
    /// Of which API configurations.
    pub from: GlobSet,
    /// Of what; never [`Event::Recovered`].
    pub events: BTreeSet<Event>,
    /// New findings at or above this severity.
    pub severity: Severity,
    /// `not_imported_for`, where it is given.
    pub not_imported_for: Option<Duration>,
    /// Words in place of secpull's own.
    pub templates: Templates,
    /// By which way.
    pub receiver: Receiver,
}

impl Notification {
    /// After how long without a complete import this API configuration counts as not imported.
    #[must_use]
    pub fn patience_with(&self, api: &ApiConfiguration) -> Duration {
        const LEAST: Duration = Duration::from_secs(26 * 3600);
        const GRACE: Duration = Duration::from_secs(2 * 3600);
        self.not_imported_for.unwrap_or_else(|| {
            api.schedule
                .longest_interval()
                .saturating_add(GRACE)
                .max(LEAST)
        })
    }
}

/// By which way somebody is told.
#[derive(Debug, Clone)]
pub enum Receiver {
    /// A program that takes JSON.
    Webhook {
        /// Where.
        hook: Hook,
        /// By which requests are signed.
        key: Option<Secret>,
        /// What else goes with them.
        headers: Vec<(String, Secret)>,
    },
    /// A channel of Slack.
    Slack(Hook),
    /// A channel or chat of Microsoft Teams.
    Teams(Hook),
    /// People, by e-mail.
    Email(Mail),
}

/// Where a message is posted to.
#[derive(Debug, Clone)]
pub struct Hook {
    /// http or https, without user name and password. Path and query may let anyone who has them post.
    pub url: Secret,
    /// The URL's host as a tool, whose secrets are the parts of the URL: trust, way out, time limit.
    pub host: Tool,
}

/// A mail server, and what to give it.
#[derive(Clone)]
pub struct Mail {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is protected.
    pub tls: MailTls,
    /// Whom to trust, and as whom to present oneself.
    pub trust: Trust,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// The sender.
    pub from: Mailbox,
    /// The receivers; at least one.
    pub to: Vec<Mailbox>,
    /// Limit for one attempt.
    pub timeout: Duration,
}

/// Without the addresses of people.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("login", &self.login.is_some())
            .finish_non_exhaustive()
    }
}

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// By STARTTLS, without which nothing is sent.
    StartTls,
    /// By TLS from the first byte.
    Implicit,
    /// Not at all.
    None,
}
