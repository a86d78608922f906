//! What can go wrong, in words that an admin can act on.

use sqlx::error::DatabaseError;

use crate::store::StoreError;
use crate::store::pack::BodyFault;
use crate::tls::{self, Vocabulary};

/// A failure inside the engine, before it is said where.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server refused, or cannot be reached.
    Sql(sqlx::Error),
    /// It cannot be done, now or later.
    Lasting(String),
    /// It cannot be done just now.
    Passing(String),
    /// What is stored cannot be understood.
    Damaged(String),
    /// It is said already.
    Said(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Said(error)
    }
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Damaged(what) => Self::Damaged(what),
            BodyFault::Unpackable(reason) => Self::Lasting(reason),
            BodyFault::MemoryIsShort => Self::Passing("memory is short".to_owned()),
        }
    }
}

const RESTORE: &str = "what is stored is damaged: stop secpull and restore a backup";

impl Fault {
    /// Says where it happened.
    pub(super) fn at(self, place: &str) -> StoreError {
        let (reason, passing) = match self {
            Self::Said(error) => return error,
            Self::Lasting(reason) => (reason, false),
            Self::Passing(reason) => (reason, true),
            Self::Damaged(what) => (format!("{what}; {RESTORE}"), false),
            Self::Sql(error) => in_words(&error),
        };
        StoreError::Engine {
            place: place.to_owned(),
            reason,
            passing,
        }
    }
}

/// The server's words and what to do, and whether waiting can help.
fn in_words(error: &sqlx::Error) -> (String, bool) {
    match error {
        sqlx::Error::Database(error) => refused(error.as_ref()),
        // What TLS finds wrong comes as data that is not valid.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let problem = error.get_ref().and_then(|held| held.downcast_ref());
            (no_tls(error, problem), false)
        }
        sqlx::Error::Io(error) => (
            format!("the server cannot be reached: {error}; is it up, and do host and port in [store] url lead to it?"),
            true,
        ),
        sqlx::Error::Tls(error) => (no_tls(error, error.downcast_ref()), false),
        sqlx::Error::PoolTimedOut => (
            "no connection became free in time: the server does not answer, or max_connections is too low".to_owned(),
            true,
        ),
        sqlx::Error::Protocol(what) => (format!("the connection broke: {what}"), true),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => (error.to_string(), true),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
            (format!("{error}; {RESTORE}"), false)
        }
        _ => (error.to_string(), false),
    }
}

const SERVER: Vocabulary = Vocabulary {
    who: "the server",
    bundle: "sslrootcert of [store] url",
    address: "[store] url",
    identity: ["sslcert", "sslkey"],
};

fn no_tls(error: &dyn std::fmt::Display, problem: Option<&rustls::Error>) -> String {
    match problem {
        Some(problem) => tls::in_words(problem, &SERVER),
        None => {
            format!("no TLS with the server: {error}; see sslmode and sslrootcert in [store] url")
        }
    }
}

/// By the codes of PostgreSQL's appendix A. The detail of a message is left out: it repeats what was to be stored.
fn refused(error: &dyn DatabaseError) -> (String, bool) {
    let code = error.code().unwrap_or_default();
    let (advice, passing) = match code.as_ref() {
        "28P01" | "28000" => (
            "see user and [store] password, and pg_hba.conf of the server",
            false,
        ),
        "3D000" => ("create the database first: createdb -O USER NAME", false),
        "42501" => (
            "the user of [store] url must own the database, or may create tables in its schema",
            false,
        ),
        "42P01" | "42703" => (
            "the tables are not as secpull left them: restore a backup",
            false,
        ),
        "25006" => (
            "the server is read-only: [store] url must lead to the primary",
            true,
        ),
        "40P01" | "40001" | "55P03" => ("another transaction was in the way", true),
        "57014" => (
            "the server's statement_timeout is too short for secpull's user",
            true,
        ),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
            ("the server ended the connection, or is just starting", true)
        }
        "53300" => (
            "the server has no connection left: raise max_connections, or run fewer daemons",
            true,
        ),
        "53100" => (
            "the server's disk is full: make room; what was stored before is safe",
            true,
        ),
        "XX001" | "XX002" => (RESTORE, false),
        code => {
            // Connections, resources, the system below.
            let passing = ["08", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class));
            return (format!("{} (SQLSTATE {code})", error.message()), passing);
        }
    };
    (format!("{}; {advice}", error.message()), passing)
}
