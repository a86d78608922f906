//! How a command ends: its exit code, and what is said on standard error.

use std::io;
use std::process::ExitCode;

use crate::config::Problems;
use crate::daemon::control::client::ClientError;
use crate::store::StoreError;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All done.
    Complete = 0,
    /// An import was not complete, a check failed, something was refused.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The daemon cannot be reached.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that could not do its work.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What to say on standard error, a line each.
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn failed(line: impl Into<String>) -> Self {
        Self::new(Exit::Failed, line)
    }

    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    pub(crate) fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self {
            exit,
            lines: vec![line.into()],
        }
    }

    /// What failed after the daemon did not answer; both are said, and the daemon decides the exit code.
    pub(crate) fn after(self, unreachable: &str) -> Self {
        let mut lines = vec![unreachable.to_owned()];
        lines.extend(self.lines);
        Self {
            exit: Exit::Unreachable,
            lines,
        }
    }

    /// A name that is not configured; says what is.
    pub(crate) fn unknown<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let known = if known.is_empty() {
            "none is configured".to_owned()
        } else {
            format!("known: {}", known.join(", "))
        };
        Self::usage(format!("there is no {what} {name}; {known}"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // Whoever reads has seen enough (`| head`): no mistake of anybody.
            return Self {
                exit: Exit::Complete,
                lines: Vec::new(),
            };
        }
        Self::failed(format!("cannot write the output: {error}"))
    }
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => Self::failed(format!("cannot write CSV: {other:?}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return io::Error::from(error).into();
        }
        Self::failed(format!("cannot write or read JSON: {error}"))
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self {
            exit: Exit::Usage,
            lines: problems.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable(line) => Self::new(Exit::Unreachable, line),
            ClientError::Broken(line) => Self::failed(line),
            ClientError::Refused { status, answer } => Self {
                exit: match status {
                    // Unknown name, bad filter, wrong configuration: the caller's to mend.
                    400 | 404 | 422 => Exit::Usage,
                    _ => Exit::Failed,
                },
                lines: if answer.details.is_empty() {
                    vec![answer.error]
                } else {
                    let mut lines = answer.details;
                    lines.push(answer.error);
                    lines
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::control::api::ErrorAnswer;

    #[test]
    fn a_reader_that_went_away_is_a_quiet_success() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit, Exit::Complete);
        assert!(failure.lines.is_empty());
    }

    #[test]
    fn a_full_disk_is_said() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(failure.lines.len(), 1);
    }

    #[test]
    fn a_refused_configuration_is_told_line_by_line_and_exits_with_2() {
        let failure = Failure::from(ClientError::Refused {
            status: 422,
            answer: ErrorAnswer {
                error: "the configuration is wrong; the old one stays in force".to_owned(),
                details: vec!["a.toml:1: x".to_owned(), "a.toml:2: y".to_owned()],
            },
        });
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.lines.len(), 3);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let failure = Failure::unknown("API configuration", "shpo", ["payments", "shop"]);
        assert_eq!(
            failure.lines,
            ["there is no API configuration shpo; known: payments, shop"]
        );
        assert_eq!(failure.exit, Exit::Usage);
    }
}
