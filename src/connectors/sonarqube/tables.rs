//! What the vendor's words mean (contract 5), and the limits that all its answers keep to.

use crate::finding::{Severity, Status};

/// No search gives more rows than this, and SonarQube Cloud does not even count further.
pub(super) const CAP: u64 = 10_000;

/// A facet lists no more values than this.
pub(super) const FACET_VALUES: usize = 100;

/// `severity` of an issue, of whatever version.
pub(super) const SEVERITIES: &[(&str, Severity)] = &[
    ("BLOCKER", Severity::Critical),
    ("CRITICAL", Severity::High),
    ("MAJOR", Severity::Medium),
    ("MINOR", Severity::Low),
    ("INFO", Severity::Info),
];

/// Severity of an impact on a software quality, and of a dependency risk.
const IMPACTS: &[(&str, Severity)] = &[
    ("BLOCKER", Severity::Critical),
    ("HIGH", Severity::High),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
    ("INFO", Severity::Info),
];

/// `vulnerabilityProbability` of a hotspot.
const PROBABILITIES: &[(&str, Severity)] = &[
    ("HIGH", Severity::High),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
];

/// `issueStatus`, from 10.4 on.
const ISSUE_STATUSES: &[(&str, Status)] = &[
    ("OPEN", Status::Open),
    ("CONFIRMED", Status::Open),
    ("FALSE_POSITIVE", Status::FalsePositive),
    ("ACCEPTED", Status::RiskAccepted),
    ("FIXED", Status::Resolved),
    ("IN_SANDBOX", Status::InReview),
];

/// `resolution` of an issue whose old `status` is RESOLVED. The hyphen is the vendor's.
const RESOLUTIONS: &[(&str, Status)] = &[
    ("FALSE-POSITIVE", Status::FalsePositive),
    ("WONTFIX", Status::RiskAccepted),
    ("FIXED", Status::Resolved),
    ("REMOVED", Status::Resolved),
];

/// `resolution` of a hotspot whose `status` is REVIEWED.
pub(super) const REVIEWS: &[(&str, Status)] = &[
    ("FIXED", Status::Resolved),
    ("SAFE", Status::NotAffected),
    ("ACKNOWLEDGED", Status::RiskAccepted),
];

/// `status` of a dependency risk.
const RISK_STATUSES: &[(&str, Status)] = &[
    ("OPEN", Status::Open),
    ("CONFIRM", Status::Open),
    ("ACCEPT", Status::RiskAccepted),
    ("SAFE", Status::NotAffected),
    ("FIXED", Status::Resolved),
];

pub(super) fn severity(word: Option<&str>) -> Severity {
    of(SEVERITIES, word).unwrap_or_default()
}

pub(super) fn impact(word: Option<&str>) -> Severity {
    of(IMPACTS, word).unwrap_or_default()
}

pub(super) fn probability(word: Option<&str>) -> Severity {
    of(PROBABILITIES, word).unwrap_or_default()
}

/// Of `issueStatus`.
pub(super) fn issue_status(word: &str) -> Status {
    of(ISSUE_STATUSES, Some(word)).unwrap_or_default()
}

/// Of the pair that servers before 10.4 send.
pub(super) fn old_status(status: Option<&str>, resolution: Option<&str>) -> Status {
    match status.map(str::trim) {
        Some("CLOSED") => Status::Resolved,
        Some("RESOLVED") => of(RESOLUTIONS, resolution).unwrap_or_default(),
        // OPEN, REOPENED, CONFIRMED, and what nobody knows.
        _ => Status::Open,
    }
}

pub(super) fn hotspot_status(status: Option<&str>, resolution: Option<&str>) -> Status {
    match status.map(str::trim) {
        Some("REVIEWED") => of(REVIEWS, resolution).unwrap_or_default(),
        _ => Status::Open,
    }
}

pub(super) fn risk_status(word: Option<&str>) -> Status {
    of(RISK_STATUSES, word).unwrap_or_default()
}

