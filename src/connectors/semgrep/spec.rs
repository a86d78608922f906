//! What the connector says of itself, and the settings it takes.

use super::issue_type::{DEFAULT, IssueType, WORDS};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};

/// Largest page of findings that the vendor gives out, and the smallest.
const PAGE_SIZES: (i64, i64) = (100, 3000);

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "semgrep",
    title: "Semgrep AppSec Platform",
    direction: Direction::Source,
    location_meaning: "https://semgrep.dev/api/v1/, or that of a tenant with a host of its own",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Required,
    secret_meaning: "an API token with the scope Web API (Settings, Tokens, API tokens)",
    permissions: &[
        "a token of the scope Web API; a token for CI, or of the command line, gets 404 for everything",
    ],
    record_meaning: "a project (a repository, mostly); its id is the project's number",
    source_id_form: "<id>, of a secret secrets:<id>; with source_id = \"match\" <project>:<match_based_id>",
    tool_settings: &[
        Setting {
            key: "deployment",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Slug of the deployment that the token must be of. Without it the token decides.",
        },
        Setting {
            key: "page_size",
            kind: SettingKind::Integer {
                min: PAGE_SIZES.0,
                max: PAGE_SIZES.1,
                default: Some(PAGE_SIZES.1),
            },
            required: false,
            meaning: "How many findings to ask for at once. What fits one page is one state of the list; more pages are read twice.",
        },
    ],
    api_settings: &[
        Setting {
            key: "project",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Exact name of the one project to read. Without it all projects are read.",
        },
        Setting {
            key: "branch",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The branch, or other ref, whose code and supply-chain findings are read and filed under it. Without it: all refs, each finding once. Secrets are not told apart by branch.",
        },
        Setting {
            key: "issue_types",
            kind: SettingKind::List {
                allowed: WORDS,
                default: DEFAULT,
            },
            required: false,
            meaning: "What is read: code, supply chain, secrets, and detections by AI. What a type that is taken out has found stays as it is.",
        },
        Setting {
            key: "source_id",
            kind: SettingKind::Words {
                allowed: &["id", "match"],
                default: Some("id"),
            },
            required: false,
            meaning: "By what a code or supply-chain finding is known again: Semgrep's number for it on one ref, or `match`, which the same finding has on every ref.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |_| Vec::new(),
};

/// By what a finding is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    Id,
    Match,
}

/// What an API configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// Name of the one project; none for all.
    pub(super) project: Option<String>,
    /// The ref as findings spell it; none for each finding once over all refs.
    pub(super) branch: Option<String>,
    pub(super) issue_types: Vec<IssueType>,
    pub(super) identity: Identity,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let branch = text(settings, "branch").map(|branch| short_ref(branch).to_owned());
        Self {
            project: text(settings, "project").map(str::to_owned),
            branch,
            issue_types: IssueType::named(settings.list("issue_types")),
            identity: match settings.text("source_id") {
                Some("match") => Identity::Match,
                _ => Identity::Id,
            },
        }
    }
}

/// Slug of the deployment that the token must be of.
pub(super) fn deployment(tool: &Settings) -> Option<String> {
    text(tool, "deployment").map(str::to_owned)
}

/// Findings say `main` where projects say `refs/heads/main`.
pub(super) fn short_ref(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

fn text<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    let text = settings.text(key).map(str::trim);
    text.filter(|text| !text.is_empty())
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if text(api, "branch") == Some("_default") {
        wrong.push((
            "branch",
            "Semgrep takes \"_default\" for all branches; name the branch, or leave it out for each finding once over all refs"
                .to_owned(),
        ));
    }
    if IssueType::named(api.list("issue_types")).is_empty() {
        wrong.push(("issue_types", "names nothing to read".to_owned()));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn settings(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        let types = DEFAULT.iter().map(|word| (*word).to_owned()).collect();
        settings.insert("issue_types", Value::List(types));
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        settings
    }

    #[test]
    fn without_settings_all_projects_are_read_over_all_refs() {
        let selection = Selection::of(&settings(&[]));
        assert_eq!((selection.project, selection.branch), (None, None));
        assert_eq!(selection.identity, Identity::Id);
        assert_eq!(
            selection.issue_types,
            [IssueType::Sast, IssueType::Sca, IssueType::Secrets]
        );
    }

    #[test]
    fn a_branch_is_spelled_as_findings_spell_it() {
        let branch = |branch| Selection::of(&settings(&[("branch", branch)])).branch;
        assert_eq!(branch("main").as_deref(), Some("main"));
        assert_eq!(
            branch(" refs/heads/release/1 ").as_deref(),
            Some("release/1")
        );
        assert_eq!(
            branch("refs/pull/1/merge").as_deref(),
            Some("refs/pull/1/merge")
        );
        assert_eq!(branch(" "), None);
    }

    #[test]
    fn the_branch_that_is_all_branches_and_no_types_at_all_are_mistakes() {
        let wrong = |settings: &Settings| {
            let wrong = validate_api(&Settings::default(), settings);
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(wrong(&settings(&[("branch", "main")])).is_empty());
        assert_eq!(wrong(&settings(&[("branch", "_default")])), ["branch"]);
        let mut none = settings(&[]);
        none.insert("issue_types", Value::List(Vec::new()));
        assert_eq!(wrong(&none), ["issue_types"]);
    }
}
