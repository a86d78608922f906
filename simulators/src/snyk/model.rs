//! What Snyk knows of a customer.

use serde_json::{Value, json};

use crate::random::uuid_of;
use crate::scenario::{ManyIssues, many_issues};

/// How links to other pages are written; all of these were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `/rest/orgs/…`
    WithRest,
    /// `/orgs/…`
    WithoutRest,
    /// `http://host/rest/orgs/…`
    Absolute,
    /// An object with `href`.
    Object,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::WithRest,
        Self::WithoutRest,
        Self::Absolute,
        Self::Object,
    ];
}

/// What is odd about the links of lists of issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quirk {
    /// After each page an empty one, also after the last.
    EmptyPages,
    /// The last page names itself as the next one.
    CircleAtTheEnd,
    /// An empty page behind the last one names itself as the next one.
    EmptyCircle,
    /// There is always one more page, and it is the first one under another cursor.
    Endless,
    /// Links lead to this origin.
    LeadsTo(String),
}

/// A group with organizations, and how its lists are written.
#[derive(Debug, Clone)]
pub struct World {
    /// UUID of the group.
    pub group: String,
    /// In the order in which they are listed.
    pub organizations: Vec<Organization>,
    /// How links are written.
    pub spelling: Spelling,
    /// What is odd about the links of lists of issues.
    pub quirk: Option<Quirk>,
    /// The date from which on the version is no longer served, `YYYY-MM-DD`.
    pub sunset: Option<String>,
    /// Whether `/self` is denied, as to keys of apps.
    pub denies_self: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            group: uuid_of("snyk group"),
            organizations: Vec::new(),
            spelling: Spelling::WithRest,
            quirk: None,
            sunset: None,
            denies_self: false,
        }
    }
}

impl World {
    /// The group with these organizations.
    #[must_use]
    pub fn of(organizations: impl IntoIterator<Item = Organization>) -> Self {
        Self {
            organizations: organizations.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The organization of this slug.
    ///
    /// # Panics
    /// There is none.
    pub fn organization(&mut self, slug: &str) -> &mut Organization {
        let mut all = self.organizations.iter_mut();
        let found = all.find(|organization| organization.slug == slug);
        found.unwrap_or_else(|| panic!("there is no organization {slug}"))
    }
}

/// An organization.
#[derive(Debug, Clone)]
pub struct Organization {
    /// UUID.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its projects.
    pub projects: Vec<Project>,
    /// Issues in the order in which they were made.
    pub issues: Vec<Value>,
    /// Generated issues after those, of the first project.
    pub many: Option<ManyIssues>,
    /// Whether every call about it is refused with 403.
    pub is_forbidden: bool,
}

impl Organization {
    /// An organization without projects; its id follows from its slug.
    #[must_use]
    pub fn new(slug: &str) -> Self {
        Self {
            id: uuid_of(&format!("snyk organization {slug}")),
            slug: slug.to_owned(),
            projects: Vec::new(),
            issues: Vec::new(),
            many: None,
            is_forbidden: false,
        }
    }

    /// With this project.
    #[must_use]
    pub fn with(mut self, project: Project) -> Self {
        self.projects.push(project);
        self
    }

    /// With this issue of a project: `id`, `attributes`, what more of relationships there is to say.
    #[must_use]
    pub fn issue(mut self, project: &str, issue: Value) -> Self {
        self.add(project, issue);
        self
    }

    /// Adds an issue of a project, or of a cloud environment that is not among the projects.
    pub fn add(&mut self, scan_item: &str, mut issue: Value) {
        issue["type"] = json!("issue");
        let is_environment = scan_item.starts_with(ENVIRONMENT);
        let kind = match is_environment {
            true => "environment",
            false => "project",
        };
        let id = uuid_of(scan_item);
        let mut relationships = json!({
            "organization": {"data": {"id": self.id, "type": "organization"}},
            "scan_item": {"data": {"id": id, "type": kind}},
        });
        if let Some(more) = issue["relationships"].as_object() {
            for (name, relationship) in more {
                relationships[name] = relationship.clone();
            }
        }
        issue["relationships"] = relationships;
        self.issues.push(issue);
    }

    /// With so many generated issues, of the first project.
    #[must_use]
    pub fn many(mut self, count: u64) -> Self {
        self.many = Some(many_issues(count, 7));
        self
    }

    /// Changes the issue of this id.
    ///
    /// # Panics
    /// There is none.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut issues = self.issues.iter_mut();
        let issue = issues.find(|issue| issue["id"] == id);
        change(issue.unwrap_or_else(|| panic!("there is no issue {id}")));
    }

    /// How many issues there are, reported or not.
    pub(super) fn issue_count(&self) -> u64 {
        let made = self.many.as_ref().map_or(0, ManyIssues::len);
        self.issues.len() as u64 + made
    }

    /// The issue of a number.
    pub(super) fn issue_at(&self, number: u64) -> Option<Value> {
        let own = self.issues.len() as u64;
        if let Some(issue) = usize::try_from(number)
            .ok()
            .and_then(|n| self.issues.get(n))
        {
            return Some(issue.clone());
        }
        let many = self
            .many
            .as_ref()
            .filter(|many| number - own < many.len())?;
        let mut issue = many.issue(number - own);
        issue["relationships"] = json!({
            "organization": {"data": {"id": self.id, "type": "organization"}},
            "scan_item": {"data": {"id": self.projects.first()?.id, "type": "project"}},
        });
        Some(issue)
    }

    /// Whether an issue is reported: those of inactive projects are not.
    pub(super) fn reports(&self, issue: &Value) -> bool {
        let item = &issue["relationships"]["scan_item"]["data"]["id"];
        let mut projects = self.projects.iter();
        let project = projects.find(|project| *item == *project.id);
        project.is_none_or(|project| project.status == "active")
    }

    pub(super) fn render(&self, group: &str) -> Value {
        json!({
            "id": self.id, "type": "org",
            "attributes": {"name": format!("{} Ltd", self.slug), "slug": self.slug, "is_personal": false, "group_id": group},
        })
    }
}

/// So begin the names of scan items that are cloud environments.
pub const ENVIRONMENT: &str = "environment ";

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its package manager, or the sort of scan.
    pub kind: String,
    /// Where it was imported from.
    pub origin: String,
    /// Branch or tag; may be empty.
    pub target_reference: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
    /// Whether the list of projects has it already.
    pub is_listed: bool,
}

impl Project {
    /// An active project of a repository; its id follows from its name.
    #[must_use]
    pub fn new(name: &str, kind: &str, target_reference: &str) -> Self {
        Self {
            id: uuid_of(name),
            name: name.to_owned(),
            kind: kind.to_owned(),
            origin: "github".to_owned(),
            target_reference: target_reference.to_owned(),
            status: "active".to_owned(),
            tags: Vec::new(),
            is_listed: true,
        }
    }

    /// With this tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With this status.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }

    /// With this origin.
    #[must_use]
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = origin.to_owned();
        self
    }

    pub(super) fn render(&self, organization: &str) -> Value {
        let tags: Vec<_> = self
            .tags
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        json!({
            "id": self.id, "type": "project",
            "attributes": {
                "name": self.name, "type": self.kind, "origin": self.origin, "target_file": "", "status": self.status,
                "target_reference": self.target_reference, "created": "2026-01-02T03:04:05.678Z", "read_only": false,
                "tags": tags, "settings": {"recurring_tests": {"frequency": "daily"}},
            },
            "relationships": {"organization": {"data": {"id": organization, "type": "org"}}},
        })
    }
}