fn of<T: Copy>(table: &[(&str, T)], word: Option<&str>) -> Option<T> {
    let word = word?.trim();
    let found = table.iter().find(|(known, _)| *known == word);
    found.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scale_of_severities_has_its_own_words() {
        let read = |reader: fn(Option<&str>) -> Severity, words: [&str; 6]| {
            words.map(|word| reader(Some(word)))
        };
        use Severity::{Critical, High, Info, Low, Medium, Unknown};
        assert_eq!(
            read(
                severity,
                ["BLOCKER", "CRITICAL", "MAJOR", "MINOR", "INFO", "HIGH"]
            ),
            [Critical, High, Medium, Low, Info, Unknown]
        );
        assert_eq!(
            read(
                impact,
                ["BLOCKER", "HIGH", "MEDIUM", "LOW", "INFO", "CRITICAL"]
            ),
            [Critical, High, Medium, Low, Info, Unknown]
        );
        assert_eq!(
            read(
                probability,
                ["HIGH", "MEDIUM", "LOW", "INFO", "BLOCKER", ""]
            ),
            [High, Medium, Low, Unknown, Unknown, Unknown]
        );
        assert_eq!(severity(None), Unknown);
    }

    #[test]
    fn statuses_of_issues_are_the_contracts_old_and_new() {
        for (word, status) in [
            ("OPEN", Status::Open),
            ("CONFIRMED", Status::Open),
            ("FALSE_POSITIVE", Status::FalsePositive),
            ("ACCEPTED", Status::RiskAccepted),
            ("FIXED", Status::Resolved),
            ("IN_SANDBOX", Status::InReview),
            ("NEW_IN_THIS_RELEASE", Status::Open),
        ] {
            assert_eq!(issue_status(word), status, "{word}");
        }
        for (status, resolution, expected) in [
            ("OPEN", None, Status::Open),
            ("REOPENED", None, Status::Open),
            ("CONFIRMED", None, Status::Open),
            ("RESOLVED", Some("FALSE-POSITIVE"), Status::FalsePositive),
            ("RESOLVED", Some("WONTFIX"), Status::RiskAccepted),
            ("RESOLVED", Some("FIXED"), Status::Resolved),
            ("RESOLVED", Some("REMOVED"), Status::Resolved),
            ("RESOLVED", Some("EXCEPTION"), Status::Open),
            ("RESOLVED", None, Status::Open),
            ("CLOSED", Some("FIXED"), Status::Resolved),
            ("CLOSED", Some("WHATEVER"), Status::Resolved),
            ("NEW_IN_THIS_RELEASE", None, Status::Open),
        ] {
            let read = old_status(Some(status), resolution);
            assert_eq!(read, expected, "{status} {resolution:?}");
        }
        assert_eq!(old_status(None, None), Status::Open);
    }

    #[test]
    fn statuses_of_hotspots_and_risks_are_the_contracts() {
        for (status, resolution, expected) in [
            ("TO_REVIEW", None, Status::Open),
            ("REVIEWED", Some("FIXED"), Status::Resolved),
            ("REVIEWED", Some("SAFE"), Status::NotAffected),
            ("REVIEWED", Some("ACKNOWLEDGED"), Status::RiskAccepted),
            ("REVIEWED", Some("EXCEPTION"), Status::Open),
            ("REVIEWED", None, Status::Open),
            ("NEW_IN_THIS_RELEASE", Some("SAFE"), Status::Open),
        ] {
            let read = hotspot_status(Some(status), resolution);
            assert_eq!(read, expected, "{status} {resolution:?}");
        }
        for (word, status) in [
            ("OPEN", Status::Open),
            ("CONFIRM", Status::Open),
            ("ACCEPT", Status::RiskAccepted),
            ("SAFE", Status::NotAffected),
            ("FIXED", Status::Resolved),
            ("OTHER", Status::Open),
        ] {
            assert_eq!(risk_status(Some(word)), status, "{word}");
        }
    }
}
