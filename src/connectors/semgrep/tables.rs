//! What the vendor's words mean (contract 3 and 4).

use crate::finding::{Severity, Status};

/// `severity`; of secrets with [`SEVERITY`] before it. There is no lower one: Semgrep's INFO is `low`.
const SEVERITIES: &[(&str, Severity)] = &[
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
];

/// What stands before a secret's severity.
const SEVERITY: &str = "SEVERITY_";

/// `status`, as the vendor's pages show it, put together from `state` and `triage_state`.
const STATUSES: &[(&str, Status)] = &[
    ("open", Status::Open),
    ("reviewing", Status::InReview),
    // Somebody is at it; it is still there.
    ("fixing", Status::Open),
    ("fixed", Status::Resolved),
    // A machine's verdict; nobody has decided.
    ("provisionally_ignored", Status::InReview),
];

/// `triage_reason` where `status` is [`IGNORED`]. Without one, or with another, the finding is true and was put aside.
const REASONS: &[(&str, Status)] = &[
    ("false_positive", Status::FalsePositive),
    ("acceptable_risk", Status::RiskAccepted),
    ("no_time", Status::RiskAccepted),
    ("no_triage_reason", Status::RiskAccepted),
    // True, and left to the finding that it doubles; the reason stays visible as a tag.
    ("duplicate", Status::RiskAccepted),
];

const IGNORED: &str = "ignored";

/// `status` of secrets, which come without a reason.
const STATUSES_OF_SECRETS: &[(&str, Status)] = &[
    ("FINDING_STATUS_OPEN", Status::Open),
    ("FINDING_STATUS_IGNORED", Status::RiskAccepted),
    ("FINDING_STATUS_FIXED", Status::Resolved),
    ("FINDING_STATUS_REMOVED", Status::Resolved),
    ("FINDING_STATUS_PROVISIONALLY_IGNORED", Status::InReview),
    ("FINDING_STATUS_UNKNOWN", Status::Open),
];

/// `found_dependency.ecosystem`, and the type of its package URLs. There is none for `no_package_manager`.
const ECOSYSTEMS: &[(&str, &str)] = &[
    ("npm", "npm"),
    ("pypi", "pypi"),
    ("gomod", "golang"),
    ("cargo", "cargo"),
    ("maven", "maven"),
    ("gem", "gem"),
    ("composer", "composer"),
    ("nuget", "nuget"),
    ("pub", "pub"),
    ("swiftpm", "swift"),
    ("hex", "hex"),
];

pub(super) fn severity(word: Option<&str>) -> Severity {
    let word = word.unwrap_or_default().trim();
    let word = word.strip_prefix(SEVERITY).unwrap_or(word);
    look_up(SEVERITIES, word).unwrap_or(Severity::Unknown)
}

/// The status of a code or supply-chain finding. A word that is not in the table is open.
pub(super) fn status(status: Option<&str>, reason: Option<&str>) -> Status {
    let status = status.unwrap_or_default().trim();
    if status.eq_ignore_ascii_case(IGNORED) {
        let reason = reason.unwrap_or_default().trim();
        return look_up(REASONS, reason).unwrap_or(Status::RiskAccepted);
    }
    look_up(STATUSES, status).unwrap_or_default()
}

pub(super) fn status_of_secret(status: Option<&str>) -> Status {
    let status = status.unwrap_or_default().trim();
    look_up(STATUSES_OF_SECRETS, status).unwrap_or_default()
}

/// The type of the package URLs of an ecosystem.
pub(super) fn purl_type(ecosystem: &str) -> Option<&'static str> {
    look_up(ECOSYSTEMS, ecosystem.trim())
}

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let found = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_the_contracts_and_others_unknown() {
        for (word, meaning) in [
            ("critical", Severity::Critical),
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("low", Severity::Low),
            ("info", Severity::Unknown),
            ("SEVERITY_CRITICAL", Severity::Critical),
            ("SEVERITY_HIGH", Severity::High),
            ("SEVERITY_MEDIUM", Severity::Medium),
            ("SEVERITY_LOW", Severity::Low),
            ("SEVERITY_UNSPECIFIED", Severity::Unknown),
        ] {
            assert_eq!(severity(Some(word)), meaning, "{word}");
        }
        assert_eq!(severity(None), Severity::Unknown);
    }

    #[test]
    fn statuses_are_the_contracts_and_what_is_ignored_goes_by_its_reason() {
        for (word, reason, meaning) in [
            ("open", None, Status::Open),
            ("open", Some("false_positive"), Status::Open),
            ("reviewing", None, Status::InReview),
            ("fixing", None, Status::Open),
            ("fixed", Some("acceptable_risk"), Status::Resolved),
            ("provisionally_ignored", None, Status::InReview),
            ("ignored", Some("false_positive"), Status::FalsePositive),
            ("ignored", Some("acceptable_risk"), Status::RiskAccepted),
            ("ignored", Some("no_time"), Status::RiskAccepted),
            ("ignored", Some("no_triage_reason"), Status::RiskAccepted),
            ("ignored", Some("duplicate"), Status::RiskAccepted),
            ("ignored", Some("new_in_2027"), Status::RiskAccepted),
            ("ignored", None, Status::RiskAccepted),
            ("new_in_2027", None, Status::Open),
        ] {
            assert_eq!(status(Some(word), reason), meaning, "{word} {reason:?}");
        }
        assert_eq!(status(None, None), Status::Open);
    }

    #[test]
    fn statuses_of_secrets_are_the_contracts() {
        for (word, meaning) in [
            ("FINDING_STATUS_OPEN", Status::Open),
            ("FINDING_STATUS_IGNORED", Status::RiskAccepted),
            ("FINDING_STATUS_FIXED", Status::Resolved),
            ("FINDING_STATUS_REMOVED", Status::Resolved),
            ("FINDING_STATUS_PROVISIONALLY_IGNORED", Status::InReview),
            ("FINDING_STATUS_UNKNOWN", Status::Open),
            ("FINDING_STATUS_LOST", Status::Open),
        ] {
            assert_eq!(status_of_secret(Some(word)), meaning, "{word}");
        }
        assert_eq!(status_of_secret(None), Status::Open);
    }
}
