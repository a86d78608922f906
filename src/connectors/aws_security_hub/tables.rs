//! Security Hub's words and ours (contract: the service model securityhub-2018-10-26 and AWS's pages on severity and workflow).

use crate::finding::{Severity, Status};

/// `Severity.Label`. Anything else is unknown.
const LABELS: &[(&str, Severity)] = &[
    ("CRITICAL", Severity::Critical),
    ("HIGH", Severity::High),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
    ("INFORMATIONAL", Severity::Info),
];

/// `Severity.Normalized`, where there is no label: from this number on.
const NORMALIZED: &[(f64, Severity)] = &[
    (90.0, Severity::Critical),
    (70.0, Severity::High),
    (40.0, Severity::Medium),
    (1.0, Severity::Low),
    (0.0, Severity::Info),
];

/// `VerificationState`, where a person has judged.
const VERIFIED: &[(&str, Status)] = &[
    ("FALSE_POSITIVE", Status::FalsePositive),
    // It happens, and is meant to.
    ("BENIGN_POSITIVE", Status::NotSecurity),
];

/// `Workflow.Status`. NEW and words that are not here are open.
const WORKFLOW: &[(&str, Status)] = &[
    ("RESOLVED", Status::Resolved),
    ("SUPPRESSED", Status::RiskAccepted),
    ("NOTIFIED", Status::InReview),
];

/// `WorkflowState`, deprecated: only where there is no `Workflow`.
const OLD_WORKFLOW: &[(&str, Status)] = &[
    ("RESOLVED", Status::Resolved),
    ("DEFERRED", Status::RiskAccepted),
    ("ASSIGNED", Status::InReview),
    ("IN_PROGRESS", Status::InReview),
];

/// How ids of vulnerabilities begin; the ids of controls and detectors do not.
const VULNERABILITIES: &[&str] = &[
    "CVE-", "GHSA-", "ALAS", "RHSA-", "RHBA-", "ELSA-", "USN-", "DSA-", "DLA-", "SUSE-", "RLSA-",
    "ALSA-", "GO-", "PYSEC-", "RUSTSEC-", "SNYK-", "OSV-", "GMS-",
];

/// What `Resources[].Provider` is called here.
const PROVIDERS: &[(&str, &str)] = &[("AWS", "aws"), ("AZURE", "azure"), ("GCP", "gcp")];

/// The words that the status is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct States<'a> {
    pub(super) record: Option<&'a str>,
    pub(super) compliance: Option<&'a str>,
    pub(super) verification: Option<&'a str>,
    pub(super) workflow: Option<&'a str>,
    pub(super) old_workflow: Option<&'a str>,
}

impl States<'_> {
    /// The status; of several words the one that says most.
    pub(super) fn status(&self) -> Status {
        if self.record == Some("ARCHIVED") || self.compliance == Some("PASSED") {
            return Status::Resolved;
        }
        let flow = match self.workflow {
            Some(word) => find(WORKFLOW, word),
            None => self.old_workflow.and_then(|word| find(OLD_WORKFLOW, word)),
        };
        if flow == Some(Status::Resolved) {
            return Status::Resolved;
        }
        let verified = self.verification.and_then(|word| find(VERIFIED, word));
        verified.or(flow).unwrap_or(Status::Open)
    }

    /// The words themselves: `ACTIVE/NEW/FAILED`.
    pub(super) fn source_status(&self) -> Option<String> {
        let workflow = self.workflow.or(self.old_workflow);
        let words: Vec<_> = [self.record, workflow, self.compliance]
            .into_iter()
            .flatten()
            .collect();
        (!words.is_empty()).then(|| words.join("/"))
    }
}

/// The severity of a label, or of the number where there is none.
pub(super) fn severity(label: Option<&str>, normalized: Option<f64>) -> Severity {
    match (label, normalized) {
        (Some(label), _) => find(LABELS, label).unwrap_or(Severity::Unknown),
        (None, Some(number)) if (0.0..=100.0).contains(&number) => NORMALIZED
            .iter()
            .find(|(from, _)| number >= *from)
            .map_or(Severity::Info, |(_, severity)| *severity),
        (None, _) => Severity::Unknown,
    }
}

