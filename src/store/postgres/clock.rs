//! The server's clock, as this host knows it without asking each time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::fault::Fault;
use super::rows::{now, time};

/// Less is no difference: the question takes its time too, and the schedule's bell rings by the host's clock.
const NO_DIFFERENCE: TimeDelta = TimeDelta::seconds(1);

/// What the server said, and when that was by a clock that nobody can set. So a host whose clock is set knows the time all
/// the same, before it has asked again.
#[derive(Debug)]
pub(super) struct ServerClock(Mutex<Known>);

#[derive(Debug, Clone, Copy)]
struct Known {
    time: DateTime<Utc>,
    since: Instant,
}

impl ServerClock {
    pub(super) async fn asked(executor: impl PgExecutor<'_>) -> Result<Self, Fault> {
        let (said, asked) = ask(executor).await?;
        let since = asked + asked.elapsed();
        Ok(Self(Mutex::new(Known { time: said, since })))
    }

    pub(super) async fn ask_again(&self, executor: impl PgExecutor<'_>) -> Result<(), Fault> {
        let (said, asked) = ask(executor).await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.corrected(said, asked.elapsed());
        Ok(())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        either(known.after(known.since.elapsed()), Utc::now())
    }
}

impl Known {
    fn after(&self, passed: Duration) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        let time = self.time.checked_add_signed(passed);
        time.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The server has just answered, after this long. Between the question and the answer it may have looked at its clock at any
    /// moment: what agrees with that stays, so that our time does not go back and forth with the network's moods.
    fn corrected(&self, said: DateTime<Utc>, took: Duration) -> Known {
        let since = Instant::now();
        let latest = Known { time: said, since }.after(took);
        let time = self.after(since - self.since).clamp(said, latest);
        Known { time, since }
    }
}

/// The server's time, if the host's differs from it.
fn either(server: DateTime<Utc>, host: DateTime<Utc>) -> DateTime<Utc> {
    match (server - host).abs() < NO_DIFFERENCE {
        true => host,
        false => server,
    }
}

/// What the server's clock shows, and when it was asked.
async fn ask(executor: impl PgExecutor<'_>) -> Result<(DateTime<Utc>, Instant), Fault> {
    let asked = Instant::now();
    let said: i64 = sqlx::query_scalar(concat!("SELECT ", now!()))
        .fetch_one(executor)
        .await?;
    Ok((time(said)?, asked))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn two() -> DateTime<Utc> {
        "2026-11-24T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_host_whose_clock_was_set_goes_by_the_servers() {
        let known = Known {
            time: two(),
            since: Instant::now(),
        };
        let server = known.after(Duration::from_secs(3));
        assert_eq!(server, two() + TimeDelta::seconds(3));
        for hours in [-7, 7] {
            assert_eq!(either(server, server + TimeDelta::hours(hours)), server);
        }
    }

    #[test]
    fn less_than_a_second_is_no_difference() {
        let host = two() + TimeDelta::milliseconds(900);
        assert_eq!(either(two(), host), host);
    }

    #[test]
    fn a_slow_answer_changes_nothing_and_a_server_whose_clock_was_set_does() {
        let known = Known {
            time: two(),
            since: Instant::now(),
        };
        let slow = Duration::from_secs(5);
        let ahead = TimeDelta::seconds(2);
        // Between two questions hardly any time has passed here, and the server may have answered before it did.
        let stays = known.corrected(two() - ahead, slow).time;
        assert!(stays >= two() && stays < two() + ahead, "{stays}");
        let set = two() + TimeDelta::hours(3);
        assert_eq!(known.corrected(set, slow).time, set);
        let set_back = known.corrected(two() - TimeDelta::hours(3), slow).time;
        assert_eq!(set_back, two() - TimeDelta::hours(3) + slow);
    }
}
