//! How findings are printed: as every listing, or as another tool's document.

use clap::{Args, ValueEnum};

use crate::cli::format::Format;

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FindingsFormat {
    /// For people; its columns may change
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// SARIF 2.1.0, for code scanning and viewers
    Sarif,
    /// DefectDojo's Generic Findings Import; without resolved findings
    #[value(name = "defectdojo")]
    DefectDojo,
}

impl From<Format> for FindingsFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Json => Self::Json,
            Format::Jsonl => Self::Jsonl,
            Format::Csv => Self::Csv,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(super) struct FindingsListing {
    /// How to print them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: FindingsFormat,
}
