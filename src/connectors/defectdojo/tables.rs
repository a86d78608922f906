//! What the vendor's words and flags mean (contract 7).

use super::row::Row;
use crate::finding::{Severity, Status};

/// `severity`, in exactly these letters in every importer; the column takes any text.
const SEVERITIES: &[(&str, Severity)] = &[
    ("Critical", Severity::Critical),
    ("High", Severity::High),
    ("Medium", Severity::Medium),
    ("Low", Severity::Low),
    ("Info", Severity::Info),
];

/// Flags that say more than `active`, the first that is set decides. `false_p` sets `is_mitigated` too. That something is out of
/// scope is somebody's decision that it does not concern the product.
const FLAGS: &[(Flagged, Status)] = &[
    (|row| row.false_p.0 == Some(true), Status::FalsePositive),
    (
        |row| row.risk_accepted.0 == Some(true),
        Status::RiskAccepted,
    ),
    (|row| row.out_of_scope.0 == Some(true), Status::NotAffected),
    (|row| row.is_mitigated.0 == Some(true), Status::Resolved),
    (|row| row.under_review.0 == Some(true), Status::InReview),
    // Not confirmed yet, say: nobody has decided anything about it.
    (|row| row.active.0 == Some(false), Status::InReview),
];

type Flagged = fn(&Row<'_>) -> bool;

/// Beginnings of the ids of vulnerability databases. In DefectDojo an id may be anything: rules, tickets.
const DATABASES: &[&str] = &[
    "ALAS",
    "ALBA-",
    "ALPINE-",
    "ALSA-",
    "ASA-",
    "BDU:",
    "BIT-",
    "CGA-",
    "CVE-",
    "DLA-",
    "DSA-",
    "DTSA-",
    "EEF-",
    "ELSA-",
    "EUVD-",
    "GHSA-",
    "GMS-",
    "GO-",
    "GSD-",
    "HSEC-",
    "JVNDB-",
    "MAL-",
    "MGASA-",
    "OPENSUSE-SU-",
    "OSV-",
    "PHSA-",
    "PSF-",
    "PYSEC-",
    "RHBA-",
    "RHEA-",
    "RHSA-",
    "RLSA-",
    "RSEC-",
    "RUSTSEC-",
    "RXSA-",
    "SNYK-",
    "SUSE-SU-",
    "UBUNTU-CVE-",
    "USN-",
];

pub(super) fn severity(word: Option<&str>) -> Severity {
    let word = word.unwrap_or_default().trim();
    let known = SEVERITIES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Severity::Unknown, |(_, severity)| *severity)
}

pub(super) fn status(row: &Row<'_>) -> Status {
    let first = FLAGS.iter().find(|(is_set, _)| is_set(row));
    first.map_or(Status::Open, |(_, status)| *status)
}

/// Whether it is the id of a vulnerability and not some other number.
pub(super) fn is_vulnerability_id(text: &str) -> bool {
    let is_of = |beginning: &&str| {
        let head = text.get(..beginning.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(beginning))
            && text[beginning.len()..].contains(|c: char| c.is_ascii_digit())
    };
    let is_one_word = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    is_one_word && (DATABASES.iter().any(is_of) || is_ghsa(text))
}

/// Of GitHub's there are some without a digit.
fn is_ghsa(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    parts.len() == 4
        && parts[0].eq_ignore_ascii_case("GHSA")
        && parts[1..].iter().all(|part| part.len() == 4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn severities_are_five_words_and_anything_else_is_unknown() {
        for (word, expected) in [
            (Some("Critical"), Severity::Critical),
            (Some("High"), Severity::High),
            (Some("Medium"), Severity::Medium),
            (Some("Low"), Severity::Low),
            (Some("Info"), Severity::Info),
            (Some(" critical "), Severity::Critical),
            (Some("Informational"), Severity::Unknown),
            (Some("S0"), Severity::Unknown),
            (Some(""), Severity::Unknown),
            (None, Severity::Unknown),
        ] {
            assert_eq!(severity(word), expected, "{word:?}");
        }
    }

    fn status_of(json: &str) -> Status {
        status(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn each_flag_has_its_status_and_the_first_decides() {
        let flags = [
            ("false_p", Status::FalsePositive),
            ("risk_accepted", Status::RiskAccepted),
            ("out_of_scope", Status::NotAffected),
            ("is_mitigated", Status::Resolved),
            ("under_review", Status::InReview),
        ];
        for (place, (flag, expected)) in flags.iter().enumerate() {
            for active in [true, false] {
                assert_eq!(
                    status_of(&format!(r#"{{"{flag}":true,"active":{active}}}"#)),
                    *expected,
                    "{flag}"
                );
            }
            for (later, _) in &flags[place + 1..] {
                let both = format!(r#"{{"{later}":true,"{flag}":true,"active":false}}"#);
                assert_eq!(status_of(&both), *expected, "{both}");
            }
        }
        assert_eq!(
            status_of(r#"{"active":true,"false_p":false,"is_mitigated":false}"#),
            Status::Open
        );
        assert_eq!(
            status_of(r#"{"active":false,"verified":false}"#),
            Status::InReview
        );
    }

    #[test]
    fn flags_that_are_none_decide_nothing() {
        for json in [
            "{}",
            r#"{"active":"false","is_mitigated":1}"#,
            r#"{"active":null,"false_p":"true"}"#,
        ] {
            assert_eq!(status_of(json), Status::Open, "{json}");
        }
    }

    #[test]
    fn ids_of_vulnerability_databases_are_told_from_other_numbers() {
        for id in [
            "CVE-2021-44228",
            "cve-2021-44228",
            "GHSA-jfh8-c2jp-5v3q",
            "GHSA-xxxx-cccc-wwww",
            "PYSEC-2021-1",
            "RUSTSEC-2020-0001",
            "GO-2022-0001",
            "RHSA-2021:5126",
            "USN-5192-1",
            "ALAS2-2021-1",
            "SNYK-JAVA-1",
            "SUSE-SU-2021:1-1",
            "OSV-2020-1",
        ] {
            assert!(is_vulnerability_id(id), "{id}");
        }
        for id in [
            "VNS/7",
            "python.sql-injection",
            "CVE-",
            "89",
            "",
            "CWE-79",
            "CVE-2021-1 and more",
            "GHSA-",
            "ĜHSA-1",
            "JIRA-12",
        ] {
            assert!(!is_vulnerability_id(id), "{id}");
        }
    }
}
