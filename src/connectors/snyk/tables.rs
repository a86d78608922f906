//! What the vendor's words mean (contract 2, 3, 5 and 6).

use crate::finding::{Severity, Status};

/// `effective_severity_level`; anything else is unknown.
const SEVERITIES: &[(&str, Severity)] = &[
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
];

/// `status` of an issue that Snyk still finds.
pub(super) const OPEN: &str = "open";

/// `status` of an issue that it no longer finds.
pub(super) const RESOLVED: &str = "resolved";

/// `type` of issues that have vulnerability ids.
pub(super) const PACKAGE_VULNERABILITY: &str = "package_vulnerability";

/// All types of issues.
pub(super) const ISSUE_TYPES: &[&str] = &[
    PACKAGE_VULNERABILITY,
    "license",
    "cloud",
    "code",
    "custom",
    "config",
    "secrets",
];

/// Stages of a version in which it is served without an end in sight.
pub(super) const SERVED_WELL: &[&str] = &["ga", "beta", "experimental", "wip"];

/// `environment.type` of what is no cloud, although cloud resources are said to be there.
pub(super) const NO_CLOUDS: &[&str] = &["scm", "cli", "tfc"];

/// `type` of remedies that describe the finding, and give no advice.
pub(super) const RESULT_MESSAGE: &str = "rule_result_message";

/// Whose CVSS counts before others'.
const RATERS: &[&str] = &["snyk", "nvd"];

pub(super) fn severity(word: Option<&str>) -> Severity {
    let word = word.unwrap_or_default().trim();
    let known = SEVERITIES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Severity::Unknown, |(_, severity)| *severity)
}

/// The status; whether an issue is ignored counts only while it is open.
pub(super) fn status(word: Option<&str>, ignored: bool) -> Status {
    match known_status(word) {
        Some(RESOLVED) => Status::Resolved,
        Some(_) if ignored => Status::RiskAccepted,
        _ => Status::Open,
    }
}

/// The word, if it is one of those that are known.
pub(super) fn known_status(word: Option<&str>) -> Option<&'static str> {
    let word = word?.trim();
    let mut known = [OPEN, RESOLVED].into_iter();
    known.find(|known| known.eq_ignore_ascii_case(word))
}

/// How far behind the first rater's a rating stands.
pub(super) fn rank(source: Option<&str>) -> usize {
    let source = source.unwrap_or_default().trim();
    let place = RATERS
        .iter()
        .position(|rater| rater.eq_ignore_ascii_case(source));
    place.unwrap_or(RATERS.len())
}

/// Whom a key belongs to, for people.
pub(super) fn caller(kind: Option<&str>) -> &'static str {
    match kind {
        Some("service_account") => "service account",
        Some("app_instance") => "app",
        _ => "user",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_the_contracts_and_anything_else_is_unknown() {
        for (word, expected) in SEVERITIES {
            assert_eq!(severity(Some(word)), *expected);
        }
        assert_eq!(severity(Some("urgent")), Severity::Unknown);
        assert_eq!(severity(None), Severity::Unknown);
    }

    #[test]
    fn an_ignored_issue_is_an_accepted_risk_until_it_is_resolved() {
        for (word, ignored, expected) in [
            (Some("open"), false, Status::Open),
            (Some("open"), true, Status::RiskAccepted),
            (Some("resolved"), false, Status::Resolved),
            (Some("resolved"), true, Status::Resolved),
            (Some("paused"), false, Status::Open),
            (Some("paused"), true, Status::Open),
            (None, true, Status::Open),
        ] {
            assert_eq!(status(word, ignored), expected, "{word:?} {ignored}");
        }
        assert_eq!(known_status(Some("Open ")), Some(OPEN));
        assert_eq!(known_status(Some("paused")), None);
    }

    #[test]
    fn snyks_own_rating_stands_before_nvds_and_both_before_others() {
        assert!(rank(Some("Snyk")) < rank(Some("NVD")));
        assert!(rank(Some("NVD")) < rank(Some("Red Hat")));
        assert_eq!(rank(Some("SUSE")), rank(None));
    }
}
