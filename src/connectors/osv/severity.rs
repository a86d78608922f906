//! How bad a record says it is. OSV gives vectors, never scores.

use super::super::lenient::{List, Object};
use super::super::rating;
use super::record::{Affected, Rating, Record};
use crate::finding::{Cvss, Severity};

/// `database_specific.severity` (GitHub's) and `ecosystem_specific.severity`.
const WORDS: &[(&str, Severity)] = &[
    ("CRITICAL", Severity::Critical),
    ("HIGH", Severity::High),
    ("MODERATE", Severity::Medium),
    ("MEDIUM", Severity::Medium),
    ("LOW", Severity::Low),
];

/// Ratings of the type `Ubuntu`.
const UBUNTU: &[(&str, Severity)] = &[
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("negligible", Severity::Low),
];

/// Records of packages that were made to do harm.
const MALICIOUS: &str = "MAL-";

/// What a record says of a package's severity.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Assessment {
    pub(super) severity: Severity,
    /// The database's own word, if it has one.
    pub(super) word: Option<String>,
    pub(super) cvss3: Cvss,
    pub(super) cvss4: Cvss,
}

/// Takes what stands at the package's own entries before what stands at the record: CVSS 3, CVSS 4, the database's word,
/// Ubuntu's, CVSS 2.
pub(super) fn assess(record: &Record<'_>, entries: &[&Affected<'_>]) -> Assessment {
    let lists = || {
        let own = entries.iter().map(|entry| &entry.severity);
        own.chain([&record.severity])
    };
    let cvss3 = first(lists(), "CVSS_V3", |vector| {
        scored(rating::cvss3(Some(vector), None))
    });
    let cvss4 = first(lists(), "CVSS_V4", cvss4);
    let cvss2 = first(lists(), "CVSS_V2", cvss2);
    let ubuntu = first(lists(), "Ubuntu", |word| Some(word.to_owned()));
    let word = entries
        .iter()
        .flat_map(|entry| [&entry.ecosystem_specific.0, &entry.database_specific.0])
        .chain([&record.database_specific.0])
        .find_map(|specific| specific.severity.to_owned());
    let by_score = |cvss: &Option<Cvss>| {
        let score = cvss.as_ref().and_then(|cvss| cvss.score);
        score.map(Severity::from_cvss_score)
    };
    let malicious = record
        .id
        .as_str()
        .is_some_and(|id| id.starts_with(MALICIOUS));
    let severity = by_score(&cvss3)
        .or_else(|| by_score(&cvss4))
        .or_else(|| of_word(WORDS, word.as_deref()))
        .or_else(|| of_word(UBUNTU, ubuntu.as_deref()))
        .or(cvss2)
        .or(malicious.then_some(Severity::Critical))
        .unwrap_or_default();
    Assessment {
        severity,
        word: word.or(ubuntu),
        cvss3: cvss3.unwrap_or_default(),
        cvss4: cvss4.unwrap_or_default(),
    }
}

/// The first usable rating of a type.
fn first<'r, T>(
    lists: impl Iterator<Item = &'r List<Object<Rating<'r>>>>,
    ty: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    lists
        .flat_map(|list| &list.0)
        .filter(|Object(rating)| rating.ty.as_str() == Some(ty))
        .find_map(|Object(rating)| read(rating.score.as_str()?.trim()))
}

fn scored(cvss: Cvss) -> Option<Cvss> {
    cvss.score.is_some().then_some(cvss)
}

fn of_word(table: &[(&str, Severity)], word: Option<&str>) -> Option<Severity> {
    let word = word?;
    let known = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, severity)| *severity)
}

/// The base score, whatever threat and environmental metrics stand behind the base ones.
fn cvss4(vector: &str) -> Option<Cvss> {
    const BASE: &[&str] = &[
        "CVSS:", "AV:", "AC:", "AT:", "PR:", "UI:", "VC:", "VI:", "VA:", "SC:", "SI:", "SA:",
    ];
    let metrics = vector.split('/');
    let base: Vec<_> = metrics
        .filter(|metric| BASE.iter().any(|base| metric.starts_with(base)))
        .collect();
    let score = scored(rating::cvss4(Some(&base.join("/")), None))?.score;
    Some(Cvss {
        vector: Some(vector.to_owned()),
        score,
    })
}

