/// Numbers that look random and are the same for the same seed (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    /// The seed in this environment variable, or one from the clock. It is printed, so that a failure can be repeated.
    pub(crate) fn seeded(variable: &str) -> Self {
        let seed = std::env::var(variable).map_or_else(
            |_| {
                let now = std::time::SystemTime::now();
                let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
                since.as_secs()
            },
            |seed| seed.parse().expect("the seed is a whole number"),
        );
        eprintln!("{variable}={seed}");
        Self(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
