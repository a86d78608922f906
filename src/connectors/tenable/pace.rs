//! How long to wait for what takes its time.

use std::time::Duration;

/// Waits between two looks at a job, and before asking again for one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The first wait; the next are twice as long each.
    pub(super) first: Duration,
    /// The longest of these.
    pub(super) longest: Duration,
    /// Until another export may be asked for, where Tenable does not say when.
    pub(super) busy: Duration,
}

impl Default for Pace {
    /// An export takes a minute, or half an hour; Tenable's own advice after a 429 is half a minute.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            busy: Duration::from_secs(30),
        }
    }
}

impl Pace {
    /// The waits, one after the other, for ever.
    pub(super) fn waits(self) -> impl Iterator<Item = Duration> + Send {
        let longest = self.longest;
        std::iter::successors(Some(self.first.min(longest)), move |wait| {
            Some(wait.saturating_mul(2).min(longest))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let waits: Vec<_> = Pace::default().waits().take(7).collect();
        let seconds: Vec<_> = waits.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }
}
