//! What the connector says of itself, and the settings it takes.

use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};
use crate::finding::Severity;

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    endpoint_of_region: None,
    name: "burp",
    title: "Burp Suite DAST (formerly Burp Suite Enterprise Edition)",
    direction: Direction::Source,
    location_meaning: "the root URL of the server's web interface; its API is below it at /graphql/v1",
    default_location: None,
    secret: Need::Required,
    secret_meaning: "the API key of a user of login type \"API key\" (sent as Authorization, without Bearer)",
    permissions: &[
        "a role that may view sites and scans, and nothing else",
        "no restriction to sites in the user's groups, or one to the sites to be imported (others are silently left out by the server)",
    ],
    record_meaning: "a site (or the site of CI-driven scans); its id is the site's number",
    source_id_form: "<site id>/<fingerprint>; on servers that give no fingerprint <site id>/h:<SHA-256 of type, name, origin and path>",
    tool_settings: &[],
    api_settings: &[
        Setting {
            key: "site_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The number of the one site to read. Without it and without folder_id, all sites are read. Names are not unique, so there is no setting for them.",
        },
        Setting {
            key: "folder_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The number of a folder: all sites in it and below it are read.",
        },
        Setting {
            key: "schedule_item_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Reads only scans of this schedule. For sites with several, as a light daily and a deep weekly one, whose findings would come and go otherwise.",
        },
        Setting {
            key: "include_cids_sites",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether the sites of CI-driven scans are read too; many of them live shortly.",
        },
        Setting {
            key: "minimum_severity",
            kind: SettingKind::Words {
                allowed: &["high", "medium", "low", "info"],
                default: None,
            },
            required: false,
            meaning: "Takes no new findings below this severity. Known ones stay as they are while Burp lists them.",
        },
        Setting {
            key: "page_size",
            kind: SettingKind::Integer {
                min: 1,
                max: 10_000,
                default: Some(200),
            },
            required: false,
            meaning: "How many issues to ask for at once.",
        },
        Setting {
            key: "include_evidence",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether requests and responses are kept with the vendor's JSON. They hold personal data; cookies, tokens and passwords are taken out as far as they can be told.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |_| Vec::new(),
};

/// Which sites an API configuration reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// All.
    All,
    /// The one of this id.
    Site(String),
    /// All below the folder of this id.
    Folder(String),
}

/// What an API configuration asks for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) selector: Selector,
    pub(super) schedule: Option<String>,
    pub(super) pipelines: bool,
    pub(super) minimum: Option<Severity>,
    pub(super) page_size: i64,
    pub(super) evidence: bool,
}

impl Wanted {
    pub(super) fn of(settings: &Settings) -> Self {
        let id = |key| settings.text(key).map(|id| id.trim().to_owned());
        Self {
            selector: match (id("site_id"), id("folder_id")) {
                (Some(site), _) => Selector::Site(site),
                (None, Some(folder)) => Selector::Folder(folder),
                (None, None) => Selector::All,
            },
            schedule: id("schedule_item_id"),
            pipelines: settings.boolean("include_cids_sites").unwrap_or(false),
            // One of the words that the setting allows.
            minimum: settings
                .text("minimum_severity")
                .and_then(|word| word.parse().ok()),
            page_size: settings.integer("page_size").unwrap_or(200),
            evidence: settings.boolean("include_evidence").unwrap_or(false),
        }
    }
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for key in ["site_id", "folder_id", "schedule_item_id"] {
        if let Some(id) = api.text(key)
            && (id.trim().is_empty() || !id.trim().bytes().all(|byte| byte.is_ascii_digit()))
        {
            wrong.push((
                key,
                format!(
                    "{id:?} is no number; `secpull discover TOOL` shows the ids of sites, and the web interface has them in its URLs"
                ),
            ));
        }
    }
    if api.text("site_id").is_some() && api.text("folder_id").is_some() {
        wrong.push((
            "folder_id",
            "site_id names the one site already; keep one of them".to_owned(),
        ));
    }
    wrong
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
    fn ids_are_numbers_and_one_selector_is_enough() {
        let wrong = |pairs: &[(&'static str, &str)]| {
            let wrong = validate_api(&Settings::default(), &settings(pairs));
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(wrong(&[]).is_empty());
        assert!(wrong(&[("site_id", "11"), ("schedule_item_id", "7")]).is_empty());
        assert_eq!(wrong(&[("site_id", "Shop")]), ["site_id"]);
        assert_eq!(
            wrong(&[("site_id", "11"), ("folder_id", "1")]),
            ["folder_id"]
        );
    }

    #[test]
    fn what_is_not_set_asks_for_all_sites_without_evidence() {
        let wanted = Wanted::of(&settings(&[]));
        assert_eq!(wanted.selector, Selector::All);
        assert!(!wanted.evidence && !wanted.pipelines && wanted.minimum.is_none());
        let wanted = Wanted::of(&settings(&[
            ("folder_id", "1"),
            ("minimum_severity", "low"),
        ]));
        assert_eq!(wanted.selector, Selector::Folder("1".to_owned()));
        assert_eq!(wanted.minimum, Some(Severity::Low));
    }
}
