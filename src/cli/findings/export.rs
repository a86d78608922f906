//! The formats of `secpull findings`. A new format is one [`Writer`] and one line in [`writer`].

use std::io::Write;

use serde_json::Value;

use super::documents::{GenericFindings, Sarif};
use super::format::FindingsFormat;
use super::row::{COLUMNS, Row};
use super::writer::{Writer, understand};
use crate::cli::failure::Failure;
use crate::cli::listing::csv_record;
use crate::cli::output::{Look, Output};
use crate::cli::table::{Field, Grid};

/// So many rows of a table are printed at once; the first piece decides its widths.
const PIECE: usize = 200;

/// The writer of a format.
pub(super) fn writer(format: FindingsFormat, look: Look) -> Box<dyn Writer> {
    match format {
        FindingsFormat::Table => Box::new(Table {
            grid: Grid::new(COLUMNS, look),
            rows: Vec::with_capacity(PIECE),
            total: 0,
        }),
        FindingsFormat::Json => Box::new(Json { first: true }),
        FindingsFormat::Jsonl => Box::new(Jsonl),
        FindingsFormat::Csv => Box::new(Csv),
        FindingsFormat::Sarif => Box::new(Sarif::default()),
        FindingsFormat::DefectDojo => Box::new(GenericFindings::default()),
    }
}

/// Lines, passed on as they are.
struct Jsonl;

impl Writer for Jsonl {
    fn begin(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        output.write_all(line)?;
        output.write_all(b"\n")?;
        Ok(())
    }

    fn end(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }
}

/// One array, a finding a line.
struct Json {
    first: bool,
}

impl Writer for Json {
    fn begin(&mut self, output: &mut Output) -> Result<(), Failure> {
        output.write_all(b"[")?;
        Ok(())
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        let separator: &[u8] = if self.first { b"\n" } else { b",\n" };
        self.first = false;
        output.write_all(separator)?;
        output.write_all(line)?;
        Ok(())
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        let end: &[u8] = if self.first { b"]\n" } else { b"\n]\n" };
        output.write_all(end)?;
        Ok(())
    }
}

/// Columns in pieces.
struct Table {
    grid: Grid,
    rows: Vec<Vec<Field>>,
    total: usize,
}

impl Table {
    fn print(&mut self, output: &mut Output) -> Result<(), Failure> {
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(PIECE));
        self.grid.print(output, rows)?;
        Ok(())
    }
}

impl Writer for Table {
    fn begin(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        self.total += 1;
        self.rows.push(understand::<Row<'_>>(line)?.fields());
        if self.rows.len() == PIECE {
            self.print(output)?;
        }
        Ok(())
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        self.print(output)?;
        if self.total == 0 {
            output.notes().line("no findings");
        }
        Ok(())
    }
}

/// The columns of CSV: keys of the JSON, those of sightings with a value for each.
const CSV: &[&str] = &[
    "id",
    "product",
    "branch",
    "service",
    "fingerprint",
    "kind",
    "title",
    "description",
    "recommendation",
    "severity",
    "status",
    "vulnerability_id",
    "aliases",
    "cwes",
    "cvss3_vector",
    "cvss3_score",
    "cvss4_vector",
    "cvss4_score",
    "epss_score",
    "component.name",
    "component.version",
    "component.purl",
    "component.cpe",
    "component.fixed_version",
    "image.name",
    "image.tag",
    "image.digest",
    "endpoint.url",
    "endpoint.method",
    "endpoint.parameter",
    "source_location.file",
    "source_location.line_start",
    "source_location.line_end",
    "source_location.url",
    "cloud.provider",
    "cloud.account",
    "cloud.region",
    "cloud.resource_type",
    "cloud.resource_id",
    "kubernetes.cluster",
    "kubernetes.namespace",
    "kubernetes.kind",
    "kubernetes.name",
    "host.name",
    "host.ip",
    "host.port",
    "host.protocol",
    "references",
    "tags",
    "first_seen",
    "last_seen",
    "resolved_at",
    "sightings.api_configuration",
    "sightings.connector",
    "sightings.record",
    "sightings.source_id",
];

/// Comma-separated values for spreadsheets.
struct Csv;

impl Csv {
    fn record(
        output: &mut Output,
        fields: impl IntoIterator<Item = String>,
    ) -> Result<(), Failure> {
        let mut line = Vec::new();
        let mut csv = csv::Writer::from_writer(&mut line);
        csv.write_record(fields)?;
        csv.flush()?;
        drop(csv);
        output.write_all(&line)?;
        Ok(())
    }
}

impl Writer for Csv {
    fn begin(&mut self, output: &mut Output) -> Result<(), Failure> {
        Self::record(output, CSV.iter().map(|key| (*key).to_owned()))
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        let finding: Value = understand(line)?;
        Self::record(output, csv_record(&finding, CSV))
    }

