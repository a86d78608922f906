//! What the connector says of itself, and the settings it takes.

use super::site::Site;
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings, ToolDraft};
use crate::connectors::Record;

/// Types of issues. Hotspots are no type of issue since 8.2, and have a setting of their own.
const TYPES: &[&str] = &["VULNERABILITY", "BUG", "CODE_SMELL"];

const QUALITIES: &[&str] = &["SECURITY", "RELIABILITY", "MAINTAINABILITY"];

const DEFAULT_TYPES: &[&str] = &["VULNERABILITY"];

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    endpoint_of_region: None,
    name: "sonarqube",
    title: "SonarQube Server and Community Build, 8.9 and later, and SonarQube Cloud",
    direction: Direction::Source,
    location_meaning: "the server's base URL, with its context path if it has one; for Cloud https://sonarcloud.io or https://sonarqube.us",
    default_location: None,
    secret: Need::Required,
    secret_meaning: "a user token (My Account, Security, type User Token); project and global analysis tokens are for scanners and are refused",
    permissions: &["Browse on each project to be read; nothing else"],
    record_meaning: "a project; its id and its name are the project key, as names are not unique in SonarQube",
    source_id_form: "the issue's, hotspot's or dependency risk's key",
    tool_settings: &[
        Setting {
            key: "organization",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Key of the organization on SonarQube Cloud. Required there, refused elsewhere; that it is there makes the tool Cloud.",
        },
        Setting {
            key: "flavour",
            kind: SettingKind::Words {
                allowed: &["auto", "server", "cloud"],
                default: Some("auto"),
            },
            required: false,
            meaning: "`auto`: Cloud if organization is set, else a server.",
        },
        Setting {
            key: "api_location",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Root of the second generation of Cloud's API, which has dependency risks. Without it: https://api.sonarcloud.io or https://api.sonarqube.us by location, else location itself.",
        },
        Setting {
            key: "page_size",
            kind: SettingKind::Integer {
                min: 1,
                max: 500,
                default: Some(500),
            },
            required: false,
            meaning: "How many rows to ask for at once.",
        },
    ],
    api_settings: &[
        Setting {
            key: "project_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Key of the one project to read. Without it all projects are read.",
        },
        Setting {
            key: "branch",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "SonarQube's branch to read, under whose name the findings are filed. Without it: the main branch, and no name.",
        },
        Setting {
            key: "branches",
            kind: SettingKind::Words {
                allowed: &["main", "all"],
                default: Some("main"),
            },
            required: false,
            meaning: "`all` reads every branch, and files each branch's findings under its own name.",
        },
        Setting {
            key: "pull_request",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Key (number) of the one pull request to read, under which the findings are filed in place of a branch.",
        },
        Setting {
            key: "types",
            kind: SettingKind::List {
                allowed: TYPES,
                default: DEFAULT_TYPES,
            },
            required: false,
            meaning: "Types of issues to read. What was read of a type that is taken out stays as it is.",
        },
        Setting {
            key: "software_qualities",
            kind: SettingKind::List {
                allowed: QUALITIES,
                default: &[],
            },
            required: false,
            meaning: "Reads the issues that have an impact on these qualities in place of types (servers from 10.2, Cloud).",
        },
        Setting {
            key: "hotspots",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether security hotspots are read.",
        },
        Setting {
            key: "dependency_risks",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether dependency risks are read: vulnerabilities and malware in libraries (Advanced Security, servers from 2025.4 Enterprise, Cloud).",
        },
        Setting {
            key: "prohibited_licenses",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether prohibited licences are taken in from the dependency risks too.",
        },
        Setting {
            key: "rule_details",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether texts and CWEs of rules are fetched, one request for each rule that occurs. Before 9.7 hotspots do not tell their rule, and need one request each.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |settings| {
        (settings.text("branches") == Some("all")).then_some("branches")
    },
    validate_api,
    validate_tool,
};

/// Which branches of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Branches {
    Main,
    All,
    One(String),
    PullRequest(String),
}

