//! Whether the store works, for status and health: what fails is said once, and once more when it works again.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::store::StoreError;

/// What is known of the store's well-being. Reading and writing are told apart: a full disk can still be read.
#[derive(Debug, Default)]
pub struct StoreHealth(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    read: Option<Problem>,
    write: Option<Problem>,
}

#[derive(Debug)]
struct Problem {
    since: DateTime<Utc>,
    /// What failed, and why it did the last time.
    words: String,
}

impl StoreHealth {
    /// Notes how a read at this time went.
    pub fn note_read<T>(&self, at: DateTime<Utc>, result: &Result<T, StoreError>) {
        let mut known = self.lock();
        turn(&mut known.read, "cannot be read", at, result);
    }

    /// Notes how a write at this time went. One that worked proves reading too.
    pub fn note_write<T>(&self, at: DateTime<Utc>, result: &Result<T, StoreError>) {
        let mut known = self.lock();
        turn(&mut known.write, "cannot be written", at, result);
        if known.write.is_none() {
            turn(&mut known.read, "cannot be read", at, result);
        }
    }

    /// What is wrong, a line each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let known = self.lock();
        let problems = known.read.iter().chain(&known.write);
        problems
            .map(|Problem { since, words }| {
                let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("since {since} {words}")
            })
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn turn<T>(
    problem: &mut Option<Problem>,
    what: &str,
    at: DateTime<Utc>,
    result: &Result<T, StoreError>,
) {
    match result {
        // A lost claim is a run's affair: the store did as it should.
        Ok(_) | Err(StoreError::ClaimLost(_)) => {
            if problem.take().is_some() {
                tracing::info!("the store works again");
            }
        }
        Err(error) => {
            let words = format!("the store {what}: {error}");
            match problem {
                // Its reason may be another one by now: a server that ended our sessions has no room for new ones, say.
                Some(known) => known.words = words,
                None => {
                    tracing::error!("{words}");
                    *problem = Some(Problem { since: at, words });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn full() -> Result<(), StoreError> {
        Err(StoreError::Engine {
            place: "sqlite:/x".to_owned(),
            reason: "disk full".to_owned(),
            passing: true,
        })
    }

    #[test]
    fn a_failing_write_stays_a_problem_until_a_write_works_again() {
        let health = StoreHealth::default();
        health.note_write(now(), &full());
        health.note_read(now(), &Ok(()));
        assert_eq!(
            health.problems(),
            [
                "since 1970-01-01T00:00:00Z the store cannot be written: the store sqlite:/x failed: disk full"
            ]
        );
        health.note_write(now(), &Ok(()));
        assert!(health.problems().is_empty());
    }

    #[test]
    fn the_newest_reason_is_told_and_the_oldest_time() {
        let health = StoreHealth::default();
        let gone = Err::<(), _>(StoreError::Absent("sqlite:/x".to_owned()));
        health.note_write(now(), &gone);
        health.note_write(now() + chrono::TimeDelta::hours(1), &full());
        let [problem] = &health.problems()[..] else {
            panic!("{:?}", health.problems());
        };
        assert!(problem.starts_with("since 1970-01-01T00:00:00Z the store cannot be written"));
        assert!(problem.ends_with("disk full"), "{problem}");
    }

    #[test]
    fn a_run_that_lost_its_claim_says_nothing_against_the_store() {
        let health = StoreHealth::default();
        health.note_write(now(), &Err::<(), _>(StoreError::ClaimLost(1)));
        assert!(health.problems().is_empty());
    }
}
