//! What the deployment knows.

use serde_json::{Value, json};

use crate::random::uuid_of;
use crate::scenario::{many_secrets, many_semgrep};

/// A project: a repository, mostly.
#[derive(Debug, Clone)]
pub struct Project {
    /// Number.
    pub id: u64,
    /// Name, with a slash mostly.
    pub name: String,
    /// As projects spell it, `refs/heads/main`.
    pub primary_branch: Option<String>,
    /// Of the newest scan, if there was one.
    pub latest_scan_at: Option<String>,
    /// Archived projects are not listed.
    pub archived: bool,
    /// Findings in code and packages, on whatever ref.
    pub findings: Vec<Finding>,
    /// As many findings in code on `main` beside them, made when they are asked for.
    pub many: u64,
    /// Found secrets.
    pub secrets: Rows,
}

/// A finding on one ref.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `sast`, `sca` or `ai_sast`; its JSON does not say it.
    pub issue_type: &'static str,
    /// As it is sent, but for the project.
    pub json: Value,
}

impl Project {
    /// A project that was scanned and has nothing; its number follows from its name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let number = u64::from_str_radix(&uuid_of(name)[..6], 16);
        Self {
            id: number.unwrap_or(0) + 1_000_000,
            name: name.to_owned(),
            primary_branch: Some("refs/heads/main".to_owned()),
            latest_scan_at: Some("2026-11-20 06:00:00.123456+00:00".to_owned()),
            archived: false,
            findings: Vec::new(),
            many: 0,
            secrets: Rows::default(),
        }
    }

    /// With these findings of a type.
    #[must_use]
    pub fn with(mut self, issue_type: &'static str, findings: Vec<Value>) -> Self {
        let findings = findings.into_iter();
        self.findings
            .extend(findings.map(|json| Finding { issue_type, json }));
        self
    }

    /// With so many findings in code on `main` beside those that are listed.
    #[must_use]
    pub fn with_many(mut self, count: u64) -> Self {
        self.many = count;
        self
    }

    /// With these secrets.
    #[must_use]
    pub fn with_secrets(mut self, secrets: impl Into<Rows>) -> Self {
        self.secrets = secrets.into();
        self
    }

    pub(super) fn render(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "url": format!("https://github.example.com/{}", self.name), "tags": ["team"],
            "created_at": "2025-11-18 23:28:12.391807+00:00", "latest_scan_at": self.latest_scan_at,
            "primary_branch": self.primary_branch, "default_branch": self.primary_branch,
        })
    }

    /// A row as it is sent: with the project in it.
    pub(super) fn complete(&self, mut row: Value) -> Value {
        if let Value::Object(members) = &mut row {
            let repository = json!({
                "name": self.name, "url": format!("https://github.example.com/{}", self.name),
            });
            members.entry("repository").or_insert(repository);
        }
        row
    }

    /// The generated finding of a number.
    pub(super) fn made(&self, number: u64) -> Value {
        self.complete(many_semgrep(self.id, number))
    }
}

/// Secrets: some that are listed, and some that are made when they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Before the made ones.
    pub listed: Vec<Value>,
    many: u64,
}

impl From<Vec<Value>> for Rows {
    fn from(listed: Vec<Value>) -> Self {
        Self { listed, many: 0 }
    }
}

impl Rows {
    /// So many, made when they are asked for.
    #[must_use]
    pub fn many(count: u64) -> Self {
        Self {
            listed: Vec::new(),
            many: count,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.listed.len() as u64 + self.many
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a position.
    #[must_use]
    pub fn get(&self, position: u64) -> Option<Value> {
        if position >= self.len() {
            return None;
        }
        let listed = usize::try_from(position)
            .ok()
            .and_then(|index| self.listed.get(index));
        let made = || many_secrets(position - self.listed.len() as u64);
        Some(listed.cloned().unwrap_or_else(made))
    }
}
