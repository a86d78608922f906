//! The log of commands: warnings and worse on standard error, more with `SECPULL_LOG`.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::output::Notes;

const VARIABLE: &str = "SECPULL_LOG";

/// Starts the log. The daemon has its own.
pub(super) fn start(notes: Notes) {
    let filter = match std::env::var(VARIABLE) {
        Err(_) => EnvFilter::new("warn"),
        Ok(directives) => EnvFilter::try_new(&directives).unwrap_or_else(|error| {
            notes.warning(format!("{VARIABLE} is not understood: {error}"));
            EnvFilter::new("warn")
        }),
    };
    let started = fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || notes.clone())
        .try_init();
    debug_assert!(started.is_ok(), "the log is started once");
}
