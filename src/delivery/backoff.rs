//! How long a message waits for its next attempt.

use std::time::Duration;

use super::office::random;

const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(3600);

/// A destination that wishes less is asked again in the next round only, and one that wishes more all the same.
const SHORTEST_WISH: Duration = Duration::from_millis(1);
const LONGEST_WISH: Duration = Duration::from_secs(24 * 3600);

/// After so many failed attempts before this one; up to a fifth shorter by chance, so that daemons do not march in step.
pub(super) fn pause(attempts: u32, wish: Option<Duration>) -> Duration {
    let own = SHORTEST
        .saturating_mul(2u32.saturating_pow(attempts))
        .min(LONGEST);
    let thousandths = 800 + u32::try_from(random() % 201).unwrap_or_default();
    let own = own * thousandths / 1000;
    match wish {
        Some(wish) => wish.clamp(SHORTEST_WISH, LONGEST_WISH),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_never_alike() {
        for (attempts, longest) in [(0, 30), (1, 60), (3, 240), (7, 3600), (4_000_000_000, 3600)] {
            let longest = Duration::from_secs(longest);
            let pause = pause(attempts, None);
            assert!(pause <= longest && pause >= longest * 4 / 5, "{pause:?}");
        }
        let some: std::collections::HashSet<_> = (0..100).map(|_| pause(7, None)).collect();
        assert!(some.len() > 1);
    }

    #[test]
    fn a_destination_may_wish_for_its_own_pause_within_reason() {
        let wish = |seconds| pause(7, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!((wish(3), wish(7200), wish(u64::MAX)), (3, 7200, 86400));
        assert!(!pause(7, Some(Duration::ZERO)).is_zero());
    }
}
