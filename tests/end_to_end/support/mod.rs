//! An installation of secpull in a folder of its own: configuration, store, socket, and the real binary.

pub(crate) mod checkmarx_one;
mod daemon;
pub(crate) mod dependency_track;
pub(crate) mod faked_clock;
mod installation;
mod output;
pub(crate) mod place;
pub(crate) mod postgres;
pub(crate) mod random;
pub(crate) mod semgrep;
pub(crate) mod snyk;
pub(crate) mod sonarqube;
pub(crate) mod tls;

pub(crate) use daemon::Daemon;
pub(crate) use installation::Installation;
pub(crate) use output::Ran;

use std::time::{Duration, Instant};

/// Waits until `condition` gives something; fails with `what` after a bound that no healthy machine reaches.
pub(crate) fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait_up_to(Duration::from_secs(60), what, condition)
}

/// The same with another bound, for what takes its time.
pub(crate) fn wait_up_to<T>(
    bound: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
