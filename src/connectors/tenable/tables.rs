//! What the vendor's words mean (contract 5).

use crate::finding::{Severity, Status};

/// `severity`, whatever its case, and `severity_id`.
const SEVERITIES: &[(&str, i64, Severity)] = &[
    ("info", 0, Severity::Info),
    ("low", 1, Severity::Low),
    ("medium", 2, Severity::Medium),
    ("high", 3, Severity::High),
    ("critical", 4, Severity::Critical),
];

/// `state` of what was repaired; it outweighs any modification.
const FIXED: &str = "FIXED";

/// `severity_modification_type` of what a rule has accepted.
const ACCEPTED: &str = "ACCEPTED";

/// `severity_modification_type` of what a rule has given another severity.
const RECASTED: &str = "RECASTED";

/// The severity after recasts; a word that is not known is read by its number.
pub(super) fn severity(word: Option<&str>, number: Option<i64>) -> Severity {
    let by_word = SEVERITIES
        .iter()
        .find(|(known, ..)| word.is_some_and(|word| is(word, known)));
    let known = by_word.or_else(|| SEVERITIES.iter().find(|(_, id, _)| number == Some(*id)));
    known.map_or(Severity::Unknown, |(.., severity)| *severity)
}

/// The status. OPEN, REOPENED and words that are not known are open unless a rule accepts them.
pub(super) fn status(state: Option<&str>, modification: Option<&str>) -> Status {
    if state.is_some_and(|state| is(state, FIXED)) {
        Status::Resolved
    } else if state.is_some_and(is_present) && modification.is_some_and(|word| is(word, ACCEPTED)) {
        Status::RiskAccepted
    } else {
        Status::Open
    }
}

/// The tag for what a rule has changed.
pub(super) fn tag_of_rule(modification: &str) -> Option<&'static str> {
    if is(modification, ACCEPTED) {
        Some("accepted")
    } else if is(modification, RECASTED) {
        Some("recast")
    } else {
        None
    }
}

fn is_present(state: &str) -> bool {
    is(state, "OPEN") || is(state, "REOPENED")
}

fn is(word: &str, known: &str) -> bool {
    word.trim().eq_ignore_ascii_case(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_known_by_word_in_any_case_else_by_number() {
        for (word, number, expected) in SEVERITIES {
            assert_eq!(severity(Some(word), None), *expected);
            assert_eq!(severity(Some(&word.to_uppercase()), Some(0)), *expected);
            assert_eq!(severity(Some("SEVERE"), Some(*number)), *expected);
            assert_eq!(severity(None, Some(*number)), *expected);
        }
        assert_eq!(severity(Some("SEVERE"), Some(5)), Severity::Unknown);
        assert_eq!(severity(None, None), Severity::Unknown);
    }

    #[test]
    fn states_and_modifications_make_the_status() {
        for (state, modification, expected) in [
            (Some("OPEN"), Some("NONE"), Status::Open),
            (Some("OPEN"), None, Status::Open),
            (Some("REOPENED"), Some("RECASTED"), Status::Open),
            (Some("reopened"), Some("NEW_WORD"), Status::Open),
            (Some("OPEN"), Some("ACCEPTED"), Status::RiskAccepted),
            (Some("open "), Some("accepted"), Status::RiskAccepted),
            (Some("REOPENED"), Some("ACCEPTED"), Status::RiskAccepted),
            (Some("FIXED"), Some("NONE"), Status::Resolved),
            (Some("fixed"), Some("ACCEPTED"), Status::Resolved),
            (Some("PAUSED"), Some("ACCEPTED"), Status::Open),
            (None, None, Status::Open),
        ] {
            assert_eq!(
                status(state, modification),
                expected,
                "{state:?} {modification:?}"
            );
        }
    }

    #[test]
    fn rules_are_told_by_tags() {
        assert_eq!(tag_of_rule("Accepted"), Some("accepted"));
        assert_eq!(tag_of_rule("RECASTED"), Some("recast"));
        assert_eq!(tag_of_rule("NONE"), None);
    }
}