/// NVD's words for CVSS 2, which has none of its own and no critical.
fn cvss2(vector: &str) -> Option<Severity> {
    let vector = vector.trim_start_matches('(').trim_end_matches(')');
    let vector: cvss::v2::Vector = vector.parse().ok()?;
    Some(match vector.score().value() {
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        _ => Severity::Low,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    const V3: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const V3_LOW: &str = "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N";
    const V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N";

    fn assessed(record: &Value) -> Assessment {
        let text = record.to_string();
        let record = Record::parse(&text).unwrap();
        let entries: Vec<_> = record
            .affected
            .0
            .iter()
            .map(|Object(entry)| entry)
            .collect();
        assess(&record, &entries)
    }

    fn rated(ty: &str, score: &str) -> Value {
        json!([{"type": ty, "score": score}])
    }

    #[test]
    fn a_vector_is_scored_and_its_score_gives_the_severity() {
        for (vector, score, severity) in [
            (V3, 9.8, Severity::Critical),
            (
                "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                7.5,
                Severity::High,
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N/E:P/RL:O/RC:C",
                6.1,
                Severity::Medium,
            ),
            (V3_LOW, 2.2, Severity::Low),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
                0.0,
                Severity::Info,
            ),
        ] {
            let assessment = assessed(&json!({"severity": rated("CVSS_V3", vector)}));
            assert_eq!(assessment.cvss3.score, Some(score), "{vector}");
            assert_eq!(assessment.cvss3.vector.as_deref(), Some(vector));
            assert_eq!(
                (assessment.severity, assessment.word),
                (severity, None),
                "{vector}"
            );
        }
        let threatened = format!("{V4}/E:U");
        let assessment = assessed(&json!({"severity": rated("CVSS_V4", &threatened)}));
        assert_eq!(assessment.cvss4.score, Some(6.9), "the base score");
        assert_eq!(assessment.cvss4.vector, Some(threatened));
        assert_eq!(assessment.severity, Severity::Medium);
    }

    #[test]
    fn the_packages_own_vector_wins_over_the_records() {
        let assessment = assessed(&json!({
            "severity": rated("CVSS_V3", V3), "affected": [{"severity": rated("CVSS_V3", V3_LOW)}]
        }));
        assert_eq!(assessment.severity, Severity::Low);
        let assessment = assessed(&json!({
            "severity": rated("CVSS_V3", V3), "affected": [{"severity": rated("CVSS_V3", "CVSS:3.1/AV:N")}]
        }));
        assert_eq!(
            assessment.severity,
            Severity::Critical,
            "a vector that is none is passed over"
        );
    }

    #[test]
    fn sources_are_believed_in_their_order() {
        let mut record = json!({
            "id": "MAL-2024-1",
            "severity": [
                {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:C/I:C/A:C"}, {"type": "Ubuntu", "score": "negligible"},
                {"type": "CVSS_V4", "score": V4}, {"type": "CVSS_V3", "score": V3}
            ],
            "database_specific": {"severity": "HIGH"}
        });
        let mut severities = vec![assessed(&record).severity];
        // The best source goes first.
        for step in 0..5 {
            match step {
                2 => record["database_specific"] = Value::Null,
                _ => drop(record["severity"].as_array_mut().unwrap().pop()),
            }
            severities.push(assessed(&record).severity);
        }
        assert_eq!(
            severities,
            [
                Severity::Critical,
                Severity::Medium,
                Severity::High,
                Severity::Low,
                Severity::High,
                Severity::Critical
            ]
        );
        assert_eq!(
            assessed(&json!({"id": "OSV-1"})).severity,
            Severity::Unknown
        );
    }

    #[test]
    fn every_word_has_its_severity_and_is_kept() {
        for (word, severity) in [
            ("CRITICAL", Severity::Critical),
            ("HIGH", Severity::High),
            ("MODERATE", Severity::Medium),
            ("LOW", Severity::Low),
            ("NEW_IN_THIS_RELEASE", Severity::Unknown),
        ] {
            for record in [
                json!({"database_specific": {"severity": word}}),
                json!({"affected": [{"ecosystem_specific": {"severity": word}}]}),
            ] {
                let assessment = assessed(&record);
                assert_eq!(
                    (assessment.severity, assessment.word.as_deref()),
                    (severity, Some(word))
                );
            }
        }
        for (word, severity) in [
            ("critical", Severity::Critical),
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("low", Severity::Low),
            ("negligible", Severity::Low),
        ] {
            let assessment = assessed(&json!({"severity": rated("Ubuntu", word)}));
            assert_eq!(
                (assessment.severity, assessment.word.as_deref()),
                (severity, Some(word))
            );
        }
        let both = assessed(
            &json!({"severity": rated("CVSS_V3", V3), "database_specific": {"severity": "LOW"}}),
        );
        assert_eq!(
            (both.severity, both.word.as_deref()),
            (Severity::Critical, Some("LOW"))
        );
    }

    #[test]
    fn cvss_2_has_no_critical() {
        for (vector, severity) in [
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Severity::High),
            ("(AV:N/AC:L/Au:N/C:P/I:N/A:N)", Severity::Medium),
            ("AV:L/AC:H/Au:M/C:P/I:N/A:N", Severity::Low),
            ("AV:N", Severity::Unknown),
        ] {
            assert_eq!(
                assessed(&json!({"severity": rated("CVSS_V2", vector)})).severity,
                severity,
                "{vector}"
            );
        }
    }
}
