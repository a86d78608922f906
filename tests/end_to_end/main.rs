//! The real binary, as its users meet it: its files, its socket, its exit codes, against simulated and real tools.
//! `tests/end_to_end_postgres` runs nearly all of this on PostgreSQL too; only their `engine.rs` knows which engine it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[cfg(feature = "aws")]
mod aws_security_hub;
mod backup;
mod burp;
mod checkmarx_one;
mod clock;
mod configuration;
mod connections;
mod control;
mod defectdojo;
mod engine;
mod forwards;
mod growth;
mod kill;
mod lifecycle;
mod misfortunes;
mod notifications;
mod osv;
mod outgoing;
mod postgres;
mod postgres_failover;
mod postgres_faults;
mod probely;
mod promises;
mod proxies;
mod real_prometheus;
mod schedule;
mod secrets;
mod semgrep;
mod snyk;
mod sonarqube;
mod standalone;
mod starve;
#[allow(
    dead_code,
    reason = "some of it is for tests that run on PostgreSQL alone"
)]
mod support;
mod tenable;
mod trust;
mod two_sources;
