//! What the connector says of itself, and the settings it takes.

use super::engine::{ENGINES, Wanted};
use super::hosts::parse_iam;
use super::tables::States;
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    endpoint_of_region: None,
    name: "checkmarx-one",
    title: "Checkmarx One (cloud)",
    direction: Direction::Source,
    location_meaning: "the address at which you log in, such as https://eu.ast.checkmarx.net",
    default_location: None,
    secret: Need::Required,
    secret_meaning: "an API key (Settings, Identity and Access Management, API Keys), or with client_id the secret of an OAuth client",
    permissions: &[
        "ast-viewer: view-projects, view-scans, view-results",
        "the IAM role default-roles-TENANT",
        "with the new Access Management: the key's user assigned to each project, else the project is missing without a word",
    ],
    record_meaning: "a project; its id is the project's UUID",
    source_id_form: "<type>:<id>: sast:<result hash>, kics:<similarity id>, sca:<vulnerability>|<package identifier>, containers:<vulnerability>|[<image>:<tag>|]<package>@<version>, sscs-…:<similarity id>",
    tool_settings: &[
        Setting {
            key: "tenant",
            kind: SettingKind::Text { default: None },
            required: true,
            meaning: "Name of the tenant, as at the login.",
        },
        Setting {
            key: "client_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Id of an OAuth client whose secret the secret is. Without it the secret is an API key.",
        },
        Setting {
            key: "iam_location",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "URL of the identity service, to which the secret is sent. Without it: the one of location's region.",
        },
        Setting {
            key: "state_map",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "What the tenant's custom states mean, as \"STATE=status\", such as \"ACCEPTED_BY_CISO=risk_accepted\". A state that is not here is open.",
        },
        Setting {
            key: "page_size",
            kind: SettingKind::Integer {
                min: 1,
                max: 10_000,
                default: Some(1000),
            },
            required: false,
            meaning: "How many results to ask for at once.",
        },
    ],
    api_settings: &[
        Setting {
            key: "project_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID or exact name of the one project to read. Without it all projects are read.",
        },
        Setting {
            key: "scan_branch",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The branch whose scans count. Without it: the project's main branch.",
        },
        Setting {
            key: "branches",
            kind: SettingKind::Words {
                allowed: &["main", "all"],
                default: Some("main"),
            },
            required: false,
            meaning: "`all` reads the latest completed scans of every branch, and files each branch's findings under its own name.",
        },
        Setting {
            key: "engines",
            kind: SettingKind::List {
                allowed: ENGINES,
                default: ENGINES,
            },
            required: false,
            meaning: "The engines whose results are read; microengines find secrets. What an engine that is taken out has found stays as it is.",
        },
        Setting {
            key: "accept_partial",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether scans of status Partial count too, for those of their engines that have completed.",
        },
        Setting {
            key: "exclude_dev_and_test",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether Checkmarx leaves out what is in dependencies for development and tests only. What was read before then counts as gone.",
        },
        Setting {
            key: "engine_max_age_days",
            kind: SettingKind::Integer {
                min: 1,
                max: 3650,
                default: None,
            },
            required: false,
            meaning: "After how many days without a completed scan by an engine, on a branch that others still scan, its findings are resolved. Without it they stay for ever.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |settings| {
        (settings.text("branches") == Some("all")).then_some("branches")
    },
    validate_api,
    validate_tool: |tool| validate_tool(tool.settings),
};

/// Which project an API configuration reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Projects {
    All,
    Id(String),
    Named(String),
}

/// Which branches of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Branches {
    Main,
    All,
    One(String),
}

/// What an API configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) projects: Projects,
    pub(super) branches: Branches,
    pub(super) engines: Wanted,
    pub(super) accept_partial: bool,
    pub(super) exclude_dev_and_test: bool,
    pub(super) engine_max_age_days: Option<i64>,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let text = |key| settings.text(key).map(str::trim).filter(|t| !t.is_empty());
        let projects = match text("project_key") {
            None => Projects::All,
            Some(key) if is_uuid(key) => Projects::Id(key.to_ascii_lowercase()),
            Some(name) => Projects::Named(name.to_owned()),
        };
        let branches = match (text("scan_branch"), text("branches")) {
            (Some(branch), _) => Branches::One(branch.to_owned()),
            (None, Some("all")) => Branches::All,
            (None, _) => Branches::Main,
        };
        let flag = |key| settings.boolean(key) == Some(true);
        Self {
            projects,
            branches,
            engines: Wanted::of(settings.list("engines")),
            accept_partial: flag("accept_partial"),
            exclude_dev_and_test: flag("exclude_dev_and_test"),
            engine_max_age_days: settings.integer("engine_max_age_days"),
        }
    }
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let all = api.text("branches") == Some("all");
    if all && api.text("scan_branch").is_some() {
        wrong.push((
            "scan_branch",
            "names one branch, and branches = \"all\" reads every one; keep one of them".to_owned(),
        ));
    }
    wrong
}

fn validate_tool(tool: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(tenant) = tool.text("tenant")
        && (tenant.trim().is_empty() || !tenant.trim().chars().all(is_word))
    {
        wrong.push((
            "tenant",
            "is no tenant's name; allowed: letters, digits, '-', '_' and '.'".to_owned(),
        ));
    }
    if let Some(Err(reason)) = tool.text("iam_location").map(parse_iam) {
        wrong.push(("iam_location", reason));
    }
    if let Err(reason) = States::of(tool.list("state_map")) {
        wrong.push(("state_map", reason));
    }
    wrong
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn settings(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        settings
    }

    #[test]
    fn a_project_is_named_by_uuid_or_by_name() {
        let of = |pairs: &[(&'static str, &str)]| Selection::of(&settings(pairs)).projects;
        assert_eq!(of(&[]), Projects::All);
        let id = "D3F625BE-ba43-4eb8-8030-9fa34ff38f34";
        assert_eq!(
            of(&[("project_key", id)]),
            Projects::Id(id.to_ascii_lowercase())
        );
        assert_eq!(
            of(&[("project_key", "acme/shop")]),
            Projects::Named("acme/shop".to_owned())
        );
    }

    #[test]
    fn a_branch_is_pinned_or_all_are_followed_but_not_both() {
        let both = settings(&[("branches", "all"), ("scan_branch", "main")]);
        assert_eq!(
            validate_api(&Settings::default(), &both)[0].0,
            "scan_branch"
        );
        let all = settings(&[("branches", "all")]);
        assert!(validate_api(&Settings::default(), &all).is_empty());
        assert_eq!((SPEC.reads_several_branches)(&all), Some("branches"));
        assert_eq!(Selection::of(&all).branches, Branches::All);
        let pinned = settings(&[("branches", "main"), ("scan_branch", "release")]);
        assert_eq!((SPEC.reads_several_branches)(&pinned), None);
        assert_eq!(
            Selection::of(&pinned).branches,
            Branches::One("release".to_owned())
        );
    }

    #[test]
    fn mistakes_in_a_tools_settings_are_told_with_their_key() {
        let wrong = |pairs: &[(&'static str, &str)]| {
            let wrong = validate_tool(&settings(pairs));
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(wrong(&[("tenant", "Acme-1")]).is_empty());
        assert_eq!(wrong(&[("tenant", "a/b")]), ["tenant"]);
        assert_eq!(
            wrong(&[("tenant", "a"), ("iam_location", "http://iam.example.com")]),
            ["iam_location"]
        );
        let mut tool = settings(&[("tenant", "a")]);
        tool.insert("state_map", Value::List(vec!["X=gone".to_owned()]));
        assert_eq!(validate_tool(&tool)[0].0, "state_map");
    }
}
