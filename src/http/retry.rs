use std::time::Duration;

use backon::ExponentialBuilder;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// When the tool's rate limit begins anew, where it says so. It is no standard: some vendors mean seconds or a date, others the
/// seconds since 1970.
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What cannot be a wait is no number of seconds until the reset.
const LONGEST_RESET: Duration = Duration::from_secs(300);

/// How often an unknown host name is looked up again.
const MAX_LOOKUPS: usize = 2;

/// How often and how patiently a request is sent again.
#[derive(Debug, Clone)]
pub(super) struct Retries {
    /// At most so many times.
    pub(super) most: usize,
    /// First wait; the next are twice as long each, and up to `first` of jitter is added.
    pub(super) first: Duration,
    /// Longest of those waits.
    pub(super) longest: Duration,
    /// A Retry-After beyond this is not waited for.
    pub(super) longest_retry_after: Duration,
    /// All waits of one request together.
    pub(super) total: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            most: 4,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(300),
            total: Duration::from_secs(600),
        }
    }
}

impl Retries {
    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_max_times(self.most)
            .with_jitter()
    }
}

/// Whether a failed attempt may be followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// It would fail in the same way.
    Never,
    /// After the usual wait.
    Soon,
    /// The host name is unknown: after the usual wait, but not more than twice.
    Lookup,
    /// The tool said when.
    After(Duration),
}

/// Whether a status speaks of a trouble that may pass.
pub(super) fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502..=504)
}

/// How much patience one request has left.
pub(super) struct Patience<'a> {
    retries: &'a Retries,
    lookups: usize,
    waited: Duration,
}

impl<'a> Patience<'a> {
    pub(super) fn new(retries: &'a Retries) -> Self {
        Self {
            retries,
            lookups: 0,
            waited: Duration::ZERO,
        }
    }

    /// How long to wait before the next attempt, if there is to be one; `backoff` is the usual wait, none when there were
    /// enough.
    pub(super) fn wait(&mut self, retry: Retry, backoff: Option<Duration>) -> Option<Duration> {
        let backoff = backoff?;
        let wait = match retry {
            Retry::Never => return None,
            Retry::Soon => backoff,
            Retry::After(asked) => backoff.max(asked),
            Retry::Lookup => {
                self.lookups += 1;
                if self.lookups > MAX_LOOKUPS {
                    return None;
                }
                backoff
            }
        };
        self.waited += wait;
        (self.waited <= self.retries.total).then_some(wait)
    }
}

/// How long the tool wants to be left alone: the longer of Retry-After and the reset of its rate limit; nothing if it says
/// neither.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let reset = wait_of(headers, &RATE_LIMIT_RESET, now).filter(|wait| *wait <= LONGEST_RESET);
    wait_of(headers, &RETRY_AFTER, now).max(reset)
}

/// A wait in either of the forms of Retry-After (RFC 9110, 10.2.3); nothing if it is neither. A date is taken relative to the
/// answer's own, so that clocks may differ.
fn wait_of(headers: &HeaderMap, name: &HeaderName, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    let from = date(headers, &DATE).unwrap_or(now);
    Some((then - from).to_std().unwrap_or(Duration::ZERO))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<DateTime<Utc>> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_and_ignored_when_neither() {
        let now = DateTime::parse_from_rfc3339("2026-03-01T10:00:00Z")
            .unwrap()
            .to_utc();
        let read = |text| retry_after(&headers(&[(RETRY_AFTER, text)]), now);
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            read("Sun, 01 Mar 2026 10:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Sun, 01 Mar 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("-5"), None);
        assert_eq!(read("later"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn the_longer_of_retry_after_and_the_reset_of_the_rate_limit_counts() {
        let read = |pairs: &[(HeaderName, &str)]| retry_after(&headers(pairs), Utc::now());
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(read(&[(RATE_LIMIT_RESET, "7")]), seconds(7));
        for (retry, reset, longer) in [("2", "7", 7), ("9", "7", 9), ("2", "1790000000", 2)] {
            let pairs = [(RETRY_AFTER, retry), (RATE_LIMIT_RESET, reset)];
            assert_eq!(read(&pairs), seconds(longer), "{retry} {reset}");
        }
        assert_eq!(read(&[(RATE_LIMIT_RESET, "1790000000")]), None);
    }

    #[test]
    fn patience_ends_with_the_backoff_the_lookups_or_the_total() {
        let seconds = Duration::from_secs;
        let retries = Retries {
            total: seconds(100),
            ..Retries::default()
        };
        let usual = Some(seconds(2));
        let mut patience = Patience::new(&retries);
        assert_eq!(patience.wait(Retry::Never, usual), None);
        assert_eq!(patience.wait(Retry::Soon, None), None);
        assert_eq!(patience.wait(Retry::Soon, usual), usual);
        assert_eq!(patience.wait(Retry::After(seconds(0)), usual), usual);
        assert_eq!(
            patience.wait(Retry::After(seconds(9)), usual),
            Some(seconds(9))
        );
        assert_eq!(patience.wait(Retry::Lookup, usual), usual);
        assert_eq!(patience.wait(Retry::Lookup, usual), usual);
        assert_eq!(patience.wait(Retry::Lookup, usual), None, "the third");
        assert_eq!(patience.wait(Retry::After(seconds(84)), usual), None);
    }

    #[test]
    fn a_date_is_counted_from_the_tools_own_clock() {
        let headers = headers(&[
            (RETRY_AFTER, "Sun, 01 Mar 2026 10:00:30 GMT"),
            (DATE, "Sun, 01 Mar 2026 10:00:20 GMT"),
        ]);
        assert_eq!(
            retry_after(&headers, Utc::now()),
            Some(Duration::from_secs(10))
        );
    }
}
