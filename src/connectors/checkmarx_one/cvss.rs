//! CVSS 3 out of the parts in which Checkmarx gives it.

use std::collections::BTreeMap;

use crate::connectors::lenient::{Number, Text};
use crate::connectors::rating;
use crate::finding::Cvss;

/// Metric, the keys it comes under (without `_`, in lower case), and its words. ADJACENT and ADJACENT_NETWORK are one.
type Metric = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const IMPACT: &[(&str, &str)] = &[("NONE", "N"), ("LOW", "L"), ("HIGH", "H")];

#[rustfmt::skip]
const METRICS: &[Metric] = &[
    ("AV", &["attackvector"], &[("NETWORK", "N"), ("ADJACENT", "A"), ("ADJACENT_NETWORK", "A"), ("LOCAL", "L"), ("PHYSICAL", "P")]),
    ("AC", &["attackcomplexity"], &[("LOW", "L"), ("HIGH", "H")]),
    ("PR", &["privilegesrequired"], IMPACT),
    ("UI", &["userinteraction"], &[("NONE", "N"), ("REQUIRED", "R")]),
    ("S", &["scope"], &[("UNCHANGED", "U"), ("CHANGED", "C")]),
    ("C", &["confidentiality", "confidentialityimpact"], IMPACT),
    ("I", &["integrityimpact", "integrity"], IMPACT),
    ("A", &["availability", "availabilityimpact"], IMPACT),
];

/// The rating. The vector only where all eight parts are there; the score, a 32-bit number that was printed as a 64-bit one,
/// with one digit, and not at all where it is 0.
pub(super) fn rating(parts: &BTreeMap<String, Text<'_>>, score: Number) -> Cvss {
    let score = score.0.filter(|score| *score > 0.0);
    let score = score.map(|score| (score * 10.0).round() / 10.0);
    let vector = vector(parts).filter(|_| score.is_some());
    rating::cvss3(vector.as_deref(), score)
}

fn vector(parts: &BTreeMap<String, Text<'_>>) -> Option<String> {
    let parts: BTreeMap<String, String> = parts
        .iter()
        .filter_map(|(key, word)| {
            let key = key.replace('_', "").to_ascii_lowercase();
            let word = word.as_str()?.trim().to_ascii_uppercase();
            Some((key, word.replace(' ', "_")))
        })
        .collect();
    let mut vector = "CVSS:3.1".to_owned();
    for (metric, keys, words) in METRICS {
        let word = keys.iter().find_map(|key| parts.get(*key))?;
        let (_, letter) = words.iter().find(|(known, _)| known == word)?;
        vector.push_str(&format!("/{metric}:{letter}"));
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rated(parts: &str, score: f64) -> Cvss {
        rating(&serde_json::from_str(parts).unwrap(), Number(Some(score)))
    }

    #[test]
    fn a_vector_is_put_together_from_all_eight_parts_in_either_spelling() {
        let sca = r#"{"version":3,"attackVector":"NETWORK","attackComplexity":"LOW","privilegesRequired":"NONE",
            "userInteraction":"REQUIRED","scope":"CHANGED","confidentiality":"LOW","integrityImpact":"LOW","availability":"NONE"}"#;
        let expected = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N";
        assert_eq!(rated(sca, 6.1).vector.as_deref(), Some(expected));
        let containers = r#"{"attack_vector":"network","attack_complexity":"low","privileges_required":"none",
            "user_interaction":"required","scope":"changed","confidentiality":"low","integrity_impact":"low","availability":"none"}"#;
        assert_eq!(rated(containers, 6.1).vector.as_deref(), Some(expected));
        let some = r#"{"attackVector":"NETWORK","attackComplexity":"HIGH","availability":"LOW","confidentiality":"NONE"}"#;
        assert_eq!(rated(some, 3.7).vector, None);
    }

    #[test]
    fn a_score_has_one_digit_and_zero_is_none() {
        assert_eq!(rated("{}", 3.700_000_047_683_716).score, Some(3.7));
        assert_eq!(rated("{}", 0.0), Cvss::default());
        assert_eq!(rated("{}", -1.0), Cvss::default());
    }
}