pub(super) fn is_vulnerability(id: &str) -> bool {
    let id = id.trim().to_ascii_uppercase();
    VULNERABILITIES.iter().any(|prefix| id.starts_with(prefix))
}

pub(super) fn provider(word: Option<&str>) -> String {
    let word = word.unwrap_or("AWS").to_ascii_uppercase();
    find(PROVIDERS, &word).map_or_else(|| word.to_ascii_lowercase(), str::to_owned)
}

fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let row = table.iter().find(|(known, _)| *known == word);
    row.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_makes_the_status() {
        let plain = States {
            record: Some("ACTIVE"),
            ..States::default()
        };
        let of = |change: fn(&mut States<'_>)| {
            let mut states = plain;
            change(&mut states);
            states.status()
        };
        assert_eq!(plain.status(), Status::Open);
        assert_eq!(of(|s| s.record = Some("ARCHIVED")), Status::Resolved);
        assert_eq!(of(|s| s.compliance = Some("PASSED")), Status::Resolved);
        assert_eq!(of(|s| s.compliance = Some("FAILED")), Status::Open);
        assert_eq!(of(|s| s.compliance = Some("WARNING")), Status::Open);
        assert_eq!(of(|s| s.compliance = Some("NOT_AVAILABLE")), Status::Open);
        assert_eq!(of(|s| s.workflow = Some("RESOLVED")), Status::Resolved);
        assert_eq!(
            of(|s| s.workflow = Some("SUPPRESSED")),
            Status::RiskAccepted
        );
        assert_eq!(of(|s| s.workflow = Some("NOTIFIED")), Status::InReview);
        assert_eq!(of(|s| s.workflow = Some("SOMETHING")), Status::Open);
        assert_eq!(
            of(|s| s.verification = Some("FALSE_POSITIVE")),
            Status::FalsePositive
        );
        assert_eq!(
            of(|s| {
                s.verification = Some("BENIGN_POSITIVE");
                s.workflow = Some("SUPPRESSED");
            }),
            Status::NotSecurity
        );
        assert_eq!(
            of(|s| {
                s.verification = Some("FALSE_POSITIVE");
                s.workflow = Some("RESOLVED");
            }),
            Status::Resolved
        );
    }

    #[test]
    fn the_deprecated_state_counts_only_where_there_is_no_workflow() {
        let of = |workflow, old_workflow| {
            let states = States {
                workflow,
                old_workflow,
                ..States::default()
            };
            states.status()
        };
        assert_eq!(of(None, Some("IN_PROGRESS")), Status::InReview);
        assert_eq!(of(None, Some("ASSIGNED")), Status::InReview);
        assert_eq!(of(None, Some("DEFERRED")), Status::RiskAccepted);
        assert_eq!(of(None, Some("RESOLVED")), Status::Resolved);
        assert_eq!(of(Some("NEW"), Some("RESOLVED")), Status::Open);
    }

    #[test]
    fn without_a_label_the_number_makes_the_severity() {
        assert_eq!(severity(Some("INFORMATIONAL"), Some(90.0)), Severity::Info);
        assert_eq!(severity(Some("SEVERE"), Some(90.0)), Severity::Unknown);
        for (number, expected) in [
            (0.0, Severity::Info),
            (1.0, Severity::Low),
            (39.0, Severity::Low),
            (40.0, Severity::Medium),
            (69.0, Severity::Medium),
            (70.0, Severity::High),
            (89.0, Severity::High),
            (90.0, Severity::Critical),
            (100.0, Severity::Critical),
            (101.0, Severity::Unknown),
        ] {
            assert_eq!(severity(None, Some(number)), expected, "{number}");
        }
        assert_eq!(severity(None, None), Severity::Unknown);
    }

    #[test]
    fn ids_of_controls_and_detectors_are_no_vulnerabilities() {
        assert!(is_vulnerability("CVE-2025-11111"));
        assert!(is_vulnerability("ALAS2023-2025-123"));
        assert!(!is_vulnerability("S3.8"));
        assert!(!is_vulnerability("python/sql-injection@v1.0"));
    }
}
