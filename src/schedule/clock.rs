use chrono::{DateTime, Utc};

/// Tells the time. The schedule asks no other clock, so that tests can turn it.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC. It may jump either way.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock that stands until it is set.
#[cfg(test)]
pub(crate) struct ManualClock(std::sync::Mutex<DateTime<Utc>>);

#[cfg(test)]
impl ManualClock {
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        Self(std::sync::Mutex::new(now))
    }

    pub(crate) fn set(&self, now: DateTime<Utc>) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
