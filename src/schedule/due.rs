//! Which slots are due.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::slot::{latest_slot, signed};
use crate::config::ScheduleSetting;
use crate::store::Trigger;

/// However short `catch_up_within` is, a slot may be this late: the bell rings late, and a missed ring is made good by the
/// look that is taken every minute.
pub const GRACE: TimeDelta = TimeDelta::minutes(2);

/// How far back slots count.
#[derive(Debug, Clone, Copy)]
pub struct Horizon {
    /// Since when this daemon is up: an older slot is a catch-up.
    pub up_since: DateTime<Utc>,
    /// How old a missed slot may be.
    pub catch_up_within: Duration,
}

/// A slot to be claimed and run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Name of the API configuration.
    pub api_configuration: String,
    /// The slot.
    pub slot: DateTime<Utc>,
    /// [`Trigger::Schedule`], or [`Trigger::CatchUp`] for a slot from before the daemon was up.
    pub trigger: Trigger,
}

/// For each API configuration its latest slot, if that is young enough and newer than the latest one claimed.
///
/// An API configuration that was never run has claimed nothing: its latest slot is due at once if it is young enough, so a
/// first import does not wait for tomorrow.
///
/// A claim that lies in the future was made before the clock was set back, and says nothing about the slots that come
/// (again) until then; which of those have been run is known to the store, where the claim of a slot is unique. So a clock
/// that once was wrong by years does not silence the schedule for years.
pub fn due<'a>(
    now: DateTime<Utc>,
    horizon: Horizon,
    claimed: &HashMap<String, DateTime<Utc>>,
    schedules: impl IntoIterator<Item = (&'a str, &'a ScheduleSetting)>,
) -> Vec<Due> {
    let oldest = now
        .checked_sub_signed(signed(horizon.catch_up_within).max(GRACE))
        .unwrap_or(DateTime::<Utc>::MIN_UTC);
    schedules
        .into_iter()
        .filter_map(|(name, setting)| {
            let slot = latest_slot(setting, name, now)?;
            let is_new = match claimed.get(name) {
                Some(last) if *last <= now => slot > *last,
                _ => true,
            };
            (is_new && slot >= oldest).then(|| Due {
                api_configuration: name.to_owned(),
                slot,
                trigger: if slot < horizon.up_since {
                    Trigger::CatchUp
                } else {
                    Trigger::Schedule
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::schedule::next_slot;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn horizon(up_since: &str, catch_up_hours: u64) -> Horizon {
        Horizon {
            up_since: time(up_since),
            catch_up_within: Duration::from_secs(catch_up_hours * 3600),
        }
    }

    const TWO_O_CLOCK: ScheduleSetting = ScheduleSetting::Daily { hour: 2, minute: 0 };

    fn due_at(now: &str, horizon: Horizon, last_claim: Option<&str>) -> Vec<Due> {
        let claimed = last_claim
            .map(|slot| ("shop".to_owned(), time(slot)))
            .into_iter()
            .collect();
        due(time(now), horizon, &claimed, [("shop", &TWO_O_CLOCK)])
    }

    #[test]
    fn a_slot_is_due_when_it_comes_and_not_again_once_claimed() {
        let up = horizon("2026-11-20T00:00:00Z", 12);
        let yesterday = Some("2026-11-23T02:00:00Z");
        assert_eq!(due_at("2026-11-24T01:59:59.999Z", up, yesterday), []);
        let found = due_at("2026-11-24T02:00:00Z", up, yesterday);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].slot, time("2026-11-24T02:00:00Z"));
        assert_eq!(found[0].trigger, Trigger::Schedule);
        assert_eq!(
            due_at("2026-11-24T02:00:00.5Z", up, Some("2026-11-24T02:00:00Z")),
            []
        );
    }

    #[test]
    fn a_slot_missed_while_down_is_caught_up_if_it_is_young_enough() {
        let yesterday = Some("2026-11-23T02:00:00Z");
        let found = due_at(
            "2026-11-24T13:59:00Z",
            horizon("2026-11-24T13:59:00Z", 12),
            yesterday,
        );
        assert_eq!(found[0].trigger, Trigger::CatchUp);
        assert_eq!(
            due_at(
                "2026-11-24T14:01:00Z",
                horizon("2026-11-24T14:01:00Z", 12),
                yesterday
            ),
            []
        );
    }

    #[test]
    fn without_catch_up_a_slot_that_comes_while_up_is_run_although_the_bell_is_late() {
        let up = horizon("2026-11-24T00:00:00Z", 0);
        assert_eq!(due_at("2026-11-24T02:01:30Z", up, None).len(), 1);
        assert_eq!(due_at("2026-11-24T02:02:01Z", up, None), []);
    }

    #[test]
    fn an_api_configuration_never_run_before_does_not_wait_for_tomorrow() {
        let found = due_at(
            "2026-11-24T09:00:00Z",
            horizon("2026-11-24T09:00:00Z", 12),
            None,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].trigger, Trigger::CatchUp);
    }

    #[test]
    fn an_hour_moved_to_earlier_is_not_run_a_second_time_that_day() {
        let up = horizon("2026-11-20T00:00:00Z", 12);
        let claimed = HashMap::from([("shop".to_owned(), time("2026-11-24T02:00:00Z"))]);
        let earlier = ScheduleSetting::Daily { hour: 1, minute: 0 };
        assert_eq!(
            due(
                time("2026-11-24T03:00:00Z"),
                up,
                &claimed,
                [("shop", &earlier)]
            ),
            []
        );
    }

    #[test]
    fn a_clock_that_once_stood_in_the_far_future_does_not_silence_the_schedule() {
        let up = horizon("2026-11-20T00:00:00Z", 12);
        assert_eq!(
            due_at("2026-11-24T02:00:00Z", up, Some("2038-01-19T02:00:00Z")).len(),
            1
        );
    }

    #[test]
    fn five_hundred_in_the_same_minute_are_all_due_once() {
        let names: Vec<_> = (0..500).map(|number| format!("api-{number}")).collect();
        let schedules = || names.iter().map(|name| (name.as_str(), &TWO_O_CLOCK));
        let up = horizon("2026-11-20T00:00:00Z", 12);
        let now = time("2026-11-24T02:00:00.4Z");
        let first = due(now, up, &HashMap::new(), schedules());
        assert_eq!(first.len(), 500);
        let claimed = first
            .into_iter()
            .map(|due| (due.api_configuration, due.slot))
            .collect();
        assert_eq!(due(now, up, &claimed, schedules()), []);
    }

    /// What the daemon does with [`due`]: looks now and then, claims in a store where each slot can be claimed once.
    struct Looker {
        setting: ScheduleSetting,
        horizon: Horizon,
        claims: HashSet<DateTime<Utc>>,
        last_claim: HashMap<String, DateTime<Utc>>,
        ran: Vec<DateTime<Utc>>,
    }

    impl Looker {
        fn look(&mut self, now: DateTime<Utc>) {
            for due in due(
                now,
                self.horizon,
                &self.last_claim,
                [("shop", &self.setting)],
            ) {
                if self.claims.insert(due.slot) {
                    self.ran.push(due.slot);
                }
                let newest = self.claims.iter().max().copied().unwrap();
                self.last_claim.insert("shop".to_owned(), newest);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn clock_jumps_neither_skip_nor_repeat_a_slot(
            period in 2u64..48,
            steps in proptest::collection::vec(prop_oneof![
                8 => 30i64..61,                  // an ordinary minute
                1 => 3_600i64..200_000,          // set forward
                1 => -200_000i64..-3_600,        // set back
            ], 1..200),
        ) {
            let start = time("2026-11-24T12:00:00Z");
            let setting = ScheduleSetting::Every(Duration::from_secs(period * 1800));
            let mut looker = Looker {
                setting: setting.clone(),
                horizon: Horizon { up_since: start, catch_up_within: Duration::from_secs(24 * 3600) },
                claims: HashSet::new(),
                last_claim: HashMap::new(),
                ran: Vec::new(),
            };
            let mut now = start;
            looker.look(now);
            for step in steps {
                let before = now;
                now += TimeDelta::seconds(step);
                looker.look(now);
                // Whatever the clock did, the slot that an undisturbed minute has passed over has been run.
                if (30..61).contains(&step)
                    && let Some(slot) = next_slot(&setting, "shop", before)
                    && slot <= now
                {
                    prop_assert!(looker.ran.contains(&slot), "{} was skipped", slot);
                }
                // And so has the latest slot after a jump forward.
                let latest = latest_slot(&setting, "shop", now).unwrap();
                prop_assert!(
                    looker.ran.contains(&latest) || looker.last_claim["shop"] > latest,
                    "{} was skipped", latest
                );
            }
            let unique: HashSet<_> = looker.ran.iter().collect();
            prop_assert_eq!(unique.len(), looker.ran.len(), "a slot was run twice");
        }
    }
}