    fn end(&mut self, _output: &mut Output) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::samples::log4shell;
    use super::*;
    use crate::cli::output::capture;

    fn printed(format: FindingsFormat, findings: &[Value]) -> (String, String) {
        let look = Look::default();
        let (mut output, text, notes) = capture::output(look);
        let mut writer = writer(format, look);
        writer.begin(&mut output).unwrap();
        for finding in findings {
            let line = finding.to_string();
            writer.finding(&mut output, line.as_bytes()).unwrap();
        }
        writer.end(&mut output).unwrap();
        output.flush().unwrap();
        (text.text(), notes.text())
    }

    #[test]
    fn jsonl_passes_lines_on_as_they_are() {
        let line = log4shell().to_string();
        assert_eq!(
            printed(FindingsFormat::Jsonl, &[log4shell()]).0,
            format!("{line}\n")
        );
    }

    #[test]
    fn json_is_one_array_however_many_there_are() {
        for many in 0..3 {
            let findings = vec![log4shell(); many];
            let array: Vec<Value> =
                serde_json::from_str(&printed(FindingsFormat::Json, &findings).0).unwrap();
            assert_eq!(array, findings);
        }
    }

    #[test]
    fn csv_has_a_stable_header_and_a_value_for_each_sighting() {
        let (text, _) = printed(FindingsFormat::Csv, &[log4shell()]);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let header = csv.headers().unwrap().clone();
        assert_eq!(header.iter().collect::<Vec<_>>(), CSV);
        let record = csv.records().next().unwrap().unwrap();
        let value = |key| &record[CSV.iter().position(|k| *k == key).unwrap()];
        assert_eq!(value("component.fixed_version"), "2.17.1");
        assert_eq!(value("cwes"), "502; 917");
        assert_eq!(value("sightings.api_configuration"), "shop; cluster");
        assert_eq!(value("sightings.source_id"), "'-p:1; r:2");
        assert_eq!(value("host.port"), "");
    }

    #[test]
    fn a_table_is_clean_and_says_where() {
        let (text, _) = printed(FindingsFormat::Table, &[log4shell()]);
        let row = text.lines().nth(1).unwrap();
        for part in [
            "critical",
            "Log4Shell: [31mRCE \"now\"",
            "log4j-core 2.14.1 in registry/shop:1.2",
            "Shop/checkout@main",
            "2026-11-24 06:40Z",
        ] {
            assert!(row.contains(part), "{part} is missing in {row}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_table_comes_in_pieces_with_one_header() {
        let (text, _) = printed(FindingsFormat::Table, &vec![log4shell(); PIECE * 2 + 1]);
        assert_eq!(text.lines().count(), PIECE * 2 + 2);
        assert_eq!(text.matches("SEVERITY").count(), 1);
    }

    #[test]
    fn an_empty_table_says_so_beside_the_output() {
        let (text, notes) = printed(FindingsFormat::Table, &[]);
        assert_eq!((text.as_str(), notes.as_str()), ("", "no findings\n"));
    }
}
