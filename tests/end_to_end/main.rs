//! The real binary, as its users meet it: its files, its socket, its exit codes, against simulated and real tools.

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
mod forwards;
mod kill;
mod lifecycle;
mod misfortunes;
mod osv;
mod outgoing;
mod postgres;
mod probely;
mod promises;
mod real_prometheus;
mod schedule;
mod secrets;
mod semgrep;
mod several_daemons;
mod snyk;
mod sonarqube;
mod standalone;
mod starve;
mod support;
mod tenable;
mod two_sources;
