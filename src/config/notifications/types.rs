use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use globset::GlobSet;
use lettre::message::Mailbox;

use crate::config::{ApiConfiguration, Secret, Tool, Trust};
use crate::finding::Severity;
use crate::notice::{Event, Templates};

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
