//! Findings as one document in another tool's words, written as they come.

use std::io::Write;

use super::writer::{Writer, understand};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::export::{generic_findings, sarif};

/// Writes what separates the elements of an array, and none before the first.
#[derive(Default)]
struct Commas {
    begun: bool,
}

impl Commas {
    fn element(&mut self, output: &mut Output, element: &serde_json::Value) -> Result<(), Failure> {
        let separator: &[u8] = if self.begun { b",\n" } else { b"\n" };
        self.begun = true;
        output.write_all(separator)?;
        serde_json::to_writer(output, element)?;
        Ok(())
    }
}

/// SARIF 2.1.0. The rules come last: they are known when all findings are.
#[derive(Default)]
pub(super) struct Sarif {
    commas: Commas,
    rules: sarif::Rules,
}

impl Writer for Sarif {
    fn begin(&mut self, output: &mut Output) -> Result<(), Failure> {
        output.write_all(sarif::HEAD.as_bytes())?;
        Ok(())
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        let result = self.rules.result(&understand(line)?);
        self.commas.element(output, &result)
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        output.line(self.rules.tail(env!("CARGO_PKG_VERSION")))?;
        Ok(())
    }
}

/// DefectDojo's Generic Findings Import.
#[derive(Default)]
pub(super) struct GenericFindings {
    commas: Commas,
    resolved: u64,
}

impl Writer for GenericFindings {
    fn begin(&mut self, output: &mut Output) -> Result<(), Failure> {
        output.write_all(generic_findings::HEAD.as_bytes())?;
        Ok(())
    }

    fn finding(&mut self, output: &mut Output, line: &[u8]) -> Result<(), Failure> {
        match generic_findings::finding(&understand(line)?) {
            Some(finding) => self.commas.element(output, &finding),
            None => {
                self.resolved += 1;
                Ok(())
            }
        }
    }

    fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        output.line(generic_findings::TAIL)?;
        if self.resolved > 0 {
            output.notes().line(format!(
                "left out: {} resolved findings (DefectDojo closes what a file no longer holds)",
                self.resolved
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::row::samples::log4shell;
    use super::*;
    use crate::cli::output::{Look, capture};

    fn printed(mut writer: impl Writer, findings: &[Value]) -> (Value, String) {
        let (mut output, text, notes) = capture::output(Look::default());
        writer.begin(&mut output).unwrap();
        for finding in findings {
            writer
                .finding(&mut output, finding.to_string().as_bytes())
                .unwrap();
        }
        writer.end(&mut output).unwrap();
        output.flush().unwrap();
        (serde_json::from_str(&text.text()).unwrap(), notes.text())
    }

    #[test]
    fn sarif_is_one_document_however_many_findings_there_are() {
        for many in 0..3 {
            let (log, _) = printed(Sarif::default(), &vec![log4shell(); many]);
            let run = &log["runs"][0];
            assert_eq!(run["results"].as_array().unwrap().len(), many);
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            assert_eq!(rules.len(), many.min(1));
        }
    }

    #[test]
    fn resolved_findings_are_left_out_of_a_file_for_defectdojo_and_counted() {
        let mut resolved = log4shell();
        resolved["status"] = "resolved".into();
        let (file, notes) = printed(
            GenericFindings::default(),
            &[log4shell(), resolved, log4shell()],
        );
        assert_eq!(file["findings"].as_array().unwrap().len(), 2);
        assert!(notes.starts_with("left out: 1 resolved"), "{notes}");
    }
}
