//! The figures as they are printed, each as soon as it is there.

use std::io::{Write, stdout};
use std::time::Duration;

use crate::Result;
use crate::measure::Taken;

/// What is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// So many times the floor at most.
    Ratio(f64),
}

/// A row.
#[derive(Debug)]
pub(crate) struct Figure {
    work: String,
    floor: String,
    measured: String,
    figure: String,
    target: String,
    reached: bool,
}

impl Figure {
    pub(crate) fn ratio(work: String, floor: Taken, measured: Taken, target: Target) -> Self {
        let Target::Ratio(most) = target;
        let ratio = measured.time.as_secs_f64() / floor.time.as_secs_f64();
        Self {
            work,
            floor: seconds(floor),
            measured: seconds(measured),
            figure: format!("{ratio:.2} x"),
            target: format!("{most:.1} x"),
            reached: ratio <= most,
        }
    }

    /// `peak` in KiB, `most` in MiB.
    pub(crate) fn memory(work: String, peak: u64, most: u64) -> Self {
        let measured = format!("{:.1} MiB", peak as f64 / 1024.0);
        Self {
            work,
            floor: String::new(),
            figure: measured.clone(),
            measured,
            target: format!("{most} MiB"),
            reached: peak <= most * 1024,
        }
    }

    pub(crate) fn time(work: String, taken: Taken, most: Duration) -> Self {
        let measured = format!("{:.0} ms", taken.time.as_secs_f64() * 1000.0);
        Self {
            work,
            floor: String::new(),
            figure: measured.clone(),
            measured,
            target: format!("{} ms", most.as_millis()),
            reached: taken.time <= most,
        }
    }
}

/// Wall clock, and CPU behind it.
fn seconds(taken: Taken) -> String {
    format!(
        "{:.2} s ({:.2})",
        taken.time.as_secs_f64(),
        taken.cpu.as_secs_f64()
    )
}

pub(crate) struct Table {
    all_reached: bool,
}

impl Table {
    pub(crate) fn begin() -> Result<Self> {
        line("work", "floor", "secpull", "figure", "at most", "")?;
        Ok(Self { all_reached: true })
    }

    pub(crate) fn add(&mut self, figure: Figure) -> Result<()> {
        self.all_reached &= figure.reached;
        let verdict = if figure.reached { "reached" } else { "MISSED" };
        line(
            &figure.work,
            &figure.floor,
            &figure.measured,
            &figure.figure,
            &figure.target,
            verdict,
        )
    }

    /// A remark on the row above.
    pub(crate) fn note(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(stdout(), "    {text}")?)
    }

    pub(crate) fn all_reached(&self) -> bool {
        self.all_reached
    }
}

fn line(
    work: &str,
    floor: &str,
    measured: &str,
    figure: &str,
    target: &str,
    verdict: &str,
) -> Result<()> {
    Ok(writeln!(
        stdout(),
        "{work:<64}{floor:>16}{measured:>16}{figure:>12}{target:>10}  {verdict}"
    )?)
}
