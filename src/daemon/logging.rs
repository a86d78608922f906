//! Where the log goes: standard error, which systemd keeps in its journal.

use tracing_subscriber::EnvFilter;

/// The variable that says what is logged, in the syntax of tracing's filters: `debug`, `info,secpull::http=trace`.
pub const VARIABLE: &str = "SECPULL_LOG";

/// The scheduler crate says something for each ring; nobody wants to read that. What AWS's crate says of missing credentials is in the
/// error too, in fewer words.
const DEFAULT: &str = "info,tokio_cron_scheduler=warn,aws_config=error,sqlx=error";

/// Begins the service's log on standard error, as `SECPULL_LOG` says. Where the journal reads it, lines carry no time and no
/// colour: the journal has its own.
///
/// # Errors
/// The variable cannot be understood.
pub fn start() -> Result<(), String> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text).map_err(|error| {
            format!("{VARIABLE}={text:?} is not a log filter ({error}): give a level (error, warn, info, debug, trace), or {DEFAULT:?}")
        })?,
        _ => EnvFilter::new(DEFAULT),
    };
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(!journal && std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let begun = if journal {
        log.without_time().try_init()
    } else {
        log.try_init()
    };
    if begun.is_err() {
        tracing::debug!("the log was set up before");
    }
    Ok(())
}
