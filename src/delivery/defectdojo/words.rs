//! The words that DefectDojo recognises a finding by. A vendor's edit or a moved line would make another finding there, and
//! what people have noted would stay with the old one; so a finding goes on under the words that it has there.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ledger::{Key, Words};

/// The members of a finding by which it is recognised.
const RECOGNISED_BY: [&str; 5] = ["title", "cwe", "line", "file_path", "description"];

/// Those of a finding of a report.
pub(super) fn words(finding: &Map<String, Value>) -> Words {
    let mut hasher = blake3::Hasher::new();
    for member in RECOGNISED_BY {
        let value = finding.get(member).unwrap_or(&Value::Null).to_string();
        hasher.update(&(value.len() as u64).to_le_bytes());
        hasher.update(value.as_bytes());
    }
    let mut words = [0; 4];
    words.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    Words::from_le_bytes(words)
}

/// Findings that the vendor has put in other words since, with those that they have in DefectDojo.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct FirstWords(HashMap<Key, Map<String, Value>>);

impl FirstWords {
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub(super) fn holds(&self, key: Key) -> bool {
        self.0.contains_key(&key)
    }

    /// Takes the words of a finding from DefectDojo's answer. An open one goes before one that is closed.
    pub(super) fn learn(&mut self, key: Key, found: &Map<String, Value>) {
        if self.holds(key) && found.get("active") != Some(&Value::Bool(true)) {
            return;
        }
        let known = RECOGNISED_BY
            .iter()
            .filter_map(|member| Some(((*member).to_owned(), found.get(*member)?.clone())));
        // Zero is no weakness, and none is zero.
        let known = known.filter(|(member, value)| {
            !(value.is_null() || member == "cwe" && value.as_i64() == Some(0))
        });
        self.0.insert(key, known.collect());
    }

    /// Puts a finding of a report into the words that it has in DefectDojo.
    pub(super) fn put(&self, key: Key, finding: &mut Map<String, Value>) {
        if let Some(first) = self.0.get(&key) {
            for member in RECOGNISED_BY {
                finding.remove(member);
            }
            finding.extend(first.clone());
        }
    }

    /// Forgets those that are not known any more; whether there were any.
    pub(super) fn keep(&mut self, is_known: impl Fn(Key) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|key, _| is_known(*key));
        self.0.len() < before
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_finding_goes_on_under_the_words_that_it_has_there() {
        let found = members(
            json!({"id": 7, "title": "Weak Cipher", "description": "old\nsecpull-id: a",
            "cwe": 0, "line": 3, "file_path": null, "active": true, "severity": "Low"}),
        );
        let mut first = FirstWords::default();
        first.learn(1, &found);
        let closed = members(json!({"title": "closed", "active": false}));
        first.learn(1, &closed);
        let mut sent = members(
            json!({"title": "weak ciphers", "description": "new\nsecpull-id: a",
            "cwe": 327, "line": 9, "file_path": "a", "severity": "High"}),
        );
        let before = words(&sent);
        first.put(1, &mut sent);
        let expected = json!({"title": "Weak Cipher", "description": "old\nsecpull-id: a", "line": 3, "severity": "High"});
        assert_eq!(Value::Object(sent.clone()), expected);
        assert_ne!(words(&sent), before);
        assert_eq!(FirstWords::parse(&first.text()), Some(first.clone()));
        assert!(first.keep(|_| false) && !first.holds(1));
    }

    #[test]
    fn what_it_is_not_recognised_by_is_no_other_words() {
        let finding = members(json!({"title": "a", "severity": "High"}));
        let mut worse = finding.clone();
        worse.insert("severity".to_owned(), "Critical".into());
        assert_eq!(words(&finding), words(&worse));
    }
}
