//! What the store knew of a scope before the run, and what of it the run has seen.

use crate::finding::{Digest, SourceKey};

/// The sightings of a scope, sorted by key: 24 bytes and a bit of each.
#[derive(Debug, Default)]
pub(super) struct Known {
    sightings: Vec<(SourceKey, Digest)>,
    seen: Vec<bool>,
}

impl Known {
    /// Of what is sorted by key.
    pub(super) fn new(sightings: Vec<(SourceKey, Digest)>) -> Self {
        let seen = vec![false; sightings.len()];
        Self { sightings, seen }
    }

    /// Where a key stands, if it is known.
    ///
    /// Keys are hashes, evenly spread, so a key's number says about where it is; from there the borders are looked for in
    /// steps that double. That reads two or three places, where halving the whole reads a score of them, all over memory.
    pub(super) fn place(&self, key: &SourceKey) -> Option<usize> {
        let known = &self.sightings;
        let guess = usize::try_from((u128::from(head(key)) * known.len() as u128) >> 64).ok()?;
        let (mut low, mut high) = (guess, guess);
        let mut step = 4;
        while low > 0 && known[low - 1].0 >= *key {
            low = low.saturating_sub(step);
            step *= 2;
        }
        step = 4;
        while high < known.len() && known[high].0 < *key {
            high = (high + step).min(known.len());
            step *= 2;
        }
        // What is before `low` is less than the key, what is from `high` on is not; both borders belong in.
        let end = known.len().min(high + 1);
        let place = known[low..end].binary_search_by(|(known, _)| known.cmp(key));
        place.ok().map(|place| low + place)
    }

    pub(super) fn digest(&self, place: usize) -> &Digest {
        &self.sightings[place].1
    }

    /// Notes that the sighting is there; whether it was noted before.
    pub(super) fn see(&mut self, place: usize) -> bool {
        std::mem::replace(&mut self.seen[place], true)
    }

    /// The keys that were not seen.
    pub(super) fn into_unseen(self) -> Vec<SourceKey> {
        let all = self.sightings.into_iter().zip(self.seen);
        all.filter(|(_, seen)| !seen)
            .map(|((key, _), _)| key)
            .collect()
    }
}

/// The first half of a key, as a number that grows as the key does.
fn head(key: &SourceKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(mut keys: Vec<SourceKey>) -> Known {
        keys.sort_unstable();
        keys.dedup();
        Known::new(keys.into_iter().map(|key| (key, [1; 8])).collect())
    }

    fn halving(known: &Known, key: &SourceKey) -> Option<usize> {
        let place = known
            .sightings
            .binary_search_by(|(known, _)| known.cmp(key));
        place.ok()
    }

    proptest! {
        /// Evenly spread or in heaps, as no hash would be.
        #[test]
        fn every_key_is_found_where_it_is_and_no_other_is(
            spread in prop::collection::vec(any::<SourceKey>(), 0..300),
            heaps in prop::collection::vec((0..4_u8, any::<[u8; 2]>()), 0..300),
            others in prop::collection::vec(any::<SourceKey>(), 0..20),
        ) {
            let heaps = heaps.into_iter().map(|(head, [one, two])| {
                let mut key = [head * 85; 16];
                key[14..].copy_from_slice(&[one, two]);
                key
            });
            let keys: Vec<_> = spread.into_iter().chain(heaps).collect();
            let known = known(keys.clone());
            for key in keys.iter().chain(&others).chain(&[[0; 16], [0xff; 16]]) {
                prop_assert_eq!(known.place(key), halving(&known, key));
            }
        }
    }

    #[test]
    fn what_was_not_seen_is_left() {
        let mut known = known(vec![[1; 16], [2; 16], [3; 16]]);
        let place = known.place(&[2; 16]).unwrap_or(usize::MAX);
        assert!(!known.see(place));
        assert!(known.see(place));
        assert_eq!(known.into_unseen(), [[1; 16], [3; 16]]);
    }
}
