//! Time, CPU and memory.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;

/// What something took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    /// On the wall's clock.
    pub(crate) time: Duration,
    /// Of all threads.
    pub(crate) cpu: Duration,
    /// The largest resident memory, in KiB; 0 if it was not looked at.
    pub(crate) peak: u64,
}

impl Taken {
    /// The quicker of two; but the larger memory.
    pub(crate) fn best(self, other: Self) -> Self {
        Self {
            time: self.time.min(other.time),
            cpu: self.cpu.min(other.cpu),
            peak: self.peak.max(other.peak),
        }
    }
}

/// The best of several; the first one's error if there is one.
pub(crate) fn best(mut rounds: impl Iterator<Item = Result<Taken>>) -> Result<Taken> {
    let first = rounds.next().ok_or("nothing was measured")??;
    rounds.try_fold(first, |best, next| Ok(best.best(next?)))
}

/// What `work` takes in this process.
pub(crate) fn here<T>(work: impl FnOnce() -> Result<T>) -> Result<(Taken, T)> {
    let (cpu, begin) = (cpu_of(UsageWho::RUSAGE_SELF)?, Instant::now());
    let done = work()?;
    let taken = Taken {
        time: begin.elapsed(),
        cpu: cpu_of(UsageWho::RUSAGE_SELF)? - cpu,
        peak: 0,
    };
    Ok((taken, done))
}

/// The CPU time of this process, or of its children that have ended.
pub(crate) fn cpu_of(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who)?;
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(u64::try_from(
        micros.iter().sum::<i64>(),
    )?))
}

/// A line of `/proc/<pid>/status`, in KiB.
pub(crate) fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(line))?;
    line.trim_start_matches(':')
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}
