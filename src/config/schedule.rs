//! When to import: by the clock, every so often, or by cron; one of them.

use std::fmt;
use std::time::Duration;

use super::ScheduleSetting;
use super::field::Fields;
use super::key_path::KeyPath;
use super::read::Reader;
use super::scalars::{self, print_duration};

/// In words, for people: `daily 02:00`, `every 6h`, `cron 0 */6 * * *`. Times are UTC.
impl fmt::Display for ScheduleSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily { hour, minute } => write!(f, "daily {hour:02}:{minute:02}"),
            Self::Every(interval) => write!(f, "every {}", print_duration(*interval)),
            Self::Cron(expression) => write!(f, "cron {expression}"),
        }
    }
}

impl ScheduleSetting {
    /// The longest time between two slots.
    #[must_use]
    pub fn longest_interval(&self) -> Duration {
        match self {
            Self::Daily { .. } => DAY,
            Self::Every(interval) => *interval,
            Self::Cron(expression) => scalars::longest_interval(expression),
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// Every day at two, where nothing is said.
pub(super) const DEFAULT: ScheduleSetting = ScheduleSetting::Daily { hour: 2, minute: 0 };

const ALLOWED: &str = "hour and minute, or every, or cron";

/// The schedule that a table asks for; what it leaves out is as in `general`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &mut Fields,
    general: &ScheduleSetting,
) -> ScheduleSetting {
    let mut given = ["hour", "minute", "every", "cron"]
        .into_iter()
        .filter(|key| fields.given(key));
    let Some(first) = given.next() else {
        return general.clone();
    };
    // Hour and minute go together; anything else beside what was given first is one too many.
    if let Some(second) = given.find(|key| (first, *key) != ("hour", "minute")) {
        let beside = path.child(first);
        reader.wrong_key(
            &path.child(second),
            format!(
                "stands beside {beside} ({}); allowed: {ALLOWED}",
                reader.sources.key_place(&beside)
            ),
        );
    }
    if let Some(interval) = fields.take::<Duration>("every") {
        return ScheduleSetting::Every(interval);
    }
    if let Some(expression) = fields.take::<String>("cron") {
        return ScheduleSetting::Cron(expression);
    }
    let (general_hour, general_minute) = match general {
        ScheduleSetting::Daily { hour, minute } => (*hour, *minute),
        ScheduleSetting::Every(_) | ScheduleSetting::Cron(_) => (0, 0),
    };
    ScheduleSetting::Daily {
        hour: fields.whole("hour").unwrap_or(general_hour),
        minute: fields.whole("minute").unwrap_or(general_minute),
    }
}
