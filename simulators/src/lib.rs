//! The security tools' APIs on loopback, as strict as the vendors are: for tests, benches and the quick start, never in the
//! shipped binary.
//!
//! Each vendor has one module with a builder; [`server`] starts it on an ephemeral port of 127.0.0.1 and stops it when the
//! handle is dropped. What can go wrong with any of them is one table, [`misfortune`]. Data to serve is in [`scenario`].
//! What is simulated follows the vendors' contracts, not secpull's wishes: a parameter that the vendor ignores is ignored
//! here too.

pub mod aws_security_hub;
pub mod burp;
pub mod checkmarx_one;
pub mod defectdojo;
pub mod dependency_track;
pub mod forward_proxy;
pub mod hooks;
pub mod mail;
pub mod misfortune;
pub mod osv;
pub mod probely;
pub mod prometheus;
pub mod real_postgres;
pub mod real_prometheus;
pub mod scenario;
pub mod semgrep;
pub mod server;
pub mod snyk;
pub mod sonarqube;
pub mod tenable;

mod random;
