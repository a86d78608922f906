//! What the vendor's words mean (contract 4).

use crate::finding::{Severity, Status};

/// `severity`, which users may change. There is no "info"; anything else is unknown.
const SEVERITIES: &[(f64, Severity)] = &[
    (40.0, Severity::Critical),
    (30.0, Severity::High),
    (20.0, Severity::Medium),
    (10.0, Severity::Low),
];

/// `state`; a word that is not here is open.
const STATES: &[(&str, Status)] = &[
    (NOT_FIXED, Status::Open),
    ("retesting", Status::Open),
    ("fixed", Status::Resolved),
    ("accepted", Status::RiskAccepted),
    ("invalid", Status::FalsePositive),
];

const NOT_FIXED: &str = "notfixed";

/// `review_status` of a finding that nobody has looked at yet. The others say nothing about the status.
const PENDING: &str = "pending";

/// `method` where it is one of HTTP. The others (`dns_a`, …) tell how a name was looked up.
const METHODS: &[&str] = &[
    "get", "post", "delete", "put", "patch", "head", "trace", "options", "debug", "track",
];

pub(super) fn severity(number: Option<&str>) -> Severity {
    let number = number.and_then(|number| number.trim().parse::<f64>().ok());
    let known = |number: f64| SEVERITIES.iter().find(|(known, _)| *known == number);
    number
        .and_then(known)
        .map_or(Severity::Unknown, |(_, severity)| *severity)
}

/// `retesting` is true while it is tried whether the weakness is still there, whatever the state says until then.
pub(super) fn status(state: Option<&str>, retesting: bool, review: Option<&str>) -> Status {
    let state = state.unwrap_or_default().trim();
    let is = |word: &str| state.eq_ignore_ascii_case(word);
    let known = STATES.iter().find(|(known, _)| is(known));
    let pending = review.is_some_and(|word| word.trim().eq_ignore_ascii_case(PENDING));
    match known {
        _ if is(NOT_FIXED) && pending => Status::InReview,
        _ if retesting => Status::Open,
        Some((_, status)) => *status,
        None => Status::Open,
    }
}

/// The HTTP method, in upper case.
pub(super) fn method(word: Option<&str>) -> Option<String> {
    let word = word?.trim();
    let is_of_http = METHODS.iter().any(|known| word.eq_ignore_ascii_case(known));
    is_of_http.then(|| word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_four_numbers_and_anything_else_is_unknown() {
        for (number, expected) in [
            (Some("40"), Severity::Critical),
            (Some("30"), Severity::High),
            (Some("30.0"), Severity::High),
            (Some("20"), Severity::Medium),
            (Some("10"), Severity::Low),
            (Some("0"), Severity::Unknown),
            (Some("99"), Severity::Unknown),
            (Some("high"), Severity::Unknown),
            (None, Severity::Unknown),
        ] {
            assert_eq!(severity(number), expected, "{number:?}");
        }
    }

    #[test]
    fn states_are_the_contracts_and_a_new_one_is_open() {
        for (state, expected) in [
            (Some("notfixed"), Status::Open),
            (Some("retesting"), Status::Open),
            (Some("fixed"), Status::Resolved),
            (Some("accepted"), Status::RiskAccepted),
            (Some("invalid"), Status::FalsePositive),
            (Some("on_the_moon"), Status::Open),
            (Some(""), Status::Open),
            (None, Status::Open),
        ] {
            for review in [None, Some("notrequired"), Some("rejected"), Some("")] {
                assert_eq!(status(state, false, review), expected, "{state:?}");
            }
            assert_eq!(status(state, true, None), Status::Open, "{state:?}");
        }
    }

    #[test]
    fn only_what_is_not_fixed_waits_for_review() {
        for (state, expected) in [
            ("notfixed", Status::InReview),
            ("fixed", Status::Resolved),
            ("accepted", Status::RiskAccepted),
        ] {
            assert_eq!(status(Some(state), false, Some("pending")), expected);
        }
    }

    #[test]
    fn look_ups_of_names_are_no_http_methods() {
        assert_eq!(method(Some("get")).as_deref(), Some("GET"));
        assert_eq!(method(Some("track")).as_deref(), Some("TRACK"));
        for word in [
            Some("dns"),
            Some("dns_soa"),
            Some("dns_cname"),
            Some(""),
            None,
        ] {
            assert_eq!(method(word), None, "{word:?}");
        }
    }
}
