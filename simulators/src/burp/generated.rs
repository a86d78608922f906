//! As many issues as wanted, made when they are asked for, the same ones every time.

use super::{Issue, IssueType};
use crate::random::Random;

const SEED: u64 = 11;
const FIRST: u64 = 1_000_000;
const SEVERITIES: &[&str] = &["high", "medium", "medium", "low", "low", "low", "info"];
const WORDS: &[&str] = &[
    "value",
    "of",
    "the",
    "request",
    "is",
    "copied",
    "into",
    "response",
    "page",
    "script",
    "context",
    "without",
    "being",
    "encoded",
    "payload",
    "was",
    "submitted",
    "parameter",
    "and",
    "returned",
];

/// The issue of a number, with about 2 KB of HTML.
pub(super) fn issue(number: u64) -> Issue {
    let mut random = Random::new(SEED, number);
    let mut words = |count| {
        let words: Vec<&str> = (0..count).map(|_| random.pick(WORDS)).collect();
        words.join(" ")
    };
    let kind = IssueType {
        index: (1_000_000 + number % 60).to_string(),
        name: Some(format!("Generated issue {}", number % 60)),
        description: Some(format!("<p>{}</p><p>{}</p>", words(60), words(60))),
        remediation: Some(format!("<ul><li>{}</li></ul>", words(30))),
        classifications: Some(format!(
            "<ul><li><a href=\"https://cwe.mitre.org/data/definitions/{0}.html\">CWE-{0}</a></li></ul>",
            79 + number % 20
        )),
        references: None,
    };
    Issue {
        severity: SEVERITIES[usize::try_from(number).unwrap_or(0) % SEVERITIES.len()].to_owned(),
        description: Some(format!("The <b>id</b> {}<br><br>{}", words(40), words(40))),
        ..Issue::new(FIRST + number, kind)
    }
}
