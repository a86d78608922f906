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
mod kill;
mod lifecycle;
mod misfortunes;
mod postgres;
mod promises;
mod real_prometheus;
mod schedule;
mod secrets;
mod several_daemons;
mod standalone;
mod starve;
mod support;
mod two_sources;
