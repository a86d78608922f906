//! How a finding stands in DefectDojo: its severity, and what was decided about it.

use serde_json::{Map, Value};

const SEVERITIES: [&str; 5] = ["Critical", "High", "Medium", "Low", "Info"];

/// Each is a bit of the code, from the lowest, above the severity.
const FLAGS: [&str; 5] = [
    "active",
    "under_review",
    "false_p",
    "risk_accepted",
    "out_of_scope",
];

/// Bits of the severity.
const SEVERITY_BITS: u8 = 3;

/// One byte: the severity's place in the list, 7 for another word, and the flags above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing(u8);

impl Standing {
    const OTHER: u8 = 7;

    /// As a finding's JSON says, in a report or in DefectDojo's answers.
    pub(super) fn of(finding: &Map<String, Value>) -> Self {
        let word = finding.get("severity").and_then(Value::as_str);
        let severity = SEVERITIES.iter().position(|known| word == Some(*known));
        let severity = severity.and_then(|place| u8::try_from(place).ok());
        let mut code = severity.unwrap_or(Self::OTHER);
        for (bit, flag) in (SEVERITY_BITS..).zip(FLAGS) {
            if finding.get(flag) == Some(&Value::Bool(true)) {
                code |= 1 << bit;
            }
        }
        Self(code)
    }

    pub(super) fn code(self) -> u8 {
        self.0
    }

    pub(super) fn of_code(code: u8) -> Self {
        Self(code)
    }

    fn severity(self) -> u8 {
        self.0 & ((1 << SEVERITY_BITS) - 1)
    }

    fn flags(self) -> u8 {
        self.0 >> SEVERITY_BITS
    }

    /// What has to be changed in DefectDojo, where a finding stands as `found` and stood as `told` when it was last sent.
    /// Where it stands otherwise than it was told, a person has decided, and nothing is changed.
    pub(super) fn change(self, told: Self, found: Self) -> Map<String, Value> {
        let mut change = Map::new();
        let severity = SEVERITIES.get(usize::from(self.severity()));
        if let Some(severity) = severity
            && self.severity() != found.severity()
            && told.severity() == found.severity()
        {
            change.insert("severity".to_owned(), (*severity).into());
        }
        if told.flags() == found.flags() {
            for (bit, flag) in FLAGS.into_iter().enumerate() {
                let set = |flags: u8| flags & (1 << bit) != 0;
                if set(self.flags()) != set(found.flags()) {
                    change.insert(flag.to_owned(), set(self.flags()).into());
                }
            }
        }
        change
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn standing(finding: Value) -> Standing {
        Standing::of(finding.as_object().unwrap())
    }

    #[test]
    fn a_standing_is_one_byte_and_comes_back() {
        let all = json!({"severity": "Info", "active": true, "under_review": true, "false_p": true,
            "risk_accepted": true, "out_of_scope": true});
        let low = standing(json!({"severity": "Low", "active": true}));
        for standing in [standing(all), low, standing(json!({"severity": "Urgent"}))] {
            assert_eq!(Standing::of_code(standing.code()), standing);
        }
        assert_ne!(low, standing(json!({"severity": "Low", "active": false})));
    }

    #[test]
    fn what_a_person_has_changed_is_left_alone() {
        let high = standing(json!({"severity": "High", "active": true}));
        let low = standing(json!({"severity": "Low", "active": true}));
        let not_one = standing(json!({"severity": "High", "active": false, "false_p": true}));
        let change = |wanted: Standing, told, found| Value::Object(wanted.change(told, found));
        assert_eq!(change(low, high, high), json!({"severity": "Low"}));
        assert_eq!(change(low, high, low), json!({}), "it is there already");
        let medium = standing(json!({"severity": "Medium", "active": true}));
        assert_eq!(change(low, high, medium), json!({}), "a person has");
        assert_eq!(
            change(not_one, high, high),
            json!({"active": false, "false_p": true})
        );
        assert_eq!(
            change(high, not_one, not_one),
            json!({"active": true, "false_p": false})
        );
        // A person calls it a false positive: its severity is still the tool's.
        assert_eq!(change(low, high, not_one), json!({"severity": "Low"}));
    }
}
