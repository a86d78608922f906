//! What the connector says of itself, and the settings it takes.

use chrono::NaiveDate;
use url::Url;

use super::location;
use super::project::id;
use super::query::Parameter;
use super::tables::{ISSUE_TYPES, OPEN, RESOLVED};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};

/// What Snyk's own clients ask for (contract 2).
pub(super) const DEFAULT_VERSION: &str = "2024-10-15";

/// The first version that has lists of issues.
const FIRST_VERSION: &str = "2024-01-23";

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "snyk",
    title: "Snyk (REST API)",
    direction: Direction::Source,
    location_meaning: "the REST API of the region: https://api.snyk.io/rest (US-01), https://api.us.snyk.io/rest (US-02), https://api.eu.snyk.io/rest, https://api.au.snyk.io/rest, or that of a single tenant",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Required,
    secret_meaning: "the key of a service account, a personal token, or with auth_scheme = \"bearer\" an OAuth access token",
    permissions: &[
        "for an organization: View Organization (org.read), View Projects (org.project.read), View Project history (org.project.snapshot.read)",
        "for a group: View Groups (group.read), View Organizations (group.org.list), View Issues (group.issues.read), and View Projects (org.project.read) in its organizations",
    ],
    record_meaning: "a project; its id is the project's UUID (of cloud issues: an environment)",
    source_id_form: "the issue's UUID",
    tool_settings: &[
        Setting {
            key: "auth_scheme",
            kind: SettingKind::Words {
                allowed: &["token", "bearer"],
                default: Some("token"),
            },
            required: false,
            meaning: "How the secret is sent: `token` for API keys and personal tokens, `bearer` for OAuth access tokens.",
        },
        Setting {
            key: "api_version",
            kind: SettingKind::Text {
                default: Some(DEFAULT_VERSION),
            },
            required: false,
            meaning: "The date of the API's version that is asked for, 2024-01-23 or later.",
        },
    ],
    api_settings: &[
        Setting {
            key: "organization",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID or slug of the organization to read. Either this or group must be given.",
        },
        Setting {
            key: "group",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID of the group to read, with all its organizations.",
        },
        Setting {
            key: "project_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID of the one project of the organization to read. Without it all projects are read.",
        },
        Setting {
            key: "issue_types",
            kind: SettingKind::List {
                allowed: ISSUE_TYPES,
                default: &[],
            },
            required: false,
            meaning: "The types of issues that are taken in; empty means all. What is known of a type that is taken out stays as it is.",
        },
        Setting {
            key: "statuses",
            kind: SettingKind::List {
                allowed: &[OPEN, RESOLVED],
                default: &[OPEN],
            },
            required: false,
            meaning: "Which issues are asked for. With `open` alone, what is no longer listed is resolved; `resolved` adds the history, which can be many times larger.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |tool| validate_tool(tool.location, tool.settings),
};

/// Whose issues are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// An organization, by UUID or slug.
    Organization(String),
    /// A group, by UUID.
    Group(String),
}

/// What an API configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) home: Home,
    /// The one project.
    pub(super) project_key: Option<String>,
    /// The types that are taken in; none means all.
    issue_types: Vec<String>,
    statuses: Vec<String>,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let text = |key| settings.text(key).map(str::trim).filter(|t| !t.is_empty());
        let home = match (text("group"), text("organization")) {
            (Some(group), _) => Home::Group(id(group)),
            // One of the two was there when the configuration was checked.
            (None, key) => Home::Organization(key.unwrap_or_default().to_owned()),
        };
        Self {
            home,
            project_key: text("project_key").map(id),
            issue_types: settings.list("issue_types").to_vec(),
            statuses: settings.list("statuses").to_vec(),
        }
    }

    /// Whether issues of this type are taken in.
    pub(super) fn takes(&self, issue_type: Option<&str>) -> bool {
        let listed = |word: &str| self.issue_types.iter().any(|one| one == word);
        self.issue_types.is_empty() || issue_type.is_some_and(listed)
    }

    /// The filters of the list of issues.
    pub(super) fn filters(&self) -> Vec<Parameter> {
        let mut filters = Vec::new();
        // Both are all: without the filter words that are new come too.
        if let [only] = self.statuses.as_slice() {
            filters.push(("status", only.clone()));
        }
        if let Some(key) = &self.project_key {
            filters.push(("scan_item.id", key.clone()));
            filters.push(("scan_item.type", "project".to_owned()));
        }
        filters
    }
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let text = |key| api.text(key).map(str::trim).filter(|t| !t.is_empty());
    match (text("organization"), text("group")) {
        (None, None) => wrong.push((
            "organization",
            "neither organization (UUID or slug) nor group (UUID) says whose issues to read"
                .to_owned(),
        )),
        (Some(_), Some(_)) => wrong.push((
            "group",
            "organization says already whose issues to read; keep one of them".to_owned(),
        )),
        (Some(key), None) if !is_uuid(key) && !is_slug(key) => wrong.push((
            "organization",
            format!("{key:?} is neither a UUID nor a slug, as in the organization's address"),
        )),
        _ => {}
    }
    for key in ["group", "project_key"] {
        if let Some(value) = text(key).filter(|value| !is_uuid(value)) {
            wrong.push((
                key,
                format!("{value:?} is no UUID like 4a18d42f-0706-4ad0-b127-24078731fbed"),
            ));
        }
    }
    if text("project_key").is_some() && text("organization").is_none() && text("group").is_some() {
        wrong.push((
            "project_key",
            "it goes with the organization of the project, and not with a group".to_owned(),
        ));
    }
    wrong
}

