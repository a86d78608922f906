//! The real binary, as its users meet it: its files, its socket, its exit codes, against simulated and real tools.

mod burp;
mod configuration;
mod control;
mod lifecycle;
mod misfortunes;
mod promises;
mod real_prometheus;
mod schedule;
mod standalone;
mod support;
mod two_sources;
