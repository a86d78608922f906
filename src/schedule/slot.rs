//! The slots of one schedule.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::config::ScheduleSetting;

const DAY: i64 = 24 * 60 * 60;

/// The newest slot at or before `now`. `name` is that of the API configuration: it spreads the slots of `every`. None if
/// there is no such slot (a cron expression without a date in the past).
#[must_use]
pub fn latest_slot(
    setting: &ScheduleSetting,
    name: &str,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match setting {
        ScheduleSetting::Daily { hour, minute } => {
            grid(now, DAY, second_of_day(*hour, *minute), Side::AtOrBefore)
        }
        ScheduleSetting::Every(period) => grid(
            now,
            seconds(*period),
            offset(name, *period),
            Side::AtOrBefore,
        ),
        ScheduleSetting::Cron(expression) => parse(expression)?
            .find_previous_occurrence(&whole_second(now)?, true)
            .ok(),
    }
}

/// The first slot after `now`.
#[must_use]
pub fn next_slot(
    setting: &ScheduleSetting,
    name: &str,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match setting {
        ScheduleSetting::Daily { hour, minute } => {
            grid(now, DAY, second_of_day(*hour, *minute), Side::After)
        }
        ScheduleSetting::Every(period) => {
            grid(now, seconds(*period), offset(name, *period), Side::After)
        }
        ScheduleSetting::Cron(expression) => parse(expression)?
            .find_next_occurrence(&whole_second(now)?, false)
            .ok(),
    }
}

/// A pattern of six fields, for the bell, that matches every slot of the schedule, and perhaps other moments.
pub(super) fn ring_pattern(setting: &ScheduleSetting, name: &str) -> String {
    match setting {
        ScheduleSetting::Daily { hour, minute } => format!("0 {minute} {hour} * * *"),
        ScheduleSetting::Every(period) => every_pattern(seconds(*period), offset(name, *period)),
        ScheduleSetting::Cron(expression) => {
            match expression.split_whitespace().collect::<Vec<_>>()[..] {
                // crontab(5) takes a day that matches either field, the scheduler demands both: ring on every day.
                [minute, hour, day, month, weekday] if day != "*" && weekday != "*" => {
                    format!("0 {minute} {hour} * {month} *")
                }
                [minute, hour, day, month, weekday] => {
                    format!("0 {minute} {hour} {day} {month} {weekday}")
                }
                _ => "0 * * * * *".to_owned(),
            }
        }
    }
}

/// The coarsest pattern that the slots of `every` fit in: what a period leaves fixed is fixed.
fn every_pattern(period: i64, offset: i64) -> String {
    let (second, minute, hour) = (offset % 60, offset / 60 % 60, offset / 3600 % 24);
    if period % DAY == 0 {
        format!("{second} {minute} {hour} * * *")
    } else if period % 3600 == 0 {
        format!("{second} {minute} * * * *")
    } else if period % 60 == 0 {
        format!("{second} * * * * *")
    } else {
        let step = gcd(period, 60);
        format!("{}/{step} * * * * *", offset % step)
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

enum Side {
    AtOrBefore,
    After,
}

/// The moment `offset + n × period` (seconds from the epoch) on this side of `now`.
fn grid(now: DateTime<Utc>, period: i64, offset: i64, side: Side) -> Option<DateTime<Utc>> {
    let before = (now.timestamp() - offset).div_euclid(period) * period + offset;
    match side {
        Side::AtOrBefore => DateTime::from_timestamp(before, 0),
        Side::After => DateTime::from_timestamp(before.checked_add(period)?, 0),
    }
}

fn second_of_day(hour: u8, minute: u8) -> i64 {
    i64::from(hour) * 3600 + i64::from(minute) * 60
}

fn seconds(period: Duration) -> i64 {
    i64::try_from(period.as_secs())
        .unwrap_or(i64::MAX / 4)
        .max(1)
}

/// Where in the period an API configuration has its slots: always the same for a name, and spread over names, so that
/// five hundred with `every = "6h"` do not start in the same second.
fn offset(name: &str, period: Duration) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..8]);
    i64::from_le_bytes(first).rem_euclid(seconds(period))
}

fn parse(expression: &str) -> Option<Cron> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(expression)
        .ok()
}

/// Cuts fractions off, a leap second's too: croner would carry them into its answer.
fn whole_second(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}