fn validate_tool(location: Option<&Url>, tool: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if let Some(Err(reason)) = location.map(location::rest) {
        wrong.push(("location", reason));
    }
    if let Some(version) = tool.text("api_version").map(str::trim) {
        let date = NaiveDate::parse_from_str(version, "%Y-%m-%d");
        if date.is_err() || version.len() != FIRST_VERSION.len() {
            wrong.push((
                "api_version",
                format!("{version:?} is no date like {DEFAULT_VERSION}; ~beta and ~experimental versions are not used"),
            ));
        } else if version < FIRST_VERSION {
            wrong.push((
                "api_version",
                format!("{version} is older than {FIRST_VERSION}, the first version with lists of issues"),
            ));
        }
    }
    wrong
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_slug(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    const ID: &str = "4a18d42f-0706-4ad0-b127-24078731fbed";

    fn settings(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        settings
    }

    fn wrong(pairs: &[(&'static str, &str)]) -> Vec<&'static str> {
        let wrong = validate_api(&Settings::default(), &settings(pairs));
        wrong.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn either_an_organization_or_a_group_is_read() {
        assert!(wrong(&[("organization", ID)]).is_empty());
        assert!(wrong(&[("organization", "acme-shop")]).is_empty());
        assert!(wrong(&[("group", ID)]).is_empty());
        assert!(wrong(&[("organization", ID), ("project_key", ID)]).is_empty());
        assert_eq!(wrong(&[]), ["organization"]);
        assert_eq!(wrong(&[("organization", "a/b")]), ["organization"]);
        assert_eq!(wrong(&[("organization", ID), ("group", ID)]), ["group"]);
        assert_eq!(wrong(&[("group", "acme")]), ["group"]);
        assert_eq!(
            wrong(&[("organization", ID), ("project_key", "shop")]),
            ["project_key"]
        );
        assert_eq!(
            wrong(&[("group", ID), ("project_key", ID)]),
            ["project_key"]
        );
    }

    #[test]
    fn a_version_is_a_date_that_has_lists_of_issues() {
        let wrong = |version| validate_tool(None, &settings(&[("api_version", version)])).len();
        for right in [DEFAULT_VERSION, FIRST_VERSION, "2025-11-05"] {
            assert_eq!(wrong(right), 0, "{right}");
        }
        for version in [
            "2024-10-15~beta",
            "2024-01-22",
            "latest",
            "2024-13-01",
            "2024-1-1",
        ] {
            assert_eq!(wrong(version), 1, "{version}");
        }
    }

    #[test]
    fn an_address_of_the_old_api_is_a_mistake_of_the_configuration() {
        let wrong = |location: &str| {
            let location = location.parse().ok();
            validate_tool(location.as_ref(), &Settings::default())
        };
        assert!(wrong("https://api.eu.snyk.io/rest").is_empty());
        let old = wrong("https://api.eu.snyk.io/v1");
        assert_eq!(old[0].0, "location");
        assert!(old[0].1.contains("https://api.eu.snyk.io/rest"), "{old:?}");
    }

    #[test]
    fn only_parameters_that_the_api_knows_are_sent() {
        let mut one = settings(&[
            ("organization", "acme"),
            ("project_key", &ID.to_uppercase()),
        ]);
        let list = |words: &[&str]| Value::List(words.iter().map(|w| (*w).to_owned()).collect());
        one.insert("statuses", list(&["open", "resolved"]));
        one.insert("issue_types", list(&["code"]));
        let selection = Selection::of(&one);
        assert_eq!(
            selection.filters(),
            [
                ("scan_item.id", ID.to_owned()),
                ("scan_item.type", "project".to_owned())
            ]
        );
        assert!(selection.takes(Some("code")));
        assert!(!selection.takes(Some("license")) && !selection.takes(None));
        one.insert("statuses", list(&["open"]));
        let filters = Selection::of(&one).filters();
        assert_eq!(filters[0], ("status", "open".to_owned()));
        let all = Selection::of(&settings(&[("group", ID)]));
        assert!(all.takes(Some("new")) && all.takes(None));
        assert_eq!(all.home, Home::Group(ID.to_owned()));
    }
}
