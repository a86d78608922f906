//! Findings as other tools' documents: SARIF, and DefectDojo's Generic Findings Import.
//!
//! Belongs here: how one finding is said in another tool's words. Does not belong here: reading findings, writing files,
//! sending anything.

mod exported;
pub mod generic_findings;
mod limits;
#[cfg(test)]
mod samples;
pub mod sarif;

pub use exported::Exported;
