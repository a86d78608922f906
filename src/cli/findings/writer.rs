//! What every format of findings is written by.

use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Writes findings as they come, in little memory.
pub(super) trait Writer {
    /// What comes before the first finding.
    fn begin(&mut self, output: &mut Output) -> Result<(), Failure>;

    /// One finding: its line of JSON.
    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure>;

    /// What comes after the last one. Not called if the listing broke off, so that nobody takes a part for the whole.
    fn end(&mut self, output: &mut Output) -> Result<(), Failure>;
}

/// Reads a finding's line.
pub(super) fn understand<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(line).map_err(|error| {
        Failure::failed(format!(
            "a finding is not understood ({error}): is the daemon of another version than this command?"
        ))
    })
}
