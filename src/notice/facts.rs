use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Event;
use super::clean::one_line;
use crate::finding::{Finding, Places, Severity, filed};

/// Longest title or place of a finding, in characters.
const LONGEST_WORDS: usize = 200;

/// Longest error, in characters.
const LONGEST_ERROR: usize = 1000;

/// Longest name of a product, branch, service or record, in characters.
const LONGEST_NAME: usize = 120;

/// The facts of one notification: one run of one API configuration, or its absence. Kept in the outbox as JSON, and the
/// generic webhook's body. What vendors and tools have a hand in is on one line and of bounded length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same over all attempts to deliver it, and of no other notification.
    pub id: String,
    /// What is told, the most urgent first; at least one.
    pub events: Vec<Event>,
    /// When it was found out.
    pub at: DateTime<Utc>,
    /// Name of the API configuration.
    pub api_configuration: String,
    /// Name of its connector.
    pub connector: String,
    /// Its product; none where every record becomes a product of its own name.
    pub product: Option<String>,
    /// The run; none for `not_imported`.
    pub run: Option<RunFacts>,
    /// What went wrong.
    pub error: Option<String>,
    /// What an operator can do, a command.
    pub action: Option<String>,
    /// Findings that nobody knew before.
    pub new_findings: Option<NewFindings>,
    /// What is over.
    pub recovered: Option<Recovered>,
    /// How long no import was complete.
    pub not_imported: Option<Overdue>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented where runs are listed")]
pub struct RunFacts {
    pub id: i64,
    pub status: String,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub new: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub resolved: u64,
    pub reopened: u64,
    pub unreadable: u64,
}

/// New findings at or above a severity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewFindings {
    /// The least severe that is told of.
    pub severity: Severity,
    /// How many there are.
    pub count: u64,
    /// How many of each severity, the most severe first; those that there are none of are left out.
    pub by_severity: Vec<SeverityCount>,
    /// The first, the most severe first.
    pub findings: Vec<ListedFinding>,
    /// How many are not listed.
    pub more: u64,
}

/// How many findings have a severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "says itself what it is")]
pub struct SeverityCount {
    pub severity: Severity,
    pub count: u64,
}

/// A new finding in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFinding {
    /// The store's number, for `secpull findings show`.
    pub id: i64,
    /// Severity.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// CVE, GHSA, …
    pub vulnerability_id: Option<String>,
    /// The most telling place, in a few words; may be empty.
    pub place: String,
    /// Product.
    pub product: String,
    /// Branch.
    pub branch: Option<String>,
    /// Service.
    pub service: Option<String>,
}

/// What is over with this complete import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// What it was.
    pub from: Event,
    /// The run that had it, if it was one.
    pub run: Option<i64>,
    /// What went wrong then.
    pub error: Option<String>,
}

/// How long an API configuration was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// When an import was last complete; none if none ever was.
    pub last_complete_at: Option<DateTime<Utc>>,
    /// How long is too long, in seconds.
    pub limit_seconds: u64,
}

/// What went wrong with a run, fit to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// The error of a run.
    #[must_use]
    pub fn new(error: &str) -> Self {
        Self(one_line(error, LONGEST_ERROR))
    }

    /// As it is told.
    #[must_use]
    pub fn into_words(self) -> String {
        self.0
    }

    /// What two errors have in common that differ only in numbers (an attempt, a count, a port, a time): whether the
    /// trouble is still the same.
    #[must_use]
    pub fn gist(&self) -> String {
        let mut gist = String::new();
        let mut in_number = false;
        for c in self.0.chars() {
            let is_digit = c.is_ascii_digit();
            if !is_digit {
                gist.push(c);
            } else if !in_number {
                gist.push('#');
            }
            in_number = is_digit;
        }
        gist
    }
}

impl ListedFinding {
    /// The finding, cut to what a message has place for.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let name = |name: &String| one_line(name, LONGEST_NAME);
        let place = Places {
            component: finding.component.as_ref(),
            source_location: finding.source_location.as_ref(),
            endpoint: finding.endpoint.as_ref(),
            cloud: finding.cloud.as_ref(),
            kubernetes: finding.kubernetes.as_ref(),
            host: finding.host.as_ref(),
            image: finding.image.as_ref(),
        };
        Self {
            id: finding.id,
            severity: finding.severity,
            title: one_line(&finding.title, LONGEST_WORDS),
            vulnerability_id: finding.vulnerability_id.as_ref().map(name),
            place: one_line(&place.in_words(), LONGEST_WORDS),
            product: name(&finding.product),
            branch: finding.branch.as_ref().map(name),
            service: finding.service.as_ref().map(name),
        }
    }

    /// Title, id and place: `CVE-2021-44228: Log4Shell, log4j-core 2.14.1`.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        if let Some(id) = &self.vulnerability_id
            && !self.title.contains(id.as_str())
        {
            words.push_str(id);
            words.push_str(": ");
        }
        words.push_str(&self.title);
        if !self.place.is_empty() {
            words.push_str(", ");
            words.push_str(&self.place);
        }
        words
    }

    /// `Shop/checkout@main, finding 17`.
    pub(super) fn whereabouts(&self) -> String {
        let filed = filed(
            &self.product,
            self.service.as_deref(),
            self.branch.as_deref(),
        );
        format!("{filed}, finding {}", self.id)
    }
}

impl NewFindings {
    /// `3 new findings at or above high (1 critical, 2 high)`.
    pub(super) fn words(&self) -> String {
        let findings = match self.count {
            1 => "finding",
            _ => "findings",
        };
        let mut words = format!("{} new {findings}", self.count);
        // Of one severity alone there is no "or above".
        match self.severity {
            Severity::Critical => {}
            severity => {
                let _ = write!(words, " at or above {severity}");
            }
        }
        let counts: Vec<_> = self
            .by_severity
            .iter()
            .map(|SeverityCount { severity, count }| format!("{count} {severity}"))
            .collect();
        let _ = write!(words, " ({})", counts.join(", "));
        words
    }
}

impl Overdue {
    /// The limit in words: `26h`.
    pub(super) fn limit(&self) -> String {
        let limit = std::time::Duration::from_secs(self.limit_seconds);
        humantime::format_duration(limit).to_string()
    }

    /// Whether an import that was last complete then is overdue now.
    #[must_use]
    pub fn is_over(last: DateTime<Utc>, limit: std::time::Duration, now: DateTime<Utc>) -> bool {
        TimeDelta::from_std(limit).is_ok_and(|limit| now - last > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_stays_the_same_when_only_its_numbers_change() {
        let gist = |error: &str| Trouble::new(error).gist();
        assert_eq!(
            gist("GET http://127.0.0.1:41234/api: 503 (tried 5 times)"),
            gist("GET http://127.0.0.1:9/api: 503 (tried 12 times)")
        );
        assert_ne!(gist("connection refused"), gist("connection reset"));
    }

    #[test]
    fn an_import_is_overdue_once_the_limit_is_past() {
        let hours = |hours| TimeDelta::hours(hours);
        let now = DateTime::UNIX_EPOCH + hours(1000);
        let limit = std::time::Duration::from_secs(26 * 3600);
        assert!(!Overdue::is_over(now - hours(26), limit, now));
        assert!(Overdue::is_over(now - hours(27), limit, now));
        assert!(!Overdue::is_over(now + hours(1), limit, now));
    }
}
