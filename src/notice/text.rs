use chrono::{DateTime, Utc};

use super::{Event, Notice, RunFacts};
use crate::finding::Severity;

/// A notice in words, not yet in any receiver's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// `shop: import partial, 3 new findings at or above high (1 critical, 2 high)`.
    pub title: String,
    /// Label and value.
    pub facts: Vec<(&'static str, String)>,
    /// Of each listed finding: severity, what it is, where it is filed.
    pub findings: Vec<[String; 3]>,
    /// Where the rest of them is.
    pub more: Option<String>,
}

impl Words {
    /// The notice in words.
    #[must_use]
    pub fn of(notice: &Notice) -> Self {
        let new = notice.new_findings.as_ref();
        let listed = new.map(|new| &new.findings[..]).unwrap_or_default();
        let findings = listed.iter().map(|finding| {
            [
                finding.severity.to_string(),
                finding.words(),
                finding.whereabouts(),
            ]
        });
        Self {
            title: title(notice),
            facts: facts(notice),
            findings: findings.collect(),
            more: more(notice),
        }
    }

    /// All of it as plain text, without the title.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .facts
            .iter()
            .map(|(label, value)| format!("{label}: {value}"))
            .collect();
        if !self.findings.is_empty() {
            lines.push(String::new());
        }
        for [severity, what, whereabouts] in &self.findings {
            lines.push(format!("- {severity}: {what} ({whereabouts})"));
        }
        lines.extend(self.more.clone());
        lines.join("\n")
    }
}

fn title(notice: &Notice) -> String {
    let parts: Vec<String> = notice
        .events
        .iter()
        .map(|event| match event {
            Event::CredentialsRefused => "credentials refused".into(),
            Event::ImportFailed => "import failed".into(),
            Event::ImportHeld => "import held".into(),
            Event::ImportPartial => "import partial".into(),
            Event::NotImported => match &notice.not_imported {
                Some(overdue) => format!("not imported for {}", overdue.limit()),
                None => "not imported".into(),
            },
            Event::Recovered => "imported again".into(),
            Event::NewFindings => match &notice.new_findings {
                Some(new) => new.words(),
                None => "new findings".into(),
            },
        })
        .collect();
    format!("{}: {}", notice.api_configuration, parts.join(", "))
}

fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut facts = vec![(
        "API configuration",
        format!("{} ({})", notice.api_configuration, notice.connector),
    )];
    if let Some(product) = &notice.product {
        facts.push(("Product", product.clone()));
    }
    if let Some(run) = &notice.run {
        facts.push(("Run", run_words(run)));
        facts.push(("Counts", counts(run)));
    }
    if let Some(overdue) = &notice.not_imported {
        let last = match overdue.last_complete_at {
            Some(at) => stamp(at),
            None => "never".into(),
        };
        facts.push(("Last complete import", last));
    }
    if let Some(error) = &notice.error {
        facts.push(("Error", error.clone()));
    }
    if let Some(recovered) = &notice.recovered {
        let mut over = recovered.from.to_string();
        if let Some(run) = recovered.run {
            over.push_str(&format!(" of run {run}"));
        }
        if let Some(error) = &recovered.error {
            over.push_str(&format!(": {error}"));
        }
        facts.push(("Over", over));
    }
    if let Some(action) = &notice.action {
        facts.push(("What to do", action.clone()));
    }
    facts
}

fn run_words(run: &RunFacts) -> String {
    let mut words = format!("{}, {}", run.id, run.status);
    if let Some(started) = run.started_at {
        words.push_str(&format!(", from {}", stamp(started)));
    }
    if let Some(finished) = run.finished_at {
        words.push_str(&format!(" to {}", stamp(finished)));
    }
    words
}

fn counts(run: &RunFacts) -> String {
    let counts = [
        (run.new, "new"),
        (run.updated, "updated"),
        (run.unchanged, "unchanged"),
        (run.resolved, "resolved"),
        (run.reopened, "reopened"),
        (run.unreadable, "unreadable"),
    ];
    counts
        .map(|(count, what)| format!("{count} {what}"))
        .join(", ")
}

fn more(notice: &Notice) -> Option<String> {
    let new = notice.new_findings.as_ref().filter(|new| new.more > 0)?;
    let severities = Severity::ALL
        .iter()
        .filter(|severity| **severity <= new.severity)
        .map(|severity| severity.as_str())
        .collect::<Vec<_>>()
        .join(",");
    let since = notice
        .run
        .as_ref()
        .and_then(|run| run.started_at)
        .map(|at| format!(" --since {}", at.format("%Y-%m-%dT%H:%M:%SZ")))
        .unwrap_or_default();
    Some(format!(
        "and {} more: secpull findings --api-configuration {} --severity {severities}{since}",
        new.more, notice.api_configuration
    ))
}

fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_run_with_trouble_and_new_findings_is_told_in_one_message() {
        let words = Words::of(&samples::partial());
        assert_eq!(
            words.title,
            "shop: import partial, 23 new findings at or above high (3 critical, 20 high)"
        );
        assert_eq!(
            words.text(),
            "API configuration: shop (dependency-track)\n\
             Product: Shop\n\
             Run: 42, partial, from 2026-11-27 02:00:03 UTC to 2026-11-27 02:01:10 UTC\n\
             Counts: 25 new, 1 updated, 100 unchanged, 0 resolved, 2 reopened, 0 unreadable\n\
             Error: GET https://dtrack.example.com/api/v1/finding: 502 Bad Gateway\n\
             \n\
             - critical: CVE-2021-44228: Log4Shell, log4j-core 2.14.1 (Shop/checkout@main, finding 17)\n\
             and 22 more: secpull findings --api-configuration shop --severity critical,high --since 2026-11-27T02:00:03Z"
        );
    }

    #[test]
    fn each_event_has_its_own_words() {
        let titles: Vec<_> = samples::one_of_each()
            .iter()
            .map(|notice| Words::of(notice).title)
            .collect();
        assert_eq!(
            titles,
            [
                "shop: import partial, 23 new findings at or above high (3 critical, 20 high)",
                "shop: credentials refused, import failed",
                "shop: import held",
                "shop: not imported for 1day 2h",
                "shop: imported again",
                "shop: 1 new finding (1 critical)",
            ]
        );
        let texts: Vec<_> = samples::one_of_each()
            .iter()
            .map(|notice| Words::of(notice).text())
            .collect();
        assert!(
            texts[2].ends_with("What to do: secpull accept shop"),
            "{}",
            texts[2]
        );
        assert!(
            texts[3].ends_with("Last complete import: 2026-11-25 02:01:10 UTC"),
            "{}",
            texts[3]
        );
        assert!(
            texts[4].ends_with("Over: import_failed of run 43: GET https://dtrack.example.com/api/version: 401 Unauthorized"),
            "{}",
            texts[4]
        );
    }
}
