//! Which issues a search asks for. What is not listed here is not known, and ignored.

use chrono::{DateTime, NaiveDate};

use super::answer::{Parameters, Refusal, first, one_of, words};
use super::model::Issue;
use super::render::Ways;

const TYPES: &[&str] = &["CODE_SMELL", "BUG", "VULNERABILITY"];
const SEVERITIES: &[&str] = &["INFO", "MINOR", "MAJOR", "CRITICAL", "BLOCKER"];
const QUALITIES: &[&str] = &["MAINTAINABILITY", "RELIABILITY", "SECURITY"];

/// Filters of a search for issues.
pub(super) struct Filter<'a> {
    types: Option<Vec<&'a str>>,
    severities: Option<Vec<&'a str>>,
    qualities: Option<Vec<&'a str>>,
    rules: Option<Vec<&'a str>>,
    directories: Option<Vec<&'a str>>,
    files: Option<Vec<&'a str>>,
    after: Option<i64>,
    before: Option<i64>,
}

impl<'a> Filter<'a> {
    pub(super) fn of(parameters: &'a Parameters, ways: &Ways) -> Result<Self, Refusal> {
        let qualities = match ways.has_impacts {
            true => one_of(parameters, "impactSoftwareQualities", QUALITIES)?,
            false => None,
        };
        Ok(Self {
            types: one_of(parameters, "types", TYPES)?,
            severities: one_of(parameters, "severities", SEVERITIES)?,
            qualities,
            rules: words(parameters, "rules"),
            directories: words(parameters, "directories"),
            files: words(parameters, ways.files),
            after: time(parameters, "createdAfter", 0)?,
            before: time(parameters, "createdBefore", 24 * 3600)?,
        })
    }

    /// The same without the filter that a facet is of: a facet tells what else there is.
    pub(super) fn without(mut self, facet: &str, ways: &Ways) -> Self {
        match facet {
            "types" => self.types = None,
            "severities" => self.severities = None,
            "rules" => self.rules = None,
            "directories" => self.directories = None,
            facet if facet == ways.files => self.files = None,
            _ => {}
        }
        self
    }

    pub(super) fn admits(&self, issue: &Issue) -> bool {
        let is_in = |list: &Option<Vec<&str>>, value: Option<&str>| match list {
            None => true,
            Some(list) => value.is_some_and(|value| list.contains(&value)),
        };
        let qualities = self.qualities.as_ref().is_none_or(|list| {
            let mut impacts = issue.impacts.iter();
            impacts.any(|(quality, _)| list.contains(&quality.as_str()))
        });
        qualities
            && is_in(&self.types, Some(&issue.kind))
            && is_in(&self.severities, Some(&issue.severity))
            && is_in(&self.rules, Some(&issue.rule))
            && is_in(&self.directories, issue.path.as_deref().and_then(directory))
            && is_in(&self.files, issue.path.as_deref())
            && self.after.is_none_or(|after| issue.created >= after)
            && self.before.is_none_or(|before| issue.created < before)
    }
}

/// The directory of a file.
pub(super) fn directory(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(directory, _)| directory)
}

/// A time, or a bare date, which as an end includes its day.
fn time(parameters: &Parameters, name: &str, seconds_of_day: i64) -> Result<Option<i64>, Refusal> {
    let Some(text) = first(parameters, name) else {
        return Ok(None);
    };
    let time = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z");
    if let Ok(time) = time {
        return Ok(Some(time.timestamp()));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    match date.and_then(|date| date.and_hms_opt(0, 0, 0)) {
        Some(midnight) => Ok(Some(midnight.and_utc().timestamp() + seconds_of_day)),
        None => Err(Refusal::bad(format!(
            "'{text}' cannot be parsed as either a date or date+time"
        ))),
    }
}
