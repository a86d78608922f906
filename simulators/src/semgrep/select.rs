//! Which findings a request asks for, and in which order.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Quirks;
use super::answer::Refusal;
use super::model::Project;

const ISSUE_TYPES: &[&str] = &["sast", "sca", "ai_sast"];

const STATUSES: &[&str] = &[
    "open",
    "fixed",
    "ignored",
    "reviewing",
    "fixing",
    "provisionally_ignored",
];

const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];

/// Takes no branch for this one.
const ALL_BRANCHES: &str = "_default";

/// What is asked for.
pub(super) struct Filter {
    issue_type: String,
    dedup: bool,
    git_ref: Option<String>,
    repos: Vec<String>,
    ids: Vec<u64>,
    status: Option<String>,
    severities: Vec<String>,
    since: Option<f64>,
}

/// What is found: rows that are listed, then projects with rows to be made.
#[derive(Debug, Default)]
pub(super) struct Selected {
    listed: Vec<Value>,
    made: Vec<Project>,
}

/// The first value of a parameter that is not empty.
pub(super) fn first<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = parameters.iter().filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.as_str());
    value.filter(|value| !value.is_empty())
}

/// All values of a parameter, repeated or between commas.
pub(super) fn every(parameters: &[(String, String)], name: &str) -> Vec<String> {
    parameters
        .iter()
        .filter(|(key, _)| key == name)
        .flat_map(|(_, value)| value.split(','))
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A number, or what counts without it.
pub(super) fn number(
    parameters: &[(String, String)],
    name: &'static str,
    default: u64,
) -> Result<u64, Refusal> {
    match first(parameters, name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Refusal::BadParameter(name)),
    }
}

fn known(words: Vec<String>, allowed: &[&str], name: &'static str) -> Result<Vec<String>, Refusal> {
    match words.iter().all(|word| allowed.contains(&word.as_str())) {
        true => Ok(words),
        false => Err(Refusal::BadParameter(name)),
    }
}

impl Filter {
    pub(super) fn of(parameters: &[(String, String)], quirks: Quirks) -> Result<Self, Refusal> {
        let word = |name, allowed| {
            let word = first(parameters, name).map(str::to_owned);
            known(word.into_iter().collect(), allowed, name).map(|words| words.into_iter().next())
        };
        let dedup = match first(parameters, "dedup") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Refusal::BadParameter("dedup")),
        };
        let ids = every(parameters, "repository_ids");
        let ids: Result<Vec<u64>, _> = ids.iter().map(|id| id.parse()).collect();
        let since = first(parameters, "since").map(str::parse::<f64>);
        let since = since.transpose();
        let git_ref = first(parameters, "ref").filter(|name| *name != ALL_BRANCHES);
        Ok(Self {
            issue_type: word("issue_type", ISSUE_TYPES)?.unwrap_or_else(|| "sast".to_owned()),
            dedup,
            git_ref: git_ref.map(str::to_owned),
            repos: match quirks.ignores_repos {
                true => Vec::new(),
                false => every(parameters, "repos"),
            },
            ids: ids.map_err(|_| Refusal::BadParameter("repository_ids"))?,
            status: word("status", STATUSES)?,
            severities: known(every(parameters, "severities"), SEVERITIES, "severities")?,
            since: since.map_err(|_| Refusal::BadParameter("since"))?,
        })
    }

    /// The findings that pass, those newly relevant first.
    pub(super) fn select(&self, projects: &[Project]) -> Selected {
        let wanted = |project: &&Project| {
            let named = self.repos.is_empty() || self.repos.contains(&project.name);
            let numbered = self.ids.is_empty() || self.ids.contains(&project.id);
            named && numbered
        };
        let mut selected = Selected::default();
        for project in projects.iter().filter(wanted) {
            let rows = project.findings.iter();
            let rows = rows.filter(|finding| {
                finding.issue_type == self.issue_type && self.admits(&finding.json)
            });
            let rows = rows.map(|finding| project.complete(finding.json.clone()));
            selected.listed.extend(rows);
            if project.many > 0 && self.issue_type == "sast" && self.admits(&project.made(0)) {
                selected.made.push(project.clone());
            }
        }
        selected
            .listed
            .sort_by_key(|row| std::cmp::Reverse(relevant_since(row)));
        if self.dedup {
            let mut seen = HashSet::new();
            selected.listed.retain(|row| {
                let of_match = [&row["repository"]["name"], &row["match_based_id"]];
                row["match_based_id"].is_null() || seen.insert(of_match.map(Value::to_string))
            });
        }
        selected
    }

    fn admits(&self, row: &Value) -> bool {
        let is = |name: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| row[name] == wanted)
        };
        let severe = self.severities.is_empty()
            || self.severities.iter().any(|word| row["severity"] == *word);
        let since = self.since.is_none_or(|since| {
            #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
            relevant_since(row).is_some_and(|time| time.timestamp() as f64 >= since)
        });
        // Never given out, whatever is asked for.
        let removed = row["status"] == "removed";
        !removed && is("ref", &self.git_ref) && is("status", &self.status) && severe && since
    }
}

fn relevant_since(row: &Value) -> Option<DateTime<Utc>> {
    let text = row["relevant_since"].as_str()?.replacen(' ', "T", 1);
    let time = DateTime::parse_from_rfc3339(&text).ok()?;
    Some(time.to_utc())
}

impl Selected {
    pub(super) fn len(&self) -> u64 {
        let made: u64 = self.made.iter().map(|project| project.many).sum();
        self.listed.len() as u64 + made
    }

    pub(super) fn get(&self, position: u64) -> Option<Value> {
        let listed = self.listed.len() as u64;
        if position < listed {
            let index = usize::try_from(position).ok()?;
            return self.listed.get(index).cloned();
        }
        let mut number = position - listed;
        for project in &self.made {
            if number < project.many {
                return Some(project.made(number));
            }
            number -= project.many;
        }
        None
    }
}
