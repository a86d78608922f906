//! The real binary, as its users meet it: its files, its socket, its exit codes, against simulated and real tools.

mod configuration;
mod support;
