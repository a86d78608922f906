//! What a SonarQube knows.

use serde_json::Value;

use crate::random::{Random, uuid_of};

/// A project, or something that looks like one.
#[derive(Debug, Clone)]
pub struct Project {
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// `TRK` for a project, `APP`, `VW`.
    pub qualifier: String,
    /// Whether the token's user may browse it.
    pub browsable: bool,
    /// Branches, the main one first, and pull requests.
    pub branches: Vec<Branch>,
}

/// A branch or a pull request, with what was found on it.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    /// Name, or the pull request's key.
    pub name: String,
    /// Whether it is a pull request.
    pub is_pull_request: bool,
    /// Issues, in any order.
    pub issues: Vec<Issue>,
    /// Hotspots, in any order.
    pub hotspots: Vec<Hotspot>,
    /// Dependency risks, as they are sent.
    pub risks: Vec<Value>,
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Key.
    pub key: String,
    /// Key of its rule.
    pub rule: String,
    /// `VULNERABILITY`, `BUG`, `CODE_SMELL`.
    pub kind: String,
    /// `BLOCKER`, `CRITICAL`, `MAJOR`, `MINOR`, `INFO`.
    pub severity: String,
    /// Quality and severity of its impacts.
    pub impacts: Vec<(String, String)>,
    /// As `issueStatus` has it; older servers send the pair that it stands for.
    pub status: String,
    /// Path of its file; none if it is the whole project's.
    pub path: Option<String>,
    /// First and last line.
    pub lines: Option<(u32, u32)>,
    /// What it says.
    pub message: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970.
    pub updated: i64,
    /// Tags.
    pub tags: Vec<String>,
    /// Members that are sent as they are, beside or in place of the others.
    pub extra: serde_json::Map<String, Value>,
}

/// A security hotspot.
#[derive(Debug, Clone)]
pub struct Hotspot {
    /// Key.
    pub key: String,
    /// Key of its rule.
    pub rule: String,
    /// `sql-injection`, `auth`, …
    pub category: String,
    /// `HIGH`, `MEDIUM`, `LOW`.
    pub probability: String,
    /// `TO_REVIEW` or `REVIEWED`.
    pub status: String,
    /// Of a reviewed one.
    pub resolution: Option<String>,
    /// Path of its file.
    pub path: String,
    /// Its line.
    pub line: u32,
    /// What it says.
    pub message: String,
    /// Seconds since 1970.
    pub created: i64,
}

impl Project {
    /// A project with an empty main branch `main`.
    #[must_use]
    pub fn new(key: &str, name: &str) -> Self {
        Self {
            key: key.to_owned(),
            name: name.to_owned(),
            qualifier: "TRK".to_owned(),
            browsable: true,
            branches: vec![Branch::new("main")],
        }
    }

    /// With these issues on its main branch.
    #[must_use]
    pub fn issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.branches[0].issues.extend(issues);
        self
    }

    /// With these hotspots on its main branch.
    #[must_use]
    pub fn hotspots(mut self, hotspots: impl IntoIterator<Item = Hotspot>) -> Self {
        self.branches[0].hotspots.extend(hotspots);
        self
    }

    /// With this branch or pull request.
    #[must_use]
    pub fn with(mut self, branch: Branch) -> Self {
        self.branches.push(branch);
        self
    }

    /// The branch or pull request of this name; the main branch if none is asked for.
    pub(super) fn branch(&self, name: Option<&str>, number: Option<&str>) -> Option<&Branch> {
        let wanted = match (name, number) {
            (None, None) => return self.branches.first(),
            (Some(name), _) => (name, false),
            (None, Some(number)) => (number, true),
        };
        let mut branches = self.branches.iter();
        branches.find(|one| (one.name.as_str(), one.is_pull_request) == wanted)
    }

    /// Into the order in which they are listed.
    pub(super) fn sort(&mut self) {
        for branch in &mut self.branches {
            branch.issues.sort_by(|a, b| {
                let newest_first = b.created.cmp(&a.created);
                newest_first
                    .then_with(|| a.path.cmp(&b.path))
                    .then_with(|| a.lines.cmp(&b.lines))
                    .then_with(|| a.key.cmp(&b.key))
            });
            branch.hotspots.sort_by(|a, b| {
                let worst_first = rank(&a.probability).cmp(&rank(&b.probability));
                worst_first
                    .then_with(|| a.category.cmp(&b.category))
                    .then_with(|| a.rule.cmp(&b.rule))
                    .then_with(|| a.path.cmp(&b.path))
                    .then_with(|| a.line.cmp(&b.line))
                    .then_with(|| a.key.cmp(&b.key))
            });
        }
    }
}