/// One query for issues, a scope of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selected {
    Type(&'static str),
    /// Of issues with several qualities the first one that is selected counts.
    Quality(&'static str),
}

impl Selected {
    /// Name of the scope's part.
    pub(super) fn part(self) -> String {
        match self {
            Self::Type(word) => format!("type:{word}"),
            Self::Quality(word) => format!("quality:{word}"),
        }
    }

    /// The query parameter.
    pub(super) fn parameter(self) -> (&'static str, &'static str) {
        match self {
            Self::Type(word) => ("types", word),
            Self::Quality(word) => ("impactSoftwareQualities", word),
        }
    }
}

/// What an API configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) project: Option<String>,
    pub(super) branches: Branches,
    pub(super) issues: Vec<Selected>,
    pub(super) hotspots: bool,
    pub(super) risks: bool,
    pub(super) licences: bool,
    pub(super) rule_details: bool,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let own = |key| text(settings, key).map(str::to_owned);
        let branches = match (own("pull_request"), own("branch")) {
            (Some(number), _) => Branches::PullRequest(number),
            (None, Some(branch)) => Branches::One(branch),
            (None, None) if settings.text("branches") == Some("all") => Branches::All,
            (None, None) => Branches::Main,
        };
        let of = |allowed: &'static [&'static str], key| {
            let listed = settings.list(key);
            let chosen = allowed.iter().copied();
            chosen.filter(move |word| listed.iter().any(|one| one == word))
        };
        let qualities: Vec<_> = of(QUALITIES, "software_qualities")
            .map(Selected::Quality)
            .collect();
        let issues = match qualities.is_empty() {
            true => of(TYPES, "types").map(Selected::Type).collect(),
            false => qualities,
        };
        Self {
            project: own("project_key"),
            branches,
            issues,
            hotspots: settings.boolean("hotspots") != Some(false),
            risks: settings.boolean("dependency_risks") == Some(true),
            licences: settings.boolean("prohibited_licenses") == Some(true),
            rule_details: settings.boolean("rule_details") != Some(false),
        }
    }

    pub(super) fn selects(&self, record: &Record) -> bool {
        self.project.as_ref().is_none_or(|key| *key == record.id)
    }

    pub(super) fn has_qualities(&self) -> bool {
        let mut issues = self.issues.iter();
        issues.any(|one| matches!(one, Selected::Quality(_)))
    }

    /// What is read, for people: `VULNERABILITY issues and hotspots`.
    pub(super) fn words(&self) -> String {
        let issues: Vec<_> = self.issues.iter().map(|one| one.parameter().1).collect();
        let mut words = Vec::new();
        if !issues.is_empty() {
            words.push(format!("{} issues", issues.join(", ")));
        }
        if self.hotspots {
            words.push("hotspots".to_owned());
        }
        if self.risks {
            words.push("dependency risks".to_owned());
        }
        words.join(" and ")
    }
}

fn text<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    let text = settings.text(key).map(str::trim);
    text.filter(|text| !text.is_empty())
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let project = text(api, "project_key");
    if let Some(key) = project.filter(|key| key.contains("://")) {
        wrong.push((
            "project_key",
            format!(
                "{key:?} is an address; the key is what follows id= in the address of the project's page"
            ),
        ));
    }
    let mut named = ["branch", "pull_request"]
        .into_iter()
        .filter(|key| text(api, key).is_some());
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        let message = "branch names what to read already; keep one of them";
        wrong.push(("pull_request", message.to_owned()));
    }
    if let Some(key) = first {
        if api.text("branches") == Some("all") {
            let message =
                "names what to read, and branches = \"all\" reads every branch; keep one of them";
            wrong.push((key, message.to_owned()));
        }
        if project.is_none() {
            let message = "it goes with project_key, which is missing";
            wrong.push((key, message.to_owned()));
        }
    }
    let types = api.list("types");
    if !api.list("software_qualities").is_empty() && !types.is_empty() && types != DEFAULT_TYPES {
        let message = "types selects the issues already; keep one of them";
        wrong.push(("software_qualities", message.to_owned()));
    }
    let risks = api.boolean("dependency_risks") == Some(true);
    if api.boolean("prohibited_licenses") == Some(true) && !risks {
        let message = "it goes with dependency_risks = true, which is missing";
        wrong.push(("prohibited_licenses", message.to_owned()));
    }
    if Selection::of(api).words().is_empty() {
        let message = "nothing is left to read; name types, or set hotspots = true";
        wrong.push(("types", message.to_owned()));
    }
    wrong
}

fn validate_tool(tool: &ToolDraft<'_>) -> Vec<(&'static str, String)> {
    let site = tool
        .location
        .map(|location| Site::of(location, tool.settings));
    site.and_then(Result::err).into_iter().collect()
}

#[cfg(test)]
mod tests;
