//! Texts that mean more than text: times, URLs, cron expressions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use url::{Host, Url};

use super::wrong::{Wrong, quoted};
use super::{ProxySetting, StoreUrl, postgres};

pub(super) const CRON_ALLOWED: &str = "five fields (minute, hour, day of month, month, day of week, UTC) such as \"0 */6 * * *\", at most one of the two days restricted";

pub(super) fn duration(text: &str, min: Duration, max: Duration) -> Result<Duration, Wrong> {
    let Ok(duration) = humantime::parse_duration(text.trim()) else {
        return Wrong::so(format!("{} is not a time", quoted(text)));
    };
    if !(min..=max).contains(&duration) {
        return Wrong::so(format!("{} is out of range", quoted(text)));
    }
    // Schedules, limits and what is printed of them count seconds.
    if duration.subsec_nanos() > 0 {
        return Wrong::so(format!("{} is no whole number of seconds", quoted(text)));
    }
    Ok(duration)
}

/// `1d`, `6h`, `1h 30m`: as it may be written in TOML.
pub(super) fn print_duration(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    let seconds = duration.as_secs();
    let mut parts = Vec::new();
    for (amount, unit) in [
        (seconds / DAY, "d"),
        (seconds % DAY / 3600, "h"),
        (seconds % 3600 / 60, "m"),
        (seconds % 60, "s"),
    ] {
        if amount > 0 {
            parts.push(format!("{amount}{unit}"));
        }
    }
    if parts.is_empty() {
        return "0s".into();
    }
    parts.join(" ")
}

/// Never repeats the text in its messages: people paste URLs with passwords.
pub(super) fn location(text: &str) -> Result<Url, Wrong> {
    let url = web_address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Wrong::so("has a query or fragment");
    }
    Ok(url)
}

/// As [`location`], with query and fragment allowed.
pub(super) fn web_address(text: &str) -> Result<Url, Wrong> {
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => return Wrong::so(format!("is not a URL ({error})")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Wrong::so("is neither an http:// nor an https:// URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Wrong::so("holds a user name or password");
    }
    Ok(url)
}

pub(super) fn proxy(text: &str) -> Result<ProxySetting, Wrong> {
    if text == "none" {
        return Ok(ProxySetting::Direct);
    }
    match Url::parse(text.trim()) {
        Ok(url) if url.query().is_some() || url.fragment().is_some() || url.path().len() > 1 => {
            Wrong::so("has a path, query or fragment, which no proxy would get")
        }
        Ok(url)
            if matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
                && url.host().is_some() =>
        {
            Ok(ProxySetting::Through(url))
        }
        Ok(_) => Wrong::so("is not the URL of a proxy"),
        Err(error) => Wrong::so(format!("is not a URL ({error})")),
    }
}

/// Whether a URL points to this machine, so that nobody can listen in.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// A further kind of store is one more scheme here and one more variant of [`StoreUrl`].
pub(super) fn store(text: &str) -> Result<StoreUrl, Wrong> {
    match text.split_once(':') {
        Some(("sqlite", path)) => {
            // Two slashes of a URL before the path are forgiven: sqlite:///var/lib/….
            let path = path.strip_prefix("//").unwrap_or(path);
            absolute_path(path).map(StoreUrl::Sqlite)
        }
        Some(("postgres" | "postgresql", _)) => {
            postgres::read(text).map(|url| StoreUrl::Postgres(Box::new(url)))
        }
        _ => Wrong::so("is not the URL of a store"),
    }
}

pub(super) fn absolute_path(text: &str) -> Result<PathBuf, Wrong> {
    let path = Path::new(text);
    if path.is_absolute() {
        Ok(path.to_path_buf())
    } else {
        Wrong::so(format!(
            "{} is not absolute, so it would mean different files to the daemon and to you",
            quoted(text)
        ))
    }
}

/// The expression with single spaces.
pub(super) fn cron(text: &str) -> Result<String, Wrong> {
    let fields: Vec<_> = text.split_whitespace().collect();
    let &[_, _, day_of_month, _, day_of_week] = fields.as_slice() else {
        return Wrong::so(format!("{} has {} fields", quoted(text), fields.len()));
    };
    let restricted = |field: &str| !matches!(field, "*" | "?");
    if restricted(day_of_month) && restricted(day_of_week) {
        return Wrong::so(format!(
            "{} restricts day of month and day of week, which some crons take as \"either\" and others as \"both\"",
            quoted(text)
        ));
    }
    let expression = fields.join(" ");
    let cron = match five_fields().parse(&expression) {
        Ok(cron) => cron,
        Err(error) => {
            let reason = match error {
                CronError::InvalidPattern(reason)
                | CronError::IllegalCharacters(reason)
                | CronError::ComponentError(reason) => reason,
                other => other.to_string(),
            };
            let reason = reason.trim_end_matches('.').to_lowercase();
            return Wrong::so(format!("{} cannot be read ({reason})", quoted(text)));
        }
    };
    // From a fixed day: whether a date ever occurs does not depend on today.
    let start: DateTime<Utc> = DateTime::UNIX_EPOCH;
    if cron.find_next_occurrence(&start, true).is_err() {
        return Wrong::so(format!("{} never occurs", quoted(text)));
    }
    Ok(expression)
}

/// The longest time between two of the next occurrences of a checked expression, from a fixed day on.
pub(super) fn longest_interval(expression: &str) -> Duration {
    /// More than a year of one a day.
    const LOOKED_AT: usize = 400;
    let Ok(cron) = five_fields().parse(expression) else {
        return Duration::ZERO;
    };
    let occurrences: Vec<_> = cron
        .iter_after(DateTime::UNIX_EPOCH)
        .take(LOOKED_AT)
        .collect();
    occurrences
        .windows(2)
        .filter_map(|pair| (pair[1] - pair[0]).to_std().ok())
        .max()
        .unwrap_or_default()
}

fn five_fields() -> CronParser {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
}
