//! What can go wrong, in words that an admin can act on.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::StoreError;
use crate::store::pack::BodyFault;

/// A failure inside the engine, before it is said where.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite refused.
    Sql(rusqlite::Error),
    /// The rest of the system did: a file, a thread.
    System {
        /// What, and what to do.
        reason: String,
        /// Whether trying again later can help.
        passing: bool,
    },
    /// What is stored cannot be understood.
    Damaged(String),
    /// It is said already.
    Said(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Damaged(what) => Self::Damaged(what),
            BodyFault::Unpackable(reason) => Self::lasting(reason),
            BodyFault::MemoryIsShort => Self::System {
                reason: "memory is short".to_owned(),
                passing: true,
            },
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Said(error)
    }
}

impl Fault {
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self::System {
            reason: reason.into(),
            passing: false,
        }
    }

    /// Says where it happened.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let place = path.display().to_string();
        match self {
            Self::Said(error) => error,
            Self::System { reason, passing } => StoreError::Engine {
                place,
                reason,
                passing,
            },
            Self::Damaged(what) => StoreError::Engine {
                place,
                reason: format!("{what}; {RESTORE}"),
                passing: false,
            },
            Self::Sql(error) => {
                let (advice, passing) = advice(&error);
                let reason = match advice {
                    Some(advice) => format!("{error}; {advice}"),
                    None => error.to_string(),
                };
                StoreError::Engine {
                    place,
                    reason,
                    passing,
                }
            }
        }
    }
}

const RESTORE: &str = "the file is damaged: stop secpull and restore a backup";

/// What to do, and whether waiting can help.
fn advice(error: &rusqlite::Error) -> (Option<&'static str>, bool) {
    let code = match error {
        rusqlite::Error::SqliteFailure(failure, _) => failure.code,
        rusqlite::Error::SqlInputError { error, .. } => error.code,
        rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..) => return (Some(RESTORE), false),
        _ => return (None, false),
    };
    match code {
        ErrorCode::DiskFull => (
            Some("the disk is full: make room; what was stored before is safe"),
            true,
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            Some("another program has kept it locked for 5 seconds: end that program, or wait"),
            true,
        ),
        ErrorCode::ReadOnly => (
            Some(
                "it cannot be written: the file and its folder must belong to the user that runs secpull, on a file system that is not read-only",
            ),
            false,
        ),
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => (
            Some("the file and its folder must belong to the user that runs secpull"),
            false,
        ),
        ErrorCode::CannotOpen => (
            Some(
                "the folder must exist and be accessible to the user that runs secpull, and file descriptors must be left",
            ),
            true,
        ),
        ErrorCode::SystemIoFailure => (
            Some("the system could not read or write the file: see the kernel's log for the disk"),
            true,
        ),
        ErrorCode::DatabaseCorrupt => (Some(RESTORE), false),
        ErrorCode::NotADatabase => (
            Some(
                "this file is no SQLite database: give another path in [store] url, or restore a backup",
            ),
            false,
        ),
        ErrorCode::OutOfMemory => (Some("memory is short"), true),
        _ => (None, false),
    }
}