/// A duration as a signed one; one too long for that is as good as for ever.
pub(super) fn signed(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn daily(hour: u8, minute: u8) -> ScheduleSetting {
        ScheduleSetting::Daily { hour, minute }
    }

    fn cron(expression: &str) -> ScheduleSetting {
        ScheduleSetting::Cron(expression.to_owned())
    }

    fn every(seconds: u64) -> ScheduleSetting {
        ScheduleSetting::Every(Duration::from_secs(seconds))
    }

    #[test]
    fn a_daily_slot_is_at_its_utc_minute_and_belongs_to_that_minute() {
        let setting = daily(2, 30);
        let slot = time("2026-03-29T02:30:00Z");
        assert_eq!(latest_slot(&setting, "a", slot), Some(slot));
        assert_eq!(
            latest_slot(&setting, "a", slot - TimeDelta::nanoseconds(1)),
            Some(time("2026-03-28T02:30:00Z"))
        );
        assert_eq!(
            next_slot(&setting, "a", slot),
            Some(time("2026-03-30T02:30:00Z"))
        );
        assert_eq!(
            next_slot(&setting, "a", slot - TimeDelta::nanoseconds(1)),
            Some(slot)
        );
    }

    #[test]
    fn a_cron_slot_keeps_no_fraction_of_a_second() {
        let setting = cron("0 */6 * * *");
        let now = time("2026-11-24T12:00:00.750Z");
        assert_eq!(
            latest_slot(&setting, "a", now),
            Some(time("2026-11-24T12:00:00Z"))
        );
        assert_eq!(
            next_slot(&setting, "a", now),
            Some(time("2026-11-24T18:00:00Z"))
        );
    }

    #[test]
    fn a_leap_second_belongs_to_the_second_before_it() {
        let leap = time("2016-12-31T23:59:60.5Z");
        for setting in [cron("59 23 * * *"), daily(23, 59)] {
            assert_eq!(
                latest_slot(&setting, "a", leap),
                Some(time("2016-12-31T23:59:00Z"))
            );
        }
        assert_eq!(
            next_slot(&cron("0 0 * * *"), "a", leap),
            Some(time("2017-01-01T00:00:00Z"))
        );
    }

    #[test]
    fn day_of_month_and_weekday_together_are_alternatives_as_in_crontab() {
        let setting = cron("0 0 13 * 5");
        assert_eq!(
            next_slot(&setting, "a", time("2026-11-10T00:00:00Z")),
            Some(time("2026-11-13T00:00:00Z"))
        );
        assert_eq!(
            next_slot(&setting, "a", time("2026-11-13T00:00:00Z")),
            Some(time("2026-11-20T00:00:00Z"))
        );
    }

    #[test]
    fn a_rare_date_is_found_in_both_directions() {
        let setting = cron("0 0 29 2 *");
        assert_eq!(
            latest_slot(&setting, "a", time("2026-11-24T00:00:00Z")),
            Some(time("2024-02-29T00:00:00Z"))
        );
        assert_eq!(
            next_slot(&setting, "a", time("2026-11-24T00:00:00Z")),
            Some(time("2028-02-29T00:00:00Z"))
        );
    }

    #[test]
    fn the_slots_of_every_spread_over_names_but_stay_for_a_name() {
        let now = time("2026-11-24T12:00:00Z");
        let setting = every(6 * 3600);
        let slots: std::collections::BTreeSet<_> = (0..500)
            .filter_map(|number| next_slot(&setting, &format!("api-{number}"), now))
            .collect();
        assert!(slots.len() > 450, "{} different slots", slots.len());
        assert_eq!(next_slot(&setting, "a", now), next_slot(&setting, "a", now));
    }

    fn any_setting() -> impl Strategy<Value = ScheduleSetting> {
        prop_oneof![
            (0u8..24, 0u8..60).prop_map(|(hour, minute)| daily(hour, minute)),
            (60u64..400_000).prop_map(every),
            (1u64..200).prop_map(|minutes| every(minutes * 60)),
            (1u64..80).prop_map(|hours| every(hours * 3600)),
            (0u8..60).prop_map(|minute| cron(&format!("{minute} * * * *"))),
            (1u8..60).prop_map(|step| cron(&format!("*/{step} 3 * * *"))),
            (1u8..29, 0u8..7).prop_map(|(day, weekday)| cron(&format!("7 4 {day} * {weekday}"))),
        ]
    }

    fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
        (0i64..4_000_000_000, 0u32..1_000_000_000)
            .prop_map(|(second, nano)| DateTime::from_timestamp(second, nano).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn slots_follow_each_other_without_a_gap(
            setting in any_setting(), name in "[a-z]{1,8}", now in any_time()
        ) {
            let latest = latest_slot(&setting, &name, now).unwrap();
            let next = next_slot(&setting, &name, now).unwrap();
            prop_assert!(latest <= now && now < next);
            prop_assert_eq!(next_slot(&setting, &name, latest), Some(next));
            prop_assert_eq!(latest_slot(&setting, &name, next), Some(next));
            prop_assert_eq!(
                latest_slot(&setting, &name, next - TimeDelta::nanoseconds(1)),
                Some(latest)
            );
        }

        #[test]
        fn the_bell_rings_at_every_slot(
            setting in any_setting(), name in "[a-z]{1,8}", now in any_time()
        ) {
            let pattern = ring_pattern(&setting, &name);
            // As the scheduler reads it: seconds required, both day fields must match.
            let bell = CronParser::builder()
                .seconds(Seconds::Required)
                .dom_and_dow(true)
                .build()
                .parse(&pattern)
                .unwrap();
            let slot = next_slot(&setting, &name, now).unwrap();
            prop_assert!(bell.is_time_matching(&slot).unwrap(), "{} at {}", pattern, slot);
        }
    }
}
