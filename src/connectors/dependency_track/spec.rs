//! What the connector says of itself, and the settings it takes.

use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};
use crate::connectors::Record;

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "dependency-track",
    title: "OWASP Dependency-Track 4.x and 5.x",
    direction: Direction::Source,
    location_meaning: "the API server's root, not the frontend's",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Required,
    secret_meaning: "an API key of a team (sent as X-Api-Key)",
    permissions: &[
        "VIEW_PORTFOLIO (projects)",
        "VIEW_VULNERABILITY (findings)",
        "with portfolio access control: the team assigned to each project, or in 5.x PORTFOLIO_ACCESS_CONTROL_BYPASS",
    ],
    record_meaning: "a project, which is one version; its id is the project's UUID",
    source_id_form: "the finding's matrix: <project UUID>:<component UUID>:<vulnerability UUID>",
    tool_settings: &[Setting {
        key: "page_size",
        kind: SettingKind::Integer {
            min: 1,
            max: 1000,
            default: Some(500),
        },
        required: false,
        meaning: "How many rows to ask for at once. Servers of 4.x give all findings of a project at once, whatever is asked.",
    }],
    api_settings: &[
        Setting {
            key: "project_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID of the one project to read. Without it and without project_name, all active projects are read.",
        },
        Setting {
            key: "project_name",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Exact name of the one project to read, in place of its UUID.",
        },
        Setting {
            key: "project_version",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Version that goes with project_name; `latest` is the one marked so in Dependency-Track (4.12 and later). Without it: the project that has no version.",
        },
        Setting {
            key: "suppressed",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether suppressed findings are read too. If not, a finding that is suppressed looks repaired and becomes resolved.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |_| Vec::new(),
};

/// Which projects an API configuration reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// All active ones.
    All,
    /// The one of this UUID.
    Key(String),
    /// The one of this name and version.
    Named {
        name: String,
        version: Option<String>,
    },
    /// The version of this name that is marked as the latest.
    Latest(String),
}

impl Selector {
    pub(super) fn of(settings: &Settings) -> Self {
        let name = settings.text("project_name");
        match (
            settings.text("project_key"),
            name,
            settings.text("project_version"),
        ) {
            (Some(key), _, _) => Self::Key(key.trim().to_ascii_lowercase()),
            (None, Some(name), Some("latest")) => Self::Latest(name.to_owned()),
            (None, Some(name), version) => Self::Named {
                name: name.to_owned(),
                version: version.map(str::to_owned),
            },
            (None, None, _) => Self::All,
        }
    }

    /// Whether it selects this record. Which version is the latest, a record does not tell: all of that name may be it.
    pub(super) fn selects(&self, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::Key(key) => record.id.eq_ignore_ascii_case(key),
            Self::Named { name, version } => record.name == *name && record.detail == *version,
            Self::Latest(name) => record.name == *name,
        }
    }
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let key = api.text("project_key");
    if let Some(key) = key
        && !is_uuid(key.trim())
    {
        wrong.push((
            "project_key",
            format!(
                "{key:?} is no UUID like 4b1ac1ba-3b0d-4f5e-9c3e-0d6f1e2a7c55 (the last part of the project page's URL); a name goes into project_name"
            ),
        ));
    }
    if key.is_some() && api.text("project_name").is_some() {
        wrong.push((
            "project_name",
            "project_key names the project already; keep one of them".to_owned(),
        ));
    }
    if api.text("project_version").is_some() && api.text("project_name").is_none() {
        wrong.push((
            "project_version",
            "it goes with project_name, which is missing".to_owned(),
        ));
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

    const KEY: &str = "4b1ac1ba-3b0d-4f5e-9c3e-0d6f1e2a7c55";

    fn settings(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        settings
    }

    #[test]
    fn a_project_is_named_by_key_or_by_name_not_by_both() {
        let wrong = |pairs: &[(&'static str, &str)]| {
            let wrong = validate_api(&Settings::default(), &settings(pairs));
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(wrong(&[]).is_empty());
        assert!(wrong(&[("project_key", KEY)]).is_empty());
        assert!(wrong(&[("project_name", "shop"), ("project_version", "latest")]).is_empty());
        assert_eq!(wrong(&[("project_key", "shop")]), ["project_key"]);
        assert_eq!(
            wrong(&[("project_key", KEY), ("project_name", "shop")]),
            ["project_name"]
        );
        assert_eq!(wrong(&[("project_version", "1")]), ["project_version"]);
    }

    #[test]
    fn the_word_latest_asks_for_the_latest_version() {
        assert_eq!(Selector::of(&settings(&[])), Selector::All);
        assert_eq!(
            Selector::of(&settings(&[
                ("project_name", "shop"),
                ("project_version", "latest")
            ])),
            Selector::Latest("shop".to_owned())
        );
        assert_eq!(
            Selector::of(&settings(&[("project_name", "shop")])),
            Selector::Named {
                name: "shop".to_owned(),
                version: None
            }
        );
    }

    #[test]
    fn a_record_is_selected_by_its_key_or_by_name_and_version() {
        let record = Record {
            id: KEY.to_owned(),
            name: "shop".to_owned(),
            detail: Some("1.2".to_owned()),
        };
        let selects =
            |pairs: &[(&'static str, &str)]| Selector::of(&settings(pairs)).selects(&record);
        assert!(selects(&[]));
        assert!(selects(&[("project_key", &KEY.to_uppercase())]));
        assert!(!selects(&[(
            "project_key",
            "5b1ac1ba-3b0d-4f5e-9c3e-0d6f1e2a7c55"
        )]));
        assert!(selects(&[
            ("project_name", "shop"),
            ("project_version", "1.2")
        ]));
        assert!(!selects(&[
            ("project_name", "shop"),
            ("project_version", "1.3")
        ]));
        assert!(!selects(&[("project_name", "shop")]));
        assert!(selects(&[
            ("project_name", "shop"),
            ("project_version", "latest")
        ]));
        assert!(!selects(&[
            ("project_name", "pay"),
            ("project_version", "latest")
        ]));
    }
}
