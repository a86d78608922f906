//! What the vendor's words mean (contract 5).

use std::collections::BTreeMap;

use crate::finding::{Severity, Status};

/// `severity`, whatever its case; anything else is unknown.
const SEVERITIES: &[(&str, Severity)] = &[
    ("CRITICAL", Severity::Critical),
    ("HIGH", Severity::High),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
    ("INFO", Severity::Info),
];

/// `state`; others are states that the tenant has made, and open unless `state_map` says otherwise.
const STATES: &[(&str, Status)] = &[
    ("TO_VERIFY", Status::Open),
    ("CONFIRMED", Status::Open),
    ("URGENT", Status::Open),
    ("PROPOSED_NOT_EXPLOITABLE", Status::InReview),
    ("NOT_EXPLOITABLE", Status::FalsePositive),
];

/// `status` of what was repaired; it outweighs any state.
pub(super) const FIXED: &str = "FIXED";

pub(super) fn severity(word: Option<&str>) -> Severity {
    let word = word.unwrap_or_default().trim();
    let known = SEVERITIES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Severity::Unknown, |(_, severity)| *severity)
}

/// What states mean: the vendor's, and the tenant's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct States(BTreeMap<String, Status>);

impl States {
    /// Reads `STATE=status` pairs.
    ///
    /// # Errors
    /// What is wrong with the first that is no such pair.
    pub(super) fn of(pairs: &[String]) -> Result<Self, String> {
        let mut states = BTreeMap::new();
        for pair in pairs {
            let (state, status) = pair
                .split_once('=')
                .ok_or_else(|| format!("{pair:?} is not like \"STATE=status\""))?;
            let state = state.trim().to_ascii_uppercase();
            if state.is_empty() {
                return Err(format!("{pair:?} names no state"));
            }
            let status = status.trim().parse::<Status>();
            let status = status.map_err(|error| format!("{pair:?}: {error}"))?;
            states.insert(state, status);
        }
        Ok(Self(states))
    }

    /// The status of a row: of its own `status` where that says that it is repaired, else of its `state`.
    pub(super) fn status(&self, state: Option<&str>, status: Option<&str>) -> Status {
        if status.is_some_and(is_fixed) {
            return Status::Resolved;
        }
        let state = state.unwrap_or_default().trim().to_ascii_uppercase();
        let known = STATES.iter().find(|(known, _)| *known == state);
        let known = known.map(|(_, status)| *status);
        self.0.get(&state).copied().or(known).unwrap_or_default()
    }
}

pub(super) fn is_fixed(status: &str) -> bool {
    status.trim().eq_ignore_ascii_case(FIXED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn severities_are_the_contracts_in_any_case() {
        for (word, severity_of_it) in SEVERITIES {
            assert_eq!(severity(Some(word)), *severity_of_it);
            assert_eq!(severity(Some(&word.to_lowercase())), *severity_of_it);
        }
        assert_eq!(severity(Some("BLOCKER")), Severity::Unknown);
        assert_eq!(severity(None), Severity::Unknown);
    }

    #[test]
    fn states_are_the_contracts_and_the_tenants_own_are_open_until_they_are_mapped() {
        let plain = States::default();
        for (state, status) in [
            ("TO_VERIFY", Status::Open),
            ("CONFIRMED", Status::Open),
            ("URGENT ", Status::Open),
            ("PROPOSED_NOT_EXPLOITABLE", Status::InReview),
            ("NOT_EXPLOITABLE", Status::FalsePositive),
            ("ACCEPTED_BY_CISO", Status::Open),
        ] {
            assert_eq!(plain.status(Some(state), Some("NEW")), status, "{state}");
            let fixed = plain.status(Some(state), Some("FIXED"));
            assert_eq!(fixed, Status::Resolved, "{state}");
        }
        assert_eq!(plain.status(None, None), Status::Open);
        let mapped = States::of(&["accepted_by_ciso = risk_accepted".to_owned()]).unwrap();
        assert_eq!(
            mapped.status(Some("ACCEPTED_BY_CISO "), Some("RECURRENT")),
            Status::RiskAccepted
        );
    }

    #[test]
    fn a_map_of_states_must_be_readable() {
        for wrong in ["X", "=open", "X=closed"] {
            assert!(States::of(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