fn rank(probability: &str) -> usize {
    let order = ["HIGH", "MEDIUM", "LOW"];
    let place = order.iter().position(|word| *word == probability);
    place.unwrap_or(order.len())
}

impl Branch {
    /// A branch without findings.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// A pull request without findings.
    #[must_use]
    pub fn pull_request(number: &str) -> Self {
        Self {
            is_pull_request: true,
            ..Self::new(number)
        }
    }

    /// With these issues.
    #[must_use]
    pub fn issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.issues.extend(issues);
        self
    }
}

/// 2026-10-01T07:55:00Z.
const CREATED: i64 = 1_790_841_300;

const SEVERITIES: &[&str] = &["BLOCKER", "CRITICAL", "MAJOR", "MAJOR", "MINOR", "INFO"];

const WORDS: &[&str] = &[
    "change",
    "this",
    "code",
    "to",
    "not",
    "construct",
    "queries",
    "from",
    "input",
    "of",
    "users",
    "remove",
    "unused",
    "value",
    "before",
    "it",
    "is",
    "read",
    "close",
    "stream",
];

impl Issue {
    /// An open vulnerability of severity MAJOR at a line of a file; its key follows from what is given.
    #[must_use]
    pub fn new(rule: &str, path: &str, line: u32) -> Self {
        Self {
            key: uuid_of(&format!("issue {rule} {path} {line}")),
            rule: rule.to_owned(),
            kind: "VULNERABILITY".to_owned(),
            severity: "MAJOR".to_owned(),
            impacts: vec![("SECURITY".to_owned(), "MEDIUM".to_owned())],
            status: "OPEN".to_owned(),
            path: Some(path.to_owned()),
            lines: Some((line, line)),
            message: format!("Mend line {line}."),
            created: CREATED,
            updated: CREATED + 60,
            tags: vec!["cwe".to_owned()],
            extra: serde_json::Map::new(),
        }
    }

    /// So many open vulnerabilities, all created in one second, of 60 rules in files of 50 each; the same ones for the same
    /// seed, and a larger count only adds to them.
    #[must_use]
    pub fn many(count: u64, seed: u64) -> Vec<Self> {
        (0..count)
            .map(|number| Self::numbered(number, seed))
            .collect()
    }

    fn numbered(number: u64, seed: u64) -> Self {
        let mut random = Random::new(seed, number);
        let rule = format!("generated:S{}", 1000 + random.below(60));
        let file = number / 50;
        let path = format!("src/package{}/File{file}.java", file % 40);
        let line = u32::try_from(number % 50 * 10 + 1).unwrap_or(1);
        let words: Vec<&str> = (0..12).map(|_| random.pick(WORDS)).collect();
        Self {
            key: random.uuid(),
            severity: random.pick(SEVERITIES).to_owned(),
            lines: Some((line, line + 2)),
            message: words.join(" "),
            ..Self::new(&rule, &path, line)
        }
    }
}

impl Hotspot {
    /// A hotspot to be reviewed at a line of a file; its key follows from what is given.
    #[must_use]
    pub fn new(rule: &str, path: &str, line: u32) -> Self {
        Self {
            key: uuid_of(&format!("hotspot {rule} {path} {line}")),
            rule: rule.to_owned(),
            category: "auth".to_owned(),
            probability: "HIGH".to_owned(),
            status: "TO_REVIEW".to_owned(),
            resolution: None,
            path: path.to_owned(),
            line,
            message: format!("Make sure that line {line} is safe here."),
            created: CREATED,
        }
    }

    /// The same, reviewed.
    #[must_use]
    pub fn reviewed(mut self, resolution: &str) -> Self {
        self.status = "REVIEWED".to_owned();
        self.resolution = Some(resolution.to_owned());
        self
    }
}
