//! The same binary with its store in PostgreSQL: the tests of `tests/end_to_end`, each installation with a database of its own,
//! and what only several daemons on one store can show.
//!
//! On SQLite alone run those about its file (`backup`, `starve`: a full disk, a lock, a file that cannot be written; what a server
//! does to the store is in `postgres`), about the host's clock, which decides nothing here (`clock`; see `clocks`), and those that ask no store
//! (`configuration`, `proxies`, `real_prometheus`, `trust`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod engine;
mod several_daemons;

#[cfg(feature = "aws")]
#[path = "../end_to_end/aws_security_hub.rs"]
mod aws_security_hub;
#[path = "../end_to_end/burp/mod.rs"]
mod burp;
#[path = "../end_to_end/checkmarx_one.rs"]
mod checkmarx_one;
#[path = "../end_to_end/connections.rs"]
mod connections;
#[path = "../end_to_end/control.rs"]
mod control;
#[path = "../end_to_end/defectdojo/mod.rs"]
mod defectdojo;
#[path = "../end_to_end/forwards/mod.rs"]
mod forwards;
#[path = "../end_to_end/kill.rs"]
mod kill;
#[path = "../end_to_end/lifecycle.rs"]
mod lifecycle;
#[path = "../end_to_end/misfortunes.rs"]
mod misfortunes;
#[path = "../end_to_end/notifications/mod.rs"]
mod notifications;
#[path = "../end_to_end/osv/mod.rs"]
mod osv;
#[path = "../end_to_end/outgoing.rs"]
mod outgoing;
#[path = "../end_to_end/probely/mod.rs"]
mod probely;
#[path = "../end_to_end/promises.rs"]
mod promises;
#[path = "../end_to_end/schedule.rs"]
mod schedule;
#[path = "../end_to_end/secrets.rs"]
mod secrets;
#[path = "../end_to_end/semgrep/mod.rs"]
mod semgrep;
#[path = "../end_to_end/snyk/mod.rs"]
mod snyk;
#[path = "../end_to_end/sonarqube/mod.rs"]
mod sonarqube;
#[path = "../end_to_end/standalone.rs"]
mod standalone;
#[allow(dead_code, reason = "some of it is for tests that run on SQLite alone")]
#[path = "../end_to_end/support/mod.rs"]
mod support;
#[path = "../end_to_end/tenable.rs"]
mod tenable;
#[path = "../end_to_end/two_sources.rs"]
mod two_sources;
